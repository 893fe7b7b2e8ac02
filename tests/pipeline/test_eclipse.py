"""Failures on real parts: recorded, planned for, contained, decided by Zenith, healed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.failures import (
    HealthDeviation,
    PanicScope,
    PanicSignal,
    TimeoutAlert,
)
from omniva_dagster.contracts.cognition.paradox import ConflictEscalation
from omniva_dagster.contracts.decisions import Directive, DirectiveKind, OutcomeStatus
from omniva_dagster.contracts.ids import EVERYTHING, derive_id, worker_id_of
from omniva_dagster.contracts.publishing import ScheduleTask
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.engines import eclipse
from omniva_dagster.resources import recovery
from omniva_dagster.resources.control import run_cycle
from omniva_dagster.resources.media import RendererResource, TranscriberResource
from omniva_dagster.resources.recovery.pulse import Pulse
from omniva_dagster.resources.workbench import Commit, Recorder, Skip, Workbench
from omniva_dagster.state.partition import Partition, Subject
from omniva_dagster.state.recoveries import Recovery
from omniva_dagster.state.store import Store
from omniva_dagster.state.tables import packets
from tests.contracts.support import without

HERE = Partition("ada", "2026-03-04")
HOST = recovery.this_instance()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store(f"sqlite:///{tmp_path / 'state.db'}")
    opened.migrate()
    yield opened
    opened.close()


def now() -> str:
    return format_timestamp(datetime.now(UTC))


def bench(store: Store, stage: str = "rendered_clips", **fields: Any) -> Workbench:
    return Workbench(store, HERE, stage, logging.getLogger("test"), **fields)


def subject(name: str) -> Subject:
    return Subject(derive_id("clip", name), name, derive_id("trace", name))


def killed(_name: str = "") -> Commit:
    raise WorkerError(ReasonCode.INTERNAL, "ended by signal 9; run again", transient=True)


def failing_with(code: ReasonCode, *, transient: bool = True) -> Callable[[str], Commit]:
    def work(name: str) -> Commit:
        raise WorkerError(code, f"{name}: no", transient=transient)

    return work


def done(name: str) -> Commit:
    return lambda recorder: [_task(recorder, name)]


def _task(recorder: Recorder, name: str) -> Record[ScheduleTask]:
    clip_id = derive_id("clip", name)
    task = ScheduleTask.parse(without("ScheduleTask", "_meta_parents", clip_id=clip_id))
    return recorder.record(task, subject_id=clip_id, trace_id=derive_id("trace", name))


def run(
    store: Store,
    names: list[str],
    work: Callable[[str], Commit],
    stage: str = "rendered_clips",
    **fields: Any,
) -> Workbench:
    """A step of a run, from its start to its end."""
    at = bench(store, stage, **fields)
    at.each(names, subject, work)
    at.finish()
    return at


def recorded(store: Store, message_type: str) -> list[dict[str, Any]]:
    import json

    query = sa.select(packets.c.body).where(packets.c.message_type == message_type)
    with store.read() as connection:
        rows = connection.scalars(query.order_by(packets.c.sequence)).all()
    return [json.loads(body) for body in rows]


def said(store: Store, message_type: str) -> list[dict[str, Any]]:
    return [item["payload"] for item in recorded(store, message_type)]


def standing(store: Store, name: str, stage: str = "rendered_clips") -> Recovery | None:
    with store.read() as connection:
        return db.recoveries.get(connection, stage, derive_id("clip", name))


def rounds(store: Store, at: str = "") -> list[str]:
    with store.begin() as connection:
        return recovery.eclipse_round(connection, at or now())


def turned_back(store: Store, seconds: float) -> None:
    """As if all that failed and was planned had been that long ago."""
    with store.begin() as connection:
        for item in db.recoveries.open_ones(connection):
            moved = {
                name: eclipse.later(getattr(item, name), -seconds)
                for name in ("first_failed_at", "last_failed_at", "next_attempt_at")
                if getattr(item, name)
            }
            db.recoveries.put(connection, replace(item, **moved))


# Failures become plans


@pytest.mark.spec("ECL-2")
def test_a_failed_document_has_a_plan_when_its_step_ends(store: Store) -> None:
    """ECL-2: retry plans per job with backoff."""
    run(store, ["three"], done)
    run(store, ["one", "two"], killed)
    plans = {plan["job_id"]: plan for plan in said(store, "RetryPlan")}
    assert set(plans) == {derive_id("clip", "one"), derive_id("clip", "two")}
    assert all(plan["next_attempt_at"] > plan["issued_at"] for plan in plans.values())
    assert all(plan["backoff"]["multiplier"] > 1 for plan in plans.values())
    (event, *_) = recorded(store, "WorkerErrorEvent")
    assert plans[event["payload"]["job_id"]]["evidence"] == [event["message_id"]]
    assert event["payload"]["instance"] == HOST
    found = standing(store, "one")
    assert found is not None
    assert found.state == db.recoveries.PLANNED


def test_an_event_comes_from_its_outcome_and_a_further_one_from_the_plan_too(store: Store) -> None:
    run(store, ["one"], killed)
    run(store, ["one"], killed)
    first, second = recorded(store, "WorkerErrorEvent")
    plan, _ = recorded(store, "RetryPlan")
    outcomes = [item["message_id"] for item in recorded(store, "Outcome")]
    assert first["_meta_parents"] == outcomes[:1]
    assert second["_meta_parents"] == [outcomes[1], plan["message_id"]]


@pytest.mark.part("SCR-4")
@pytest.mark.parametrize(
    "code", [ReasonCode.NETWORK_TIMEOUT, ReasonCode.RATE_LIMITED, ReasonCode.AUTH_FAILED]
)
def test_a_scrapers_failure_keeps_its_reason_and_eclipse_hears_when_tries_end(
    store: Store, code: ReasonCode
) -> None:
    """SCR-4: ERROR with network_timeout, rate_limited, auth_failed; Eclipse alerted when retries
    end."""
    transient = code is not ReasonCode.AUTH_FAILED
    for _ in range(9):
        run(store, ["one"], failing_with(code, transient=transient), "videos")
    with store.read() as connection:
        outcome = db.outcomes.get(connection, "videos", derive_id("clip", "one"))
    assert outcome is not None
    assert (outcome.status, outcome.reason_code) == (OutcomeStatus.ERROR, code)
    last = said(store, "RetryPlan")[-1]
    assert "next_attempt_at" not in last
    assert "operator_review" in last["remediation"]
    assert last["reason_code"] == code.value


def test_what_would_fail_alike_is_spent_at_once(store: Store) -> None:
    run(store, ["one"], failing_with(ReasonCode.BAD_COMMAND, transient=False))
    found = standing(store, "one")
    assert found is not None
    assert (found.state, found.attempts, found.next_attempt_at) == ("spent", 1, "")


def test_a_success_ends_the_recovery_and_the_failures_in_a_row(store: Store) -> None:
    run(store, ["one", "two"], killed)
    run(store, ["one"], done)
    assert standing(store, "one") is None
    with store.read() as connection:
        health = db.health.get(connection, "editor", HOST)
    assert health is not None
    assert health.consecutive_failures == 0
    assert health.success_packet_id


def test_what_was_done_before_says_nothing_about_the_worker(store: Store) -> None:
    run(store, ["one"], done)
    with store.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE outcomes SET body = replace(body, '2026-', '2025-') WHERE status = 'DONE'"
        )
    with store.read() as connection:
        old = db.outcomes.get(connection, "rendered_clips", derive_id("clip", "one"))
    run(store, ["two"], killed)
    assert old is not None
    with store.begin() as connection:
        at = bench(store)
        recovery.succeeded(at.recorder(connection), subject("one"), old, HOST)
        health = db.health.get(connection, "editor", HOST)
    assert health is not None
    assert health.consecutive_failures == 1


def test_what_no_longer_applies_is_not_recovered(store: Store) -> None:
    run(store, ["one"], killed)
    run(store, ["two"], done)
    assert standing(store, "one") is None


@pytest.mark.parametrize(
    ("reason", "waits"), [(ReasonCode.DUPLICATE, False), (ReasonCode.NOT_RELEASED, True)]
)
def test_what_needs_no_work_is_not_tried_again_and_what_is_held_is(
    store: Store, reason: ReasonCode, waits: bool
) -> None:
    def skipping(_name: str) -> Commit:
        raise Skip(reason, "not now")

    run(store, ["one"], killed)
    run(store, ["one"], skipping)
    assert (standing(store, "one") is not None) == waits


def test_a_failure_and_its_event_are_there_together_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(*_arguments: Any) -> None:
        raise sa.exc.OperationalError("killed", {}, Exception())

    monkeypatch.setattr(db.recoveries, "put", dying)
    with pytest.raises(sa.exc.OperationalError):
        run(store, ["one"], killed)
    assert recorded(store, "WorkerErrorEvent") == []
    assert said(store, "Outcome") == []


def test_a_step_cut_off_before_its_end_is_planned_for_by_the_next_round(store: Store) -> None:
    bench(store).each(["one"], subject, killed)
    assert said(store, "RetryPlan") == []
    assert rounds(store)
    found = standing(store, "one")
    assert found is not None
    assert found.state == db.recoveries.PLANNED


# Zenith's runs wait for the next attempt, people's do not


def test_a_run_of_zeniths_leaves_a_document_alone_until_it_is_due(store: Store) -> None:
    tried: list[str] = []

    def work(name: str) -> Commit:
        tried.append(name)
        return done(name)

    run(store, ["one"], killed)
    before = len(recorded(store, "Outcome"))
    run(store, ["one", "two"], work, paced=True)
    assert tried == ["two"]
    assert len(recorded(store, "Outcome")) == before + 1
    with store.read() as connection:
        outcome = db.outcomes.get(connection, "rendered_clips", derive_id("clip", "one"))
    assert outcome is not None
    assert outcome.status is OutcomeStatus.ERROR
    turned_back(store, 3600)
    run(store, ["one", "two"], work, paced=True)
    assert tried == ["two", "one", "two"]


def test_a_person_has_everything_tried_that_failed(store: Store) -> None:
    run(store, ["one"], failing_with(ReasonCode.CORRUPT_MEDIA, transient=False))
    run(store, ["one"], done)
    assert standing(store, "one") is None


def test_spent_attempts_wait_for_an_operators_word(store: Store) -> None:
    run(store, ["one"], failing_with(ReasonCode.CORRUPT_MEDIA, transient=False))
    clip_id = derive_id("clip", "one")
    with store.read() as connection:
        said_so = recovery.not_due(connection, "rendered_clips", clip_id, now())
    assert f"omniva override retry {clip_id}" in said_so
    run(store, ["one"], done, paced=True)
    assert standing(store, "one") is not None
    _direct(store, clip_id, DirectiveKind.RETRY)
    run(store, ["one"], done, paced=True)
    assert standing(store, "one") is None


def _direct(
    store: Store, subject_id: str, kind: DirectiveKind, at: str = "", **fields: Any
) -> None:
    directive = Directive(
        directive_id=derive_id("directive", kind.value, subject_id, at, str(fields)),
        kind=kind,
        subject_id=subject_id,
        owner="editor",
        reason="said so",
        evidence=[derive_id("packet", "x")],
        rollback="say otherwise",
        issued_at=at or now(),
        **fields,
    )
    with store.begin() as connection:
        db.decisions.append(connection, HERE, directive, derive_id("packet", "y"), scope="worker")


@pytest.mark.part("CON-11")
def test_a_retried_job_has_its_effect_once(store: Store) -> None:
    """CON-11: retries never duplicate side effects (4 and 7: idempotent modules)."""
    effects: set[str] = set()
    calls: list[str] = []

    def interrupted(name: str) -> Commit:
        calls.append(name)
        effects.add(name)
        if len(calls) == 1:
            return killed()
        return done(name)

    run(store, ["one"], interrupted)
    for _ in range(2):
        turned_back(store, 3600)
        run(store, ["one"], interrupted, paced=True)
    assert len(calls) == 3
    assert effects == {"one"}
    assert len(recorded(store, "ScheduleTask")) == 1
    assert [item["status"] for item in said(store, "Outcome")] == ["ERROR", "DONE"]


# Containing


@pytest.mark.spec("ECL-5")
def test_it_fires_when_failures_in_a_row_pass_the_threshold(store: Store) -> None:
    """ECL-5: fires on consecutive failures over threshold."""
    for number in range(1, eclipse.LIMITS.quarantine_after + 1):
        run(store, [f"clip {number}"], killed)
        rounds(store)
        isolated = said(store, "QuarantineInstruction")
        assert len(isolated) == (number == eclipse.LIMITS.quarantine_after)
    assert isolated[0]["subject"] == f"editor/{HOST}"


@pytest.mark.spec("FLO-4")
@pytest.mark.parametrize(
    ("worker", "stage"), sorted({pool: at for at, pool in recovery.WORKER_OF.items()}.items())
)
def test_every_pool_gets_plans_and_quarantines(store: Store, worker: str, stage: str) -> None:
    """FLO-4: Eclipse -> any pool."""
    run(store, ["a", "b", "c", "d"], killed, stage)
    run_cycle(store, now())
    assert len(said(store, "RetryPlan")) == 4
    (instruction,) = said(store, "QuarantineInstruction")
    assert instruction["subject"] == f"{worker}/{HOST}"
    run(store, ["e"], done, stage)
    with store.read() as connection:
        held = db.outcomes.get(connection, stage, derive_id("clip", "e"))
    assert held is not None
    assert held.reason_code is ReasonCode.NOT_RELEASED


@pytest.mark.spec("ECL-4")
@pytest.mark.spec("ECL-8")
def test_zenith_enforces_a_quarantine_and_the_other_pools_go_on(store: Store) -> None:
    """ECL-4: quarantine instructions. ECL-8: contains the blast radius, isolates workers, proposes
    healing."""
    run(store, ["a", "b", "c", "d"], killed)
    run_cycle(store, now())
    (instruction,) = said(store, "QuarantineInstruction")
    assert instruction["remediation"] == ["restart_required", "cache_flush"]
    healing = said(store, "HealingProposal")
    assert {item["cluster"] for item in healing} == {"editor"}
    tried: list[str] = []

    def work(name: str) -> Commit:
        tried.append(name)
        return done(name)

    run(store, ["e"], work)
    assert tried == []
    with store.read() as connection:
        held = db.outcomes.get(connection, "rendered_clips", derive_id("clip", "e"))
    assert held is not None
    assert held.reason_code is ReasonCode.NOT_RELEASED
    run(store, ["e"], work, "schedule_tasks")
    run(store, ["f"], work, instance="another host")
    assert tried == ["e", "f"]


@pytest.mark.part("ECL-8")
def test_a_source_that_fails_isolates_its_creator_and_no_worker(store: Store) -> None:
    """ECL-8: contains the blast radius, isolates workers, proposes healing."""
    names = [f"video {number}" for number in range(5)]
    run(store, names, failing_with(ReasonCode.RATE_LIMITED), "videos")
    rounds(store)
    (instruction,) = said(store, "QuarantineInstruction")
    assert (instruction["subject_kind"], instruction["subject"]) == ("creator", "ada")
    assert instruction["remediation"] == ["wait_for_quota"]


@pytest.mark.spec("ECL-3")
@pytest.mark.part("EDI-3")
def test_a_missing_gpu_reroutes_to_the_processor_by_zeniths_order(store: Store) -> None:
    """ECL-3: fallbacks to backup workers. EDI-3: bad_command apart from gpu_starvation, the latter
    to Eclipse."""
    renderer = RendererResource(encoder="h264_nvenc", brands="b", slots="s")
    run(store, ["one"], failing_with(ReasonCode.BAD_COMMAND, transient=False))
    run_cycle(store, now())
    assert said(store, "FallbackStrategy") == []
    run(store, ["two"], failing_with(ReasonCode.GPU_STARVATION))
    with store.read() as connection:
        assert recovery.reroutes_in_force(connection, now()) == {}
    run_cycle(store, now())
    reroutes = bench(store).reroutes
    assert reroutes == {eclipse.USUAL_ENCODER: eclipse.SPARE_ENCODER}
    assert renderer.rerouted(reroutes).encoder == "libx264"
    assert renderer.rerouted({}) is renderer
    run(store, ["three"], failing_with(ReasonCode.GPU_STARVATION))
    run_cycle(store, now())
    assert len(said(store, "FallbackStrategy")) == 1
    # In an hour the usual way is tried again.
    later = eclipse.later(now(), 2 * eclipse.ROUTE_SECONDS)
    with store.read() as connection:
        assert recovery.reroutes_in_force(connection, later) == {}


@pytest.mark.part("ANA-4")
def test_a_model_that_is_offline_is_replaced_by_the_bundled_one(store: Store) -> None:
    """ANA-4: transcript_missing, model_offline ... and Lattice reprioritizes."""
    ears = TranscriberResource(model="large-v3", home="h", device="cuda", retry_model="x")
    run(store, ["a", "b"], failing_with(ReasonCode.MODEL_OFFLINE), "analysis_results")
    run_cycle(store, now())
    spare = ears.rerouted(bench(store).reroutes)
    assert (spare.model, spare.device, spare.retry_model) == ("auto", "cpu", "")
    assert said(store, "RetryPlan")[0]["remediation"] == ["model_reload"]


def test_a_reroute_is_undone_by_one_that_points_back(store: Store) -> None:
    usual, spare = eclipse.USUAL_ENCODER, eclipse.SPARE_ENCODER
    early = eclipse.later(now(), -5)
    _direct(store, worker_id_of(usual), DirectiveKind.REROUTE, early, target=spare)
    assert bench(store).reroutes == {usual: spare}
    _direct(store, worker_id_of(usual), DirectiveKind.REROUTE, target=usual)
    assert bench(store).reroutes == {}


@pytest.mark.spec("ECL-9")
def test_after_a_quarantine_what_came_due_is_tried_and_a_success_signals_readiness(
    store: Store,
) -> None:
    """ECL-9: readiness signal when safe again."""
    run(store, ["a", "b", "c", "d"], killed)
    run_cycle(store, now())
    (instruction,) = said(store, "QuarantineInstruction")
    plans = len(said(store, "RetryPlan"))
    early = eclipse.later(instruction["until"], -1)
    run_cycle(store, early)
    assert len(said(store, "RetryPlan")) == plans
    run_cycle(store, instruction["until"])
    probes = said(store, "RetryPlan")[plans:]
    assert {item["next_attempt_at"] for item in probes} == {instruction["until"]}
    assert said(store, "ReadinessSignal") == []
    with store.read() as connection:
        held = db.decisions.restrained(
            connection, [worker_id_of(f"editor/{HOST}")], instruction["until"]
        )
    assert held is None
    # The workbench's clock stands at today: a success is one after the quarantine.
    with store.begin() as connection:
        recorder = replace(bench(store).recorder(connection), now=instruction["until"])
        note = (HERE, "rendered_clips", subject("a"), OutcomeStatus.DONE, recorder.now)
        outcome = db.outcomes.note(connection, *note)
        recovery.succeeded(recorder, subject("a"), outcome, HOST)
    run_cycle(store, eclipse.later(instruction["until"], 30))
    (signal,) = recorded(store, "ReadinessSignal")
    assert signal["payload"]["lifts"] == [instruction["instruction_id"]]
    assert signal["payload"]["evidence"] == signal["_meta_parents"]
    with store.read() as connection:
        health = db.health.get(connection, "editor", HOST)
    assert health is not None
    assert (health.state, health.strikes, health.consecutive_failures) == ("ready", 0, 0)


def test_after_a_quiet_probation_one_failure_isolates_nobody(store: Store) -> None:
    run(store, ["a", "b", "c", "d"], killed)
    rounds(store)
    (instruction,) = said(store, "QuarantineInstruction")
    rounds(store, instruction["until"])
    quiet = eclipse.later(instruction["until"], eclipse.LIMITS.probation_seconds)
    rounds(store, quiet)
    assert len(said(store, "ReadinessSignal")) == 1
    run(store, ["e"], killed)
    rounds(store, eclipse.later(quiet, 60))
    assert len(said(store, "QuarantineInstruction")) == 1


def test_a_quiet_round_proposes_nothing_and_a_repeated_one_nothing_new(store: Store) -> None:
    assert rounds(store) == []
    run(store, ["a", "b", "c", "d"], killed)
    at = now()
    assert rounds(store, at)
    counted = len(recorded(store, "HealingProposal"))
    assert rounds(store, eclipse.later(at, 30)) == []
    assert len(recorded(store, "HealingProposal")) == counted


def test_a_round_that_is_cut_off_did_nothing_and_comes_to_the_same_again(store: Store) -> None:
    run(store, ["a", "b", "c", "d"], killed)
    at = now()

    class KilledError(Exception):
        pass

    def cut_off() -> list[str]:
        with store.begin() as connection:
            proposed = recovery.eclipse_round(connection, at)
            assert proposed
            raise KilledError(*proposed)

    with pytest.raises(KilledError) as cut:
        cut_off()
    assert said(store, "QuarantineInstruction") == []
    assert rounds(store, at) == list(cut.value.args)


# Heartbeats


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


# What else it hears


@pytest.mark.spec("ECL-1")
def test_all_that_it_may_be_told_is_answered(store: Store) -> None:
    """ECL-1: takes worker errors, timeouts, abnormal logs, health deviations, escalated
    conflicts."""
    log = logging.getLogger("omniva_dagster.workers.scraper.session")

    def noisy(name: str) -> Commit:
        for number in range(eclipse.ABNORMAL_AFTER):
            log.warning("page %d of https://a.example/?token=hunter2 is odd", number)
        return killed()

    run(store, ["one"], noisy, "videos")
    (abnormal,) = said(store, "AbnormalLog")
    assert abnormal["occurrences"] == eclipse.ABNORMAL_AFTER
    assert "hunter2" not in str(abnormal)
    told = {
        "timeout": TimeoutAlert.parse(without("TimeoutAlert", worker="uploader")),
        "deviation": HealthDeviation.parse(without("HealthDeviation", worker="analyzer")),
        "conflict": ConflictEscalation.parse(without("ConflictEscalation", evidence=[_any(store)])),
    }
    for name, document in told.items():
        _tell(store, document, name)
    rounds(store)
    healing = said(store, "HealingProposal")
    assert {"scraper", "uploader", "analyzer"} <= {item["cluster"] for item in healing}
    assert len(healing) == 4
    assert len(said(store, "RetryPlan")) == 1
    with store.read() as connection:
        assert db.inboxes.waiting(connection, db.inboxes.ECLIPSE) == []


def _any(store: Store) -> str:
    return str(recorded(store, "Outcome")[0]["message_id"])


def _tell(store: Store, document: Any, name: str, subject_id: str = "") -> None:
    about = subject_id or derive_id("thing", name)
    with store.begin() as connection:
        db.outbox.emit(
            connection,
            db.outbox.Emission(
                document, "test", about, derive_id("trace", about), (), HERE, now(), name
            ),
        )


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


@pytest.mark.spec("ECL-7")
def test_the_panic_button_is_escalated_and_held_by_zenith_alone(store: Store) -> None:
    """ECL-7: the operator's panic button."""
    signal = PanicSignal(
        signal_id=derive_id("signal", "1"),
        operator="ada",
        scope=PanicScope.ALL,
        subjects=[],
        reason="smoke",
        pressed_at=now(),
    )
    _tell(store, signal, "panic", EVERYTHING)
    rounds(store)
    (crisis,) = recorded(store, "CrisisEscalation")
    assert crisis["payload"]["affected"] == ["all"]
    assert [item["message_id"] for item in recorded(store, "PanicSignal")] == crisis[
        "_meta_parents"
    ]
    with store.read() as connection:
        # Eclipse holds nothing.
        assert db.decisions.restrained(connection, [EVERYTHING], now()) is None
    run_cycle(store, now())
    with store.read() as connection:
        assert db.decisions.restrained(connection, [EVERYTHING], now()) is not None


