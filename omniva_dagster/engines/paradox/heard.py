"""What others tell Paradox: Atlas a collision, Stardust an inconsistency, the scheduler a fault."""

from __future__ import annotations

from dataclasses import dataclass

from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.paradox import AtlasCollision
from omniva_dagster.contracts.cognition.stardust import InconsistencyKind, LedgerInconsistency
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.operations.scheduler import Constraint, SchedulerFault
from omniva_dagster.engines.paradox.rules import Finding

Said = AtlasCollision | LedgerInconsistency | SchedulerFault


@dataclass(frozen=True)
class Message:
    """A document told to Paradox, with its packet.

    ``subjects`` are the documents that an inconsistency's packets are about, by packet id.
    """

    document: Said
    packet_id: str
    subjects: dict[str, str]


def findings(message: Message) -> list[Finding]:
    """What follows from what was told; nothing, where it contradicts nothing."""
    if isinstance(message.document, AtlasCollision):
        return [_collision(message.document, message.packet_id)]
    if isinstance(message.document, SchedulerFault):
        return _fault(message.document, message.packet_id)
    return [
        finding
        for packet in message.document.packets
        for finding in _inconsistency(message.document, packet, message)
    ]


def _collision(said: AtlasCollision, packet_id: str) -> Finding:
    # The file that Atlas keeps has no document of its own to be named by.
    kept = derive_id("file", said.uri, said.held_sha256)
    return Finding(
        "atlas_collision",
        (kept, said.subject_id),
        (packet_id,),
        f"the {said.offered_by} brought a file with SHA-256 {said.offered_sha256[:16]}... for "
        f"{said.uri}, where another one is ({said.held_sha256[:16]}...), which stands. Find out "
        "which is right; remove the file if it is the wrong one, then "
        f"omniva override release {said.subject_id} --reason ...",
    )


def _fault(said: SchedulerFault, packet_id: str) -> list[Finding]:
    if said.constraint is not Constraint.DOUBLE_BOOKING:
        return []
    first, *others = said.clip_ids
    return [
        Finding(
            "double_booking",
            (first, other),
            (packet_id,),
            f"the scheduler could not book clip {other} beside clip {first}: "
            f"omniva override reschedule {other} --at ... --reason ...",
        )
        for other in others
    ]


_RULES = {
    InconsistencyKind.CYCLE: "circular_lineage",
    InconsistencyKind.BROKEN_SEQUENCE: "early_packet",
    InconsistencyKind.MISSING_PARENT: "early_packet",
}


def _inconsistency(said: LedgerInconsistency, packet: str, message: Message) -> list[Finding]:
    named = said.subject_ids or [packet]
    subject = message.subjects.get(packet, named[0])
    evidence = tuple(dict.fromkeys((message.packet_id, *sorted(_known(message, packet)))))
    advice = f"{said.message}. Then: omniva override release {subject} --reason ..."
    if said.severity is not Severity.CRITICAL:
        return [Finding("late_parent", (subject,), evidence, advice)]
    rule = _RULES.get(said.kind, "contradicted_record")
    # What was recorded stands; the document that says otherwise is held.
    about = (packet, subject) if rule == "contradicted_record" and subject != packet else (subject,)
    if rule == "contradicted_record" and len(about) == 1:
        about = (packet, said.inconsistency_id)
    return [Finding(rule, about, evidence, advice)]


def _known(message: Message, packet: str) -> set[str]:
    return {packet} if packet in message.subjects else set()
