"""Conflicts that advice does not end: Eclipse is asked to contain them (4.2, Inputs)."""

from __future__ import annotations

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.paradox import ConflictEscalation, ConflictResolution

# Audits that may find a conflict before it is called lasting.
PATIENCE = 3


def escalation(
    conflict: ConflictResolution, occurrences: int, packet_id: str, now: str, worker: str = ""
) -> ConflictEscalation | None:
    """The call for help about a conflict that was found for the ``occurrences``-th time, with
    nothing decided on it; None while there is still patience."""
    if occurrences <= PATIENCE:
        return None
    return ConflictEscalation(
        conflict_id=conflict.conflict_id,
        occurrences=occurrences,
        severity=Severity.CRITICAL,
        affected_ids=conflict.affected_ids,
        message=f"found {occurrences} times, and nothing was decided: {conflict.message}"[:2000],
        evidence=[packet_id],
        issued_at=now,
        **given(worker=worker or None),
    )
