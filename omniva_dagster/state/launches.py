"""Runs that were launched: by whom, should two daemons take the same run from the queue."""

from __future__ import annotations

import sqlalchemy as sa

from omniva_dagster.state.tables import launches


def take(connection: sa.Connection, run_id: str, host: str, now: str) -> bool:
    """Whether the caller is the one to launch the run: nobody has, or whoever had gave it back."""
    try:
        with connection.begin_nested():
            connection.execute(launches.insert().values(run_id=run_id, host=host, at=now))
    except sa.exc.IntegrityError:
        return False
    return True


def host_of(connection: sa.Connection, run_id: str) -> str:
    """The host of the daemon that launched the run; empty if none did."""
    query = sa.select(launches.c.host).where(launches.c.run_id == run_id)
    return connection.scalar(query) or ""


def give_back(connection: sa.Connection, run_id: str) -> None:
    """The launch came to nothing: it may be tried again."""
    connection.execute(launches.delete().where(launches.c.run_id == run_id))
