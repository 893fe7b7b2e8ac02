"""Who falls silent, takes too long, or warns again and again."""

from __future__ import annotations

import logging
import threading

import pytest

from omniva_dagster import state as db
from omniva_dagster.contracts.decisions import OutcomeStatus
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines import eclipse
from omniva_dagster.resources.recovery.pulse import Pulse
from omniva_dagster.resources.workbench import Commit
from omniva_dagster.state.store import Store
from tests.pipeline.eclipse.support import (
    HERE,
    HOST,
    bench,
    done,
    now,
    recorded,
    rounds,
    run,
    said,
    subject,
)


@pytest.mark.spec("ECL-6")
def test_a_worker_that_falls_silent_is_noticed_and_what_it_had_is_planned_for(
    store: Store,
) -> None:
    """ECL-6: heartbeat gaps over SLA."""
    run(store, ["zero"], done)
    at = bench(store, run_id="the run")
    beating = Pulse(store, "the run", "rendered_clips", HOST, HERE)
    with store.begin() as connection:
        db.outcomes.note(
            connection, HERE, "rendered_clips", subject("one"), OutcomeStatus.RUNNING, at.now
        )
        beating.take(connection, subject("one"))
        beating.take(connection, subject("zero"))
    within = eclipse.later(now(), eclipse.BEAT_SLA_SECONDS - 5)
    assert rounds(store, within) == []
    late = eclipse.later(now(), eclipse.BEAT_SLA_SECONDS + 5)
    assert rounds(store, late)
    (deviation,) = recorded(store, "HealthDeviation")
    assert deviation["payload"]["metric"] == "heartbeat_gap_seconds"
    assert deviation["payload"]["observed"] > eclipse.BEAT_SLA_SECONDS
    (alert,) = recorded(store, "TimeoutAlert")
    assert alert["_meta_parents"] == [deviation["message_id"]]
    (plan,) = said(store, "RetryPlan")
    assert plan["job_id"] == derive_id("clip", "one"), "what was done is not done again"
    assert plan["next_attempt_at"]
    beats = recorded(store, "Heartbeat")
    assert [item["payload"]["running"] for item in beats] == [
        [],
        sorted([derive_id("clip", "one"), derive_id("clip", "zero")]),
    ]
    assert rounds(store, eclipse.later(late, 30)) == []


def test_work_beats_while_it_goes_on_and_leaves_no_beat_behind(store: Store) -> None:
    beaten = threading.Event()
    sequences: list[int] = []

    def work(name: str) -> Commit:
        with store.read() as connection:
            (beat,) = db.health.working(connection)
        assert list(beat.running) == [derive_id("clip", name)]
        assert beat.instance == HOST
        sequences.append(beat.sequence)
        beaten.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench(store).each(["one"], subject, work)
    assert sequences[0] >= 2
    with store.read() as connection:
        assert db.health.working(connection) == []


def test_a_pulse_goes_on_by_itself(store: Store) -> None:
    with Pulse(store, "run", "rendered_clips", HOST, HERE, seconds=0.01):
        seen: set[int] = set()
        while len(seen) < 3:
            with store.read() as connection:
                seen |= {beat.sequence for beat in db.health.working(connection)}
    assert len(recorded(store, "Heartbeat")) == 1


def test_hosts_that_are_gone_do_not_gather(store: Store) -> None:
    with store.begin() as connection:
        for number in range(9):
            day = f"2026-01-0{number + 1}T00:00:00Z"
            db.health.succeeded(connection, "editor", f"pod {number}", "", day)
        db.health.failed(
            connection, "editor", "bad", "internal", _packet_id(), "2026-01-01T00:00:00Z"
        )
        connection.exec_driver_sql(
            "UPDATE worker_health SET state = 'quarantined' WHERE instance = 'bad'"
        )
        assert db.health.meet(connection, "editor", "new", "2026-02-05T00:00:00Z")
        assert not db.health.meet(connection, "editor", "new", "2026-02-05T00:00:00Z")
        left = [item.instance for item in db.health.of_workers(connection, ["editor"])]
    assert left == ["bad", "new", "pod 5", "pod 6", "pod 7", "pod 8"]


def _packet_id() -> str:
    return derive_id("packet", "some")


def test_a_job_that_takes_too_long_is_told_of_once(store: Store) -> None:
    beating = Pulse(store, "the run", "rendered_clips", HOST, HERE)
    with store.begin() as connection:
        beating.take(connection, subject("one"))
        connection.exec_driver_sql("UPDATE beats SET overdue_at = '2999-01-01T00:00:00Z'")
    for hours in (7, 8):
        rounds(store, eclipse.later(now(), hours * 3600))
    (alert,) = said(store, "TimeoutAlert")
    assert alert["elapsed_seconds"] >= alert["limit_seconds"]
    assert said(store, "RetryPlan") == []
    assert len(said(store, "HealingProposal")) == 1


def test_lines_that_are_rare_or_of_others_are_no_matter(store: Store) -> None:
    def work(name: str) -> Commit:
        for number in range(eclipse.ABNORMAL_AFTER - 1):
            logging.getLogger("omniva_dagster.workers").warning("line %d", number)
        for number in range(20):
            logging.getLogger("elsewhere").warning("line %d", number)
        return done(name)

    run(store, ["one"], work, "videos")
    assert said(store, "AbnormalLog") == []
    assert logging.getLogger("omniva_dagster").handlers == []
