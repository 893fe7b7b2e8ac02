"""How the workers' instances do, and what they are at this moment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import beats, worker_health

READY = "ready"
_REMEMBERED = timedelta(days=30)


@dataclass(frozen=True)
class Instance:
    """An instance of a worker pool as it stands; what never happened is empty."""

    worker: str
    instance: str
    state: str = READY
    consecutive_failures: int = 0
    reason_code: str = ""
    failed_at: str = ""
    failure_packet_id: str = ""
    streak_packet_id: str = ""
    succeeded_at: str = ""
    success_packet_id: str = ""
    strikes: int = 0
    quarantine_id: str = ""
    quarantine_packet_id: str = ""
    quarantined_at: str = ""
    quarantined_until: str = ""


@dataclass(frozen=True)
class Beat:
    """A step of a run at work: its last sign of life, and the documents in its hands.

    ``running`` has, by subject id, since when it is worked on, its trace, its video and its label.
    """

    run_id: str
    stage: str
    worker: str
    instance: str
    partition: Partition
    began_at: str
    beat_at: str
    sequence: int
    overdue_at: str
    running: dict[str, tuple[str, str, str, str]]


def get(connection: sa.Connection, worker: str, instance: str) -> Instance | None:
    """How an instance stands, if it was ever heard of."""
    row = connection.execute(sa.select(worker_health).where(_is(worker, instance))).first()
    return Instance(**row._mapping) if row else None


def meet(connection: sa.Connection, worker: str, instance: str, at: str) -> bool:
    """Note that an instance exists; whether it was not known.

    A new one takes the place of those that are well and did nothing for a month: hosts with names
    of their own for each run would gather for ever.
    """
    if get(connection, worker, instance) is not None:
        return False
    table, before = worker_health.c, format_timestamp(parse_timestamp(at) - _REMEMBERED)
    connection.execute(
        worker_health.delete().where(
            table.worker == worker,
            table.state == READY,
            table.succeeded_at < before,
            table.failed_at < before,
        )
    )
    blank = Instance(worker, instance)
    try:
        with connection.begin_nested():
            connection.execute(worker_health.insert().values(**vars(blank)))
    except sa.exc.IntegrityError:
        # Another process met it at the same time.
        return False
    return True


def failed(
    connection: sa.Connection, worker: str, instance: str, reason: str, packet_id: str, at: str
) -> None:
    """Count a failure of an instance; the first of a row begins a streak."""
    meet(connection, worker, instance, at)
    table = worker_health.c
    connection.execute(
        worker_health.update()
        .where(_is(worker, instance))
        .values(
            streak_packet_id=sa.case(
                (table.consecutive_failures == 0, packet_id), else_=table.streak_packet_id
            ),
            consecutive_failures=table.consecutive_failures + 1,
            reason_code=reason,
            failed_at=at,
            failure_packet_id=packet_id,
        )
    )


def succeeded(
    connection: sa.Connection, worker: str, instance: str, packet_id: str, at: str
) -> None:
    """An instance did its work: the failures in a row are over."""
    meet(connection, worker, instance, at)
    connection.execute(
        worker_health.update()
        .where(_is(worker, instance))
        .values(
            consecutive_failures=0,
            streak_packet_id="",
            succeeded_at=at,
            success_packet_id=packet_id,
        )
    )


def settle(connection: sa.Connection, standing: Instance) -> None:
    """What Eclipse made of an instance; attempts counted meanwhile stay counted."""
    connection.execute(
        worker_health.update()
        .where(_is(standing.worker, standing.instance))
        .values(
            state=standing.state,
            strikes=standing.strikes,
            quarantine_id=standing.quarantine_id,
            quarantine_packet_id=standing.quarantine_packet_id,
            quarantined_at=standing.quarantined_at,
            quarantined_until=standing.quarantined_until,
        )
    )


def forgive(connection: sa.Connection, worker: str, instance: str, failed_at: str) -> None:
    """Forget the failures in a row of an instance, if none came after ``failed_at``."""
    connection.execute(
        worker_health.update()
        .where(_is(worker, instance), worker_health.c.failed_at == failed_at)
        .values(consecutive_failures=0, streak_packet_id="")
    )


def troubled(connection: sa.Connection) -> list[Instance]:
    """Instances that are not simply ready: few, whatever the history."""
    query = sa.select(worker_health).where(
        worker_health.c.state.in_(["suspect", "quarantined", "probation"])
    )
    return _instances(connection, query)


def of_workers(connection: sa.Connection, workers: Sequence[str]) -> list[Instance]:
    """All instances of some pools."""
    return _instances(
        connection, sa.select(worker_health).where(worker_health.c.worker.in_(sorted(workers)))
    )


def beat(connection: sa.Connection, told: Beat) -> None:
    """A sign of life of a step at work."""
    values = {
        "run_id": told.run_id,
        "stage": told.stage,
        "worker": told.worker,
        "instance": told.instance,
        "creator": told.partition.creator,
        "day": told.partition.day,
        "began_at": told.began_at,
        "beat_at": told.beat_at,
        "sequence": told.sequence,
        "overdue_at": told.overdue_at,
        "running": json.dumps(told.running),
    }
    here = (beats.c.run_id == told.run_id) & (beats.c.stage == told.stage)
    if connection.execute(beats.update().where(here).values(**values)).rowcount == 0:
        connection.execute(beats.insert().values(**values))


def ended(connection: sa.Connection, run_id: str, stage: str = "") -> None:
    """A step of a run (all of them) is no longer at work."""
    here = beats.c.run_id == run_id
    connection.execute(beats.delete().where(here & (beats.c.stage == stage) if stage else here))


def silent(connection: sa.Connection, now: str) -> list[Beat]:
    """Steps whose beat is overdue."""
    query = sa.select(beats).where(beats.c.overdue_at < now)
    return _beats(connection, query)


def working(connection: sa.Connection) -> list[Beat]:
    """All steps at work."""
    return _beats(connection, sa.select(beats))


def _beats(connection: sa.Connection, query: sa.Select[Any]) -> list[Beat]:
    rows = connection.execute(query.order_by(beats.c.run_id, beats.c.stage))
    return [
        Beat(
            row.run_id,
            row.stage,
            row.worker,
            row.instance,
            Partition(row.creator, row.day),
            row.began_at,
            row.beat_at,
            row.sequence,
            row.overdue_at,
            {name: tuple(parts) for name, parts in json.loads(row.running).items()},
        )
        for row in rows
    ]


def _instances(connection: sa.Connection, query: sa.Select[Any]) -> list[Instance]:
    ordered = query.order_by(worker_health.c.worker, worker_health.c.instance)
    return [Instance(**row._mapping) for row in connection.execute(ordered)]


def _is(worker: str, instance: str) -> sa.ColumnElement[bool]:
    return (worker_health.c.worker == worker) & (worker_health.c.instance == instance)
