"""All that is recorded of a workflow: its packets in the ledger, and those that wait for a place.

This is what explanations are built from. A trace is one look-up, pruned by the files' bloom filters
and their order; packets of other traces that it came from are a second one, by their ids. What the
sequencer has not taken yet is in the outbox, which has everything: so nothing is missed on its way
from one to the other, wherever that was stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omniva_dagster.stardust.entries import COLUMNS, opened
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.faults import faults_of
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.lookup import parts, reading

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.store import Store

_FIELDS = (
    *("packet_id", "trace_id", "leaf_index", "message_type", "producer", "subject_id", "creator"),
    *("day", "emitted_at", "parents", "missing_parents", "content_hash", "message"),
)


@dataclass(frozen=True)
class TracePacket:
    """A packet with its message.

    ``leaf_index`` is its place in the log, None where no file holds it yet; ``message`` the
    envelope as canonical JSON, whose SHA-256 is ``content_hash``; times are UTC texts as in the
    contracts.
    """

    packet_id: str
    trace_id: str
    leaf_index: int | None
    message_type: str
    producer: str
    subject_id: str | None
    creator: str | None
    day: str | None
    emitted_at: str
    parents: tuple[str, ...]
    missing_parents: tuple[str, ...]
    content_hash: str
    message: str

    @property
    def payload(self) -> dict[str, Any]:
        """The document in the message."""
        payload: dict[str, Any] = json.loads(self.message)["payload"]
        return payload


def trace_packets(layout: Layout, store: Store | None, trace_id: str) -> list[TracePacket]:
    """Every packet of a trace, in the order of the log, then those that wait, as recorded.

    Without a ``store`` it is the ledger's alone. Of ten million packets it takes about as long as
    of ten. Raises `LedgerError` where files can't be read, or a row or a message in them is not
    what was recorded: nothing should be explained from it.
    """
    return _packets(layout, store, "trace_id", [trace_id])


def packets_by_id(
    layout: Layout, store: Store | None, packet_ids: Iterable[str]
) -> list[TracePacket]:
    """The packets of these ids, in the same order; an id that is nowhere is left out.

    Raises as `trace_packets` does.
    """
    return _packets(layout, store, "packet_id", sorted(set(packet_ids)))


def _packets(
    layout: Layout, store: Store | None, column: str, values: list[str]
) -> list[TracePacket]:
    # What is sequenced after this look is in the outbox, too.
    rows = reading(layout, lambda rows: list(rows.by(column, values, ", ".join(COLUMNS))))
    placed = sorted(map(_placed, rows), key=lambda packet: packet.leaf_index or 0)
    if store is None:
        return placed
    known = {packet.packet_id for packet in placed}
    with store.read() as connection:
        return placed + list(_waiting(connection, column, values, known))


def _placed(row: tuple[Any, ...]) -> TracePacket:
    entry = dict(zip(COLUMNS, row, strict=True))
    wrong = next(faults_of(entry), None)
    if wrong:
        raise LedgerError(
            f"packet {entry['packet_id']} is not what was recorded ({wrong[0]} {wrong[1]}): run "
            "`omniva ledger verify`, and restore the file that it names"
        )
    values = {name: entry[name] for name in _FIELDS}
    lists = {name: tuple(entry[name]) for name in ("parents", "missing_parents")}
    return TracePacket(**{**values, **lists})


def _waiting(
    connection: sa.Connection, column: str, values: list[str], known: set[str]
) -> Iterator[TracePacket]:
    """Those of the outbox that are not known from the ledger, in the order of their recording."""
    import sqlalchemy as sa

    from omniva_dagster.state.tables import packet_parents, packets

    wanted: list[tuple[int, str]] = []
    for part in parts(values):
        query = sa.select(packets.c.sequence, packets.c.packet_id)
        found = connection.execute(query.where(packets.c[column].in_(part)))
        wanted += [(row.sequence, row.packet_id) for row in found if row.packet_id not in known]
    for part in parts([packet_id for _, packet_id in sorted(wanted)]):
        linked: dict[str, set[str]] = {}
        here = packet_parents.c.packet_id.in_(part)
        for child, parent in connection.execute(
            sa.select(packet_parents.c.packet_id, packet_parents.c.parent_id).where(here)
        ):
            linked.setdefault(child, set()).add(parent)
        query = sa.select(packets).where(packets.c.packet_id.in_(part))
        for row in connection.execute(query.order_by(packets.c.sequence)):
            yield _recorded(row, linked.get(row.packet_id, set()))


def _recorded(row: sa.Row[Any], linked: set[str]) -> TracePacket:
    envelope = opened(row)
    if isinstance(envelope, str):
        raise LedgerError(
            f"packet {row.packet_id} in the outbox is not what was recorded ({envelope}): compare "
            "the state store's table `packets` with a backup"
        )
    parents = tuple(dict.fromkeys(envelope["_meta_parents"]))
    return TracePacket(
        row.packet_id,
        envelope["trace_id"],
        None,
        envelope["message_type"],
        envelope["producer"],
        row.subject_id or None,
        row.creator or None,
        row.day or None,
        envelope["emitted_at"],
        parents,
        tuple(parent for parent in parents if parent not in linked),
        row.content_hash,
        row.body,
    )