@pytest.mark.spec("ECL-11")
def test_nothing_changes_but_by_zeniths_directive(store: Store) -> None:
    """ECL-11: never executes."""
    run(store, ["a", "b", "c", "d"], killed)
    tables = ("directives", "restraints", "intents", "outcomes", "publications", "slots")

    def counts() -> list[int]:
        with store.read() as connection:
            return [
                int(connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() or 0)
                for name in tables
            ]

    before = counts()
    assert rounds(store)
    assert counts() == before
    producers = {item["producer"] for item in recorded(store, "QuarantineInstruction")}
    assert producers == {"eclipse"}


def test_failures_over_several_creators_are_a_crisis_once(store: Store) -> None:
    for slug in ("ada", "bob", "cy"):
        at = Workbench(store, Partition(slug, HERE.day), "videos", logging.getLogger("test"))
        names = [f"{slug} {number}" for number in range(3)]
        at.each(names, subject, failing_with(ReasonCode.UNREACHABLE))
        at.finish()
    rounds(store)
    run(store, ["more"], failing_with(ReasonCode.UNREACHABLE), "videos")
    rounds(store)
    (crisis,) = said(store, "CrisisEscalation")
    assert {"ada", "bob", "cy", "scraper"} <= set(crisis["affected"])
    assert crisis["severity"] == Severity.CRITICAL.value


