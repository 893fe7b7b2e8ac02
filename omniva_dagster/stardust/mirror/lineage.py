"""Which packets an event's packet comes from.

Run: its events follow each other. Step: started by the run; what failed had been planned.
Materialization: planned, started, made from inputs' materializations, made of records' packets.
Check: what it looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from omniva_dagster.contracts.cognition.stardust import DagsterEvent, DagsterEventKind
from omniva_dagster.stardust.mirror.events import ENDS, Event, run_subject
from omniva_dagster.state.tables import packets

# The most that an entry of the ledger can name.
MOST_PARENTS = 1_000
_RECENT = 100
_TYPE = DagsterEvent.__name__
_STARTS = frozenset({DagsterEventKind.RUN_ENQUEUED, DagsterEventKind.RUN_START})
_FAILURES = frozenset({DagsterEventKind.STEP_FAILURE, DagsterEventKind.STEP_UP_FOR_RETRY})
_PLANS = {
    DagsterEventKind.ASSET_MATERIALIZATION: DagsterEventKind.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventKind.ASSET_FAILED_TO_MATERIALIZE: DagsterEventKind.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventKind.ASSET_CHECK_EVALUATION: DagsterEventKind.ASSET_CHECK_EVALUATION_PLANNED,
}
_STEP_ENDS = _FAILURES | {DagsterEventKind.STEP_SUCCESS}
_PLANNED = frozenset(_PLANS.values())


@dataclass(frozen=True)
class Known:
    """A mirrored event that has its packet already."""

    packet_id: str
    payload: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.payload.get(name)


def parents_of(connection: sa.Connection, event: Event, upstream: list[str]) -> tuple[str, ...]:
    """Packet ids, most telling first; ``upstream`` are those of other steps and runs."""
    found = [*_within(connection, event), *upstream, *event.packets]
    return tuple(dict.fromkeys(found))[:MOST_PARENTS]


def start_of(connection: sa.Connection, run_id: str) -> Known | None:
    """The packet that says that a run began."""
    return _latest_of(connection, run_id, frozenset({DagsterEventKind.RUN_START}))


def _within(connection: sa.Connection, event: Event) -> Iterator[str]:
    """What came before an event in its own run."""
    if not event.run_id or event.kind in _PLANNED:
        return
    before = _latest_of(connection, event.run_id, _STARTS - {event.kind})
    plan = _PLANS.get(event.kind)
    if plan is not None:
        yield from _ids(_about(connection, event.subject_id, lambda known: _is(known, plan, event)))
    if before is not None:
        yield before.packet_id
    if event.kind in _STEP_ENDS:
        yield from _ids(
            _about(
                connection,
                event.subject_id,
                lambda known: known.kind == DagsterEventKind.STEP_START,
            )
        )
    if event.kind in _FAILURES:
        step = event.document.step_key
        yield from _ids(
            _of_trace(connection, event, lambda known: known.kind in _PLANNED, step_key=step)
        )
    if event.kind in ENDS:
        yield from _ids(_of_trace(connection, event, lambda known: known.kind in _FAILURES))


def _is(known: Known, kind: DagsterEventKind, event: Event) -> bool:
    same_check = known.check_name == event.document.check_name
    return bool(known.kind == kind and known.run_id == event.document.run_id and same_check)


def _latest_of(
    connection: sa.Connection, run_id: str, kinds: frozenset[DagsterEventKind]
) -> Known | None:
    found = list(_about(connection, run_subject(run_id), lambda known: known.kind in kinds))
    return max(found, key=lambda known: str(known.occurred_at), default=None)


def _about(
    connection: sa.Connection, subject_id: str, wanted: Callable[[Known], bool]
) -> Iterator[Known]:
    """Of the latest events on a subject those that are wanted."""
    query = (
        sa.select(packets.c.packet_id, packets.c.body)
        .where(packets.c.subject_id == subject_id, packets.c.message_type == _TYPE)
        .order_by(packets.c.sequence.desc())
        .limit(_RECENT)
    )
    return filter(wanted, map(_known, connection.execute(query)))


def _of_trace(
    connection: sa.Connection, event: Event, wanted: Callable[[Known], bool], step_key: Any = None
) -> Iterator[Known]:
    """Of a run's events those that are wanted."""
    query = (
        sa.select(packets.c.packet_id, packets.c.body)
        .where(packets.c.trace_id == event.trace_id, packets.c.message_type == _TYPE)
        .order_by(packets.c.sequence)
        .limit(MOST_PARENTS)
    )
    found = filter(wanted, map(_known, connection.execute(query)))
    return (known for known in found if step_key is None or known.step_key == step_key)


def _known(row: sa.Row[Any]) -> Known:
    return Known(row.packet_id, json.loads(row.body)["payload"])


def _ids(found: Iterator[Known]) -> Iterator[str]:
    return (known.packet_id for known in found)
