"""What cannot be right in the ledger, told to Paradox in packets of its own, once each (STA-5).

Such a packet names what it is about as evidence and has no parents: a packet that is held back must
not hold back the word about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.stardust import InconsistencyKind, LedgerInconsistency
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.state import outbox
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import collisions, packet_queue, packets

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store

PRODUCER = "stardust"
_MOST_EVIDENCE = 1_000
_LONGEST = 2_000
# The latest collisions are looked at; those before them were reported long ago.
_RECENT = 200
_NOWHERE = Partition("", "")


@dataclass(frozen=True)
class Inconsistency:
    """Something that does not add up: the same kind about the same packets is the same."""

    kind: InconsistencyKind
    packets: tuple[str, ...]
    message: str
    severity: Severity = Severity.CRITICAL
    source_key: str = ""
    partition: Partition = _NOWHERE
    # The documents that rest on the packets, where that is known.
    subjects: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its id."""
        about = sorted(set(self.packets[:_MOST_EVIDENCE]))
        rests = sorted(set(self.subjects))
        return derive_id("ledger_inconsistency", self.kind.value, self.source_key, *about, *rests)


def report(connection: sa.Connection, found: Iterable[Inconsistency], now: str) -> list[str]:
    """Record inconsistencies that were not recorded before; the packets of these."""
    by_name = {item.name: item for item in found}
    known = set(
        connection.scalars(
            sa.select(packets.c.subject_id).where(
                packets.c.subject_id.in_(list(by_name)),
                packets.c.message_type == LedgerInconsistency.__name__,
            )
        )
    )
    unknown = [(name, item) for name, item in by_name.items() if name not in known]
    told = []
    for name, item in unknown:
        document = LedgerInconsistency(
            inconsistency_id=name,
            kind=item.kind,
            severity=item.severity,
            packets=list(dict.fromkeys(item.packets))[:_MOST_EVIDENCE],
            message=item.message[:_LONGEST],
            detected_at=now,
            **given(
                source_key=item.source_key or None,
                subject_ids=sorted(set(item.subjects))[:_MOST_EVIDENCE] or None,
            ),
        )
        trace = derive_id("trace", name)
        emission = outbox.Emission(document, PRODUCER, name, trace, (), item.partition, now, name)
        told.append(outbox.emit(connection, emission).packet_id)
    return told


def surface(store: Store, now: datetime) -> int:
    """Report what the outbox has found out about itself; how much of it was new.

    That is source keys with two contents, and packets that the sequencer holds back.
    """
    with store.read() as connection:
        found = [*_held(connection), *_collided(connection)]
    if not found:
        return 0
    with store.begin() as connection:
        return len(report(connection, found, format_timestamp(now)))


def _held(connection: sa.Connection) -> list[Inconsistency]:
    query = (
        sa.select(packets.c.packet_id, packet_queue.c.held)
        .join(packets, packets.c.sequence == packet_queue.c.sequence)
        .where(packet_queue.c.held.is_not(None))
        .order_by(packet_queue.c.sequence)
        .limit(_RECENT)
    )
    return [
        Inconsistency(
            InconsistencyKind.BROKEN_SEQUENCE
            if "parent" in row.held
            else InconsistencyKind.HASH_MISMATCH,
            (row.packet_id,),
            f"the sequencer holds the packet back: {row.held}; compare the table `packets` with a "
            "backup",
        )
        for row in connection.execute(query)
    ]


def _collided(connection: sa.Connection) -> list[Inconsistency]:
    query = (
        sa.select(collisions.c.source_key, collisions.c.content_hash, packets.c.packet_id)
        .join(packets, packets.c.source_key == collisions.c.source_key)
        .order_by(collisions.c.sequence.desc())
        .limit(_RECENT)
    )
    return [
        Inconsistency(
            InconsistencyKind.SOURCE_COLLISION,
            (row.packet_id,),
            "the key was used again with other content, whose SHA-256 is "
            f"{row.content_hash}; the first stands, the other is in the table `collisions`",
            source_key=row.source_key,
        )
        for row in connection.execute(query)
    ]
