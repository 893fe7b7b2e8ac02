"""Replacing the key that signs, and recording in the log that it was replaced."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from omniva_dagster.contracts.cognition.stardust import KeyRotation
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.stardust import keys, lease, segments
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.recovery import recover
from omniva_dagster.state.outbox import Emission, emit
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store

_PRODUCER = "stardust"


def rotate_key(store: Store, layout: Layout, *, now: datetime, wait: float = 0.0) -> keys.Rotation:
    """Sign with a new key from here on; the packet that says so waits to be sequenced.

    Old checkpoints stay valid by the old key, which signed that the new one follows it. Raises
    `LedgerError` for a ledger without packets, and `LedgerBusyError` if another writer holds it
    for longer than ``wait`` seconds.
    """
    with lease.held(store, layout, wait) as right:
        recover(store, layout, right)
        with store.read() as connection:
            newest = segments.last(connection)
        if newest is None:
            raise LedgerError("the ledger is empty: there is no key to replace yet")
        rotation = keys.rotate(layout.keys, right.origin, newest.tree_size)
        _record(store, rotation, format_timestamp(now))
    return rotation


def _record(store: Store, rotation: keys.Rotation, now: str) -> None:
    document = KeyRotation(
        origin=rotation.origin,
        old_key=rotation.old_key,
        new_key=rotation.new_key,
        tree_size=rotation.tree_size,
        note=rotation.note,
        rotated_at=now,
    )
    subject = derive_id("ledger", rotation.origin)
    with store.begin() as connection:
        emit(
            connection,
            Emission(
                document=document,
                producer=_PRODUCER,
                subject_id=subject,
                trace_id=derive_id("trace", subject),
                parents=(),
                partition=Partition("", ""),
                emitted_at=now,
            ),
        )
