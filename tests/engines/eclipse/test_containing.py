"""Backups, quarantines and readiness."""

from __future__ import annotations

from dataclasses import replace

import pytest

from omniva_dagster.contracts.cognition.eclipse import (
    FallbackStrategy,
    HealingProposal,
    QuarantineInstruction,
    QuarantineSubject,
    ReadinessSignal,
    Remediation,
)
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.engines import eclipse
from omniva_dagster.engines.eclipse import CREATOR_POOL, Health, Situation, Standing
from tests.engines.eclipse.support import NOW, failing, packet, proposals


@pytest.mark.part("ECL-5")
def test_it_fires_on_failures_in_a_row_over_the_threshold_and_not_before() -> None:
    """ECL-5: fires on consecutive failures over threshold."""
    limits = eclipse.LIMITS
    made = {
        times: {
            type(item).__name__
            for item in eclipse.advise(Situation(NOW, health=(failing(times),))).proposals
        }
        for times in range(limits.quarantine_after + 1)
    }
    assert made[0] == made[limits.suspect_after - 1] == set()
    assert made[limits.suspect_after] == {"HealingProposal", "FallbackStrategy"}
    assert "QuarantineInstruction" not in made[limits.quarantine_after - 1]
    assert "QuarantineInstruction" in made[limits.quarantine_after]


def test_a_suspect_is_not_proposed_to_be_healed_again_and_again() -> None:
    suspect = failing(3, standing=Standing.SUSPECT)
    assert proposals(HealingProposal, Situation(NOW, health=(suspect,))) == []


def test_a_success_clears_the_suspicion() -> None:
    advice = eclipse.advise(Situation(NOW, health=(failing(0, standing=Standing.SUSPECT),)))
    assert advice.proposals == ()
    assert advice.health[0].standing is Standing.READY


@pytest.mark.part("ECL-3")
def test_work_is_proposed_to_go_to_a_backup_that_is_well() -> None:
    """ECL-3: fallbacks to backup workers."""
    well = Health("editor", "other", succeeded_at=NOW)
    worn = Health("editor", "worn", succeeded_at=NOW, consecutive_failures=1)
    broken = failing(eclipse.LIMITS.quarantine_after)
    found = proposals(FallbackStrategy, Situation(NOW, health=(worn, broken, well)))
    assert ("editor/host", "editor/other") in {(one.from_target, one.to_target) for one in found}
    alone = proposals(FallbackStrategy, Situation(NOW, health=(worn, broken)))
    assert all(one.from_target != "editor/host" for one in alone)


@pytest.mark.part("EDI-3")
def test_a_missing_gpu_is_rerouted_at_the_first_failure_unless_it_is_already() -> None:
    """EDI-3: bad_command apart from gpu_starvation, the latter to Eclipse."""
    starved = failing(1, reason_code=ReasonCode.GPU_STARVATION)
    (found,) = proposals(FallbackStrategy, Situation(NOW, health=(starved,)))
    assert (found.from_target, found.to_target) == (eclipse.USUAL_ENCODER, eclipse.SPARE_ENCODER)
    assert found.evidence
    taken = {eclipse.USUAL_ENCODER: eclipse.SPARE_ENCODER}
    assert proposals(FallbackStrategy, Situation(NOW, health=(starved,), routes=taken)) == []
    bad = failing(1, reason_code=ReasonCode.BAD_COMMAND)
    assert proposals(FallbackStrategy, Situation(NOW, health=(bad,))) == []


@pytest.mark.part("ECL-4")
def test_a_quarantine_names_its_subject_its_end_and_its_evidence() -> None:
    """ECL-4: quarantine instructions."""
    times = eclipse.LIMITS.quarantine_after
    creator = failing(
        times, worker=CREATOR_POOL, instance="ada", reason_code=ReasonCode.RATE_LIMITED
    )
    situation = Situation(NOW, health=(failing(times), creator))
    found = {item.subject: item for item in proposals(QuarantineInstruction, situation)}
    assert found["editor/host"].subject_kind is QuarantineSubject.WORKER
    assert found["ada"].subject_kind is QuarantineSubject.CREATOR
    assert found["ada"].remediation == [Remediation.WAIT_FOR_QUOTA]
    for item in found.values():
        assert item.until is not None
        assert item.until > item.since == NOW
        assert item.evidence == [packet("first"), packet("last")]


def test_whoever_is_isolated_is_not_isolated_again_before_it_ends() -> None:
    isolated = eclipse.advise(Situation(NOW, health=(failing(9),))).health
    again = eclipse.advise(Situation(eclipse.later(NOW, 60), health=isolated))
    assert again.proposals == ()
    assert again.health == isolated


def _on_probation() -> Health:
    (isolated,) = eclipse.advise(Situation(NOW, health=(failing(9),))).health
    return isolated


@pytest.mark.part("ECL-9")
def test_the_first_success_after_a_quarantine_signals_readiness() -> None:
    """ECL-9: readiness signal when safe again."""
    isolated = _on_probation()
    after = eclipse.later(isolated.quarantined_until, 5)
    waiting = eclipse.advise(Situation(after, health=(isolated,)))
    assert waiting.proposals == ()
    assert waiting.health[0].standing is Standing.PROBATION
    worked = replace(
        waiting.health[0],
        consecutive_failures=0,
        succeeded_at=after,
        success_packet_id=packet("success"),
    )
    advice = eclipse.advise(Situation(after, health=(worked,)))
    (signal,) = advice.proposals
    assert isinstance(signal, ReadinessSignal)
    assert signal.lifts == [isolated.quarantine_id]
    assert signal.evidence == [packet("success")]
    assert signal.checks_passed
    assert advice.health[0].standing is Standing.READY
    assert advice.health[0].strikes == 0


def test_a_failure_on_probation_isolates_again_for_twice_as_long() -> None:
    isolated = _on_probation()
    after = eclipse.later(isolated.quarantined_until, 5)
    failed_again = replace(isolated, failed_at=after)
    advice = eclipse.advise(Situation(after, health=(failed_again,)))
    (again,) = [item for item in advice.proposals if isinstance(item, QuarantineInstruction)]
    assert again.until is not None
    assert eclipse.seconds_between(again.since, again.until) == 2 * eclipse.seconds_between(
        isolated.quarantined_at, isolated.quarantined_until
    )


def test_a_quiet_probation_ends_by_itself() -> None:
    isolated = replace(_on_probation(), quarantine_packet_id=packet("quarantine"))
    late = eclipse.later(isolated.quarantined_until, eclipse.LIMITS.probation_seconds)
    (signal,) = proposals(ReadinessSignal, Situation(late, health=(isolated,)))
    assert signal.evidence == [packet("quarantine")]
