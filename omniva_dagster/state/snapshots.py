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
    body = connection.scalar(
        sa.select(snapshots.c.body).where(
            snapshots.c.creator == partition.creator,
            snapshots.c.day == partition.day,
            snapshots.c.kind == kind,
        )
    )
    if body is not None:
        pinned: dict[str, Any] = json.loads(body)
        return pinned
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
