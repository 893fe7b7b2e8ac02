"""From the outbox to the ledger: each packet gets its place, once, in an order that never changes.

The life of a packet is told step by step in ``docs/ledger.md``. One transaction makes a batch part
of the ledger and takes it from the queue; before it nothing counts, after it all else follows.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.stardust import anchor as anchors
from omniva_dagster.stardust import compaction, files, lease, parquet, segments
from omniva_dagster.stardust.checkpoints import latest_checkpoint
from omniva_dagster.stardust.entries import Entries, opened
from omniva_dagster.stardust.layout import Layout, file_name
from omniva_dagster.stardust.lease import Lease
from omniva_dagster.stardust.merkle import EMPTY_ROOT, Frontier, leaf_hash
from omniva_dagster.stardust.recovery import publish, recover
from omniva_dagster.stardust.rotation import record_rotations
from omniva_dagster.stardust.segments import Segment, SegmentState
from omniva_dagster.state.tables import packet_parents, packet_queue, packets

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store

BATCH = 20_000
# Of messages: a batch is held in memory.
BATCH_BYTES = 64 << 20
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Sequenced:
    """What a run did, and how the log stands after it.

    ``root`` is hexadecimal; ``held`` counts packets that wait because something is wrong with them
    or their parents; ``busy`` says who writes the ledger, if that kept this run from doing it.
    """

    count: int
    tree_size: int
    root: str
    held: int = 0
    busy: str = ""
    anchored: anchors.AnchorResult | None = None


@dataclass
class _Batch:
    entries: Entries
    sequences: list[int] = field(default_factory=list)
    held: dict[int, str] = field(default_factory=dict)
    more: bool = False


def sequence(
    store: Store,
    layout: Layout,
    *,
    now: datetime,
    batch: int = BATCH,
    wait: float = 0.0,
    anchor: str = "",
) -> Sequenced:
    """Give every packet in the queue its place in the ledger.

    ``wait`` is how many seconds to wait for another writer; ``anchor`` where to send the checkpoint
    afterwards. Raises `LedgerError` where the ledger's folder is not what it should be, and
    ``OSError`` where the disk fails; either way, nothing is lost and the next run goes on from
    there.
    """
    try:
        with lease.held(store, layout, wait) as right:
            count = _drained(store, layout, right, now, batch)
    except lease.LedgerBusyError as error:
        return Sequenced(0, *_log(store), held=_held(store), busy=str(error))
    # With the ledger free again: an anchor may take its time.
    return _result(store, layout, count, anchor, now)


def _drained(store: Store, layout: Layout, right: Lease, now: datetime, most: int) -> int:
    keys = recover(store, layout, right)
    record_rotations(store, layout, now)
    moment = format_timestamp(now)
    count = 0
    while True:
        with _uncollected():
            with store.read() as connection:
                newest = segments.last(connection)
                taken = _take(connection, newest, moment, most)
            if not taken.sequences and not taken.held:
                return count
            hashes = _commit(store, layout, right, taken, newest)
        if hashes:
            publish(store, layout, right, keys, hashes)
            compaction.compact(store, layout, right, keys)
        count += len(taken.sequences)
        if not taken.more:
            return count


def _take(connection: sa.Connection, newest: Segment | None, now: str, most: int) -> _Batch:
    """The next packets of the queue, in the order in which they were recorded.

    A parent was recorded before its child and is visible to whoever sees the child, so it always
    comes first.
    """
    sequenced_at = max(now, newest.sequenced_at) if newest else now
    entries = Entries(newest.tree_size if newest else 0, sequenced_at)
    taken = _Batch(entries)
    waiting = set(
        connection.scalars(
            sa.select(packets.c.packet_id)
            .join(packet_queue, packet_queue.c.sequence == packets.c.sequence)
            .where(packet_queue.c.held.is_not(None))
        )
    )
    size = 0
    for row in _queued(connection, most):
        envelope = opened(row)
        if isinstance(envelope, dict):
            absent = [parent for parent in envelope["_meta_parents"] if parent in waiting]
            envelope = f"its parent {absent[0]} is held" if absent else envelope
        if isinstance(envelope, str):
            waiting.add(row.packet_id)
            taken.held[row.sequence] = envelope
            continue
        named = dict.fromkeys(envelope["_meta_parents"])
        missing = [] if row.edges == len(named) else _missing(connection, row.packet_id, named)
        entries.add(row, envelope, missing)
        taken.sequences.append(row.sequence)
        size += len(row.body)
        if size >= BATCH_BYTES:
            break
    taken.more = size >= BATCH_BYTES or len(taken.sequences) + len(taken.held) == most
    return taken


def _queued(connection: sa.Connection, most: int) -> Iterator[sa.Row[Any]]:
    edges = (
        sa.select(sa.func.count())
        .where(packet_parents.c.packet_id == packets.c.packet_id)
        .scalar_subquery()
        .label("edges")
    )
    query = (
        sa.select(
            packets.c.sequence,
            packets.c.packet_id,
            packets.c.source_key,
            packets.c.content_hash,
            packets.c.subject_id,
            packets.c.creator,
            packets.c.day,
            packets.c.body,
            edges,
        )
        .join(packet_queue, packet_queue.c.sequence == packets.c.sequence)
        .where(packet_queue.c.held.is_(None))
        .order_by(packet_queue.c.sequence)
        .limit(most)
        .execution_options(yield_per=_AT_ONCE)
    )
    with connection.execute(query) as rows:
        yield from rows


def _missing(connection: sa.Connection, packet_id: str, named: dict[str, None]) -> list[str]:
    known = set(
        connection.scalars(
            sa.select(packet_parents.c.parent_id).where(packet_parents.c.packet_id == packet_id)
        )
    )
    return [parent for parent in named if parent not in known]


def _commit(
    store: Store, layout: Layout, right: Lease, taken: _Batch, newest: Segment | None
) -> bytes:
    """Make a batch part of the ledger; its leaf hashes, 32 bytes each."""
    segment, hashes = _staged(layout, right, taken.entries, newest)
    with store.begin() as connection:
        right.renew(connection)
        if segment is not None:
            segments.add(connection, segment)
        for first, last in _runs(taken.sequences):
            connection.execute(
                packet_queue.delete().where(packet_queue.c.sequence.between(first, last))
            )
        for number, reason in taken.held.items():
            connection.execute(
                packet_queue.update().where(packet_queue.c.sequence == number).values(held=reason)
            )
    return hashes


def _staged(
    layout: Layout, right: Lease, entries: Entries, newest: Segment | None
) -> tuple[Segment | None, bytes]:
    """A file with the entries, under a name that no other writer uses; nothing of none."""
    if not len(entries):
        return None, b""
    frontier = segments.tree_after(newest) if newest else Frontier()
    first = frontier.size
    hashes = [leaf_hash(leaf) for leaf in entries.leaves()]
    frontier.extend(hashes)
    name = file_name(first, len(entries))
    written = parquet.write(layout.staging / f"{right.token}-{name}", [entries.batch()])
    files.sync_folder(layout.staging)
    segment = Segment(
        first_leaf=first,
        count=len(entries),
        date=entries.sequenced_at[:10],
        file=name,
        sha256=written.sha256,
        size=written.size,
        root=frontier.root().hex(),
        tree_size=frontier.size,
        frontier=tuple(frontier.dump()),
        sequenced_at=entries.sequenced_at,
        token=right.token,
        state=SegmentState.APPENDED,
    )
    return segment, b"".join(hashes)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without garbage collection: a batch is many small objects and no cycles, and looking for
    some again and again takes a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending numbers as first and last of each run without a gap."""
    start = 0
    for index in range(1, len(numbers) + 1):
        if index == len(numbers) or numbers[index] != numbers[index - 1] + 1:
            yield numbers[start], numbers[index - 1]
            start = index


def _result(store: Store, layout: Layout, count: int, target: str, now: datetime) -> Sequenced:
    size, root = _log(store)
    sent = None
    if target and size:
        checkpoint = latest_checkpoint(layout.checkpoints)
        if checkpoint is not None:
            sent = anchors.send(checkpoint.note, target, layout.checkpoints, now=now)
    return Sequenced(count, size, root, held=_held(store), anchored=sent)


def _log(store: Store) -> tuple[int, str]:
    with store.read() as connection:
        newest = segments.last(connection)
    return (newest.tree_size, newest.root) if newest else (0, EMPTY_ROOT.hex())


def _held(store: Store) -> int:
    query = sa.select(sa.func.count()).where(packet_queue.c.held.is_not(None))
    with store.read() as connection:
        return int(connection.execute(query).scalar_one())
