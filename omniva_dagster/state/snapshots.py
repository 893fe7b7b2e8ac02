"""Guidance and routing as a partition first used them: pinned, so that a rerun uses the same."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import snapshots


def pin(
    connection: sa.Connection, partition: Partition, kind: str, current: dict[str, Any], at: str
) -> dict[str, Any]:
    """What the partition uses: the snapshot pinned before, else ``current``, pinned now."""
    standing = pinned(connection, partition, kind)
    if standing is not None:
        return standing
    connection.execute(
        snapshots.insert().values(
            creator=partition.creator,
            day=partition.day,
            kind=kind,
            body=json.dumps(current, sort_keys=True),
            pinned_at=at,
        )
    )
    return current


def repin(
    connection: sa.Connection, partition: Partition, kind: str, current: dict[str, Any], at: str
) -> None:
    """Have the partition use ``current`` from now on: somebody asked for it."""
    here = (
        (snapshots.c.creator == partition.creator)
        & (snapshots.c.day == partition.day)
        & (snapshots.c.kind == kind)
    )
    body = json.dumps(current, sort_keys=True)
    connection.execute(snapshots.update().where(here).values(body=body, pinned_at=at))
    pin(connection, partition, kind, current, at)


def pinned(connection: sa.Connection, partition: Partition, kind: str) -> dict[str, Any] | None:
    """The snapshot that the partition pinned, if it has used one."""
    body = connection.scalar(
        sa.select(snapshots.c.body).where(
            snapshots.c.creator == partition.creator,
            snapshots.c.day == partition.day,
            snapshots.c.kind == kind,
        )
    )
    found: dict[str, Any] | None = json.loads(body) if body is not None else None
    return found
