"""Making anew what follows from the packets: the log's hashes, the manifests, held packets' chance.

The packets themselves are never touched: one that was changed or lost comes back from a copy of
the folder, nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from omniva_dagster.stardust import compaction, indexing, lease, manifest, segments
from omniva_dagster.stardust.anchor import sent_to
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.hashes import HashFiles
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.merkle import root_at
from omniva_dagster.stardust.recovery import leaf_hashes, recover
from omniva_dagster.stardust.resigning import check_resigning
from omniva_dagster.stardust.rotation import record_rotations
from omniva_dagster.state.tables import packet_queue

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store


@dataclass(frozen=True)
class Repaired:
    """How many leaves and days were gone through, and how many held packets may try again."""

    leaves: int
    days: int
    released: int


def repair(
    store: Store,
    layout: Layout,
    *,
    now: datetime,
    wait: float = 0.0,
    against: Sequence[str] = (),
    anchor: str = "",
    accept_root: str = "",
) -> Repaired:
    """Rewrite the log and the manifests from the packets, and let held packets try again.

    ``against`` are checkpoints kept elsewhere, each the text of a note or of an anchor's file, and
    ``anchor`` is where they are sent; none may disagree. ``accept_root`` (hexadecimal) lets a
    checkpoint be signed in the place of one that is gone where nothing else confirms the packets.
    Raises `LedgerError` where the packets are not those that a checkpoint signs, and
    `LedgerBusyError` if another writer holds the ledger for longer than ``wait`` seconds.
    """
    with lease.held(store, layout, wait) as right:
        sent = sent_to(anchor, right.origin)
        known = [*against, *([sent] if sent else [])]
        check_resigning(store, layout, known, accept_root)
        keys = recover(store, layout, right, anew=True)
        record_rotations(store, layout, now)
        with store.read() as connection:
            newest = segments.last(connection)
            days = segments.dates(connection)
            every = [segment for day in days for segment in segments.of_date(connection, day)]
        log = HashFiles(layout.log)
        for segment in every:
            compaction.checked(layout, segment)
            log.append(segment.first_leaf, leaf_hashes(segment.path(layout), segment))
        if newest is not None:
            log.rebuild()
            if root_at(log.node, newest.tree_size).hex() != newest.root:
                raise LedgerError(
                    "the packets are not those that the checkpoint signs: run `omniva ledger "
                    "verify`, which says where, and restore that file from a copy"
                )
        for day in days:
            of_day = [segment for segment in every if segment.date == day]
            manifest.write(layout, keys, day, of_day)
        with store.begin() as connection:
            right.renew(connection)
            released = connection.execute(
                packet_queue.update().where(packet_queue.c.held.is_not(None)).values(held=None)
            )
    indexing.complete(store, layout, anew=True)
    return Repaired(newest.tree_size if newest else 0, len(days), released.rowcount)
