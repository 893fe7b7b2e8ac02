"""Replacing the key that signs, and recording in the log that it was replaced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import orjson
import sqlalchemy as sa

from omniva_dagster.contracts.cognition.stardust import KeyRotation
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.stardust import keys, lease, segments
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.recovery import recover
from omniva_dagster.state.outbox import Emission, emit
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import packets

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store

_PRODUCER = "stardust"


def rotate_key(store: Store, layout: Layout, *, now: datetime, wait: float = 0.0) -> keys.Rotation:
    """Sign with a new key from here on; the packet that says so waits to be sequenced.

    Old checkpoints stay valid by the old key, which signed that the new one follows it. A process
    that ends before the packet is recorded leaves that to the next one that writes the ledger.
    Raises `LedgerError` for a ledger without packets, and `LedgerBusyError` if another writer holds
    it for longer than ``wait`` seconds.
    """
    with lease.held(store, layout, wait) as right:
        recover(store, layout, right)
        with store.read() as connection:
            newest = segments.last(connection)
        if newest is None:
            raise LedgerError("the ledger is empty: there is no key to replace yet")
        rotation = keys.rotate(layout.keys, right.origin, newest.tree_size)
        record_rotations(store, layout, now)
    return rotation


def record_rotations(store: Store, layout: Layout, now: datetime) -> int:
    """Record every key that follows another and has no packet yet; how many there were.

    The caller holds the lease. Raises `LedgerError` where the keys can't be read.
    """
    chain = keys.Keyring.read(layout.keys).keys
    if len(chain) == 1:
        return 0
    try:
        with store.read() as connection:
            known = set(_recorded(connection, chain[0].public.name))
    except (ValueError, LookupError, TypeError):
        # A packet that is not what was recorded is the sequencer's to hold and to tell of.
        return 0
    unknown = [pair for pair in pairwise(chain) if str(pair[1].public) not in known]
    if unknown:
        with store.begin() as connection:
            for old, new in unknown:
                emit(connection, _emission(old, new, format_timestamp(now)))
    return len(unknown)


def _recorded(connection: sa.Connection, origin: str) -> Iterator[str]:
    """The keys of which a packet says that they follow another."""
    query = sa.select(packets.c.body).where(
        packets.c.subject_id == derive_id("ledger", origin),
        packets.c.message_type == KeyRotation.__name__,
    )
    for body in connection.scalars(query):
        yield orjson.loads(body)["payload"]["new_key"]


def _emission(old: keys.Key, new: keys.Key, now: str) -> Emission:
    origin = new.public.name
    subject = derive_id("ledger", origin)
    return Emission(
        document=KeyRotation(
            origin=origin,
            old_key=str(old.public),
            new_key=str(new.public),
            tree_size=new.since,
            note=new.introduced_by,
            rotated_at=now,
        ),
        producer=_PRODUCER,
        subject_id=subject,
        trace_id=derive_id("trace", subject),
        parents=(),
        partition=Partition("", ""),
        emitted_at=now,
        occurrence=str(new.public),
    )
