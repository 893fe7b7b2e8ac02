"""The ledger's files as the database knows them: which leaves each holds, and how far it came.

A segment is one Parquet file with a contiguous range of leaves of one day. Its row is what makes
it part of the ledger: everything before the row's transaction can be thrown away, everything after
it follows from it and can be done again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.merkle import Frontier
from omniva_dagster.state.tables import ledger_segments as table


class SegmentState(StrEnum):
    """What is left to do for a segment."""

    # Committed: its file may still be in staging, its hashes may not be in the log.
    APPENDED = "appended"
    # Committed in place of others that hold the same leaves: its file may still be in staging.
    REWRITTEN = "rewritten"
    # In place, listed in the manifest, under a checkpoint.
    PUBLISHED = "published"


@dataclass(frozen=True)
class Segment:
    """A Parquet file, and the Merkle tree after its last leaf.

    ``size`` is in bytes, ``frontier`` as `merkle.Frontier.dump` gives it, ``sequenced_at`` that of
    its last entry.
    """

    first_leaf: int
    count: int
    date: str
    file: str
    sha256: str
    size: int
    root: str
    tree_size: int
    frontier: tuple[str, ...]
    sequenced_at: str
    token: int
    state: SegmentState
    sealed: bool = False

    @property
    def staged(self) -> str:
        """The name of its file in staging: a stale writer's has another."""
        return f"{self.token}-{self.file}"

    def path(self, layout: Layout) -> Path:
        """Where its file is once it is in its place."""
        return layout.day(self.date) / self.file

    @property
    def end(self) -> int:
        """The first leaf after it."""
        return self.first_leaf + self.count


def tree_after(segment: Segment) -> Frontier:
    """The Merkle tree after its last leaf. Raises `LedgerError` if it does not have its root."""
    try:
        frontier = Frontier.load(segment.tree_size, segment.frontier)
        if frontier.root().hex() == segment.root:
            return frontier
    except (ValueError, TypeError):
        pass
    raise LedgerError(
        "the state store's table ledger_segments was changed: its newest frontier does not have "
        "its root; restore the state store, nothing is sequenced until then"
    )


def last(connection: sa.Connection) -> Segment | None:
    """The newest one; none while the ledger is empty."""
    query = sa.select(table).order_by(table.c.first_leaf.desc()).limit(1)
    row = connection.execute(query).first()
    return _segment(row) if row else None


def of_date(connection: sa.Connection, date: str) -> list[Segment]:
    """A day's segments, in the order of their leaves."""
    return _ordered(connection, table.c.date == date)


def unfinished(connection: sa.Connection) -> list[Segment]:
    """Those of which something is left to do, in the order of their leaves."""
    return _ordered(connection, table.c.state != SegmentState.PUBLISHED.value)


def any_signed(connection: sa.Connection) -> bool:
    """Whether a checkpoint was signed, as far as the store knows.

    Only the very first segment can stand without one, while its first publishing is not done.
    """
    states = list(connection.scalars(sa.select(table.c.state).limit(2)))
    return len(states) > 1 or states not in ([], [SegmentState.APPENDED.value])


def between(connection: sa.Connection, first: int, end: int) -> list[Segment]:
    """Those with leaves from ``first`` up to, not including, ``end``, in the order of leaves."""
    return _ordered(connection, (table.c.tree_size > first) & (table.c.first_leaf < end))


def dates(connection: sa.Connection) -> list[str]:
    """All days, in order."""
    return list(connection.scalars(sa.select(table.c.date).distinct().order_by(table.c.date)))


def unsealed_dates(connection: sa.Connection, before: str) -> list[str]:
    """The days before ``before`` that are not one sealed file yet, in order."""
    query = (
        sa.select(table.c.date)
        .where(table.c.date < before)
        .group_by(table.c.date)
        .having((sa.func.count() > 1) | (sa.func.min(table.c.sealed) == 0))
        .order_by(table.c.date)
    )
    return list(connection.scalars(query))


def add(connection: sa.Connection, segment: Segment) -> None:
    """Make a segment part of the ledger."""
    values: dict[str, Any] = asdict(segment)
    values |= {
        "frontier": json.dumps(segment.frontier),
        "state": segment.state.value,
        "sealed": int(segment.sealed),
    }
    connection.execute(table.insert().values(**values))


def put_in_place_of(connection: sa.Connection, old: Sequence[Segment], new: Segment) -> None:
    """Let one file stand for several that hold the same leaves."""
    gone = connection.execute(
        table.delete().where(table.c.first_leaf.in_([segment.first_leaf for segment in old]))
    )
    assert gone.rowcount == len(old)
    add(connection, new)


def finish(connection: sa.Connection, done: Sequence[Segment]) -> None:
    """Note that nothing is left to do for these."""
    connection.execute(
        table.update()
        .where(table.c.first_leaf.in_([segment.first_leaf for segment in done]))
        .values(state=SegmentState.PUBLISHED.value)
    )


def _ordered(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[Segment]:
    query = sa.select(table).where(condition).order_by(table.c.first_leaf)
    return [_segment(row) for row in connection.execute(query)]


def _segment(row: sa.Row[Any]) -> Segment:
    values = dict(row._mapping)
    try:
        values["frontier"] = tuple(json.loads(values["frontier"]))
        values["state"] = SegmentState(values["state"])
    except (ValueError, TypeError) as error:
        raise LedgerError(
            f"the state store's table ledger_segments was changed at leaf {row.first_leaf} "
            f"({error}): restore the state store"
        ) from None
    values["sealed"] = bool(values["sealed"])
    return Segment(**values)