# Runs that end


def test_a_run_that_failed_is_planned_for_once_whoever_tells(store: Store) -> None:
    failure = recovery.RunFailure("rendered_clips", "the disk is gone")
    plans = recovery.run_ended(store, HERE, "run 1", failure, now())
    assert len(plans) == 1
    assert recovery.run_ended(store, HERE, "run 1", failure, now()) == []
    (plan,) = recorded(store, "RetryPlan")
    assert plan["payload"]["job_id"] == recovery.run_subject(HERE)
    assert plan["payload"]["next_attempt_at"]
    with store.read() as connection:
        assert [item.attempts_made for item in db.recoveries.of_partition(connection, HERE)] == [1]
    recovery.run_ended(store, HERE, "run 2", None, now())
    with store.read() as connection:
        assert db.recoveries.of_partition(connection, HERE) == []


def test_a_run_that_was_ended_on_purpose_is_for_a_person(store: Store) -> None:
    failure = recovery.RunFailure("scraper_jobs", "omniva creators add ghost", transient=False)
    recovery.run_ended(store, HERE, "run 1", failure, now())
    (plan,) = said(store, "RetryPlan")
    assert "next_attempt_at" not in plan


# What it costs, and what people see


def test_a_round_looks_only_at_what_is_open(store: Store) -> None:
    run(store, ["one"], killed)
    statements: list[tuple[str, Any]] = []

    def heard(_c: Any, _cursor: Any, text: str, parameters: Any, *_rest: Any) -> None:
        statements.append((text, parameters))

    sa.event.listen(store.engine, "before_cursor_execute", heard)
    rounds(store, eclipse.later(now(), 3600))
    sa.event.remove(store.engine, "before_cursor_execute", heard)
    growing = ("packets", "directives", "outcomes", "recoveries", "inboxes")
    with store.read() as connection:
        for text, parameters in statements:
            if not text.startswith("SELECT"):
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters)
            steps = [row[3] for row in plan]
            scanned = [step for step in steps if step.startswith("SCAN")]
            assert not [step for step in scanned if step.split()[1] in growing], (text, steps)


def test_the_report_shows_what_waits_what_is_spent_and_what_to_do(store: Store) -> None:
    run(store, ["one | two"], failing_with(ReasonCode.CORRUPT_MEDIA, transient=False), "videos")
    run(store, ["a", "b", "c", "d"], killed)
    rounds(store)
    with store.read() as connection:
        report = recovery.recovery_report(connection)
    assert (report["waiting"], report["spent"], report["quarantined"]) == (4, 1, 1)
    table = str(report["plans"].value)
    assert f"omniva override retry {derive_id('clip', 'one | two')}" in table
    assert "one \\| two" in table
    assert "omniva run --creator ada --day 2026-03-04" in table
    assert f"editor/{HOST}" in str(report["workers"].value).replace("\\", "")
