"""What an engine has yet to hear: a queue a consumer, filled in the transaction of each packet.

The outbox is the bus (BUS-1). A cursor on it would lose packets whose transactions commit out of
order; a row in a queue is there when its packet is, and goes in the transaction that answers it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import inboxes, packets

PARADOX, ECLIPSE, ZENITH = "paradox", "eclipse", "zenith"

# Who hears what (module interfaces, section 4: Inputs).
HEARS: dict[str, tuple[str, ...]] = {
    "AtlasCollision": (PARADOX,),
    "LedgerInconsistency": (PARADOX, ZENITH),
    "DriftWarning": (ZENITH,),
    "InterpretabilityBundle": (ZENITH,),
    "SchedulerFault": (PARADOX,),
    "WorkerErrorEvent": (ECLIPSE,),
    "TimeoutAlert": (ECLIPSE,),
    "AbnormalLog": (ECLIPSE,),
    "HealthDeviation": (ECLIPSE,),
    "ConflictEscalation": (ECLIPSE,),
    "PanicSignal": (ECLIPSE, ZENITH),
    "ConflictResolution": (ZENITH,),
    "RetryPlan": (ZENITH,),
    "FallbackStrategy": (ZENITH,),
    "QuarantineInstruction": (ZENITH,),
    "HealingProposal": (ZENITH,),
    "ReadinessSignal": (ZENITH,),
    "CrisisEscalation": (ZENITH,),
    "OverrideRequest": (ZENITH,),
    "OperatorAction": (ZENITH,),
    "ConsentRecord": (ZENITH,),
    "UploadFailed": (ZENITH,),
    "ComplianceConflict": (ZENITH,),
    "RoutingIntent": (ZENITH,),
}
# What does not wait for the next control cycle (4.9, Trigger Conditions).
URGENT = frozenset({"PanicSignal", "CrisisEscalation", "OverrideRequest", "ConsentRecord"})
_AT_ONCE = 500


@dataclass(frozen=True)
class Heard:
    """A packet that waits for an engine."""

    sequence: int
    packet_id: str
    message_type: str
    subject_id: str
    trace_id: str
    partition: Partition
    emitted_at: str
    payload: dict[str, Any]
    urgent: bool


def put(connection: sa.Connection, sequence: int, message_type: str) -> None:
    """Queue a packet for all that hear its type; in the transaction of the packet."""
    for consumer in HEARS.get(message_type, ()):
        connection.execute(
            inboxes.insert().values(
                consumer=consumer, sequence=sequence, urgent=int(message_type in URGENT)
            )
        )


def waiting(
    connection: sa.Connection,
    consumer: str,
    *,
    packet_ids: Sequence[str] | None = None,
    limit: int = 10_000,
) -> list[Heard]:
    """What a consumer has yet to hear, oldest first; of ``packet_ids`` alone if they are given."""
    query = (
        sa.select(packets, inboxes.c.urgent)
        .join(inboxes, inboxes.c.sequence == packets.c.sequence)
        .where(inboxes.c.consumer == consumer)
        .order_by(packets.c.sequence)
        .limit(limit)
    )
    if packet_ids is not None:
        query = query.where(packets.c.packet_id.in_(list(packet_ids)))
    return [
        Heard(
            row.sequence,
            row.packet_id,
            row.message_type,
            row.subject_id,
            row.trace_id,
            Partition(row.creator, row.day),
            row.emitted_at,
            _payload(row.body),
            bool(row.urgent),
        )
        for row in connection.execute(query)
    ]


def _payload(body: str) -> dict[str, Any]:
    """What a packet says; nothing, where its row was damaged: who hears it sets it aside."""
    try:
        payload = json.loads(body)["payload"]
    except (ValueError, KeyError, TypeError):
        return {}
    return payload if isinstance(payload, dict) else {}


def count(connection: sa.Connection, consumer: str) -> int:
    """How much a consumer has yet to hear."""
    query = sa.select(sa.func.count()).where(inboxes.c.consumer == consumer)
    return int(connection.scalar(query) or 0)


def urgent(connection: sa.Connection, consumer: str) -> list[str]:
    """The packets that do not wait for the next cycle, oldest first."""
    query = (
        sa.select(packets.c.packet_id)
        .join(inboxes, inboxes.c.sequence == packets.c.sequence)
        .where(inboxes.c.consumer == consumer, inboxes.c.urgent == 1)
        .order_by(inboxes.c.sequence)
    )
    return list(connection.scalars(query))


def answered(connection: sa.Connection, consumer: str, heard: Sequence[Heard]) -> None:
    """Take packets out of a consumer's queue; in the transaction of what was made of them."""
    sequences = [item.sequence for item in heard]
    for start in range(0, len(sequences), _AT_ONCE):
        connection.execute(
            inboxes.delete().where(
                inboxes.c.consumer == consumer,
                inboxes.c.sequence.in_(sequences[start : start + _AT_ONCE]),
            )
        )
