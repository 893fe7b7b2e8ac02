"""How far an engine's own cycle has come: one row an engine, which is also its turn to decide."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from omniva_dagster.state.tables import cycles


@dataclass(frozen=True)
class Cycle:
    """The last cycle of an engine, and the last packet that any of its cycles recorded."""

    number: int
    at: str
    packet_id: str


def begin(connection: sa.Connection, name: str, now: str) -> int:
    """The number of a new cycle, one more than the last; others wait until the caller commits."""
    here = cycles.c.name == name
    grown = cycles.update().where(here).values(number=cycles.c.number + 1, at=now)
    if not connection.execute(grown).rowcount:
        try:
            with connection.begin_nested():
                connection.execute(
                    cycles.insert().values(name=name, number=1, at=now, packet_id="")
                )
        except sa.exc.IntegrityError:
            # Another process began the first cycle at the same time.
            connection.execute(grown)
    return int(connection.scalar(sa.select(cycles.c.number).where(here)) or 0)


def turn(connection: sa.Connection, name: str) -> None:
    """Wait until nobody else decides; the others wait until the caller commits."""
    here = cycles.c.name == name
    connection.execute(cycles.update().where(here).values(number=cycles.c.number))


def recorded(connection: sa.Connection, name: str, packet_id: str) -> None:
    """Note the packet of what a cycle committed to."""
    connection.execute(cycles.update().where(cycles.c.name == name).values(packet_id=packet_id))


def last(connection: sa.Connection, name: str) -> Cycle | None:
    """The engine's last cycle, if it ever had one."""
    row = connection.execute(sa.select(cycles).where(cycles.c.name == name)).first()
    return Cycle(row.number, row.at, row.packet_id) if row else None
