"""What Eclipse is told is answered; what spreads is a crisis."""

from __future__ import annotations

from dataclasses import replace

import pytest

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.eclipse import (
    CrisisEscalation,
    HealingProposal,
    QuarantineInstruction,
    Remediation,
)
from omniva_dagster.contracts.cognition.failures import AbnormalLog
from omniva_dagster.engines import eclipse
from omniva_dagster.engines.eclipse import Situation
from tests.engines.eclipse.support import (
    CONFLICT,
    DEVIATION,
    LOG,
    NOW,
    PANIC,
    TIMEOUT,
    failing,
    packet,
    proposals,
    spread,
    told,
)


@pytest.mark.part("ECL-1")
@pytest.mark.parametrize(
    "document", [TIMEOUT, LOG, DEVIATION, CONFLICT], ids=lambda item: type(item).__name__
)
def test_everything_it_is_told_is_answered_with_evidence(document: Document) -> None:
    """ECL-1: takes worker errors, timeouts, abnormal logs, health deviations, escalated
    conflicts."""
    (found,) = proposals(HealingProposal, Situation(NOW, heard=(told(document),)))
    assert found.evidence == [packet("told")]
    assert found.remediation
    assert found.steps
    assert found.rollback


def test_alerts_about_one_pool_are_one_proposal() -> None:
    heard = (told(TIMEOUT, "a"), told(replace_worker(LOG, "editor"), "b"))
    (found,) = proposals(HealingProposal, Situation(NOW, heard=heard))
    assert set(found.evidence) == {packet("a"), packet("b")}
    assert set(found.remediation) == {Remediation.RESTART_REQUIRED, Remediation.CACHE_FLUSH}


def replace_worker(document: AbnormalLog, worker: str) -> AbnormalLog:
    return document.model_copy(update={"worker": worker})


def test_a_conflict_that_lasts_is_a_crisis() -> None:
    (found,) = proposals(CrisisEscalation, Situation(NOW, heard=(told(CONFLICT),)))
    assert found.evidence == [packet("told")]
    early = CONFLICT.model_copy(update={"occurrences": 1})
    assert proposals(CrisisEscalation, Situation(NOW, heard=(told(early),))) == []


@pytest.mark.part("ECL-7")
def test_the_panic_button_is_escalated_at_once_with_the_signal_as_evidence() -> None:
    """ECL-7: the operator's panic button."""
    # In the middle of another crisis, too.
    situation = Situation(NOW, heard=(told(PANIC),), last_crisis_at=NOW)
    (found,) = eclipse.advise(situation).proposals
    assert isinstance(found, CrisisEscalation)
    assert found.severity is Severity.CRITICAL
    assert found.affected == ["editor"]
    assert found.evidence == [packet("told")]
    assert "smoke" in found.message


@pytest.mark.part("ECL-8")
def test_failures_that_spread_are_a_crisis_once_in_a_window() -> None:
    """ECL-8: contains the blast radius, isolates workers, proposes healing."""
    assert proposals(CrisisEscalation, Situation(NOW, lately=spread(1, 9))) == []
    assert proposals(CrisisEscalation, Situation(NOW, lately=spread(3, 1))) == []
    broken = failing(eclipse.LIMITS.quarantine_after)
    spreading = Situation(NOW, health=(broken,), lately=spread(4, 3))
    (found,) = proposals(CrisisEscalation, spreading)
    assert {"scraper", "c0", "c3", "editor/host"} <= set(found.affected)
    contained = {
        getattr(item, "instruction_id", getattr(item, "proposal_id", ""))
        for item in eclipse.advise(spreading).proposals
        if isinstance(item, QuarantineInstruction | HealingProposal)
    }
    assert contained <= set(found.proposals)
    assert len(contained) == 2
    assert proposals(CrisisEscalation, replace(spreading, last_crisis_at=NOW)) == []
