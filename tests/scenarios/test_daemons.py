"""The daemon dies in the middle of a cycle, or there are two: each wish is one run all the same."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from contextlib import suppress

import dagster as dg
import pytest

from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.cognition.zenith import OverrideRequest
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.ids import EVERYTHING, derive_id
from omniva_dagster.partitions import CREATORS
from omniva_dagster.state import intents, outbox
from omniva_dagster.state.partition import Partition
from tests.scenarios.daemons import daemon
from tests.scenarios.stage import Scene, eventually

pytestmark = [
    pytest.mark.media,
    pytest.mark.e2e,
    pytest.mark.takes(60),
    pytest.mark.timeout(900),
]

Begin = Callable[[str], Scene]
DYING = "tests.scenarios.dying"
# Overridden by `make soak`.
KILLS = int(os.environ.get("OMNIVA_TEST_DAEMON_KILLS", "0"))
SEED = int(os.environ.get("OMNIVA_TEST_SEED", "1"))


def _stopped_by_panic(played: Scene) -> None:
    """Work that was stopped, and an operator's word to go on that nobody has heard yet."""
    with instance() as opened:
        opened.add_dynamic_partitions(CREATORS, ["ada"])
    played.omniva("panic", "--reason", "a rehearsal")
    assert played.materialize().success
    assert played.posted == []
    (hold,) = played.said("Directive", EVERYTHING)
    request = OverrideRequest(
        request_id=derive_id("request", "go on"),
        operator="ada",
        subject_id=EVERYTHING,
        overrides=hold["directive_id"],
        kind=DirectiveKind.RELEASE,
        reason="the rehearsal is over",
        requested_at=hold["issued_at"],
    )
    with played.home.store.begin() as connection:
        outbox.emit(
            connection,
            outbox.Emission(
                request,
                "operator",
                EVERYTHING,
                derive_id("trace", EVERYTHING),
                (),
                Partition("", ""),
                hold["issued_at"],
                occurrence=request.request_id,
            ),
        )


def _runs_of_intents() -> list[dg.DagsterRun]:
    with instance() as opened:
        return [run for run in opened.get_runs() if intents.TAG in run.tags]


def _launches(played: Scene) -> list[tuple[str, str]]:
    """The run and the state of each launch that is or was wanted."""
    query = "SELECT run_id, state FROM intents WHERE action = 'launch'"
    with played.home.store.read() as connection:
        return [(row.run_id, row.state) for row in connection.exec_driver_sql(query)]


def _failures(run_id: str) -> list[str]:
    """What the events of a run that went wrong say."""
    with instance() as opened:
        entries = [record.event_log_entry for record in opened.get_records_for_run(run_id).records]
    events = [entry.dagster_event for entry in entries if entry.dagster_event]
    return [
        str(event) for event in events if event.is_failure or "CANCEL" in event.event_type_value
    ]


def _all_posted_and_quiet(played: Scene) -> bool:
    finished = all(run.is_finished for run in _runs_of_intents())
    return len(played.posted) == 2 and finished


def _each_once(played: Scene) -> None:
    assert played.orders(EVERYTHING) == ["hold", "release"]
    assert len(played.said("PublicationReceipt")) == 2
    wanted = _launches(played)
    assert len(wanted) == 1
    ((effective, state),) = wanted
    assert state == intents.DONE
    ended = {run.run_id: run.status for run in _runs_of_intents()}
    assert ended.pop(effective) is dg.DagsterRunStatus.SUCCESS, _failures(effective)
    # A second run of one wish ends before it does anything.
    assert set(ended.values()) <= {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


@pytest.mark.part("ZEN-5")
def test_a_daemon_killed_within_a_cycle_leaves_one_directive_and_one_run(scene: Begin) -> None:
    """ZEN-5: every 30 s."""
    played = scene("prepared")
    _stopped_by_panic(played)
    told = played.home.path / "dies"
    for where, decided in (
        ("undecided", ["hold"]),
        ("decided", ["hold", "release"]),
        ("offered", ["hold", "release"]),
    ):
        told.write_text(where)
        with daemon(played, where, DYING, OMNIVA_TEST_DIES=str(told)) as dying:
            eventually(lambda: not dying.runs, 90, f"its death: {where}")
        assert not told.exists()
        assert played.orders(EVERYTHING) == decided
        assert played.posted == []
    with daemon(played, "last", DYING, OMNIVA_TEST_DIES=str(told)):
        eventually(lambda: _all_posted_and_quiet(played), 200, "both clips")
    _each_once(played)


@pytest.mark.part("ZEN-8")
def test_two_daemons_on_one_instance_make_each_run_once(scene: Begin) -> None:
    """ZEN-8: authorizes, cancels, assigns ownership, publishes consistent transitions."""
    played = scene("prepared")
    _stopped_by_panic(played)
    # Both are sure to see the run queued, and to launch it.
    racing = "tests.scenarios.racing"
    with daemon(played, "one", program=racing) as one, daemon(played, "two", program=racing) as two:
        eventually(lambda: _all_posted_and_quiet(played), 200, "both clips")
        assert one.runs
        assert two.runs
    _each_once(played)
    said = [one.log.read_text(), two.log.read_text()]
    assert sum("is launched already" in log for log in said) >= 1


def test_a_run_that_died_with_its_daemon_is_seen_and_wanted_again(scene: Begin) -> None:
    played = scene("planned")
    _stopped_by_panic(played)
    config = played.home.path / "dagster/dagster.yaml"
    often = config.read_text().replace("poll_interval_seconds: 30", "poll_interval_seconds: 2")
    config.write_text(often)
    played.renderer.become("slow")
    with daemon(played, "killed") as killed:
        eventually(lambda: len(played.renderer.calls) == 2, 120, "both renders")
        killed.kill()
    (dead,) = _runs_of_intents()
    assert dead.status is dg.DagsterRunStatus.STARTED
    played.renderer.become("fast")
    with daemon(played, "last"):
        eventually(lambda: _runs_of_intents()[-1].is_failure, 120, "that the run is dead")
        eventually(lambda: len(_launches(played)) == 2, 120, "another run")
    # Nobody needs to wait for it.
    assert played.materialize().success
    assert len(played.posted) == 2
    assert len(played.said("PublicationReceipt")) == 2


if KILLS:  # a long test, of `make soak`

    def test_daemons_killed_at_random_moments_do_each_thing_once(scene: Begin) -> None:
        played = scene("prepared")
        _stopped_by_panic(played)
        moments = random.Random(SEED)
        for number in range(KILLS):
            with daemon(played, f"killed-{number}") as killed:
                with suppress(subprocess.TimeoutExpired):
                    killed.process.wait(moments.uniform(4, 40))
                killed.kill()
        with daemon(played, "last"):
            eventually(lambda: _all_posted_and_quiet(played), 600, "both clips")
        assert played.orders(EVERYTHING) == ["hold", "release"]
        assert len(played.said("PublicationReceipt")) == 2
