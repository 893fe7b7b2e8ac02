"""How far Dagster's log is read, in the state store: few rows, whatever its history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from omniva_dagster.state.tables import mirror_cursors

if TYPE_CHECKING:
    from omniva_dagster.stardust.mirror.sources import Run

OPEN, SETTLED, MARK = "open", "settled", "mark"
# No run has such an id.
_CHANGES = "*changes"
_RUNLESS = "*runless"
_BACK = "*back"


@dataclass(frozen=True)
class Cursor:
    """Where the reading of a run's log stands; ``read_at`` is empty before the first."""

    run_id: str
    position: int
    updated_at: str
    seen_at: str
    read_at: str


def changes_until(connection: sa.Connection) -> str:
    """Up to when changed runs have been looked for; empty before the first time."""
    return _mark(connection, _CHANGES)[1]


def set_changes_until(connection: sa.Connection, moment: str) -> None:
    """Look for runs that changed after that moment the next time."""
    _put(connection, _CHANGES, MARK, updated_at=moment)


def looked_back(connection: sa.Connection) -> bool:
    """Whether all of the log was ever compared with the outbox."""
    return bool(_mark(connection, _BACK)[1])


def set_looked_back(connection: sa.Connection, moment: str) -> None:
    """All of the log has been compared with the outbox."""
    _put(connection, _BACK, MARK, updated_at=moment)


def runless(connection: sa.Connection) -> int:
    """Up to which id everything reported outside of runs is in the outbox."""
    return _mark(connection, _RUNLESS)[0]


def set_runless(connection: sa.Connection, position: int) -> None:
    """Read on from there the next time."""
    _put(connection, _RUNLESS, MARK, position=position)


def note(connection: sa.Connection, runs: Iterable[Run]) -> None:
    """Runs that changed: those that are new or changed since they were settled are open now."""
    table = mirror_cursors.c
    for run in runs:
        row = connection.execute(
            sa.select(table.updated_at).where(table.name == run.run_id)
        ).first()
        if row is None:
            _put(connection, run.run_id, OPEN, updated_at=run.updated_at)
        elif row.updated_at != run.updated_at:
            connection.execute(
                mirror_cursors.update()
                .where(table.name == run.run_id)
                .values(updated_at=run.updated_at, state=OPEN)
            )


def open_runs(connection: sa.Connection) -> list[Cursor]:
    """Runs that may have more to say, the longest unread first."""
    table = mirror_cursors.c
    query = sa.select(mirror_cursors).where(table.state == OPEN).order_by(table.read_at, table.name)
    return [
        Cursor(row.name, row.position, row.updated_at, row.seen_at, row.read_at)
        for row in connection.execute(query)
    ]


def read(
    connection: sa.Connection, cursor: Cursor, position: int, at: str, *, settled: bool
) -> None:
    """A run's log was read up to there, as it was at its last known change."""
    table = mirror_cursors.c
    connection.execute(
        mirror_cursors.update()
        # Had it changed meanwhile, it stays open.
        .where(table.name == cursor.run_id, table.updated_at == cursor.updated_at)
        .values(
            position=position,
            seen_at=cursor.updated_at,
            read_at=at,
            state=SETTLED if settled else OPEN,
        )
    )


def forget(connection: sa.Connection, run_ids: Sequence[str]) -> None:
    """Runs that Dagster has no more."""
    if run_ids:
        connection.execute(mirror_cursors.delete().where(mirror_cursors.c.name.in_(list(run_ids))))


def forget_settled(connection: sa.Connection, before: str) -> None:
    """Settled runs that no look for changes comes upon again."""
    table = mirror_cursors.c
    connection.execute(
        mirror_cursors.delete().where(table.state == SETTLED, table.updated_at < before)
    )


def _mark(connection: sa.Connection, name: str) -> tuple[int, str]:
    table = mirror_cursors.c
    query = sa.select(table.position, table.updated_at).where(table.name == name)
    row = connection.execute(query).first()
    return (row.position, row.updated_at) if row else (0, "")


def _put(
    connection: sa.Connection, name: str, state: str, position: int = 0, updated_at: str = ""
) -> None:
    values = {"position": position, "updated_at": updated_at}
    changed = connection.execute(
        mirror_cursors.update().where(mirror_cursors.c.name == name).values(**values)
    )
    if changed.rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(
                mirror_cursors.insert().values(
                    name=name, state=state, seen_at="", read_at="", **values
                )
            )
    except sa.exc.IntegrityError:
        # Another mirror wrote it at the same time; what either says is good to go on from.
        return
