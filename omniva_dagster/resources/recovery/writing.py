"""Eclipse's packets: what it was told by the workers, and what it proposes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.eclipse import (
    CrisisEscalation,
    FallbackStrategy,
    HealingProposal,
    QuarantineInstruction,
    QuarantineSubject,
    ReadinessSignal,
    RetryPlan,
)
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id, worker_id_of
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    import sqlalchemy as sa

PRODUCER = "eclipse"
NOWHERE = Partition("", "")


def propose(
    connection: sa.Connection,
    document: Document,
    now: str,
    *,
    subject_id: str = "",
    trace_id: str = "",
    partition: Partition = NOWHERE,
) -> str:
    """Record a proposal, once by its own id, with its evidence as parents; its packet's id."""
    subject_id = subject_id or subject_of(document)
    packet = db.outbox.emit(
        connection,
        db.outbox.Emission(
            document,
            PRODUCER,
            subject_id,
            trace_id or derive_id("trace", subject_id),
            tuple(getattr(document, "evidence", ())),
            partition,
            now,
            _occurrence(document),
        ),
    )
    return packet.packet_id


def subject_of(document: Document) -> str:
    """What a proposal is about."""
    match document:
        case RetryPlan():
            return document.job_id
        case QuarantineInstruction(subject_kind=QuarantineSubject.CREATOR):
            return creator_id_of(document.subject)
        case QuarantineInstruction():
            return worker_id_of(document.subject)
        case FallbackStrategy():
            return worker_id_of(document.from_target)
        case HealingProposal() | ReadinessSignal():
            return worker_id_of(document.cluster)
    return EVERYTHING


def _occurrence(document: Document) -> str:
    match document:
        case RetryPlan():
            return document.plan_id
        case QuarantineInstruction():
            return document.instruction_id
        case FallbackStrategy():
            return document.strategy_id
        case HealingProposal():
            return document.proposal_id
        case CrisisEscalation():
            return document.escalation_id
        case ReadinessSignal():
            return "/".join(document.lifts)
    return ""
