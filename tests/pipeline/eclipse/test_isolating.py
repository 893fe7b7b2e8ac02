"""Who fails in a row: backups, quarantines, and back to work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from omniva_dagster import state as db
from omniva_dagster.contracts.decisions import DirectiveKind, OutcomeStatus
from omniva_dagster.contracts.ids import derive_id, worker_id_of
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.engines import eclipse
from omniva_dagster.resources import recovery
from omniva_dagster.resources.control import run_cycle
from omniva_dagster.resources.media import RendererResource, TranscriberResource
from omniva_dagster.resources.workbench import Commit
from omniva_dagster.state.store import Store
from tests.pipeline.eclipse.support import (
    HERE,
    HOST,
    bench,
    direct,
    done,
    failing_with,
    killed,
    now,
    recorded,
    rounds,
    run,
    said,
    subject,
)


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
    direct(store, worker_id_of(usual), DirectiveKind.REROUTE, early, target=spare)
    assert bench(store).reroutes == {usual: spare}
    direct(store, worker_id_of(usual), DirectiveKind.REROUTE, target=usual)
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
