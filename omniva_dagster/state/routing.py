"""What Lattice looks at and remembers: open work, backlogs, its last advice, its sequence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from omniva_dagster.contracts.decisions import Outcome, OutcomeStatus
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import backlogs, counters, outcomes, packets, recoveries, routes

_SEQUENCE = "routing_sequence"
# Not over: what a worker has in hand, or has yet to take.
OPEN = (OutcomeStatus.PENDING, OutcomeStatus.RUNNING)
# What bears a number of the routing sequence.
SEQUENCED = ("ClusteringHint", "PriorityDelta", "RoutingIntent")
_AT_ONCE = 500
_LATEST = 5_000


@dataclass(frozen=True)
class OpenWork:
    """A document that a stage has in hand or waits for."""

    stage: str
    subject_id: str
    partition: Partition
    status: OutcomeStatus
    since: str


@dataclass(frozen=True)
class Route:
    """Where Lattice last advised a subject's work to go."""

    subject_id: str
    queue: str
    pool: str
    priority: float
    routing_sequence: int
    packet_id: str
    partition: Partition
    at: str


@dataclass(frozen=True)
class Backlog:
    """How full a queue was, and whether that was over its threshold."""

    queue: str
    depth: int
    above: bool
    observed_at: str


def next_sequence(connection: sa.Connection, count: int = 1) -> int:
    """The first of so many numbers of the routing sequence, taken on this transaction.

    Whoever else takes some waits until it is over: the numbers grow as the packets that bear them
    are committed, and a transaction that is rolled back gives its numbers back.
    """
    mine = counters.c.name == _SEQUENCE
    for _ in range(2):
        taken = connection.execute(
            counters.update().where(mine).values(value=counters.c.value + count)
        )
        if taken.rowcount:
            last = connection.scalar(sa.select(counters.c.value).where(mine))
            return int(last or 0) - count + 1
        try:
            with connection.begin_nested():
                connection.execute(counters.insert().values(name=_SEQUENCE, value=0))
        except sa.exc.IntegrityError:
            continue  # another process was first to begin the count
    raise AssertionError("the counter is neither there nor can it be made")


def sequence(connection: sa.Connection) -> int:
    """The last number that was taken; 0 before the first."""
    found = connection.scalar(sa.select(counters.c.value).where(counters.c.name == _SEQUENCE))
    return int(found or 0)


def open_work(connection: sa.Connection, limit: int = 100_000) -> list[OpenWork]:
    """Documents in hand or waiting, of all stages (an index look-up, whatever is done already)."""
    rows = connection.execute(
        sa.select(outcomes)
        .where(outcomes.c.status.in_([status.value for status in OPEN]))
        .order_by(outcomes.c.stage, outcomes.c.subject_id)
        .limit(limit)
    )
    return [
        OpenWork(
            row.stage,
            row.subject_id,
            Partition(row.creator, row.day),
            OutcomeStatus(row.status),
            Outcome.parse(row.body).updated_at,
        )
        for row in rows
    ]


def retries(connection: sa.Connection) -> dict[str, tuple[int, str]]:
    """By worker, how many documents wait for another attempt, and since when the first of them."""
    rows = connection.execute(
        sa.select(
            recoveries.c.worker,
            sa.func.count().label("documents"),
            sa.func.min(recoveries.c.first_failed_at).label("since"),
        )
        .where(recoveries.c.state.in_(["failed", "planned", "ordered"]))
        .group_by(recoveries.c.worker)
        .order_by(recoveries.c.worker)
    )
    return {row.worker: (int(row.documents), row.since) for row in rows}


def sequences_of(connection: sa.Connection, subject_ids: Sequence[str]) -> list[int]:
    """The routing sequences of what Lattice said about these subjects, as it was recorded; of very
    many the latest."""
    found: list[tuple[int, int]] = []
    for start in range(0, len(subject_ids), _AT_ONCE):
        rows = connection.execute(
            sa.select(packets.c.sequence, packets.c.body)
            .where(
                packets.c.subject_id.in_(subject_ids[start : start + _AT_ONCE]),
                packets.c.message_type.in_(SEQUENCED),
            )
            .order_by(packets.c.sequence.desc())
            .limit(_LATEST)
        )
        found += [(row.sequence, json.loads(row.body)["payload"][_SEQUENCE]) for row in rows]
    return [number for _, number in sorted(found)]


def routes_of(connection: sa.Connection, subject_ids: Sequence[str]) -> dict[str, Route]:
    """The last advice on each of these subjects that has had any."""
    found: dict[str, Route] = {}
    for start in range(0, len(subject_ids), _AT_ONCE):
        rows = connection.execute(
            sa.select(routes).where(routes.c.subject_id.in_(subject_ids[start : start + _AT_ONCE]))
        )
        found.update({row.subject_id: _route(row) for row in rows})
    return found


def newest_routes(connection: sa.Connection, limit: int = 1000) -> list[Route]:
    """The latest advice, newest first."""
    query = sa.select(routes).order_by(routes.c.routing_sequence.desc()).limit(limit)
    return [_route(row) for row in connection.execute(query)]


def put_route(connection: sa.Connection, route: Route) -> None:
    """Remember the advice on a subject, in place of what was said before."""
    values: Mapping[str, Any] = {
        "queue": route.queue,
        "pool": route.pool,
        "priority": round(route.priority * 1000),
        "routing_sequence": route.routing_sequence,
        "packet_id": route.packet_id,
        "creator": route.partition.creator,
        "day": route.partition.day,
        "at": route.at,
    }
    here = routes.c.subject_id == route.subject_id
    if not connection.execute(routes.update().where(here).values(**values)).rowcount:
        connection.execute(routes.insert().values(subject_id=route.subject_id, **values))


def backlogs_of(connection: sa.Connection) -> dict[str, Backlog]:
    """How every queue stood when it was last looked at."""
    rows = connection.execute(sa.select(backlogs).order_by(backlogs.c.queue))
    return {
        row.queue: Backlog(row.queue, row.depth, bool(row.above), row.observed_at) for row in rows
    }


def put_backlog(connection: sa.Connection, backlog: Backlog) -> None:
    """Remember how a queue stands."""
    values = {
        "depth": backlog.depth,
        "above": int(backlog.above),
        "observed_at": backlog.observed_at,
    }
    here = backlogs.c.queue == backlog.queue
    if not connection.execute(backlogs.update().where(here).values(**values)).rowcount:
        connection.execute(backlogs.insert().values(queue=backlog.queue, **values))


def _route(row: sa.Row[Any]) -> Route:
    return Route(
        row.subject_id,
        row.queue,
        row.pool,
        row.priority / 1000,
        row.routing_sequence,
        row.packet_id,
        Partition(row.creator, row.day),
        row.at,
    )
