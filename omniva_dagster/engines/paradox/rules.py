"""What Paradox can find, as data: the kind, how much it matters, and what is advised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.paradox import (
    ConflictKind,
    ConflictResolution,
    ConflictTrigger,
    RecommendedAction,
    ResolutionStatus,
)
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines.paradox.facts import Prior

VERSION = "1"
MOST = 1_000  # ids in a list of the contract
_LONGEST = 2_000

_DUPLICATE = ConflictKind.DUPLICATE
_TIMES = ConflictKind.CONFLICTING_TIMESTAMPS
_CYCLE = ConflictKind.CIRCULAR_DEPENDENCY
_EXCLUSIVE = ConflictKind.MUTUALLY_EXCLUSIVE
_BLOCK, _QUARANTINE, _IGNORE = RecommendedAction
_INFO, _WARNING, _CRITICAL = Severity


@dataclass(frozen=True)
class Rule:
    """What a rule finds, and what it advises."""

    kind: ConflictKind
    action: RecommendedAction
    severity: Severity


# Blocked: doing it would do the same twice, or what excludes each other. Quarantined: something is
# wrong that only a person can judge. Ignored: known, and harmless.
RULES: dict[str, Rule] = {
    "overlapping_ranges": Rule(_DUPLICATE, _BLOCK, _WARNING),
    "same_video": Rule(_DUPLICATE, _BLOCK, _WARNING),
    "same_video_same_creator": Rule(_DUPLICATE, _IGNORE, _INFO),
    "same_file": Rule(_DUPLICATE, _BLOCK, _WARNING),
    # Who may use it is not for a program to say.
    "same_file_elsewhere": Rule(_DUPLICATE, _QUARANTINE, _WARNING),
    "near_identical_clips": Rule(_DUPLICATE, _BLOCK, _WARNING),
    "same_upload": Rule(_DUPLICATE, _BLOCK, _WARNING),
    "same_job": Rule(_DUPLICATE, _BLOCK, _WARNING),
    "uploaded_after_ingestion": Rule(_TIMES, _QUARANTINE, _WARNING),
    "another_day": Rule(_TIMES, _QUARANTINE, _WARNING),
    "updated_before_creation": Rule(_TIMES, _QUARANTINE, _WARNING),
    "child_before_parent": Rule(_TIMES, _QUARANTINE, _CRITICAL),
    "slot_before_rendering": Rule(_TIMES, _QUARANTINE, _WARNING),
    "one_slot": Rule(_EXCLUSIVE, _BLOCK, _CRITICAL),
    "two_slots": Rule(_EXCLUSIVE, _BLOCK, _CRITICAL),
    "excluded_job": Rule(_EXCLUSIVE, _BLOCK, _CRITICAL),
    # Nothing is held for it: which of the two stands, the log says; why, a person has to.
    "opposite_orders": Rule(_EXCLUSIVE, _IGNORE, _WARNING),
    "atlas_collision": Rule(_EXCLUSIVE, _BLOCK, _CRITICAL),
    "double_booking": Rule(_EXCLUSIVE, _BLOCK, _CRITICAL),
    "contradicted_record": Rule(_EXCLUSIVE, _QUARANTINE, _CRITICAL),
    "early_packet": Rule(_TIMES, _QUARANTINE, _CRITICAL),
    "late_parent": Rule(_TIMES, _IGNORE, _INFO),
    "waiting_for_each_other": Rule(_CYCLE, _BLOCK, _CRITICAL),
    "circular_lineage": Rule(_CYCLE, _BLOCK, _CRITICAL),
}


@dataclass(frozen=True)
class Finding:
    """A contradiction: which rule found it, between what, shown by which packets.

    ``affected`` is the oldest first; of a cycle, in its order.
    """

    rule: str
    affected: tuple[str, ...]
    evidence: tuple[str, ...]
    message: str

    @property
    def conflict_id(self) -> str:
        """The same for the same kind of conflict between the same documents."""
        return derive_id("conflict", RULES[self.rule].kind.value, *self.affected[:MOST])


def resolved(
    findings: Iterable[Finding], trigger: ConflictTrigger, now: str, prior: Sequence[Prior] = ()
) -> list[ConflictResolution]:
    """The findings as documents, each conflict once, whatever order they were found in."""
    by_id: dict[str, Finding] = {}
    for finding in findings:
        standing = by_id.setdefault(finding.conflict_id, finding)
        if _weight(finding) < _weight(standing):
            by_id[finding.conflict_id] = finding
    before = _by_document(prior)
    return [
        _resolution(conflict_id, by_id[conflict_id], trigger, now, before)
        for conflict_id in sorted(by_id)
    ]


def to_hold(conflict: ConflictResolution) -> list[str]:
    """Which of the affected documents should not go on.

    Of duplicates and of what excludes each other all but the first, which stands; of cycles and
    contradicting times all of them; of what is ignored none.
    """
    if conflict.recommended_action is RecommendedAction.IGNORE:
        return []
    stands = conflict.kind in (_DUPLICATE, _EXCLUSIVE)
    return list(conflict.affected_ids[1:] if stands else conflict.affected_ids)


def _weight(finding: Finding) -> tuple[int, str, tuple[str, ...], str]:
    # What stops more is told rather than what stops less; then whichever comes first by name.
    action = list(RecommendedAction).index(RULES[finding.rule].action)
    return (action, finding.rule, finding.evidence, finding.message)


def _resolution(
    conflict_id: str,
    finding: Finding,
    trigger: ConflictTrigger,
    now: str,
    before: dict[str, set[str]],
) -> ConflictResolution:
    rule = RULES[finding.rule]
    earlier = {one for item in finding.affected for one in before.get(item, ())} - {conflict_id}
    halts = rule.action is RecommendedAction.BLOCK
    return ConflictResolution(
        conflict_id=conflict_id,
        kind=rule.kind,
        severity=rule.severity,
        recommended_action=rule.action,
        status=ResolutionStatus.ERROR if halts else ResolutionStatus.DONE,
        affected_ids=list(finding.affected[:MOST]),
        trigger=trigger,
        message=finding.message[:_LONGEST],
        evidence=list(dict.fromkeys(finding.evidence))[:MOST],
        prior_conflicts=sorted(earlier)[:MOST],
        found_by=f"paradox/{finding.rule}@{VERSION}",
        detected_at=now,
    )


def _by_document(prior: Sequence[Prior]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for conflict in prior:
        for document in conflict.affected:
            found.setdefault(document, set()).add(conflict.conflict_id)
    return found
