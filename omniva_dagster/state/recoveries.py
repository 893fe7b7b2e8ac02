"""Documents whose work failed, until it is done after all: what Eclipse plans for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import recoveries

# Failed and not planned for yet; planned; ordered by Zenith; given up.
FAILED, PLANNED, ORDERED, SPENT = "failed", "planned", "ordered", "spent"


@dataclass(frozen=True)
class Recovery:
    """How a document's recovery stands; times are empty where there are none."""

    stage: str
    subject_id: str
    creator: str
    day: str
    video_id: str
    trace_id: str
    label: str
    worker: str
    instance: str
    reason_code: str
    transient: bool
    attempts_made: int
    attempts: int
    next_attempt_at: str
    state: str
    plan_packet_id: str
    failure_packet_id: str
    first_failed_at: str
    last_failed_at: str

    @property
    def partition(self) -> Partition:
        """Where it belongs."""
        return Partition(self.creator, self.day)


def get(connection: sa.Connection, stage: str, subject_id: str) -> Recovery | None:
    """The recovery of a document at a stage, if it failed there."""
    row = connection.execute(sa.select(recoveries).where(_at(stage, subject_id))).first()
    return _recovery(row) if row else None


def put(connection: sa.Connection, recovery: Recovery) -> None:
    """Write a recovery down, over the one there was."""
    values = asdict(recovery) | {"transient": int(recovery.transient)}
    here = _at(recovery.stage, recovery.subject_id)
    update = recoveries.update().where(here).values(**values)
    if connection.execute(update).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(recoveries.insert().values(**values))
    except sa.exc.IntegrityError:
        # Another run of the partition failed at it at the same time.
        connection.execute(update)


def plan(
    connection: sa.Connection, recovery: Recovery, packet_id: str, attempts: int, due: str
) -> None:
    """Note the plan for a recovery; without a time the attempts are spent."""
    connection.execute(
        recoveries.update()
        .where(_at(recovery.stage, recovery.subject_id))
        .values(
            state=PLANNED if due else SPENT,
            plan_packet_id=packet_id,
            attempts=attempts,
            next_attempt_at=due,
        )
    )


def clear(connection: sa.Connection, stage: str, subject_ids: Sequence[str]) -> None:
    """Forget recoveries: the work is done after all, or no longer wanted."""
    connection.execute(
        recoveries.delete().where(
            recoveries.c.stage == stage, recoveries.c.subject_id.in_(list(subject_ids))
        )
    )


def order(connection: sa.Connection, subject_id: str) -> None:
    """Zenith ordered the planned retry of a document."""
    connection.execute(
        recoveries.update()
        .where(recoveries.c.subject_id == subject_id, recoveries.c.state == PLANNED)
        .values(state=ORDERED)
    )


def unplanned(
    connection: sa.Connection, partition: Partition | None = None, stage: str = ""
) -> list[Recovery]:
    """Failures without a plan, in a stable order."""
    query = sa.select(recoveries).where(recoveries.c.state == FAILED)
    if partition is not None:
        query = query.where(*_in(partition), recoveries.c.stage == stage)
    return _all(connection, query)


def overdue(connection: sa.Connection, now: str, limit: int = 500) -> list[Recovery]:
    """Planned attempts whose time came and that nobody made."""
    query = sa.select(recoveries).where(
        recoveries.c.state.in_([PLANNED, ORDERED]), recoveries.c.next_attempt_at <= now
    )
    return _all(connection, query.limit(limit))


def since(connection: sa.Connection, moment: str, limit: int = 500) -> list[Recovery]:
    """What failed last after a moment and is not healed, the latest first."""
    query = sa.select(recoveries).where(recoveries.c.last_failed_at > moment)
    latest = query.order_by(recoveries.c.last_failed_at.desc(), recoveries.c.subject_id)
    return [_recovery(row) for row in connection.execute(latest.limit(limit))]


def of_partition(
    connection: sa.Connection, partition: Partition, stage: str = ""
) -> list[Recovery]:
    """The recoveries of a partition (at one stage)."""
    query = sa.select(recoveries).where(*_in(partition))
    return _all(connection, query.where(recoveries.c.stage == stage) if stage else query)


def open_ones(connection: sa.Connection, limit: int = 200) -> list[Recovery]:
    """Recoveries that are waiting or given up, the next one due first."""
    query = sa.select(recoveries).order_by(
        recoveries.c.state, recoveries.c.next_attempt_at, recoveries.c.subject_id
    )
    return [_recovery(row) for row in connection.execute(query.limit(limit))]


def counts(connection: sa.Connection) -> dict[str, int]:
    """How many recoveries are in each state."""
    query = sa.select(recoveries.c.state, sa.func.count()).group_by(recoveries.c.state)
    return {state: int(number) for state, number in connection.execute(query)}


def _all(connection: sa.Connection, query: sa.Select[Any]) -> list[Recovery]:
    ordered = query.order_by(recoveries.c.stage, recoveries.c.subject_id)
    return [_recovery(row) for row in connection.execute(ordered)]


def _at(stage: str, subject_id: str) -> sa.ColumnElement[bool]:
    return (recoveries.c.stage == stage) & (recoveries.c.subject_id == subject_id)


def _in(partition: Partition) -> tuple[sa.ColumnElement[bool], ...]:
    return (recoveries.c.creator == partition.creator, recoveries.c.day == partition.day)


def _recovery(row: sa.Row[Any]) -> Recovery:
    return Recovery(**{**row._mapping, "transient": bool(row.transient)})
