"""Bringing events into the outbox: each once, parents first, patiently.

An event whose parent is not there yet is left for the next time, as long as it is young; then it
enters with the parent named and marked as missing, and Paradox is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.stardust import InconsistencyKind, TelemetrySample
from omniva_dagster.stardust.inconsistencies import Inconsistency, report
from omniva_dagster.stardust.mirror import lineage, sources
from omniva_dagster.stardust.mirror.events import ENDS, PRODUCER, Event, moment
from omniva_dagster.state import outbox
from omniva_dagster.state.tables import packets

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from omniva_dagster.state.store import Store

PATIENCE = timedelta(minutes=5)
_IN_A_TRANSACTION = 100
_IN_A_QUERY = 500


@dataclass
class Brought:
    """What came of bringing some events: how many were new, how many of them lack a parent.

    ``waiting`` are the packet ids of those that were left for later.
    """

    new: int = 0
    flagged: int = 0
    waiting: set[str] = field(default_factory=set)


def bring(
    instance: DagsterInstance,
    store: Store,
    events: Sequence[Event],
    *,
    now: datetime,
    patience: timedelta = PATIENCE,
) -> Brought:
    """Record events (in their order) that have no packet yet."""
    brought = Brought()
    with store.read() as connection:
        known = _known(connection, [event.packet_id for event in events])
    unknown = [event for event in events if event.packet_id not in known]
    for start in range(0, len(unknown), _IN_A_TRANSACTION):
        # Dagster is asked before the transaction begins, which nobody should have to wait for.
        some = [
            (event, [found.packet_id for found in sources.upstream(instance, event)])
            for event in unknown[start : start + _IN_A_TRANSACTION]
        ]
        with store.begin() as connection:
            for event, upstream in some:
                _bring_one(connection, event, upstream, now - patience, brought)
    return brought


def _bring_one(
    connection: sa.Connection,
    event: Event,
    upstream: list[str],
    patient_since: datetime,
    brought: Brought,
) -> None:
    parents = lineage.parents_of(connection, event, upstream)
    absent = sorted(set(parents) - _known(connection, parents))
    if absent and moment(event.timestamp) > patient_since:
        brought.waiting.add(event.packet_id)
        return
    outbox.emit(
        connection,
        outbox.Emission(
            event.document,
            PRODUCER,
            event.subject_id,
            event.trace_id,
            parents,
            event.partition,
            event.emitted_at,
            event.occurrence,
            may_lack_parents=True,
        ),
    )
    brought.new += 1
    if absent:
        brought.flagged += 1
        report(connection, [_lacking(event, absent)], event.emitted_at)
    if event.kind in ENDS:
        _measure(connection, event)


def _lacking(event: Event, absent: list[str]) -> Inconsistency:
    what = event.document.asset_key or event.document.run_id
    return Inconsistency(
        InconsistencyKind.MISSING_PARENT,
        (event.packet_id, *absent),
        f"{event.kind.value} of {what} came from {len(absent)} packets that are not in the ledger; "
        "if `omniva ledger sync` does not bring them, the state store was replaced or Dagster's "
        "log was cut",
        Severity.WARNING,
    )


def _measure(connection: sa.Connection, end: Event) -> None:
    """How long a run took: telemetry whose lineage is the run's."""
    start = lineage.start_of(connection, end.run_id)
    if start is None:
        return
    began = datetime.fromisoformat(str(start.occurred_at))
    seconds = max(0.0, (moment(end.timestamp) - began).total_seconds())
    outbox.emit(
        connection,
        outbox.Emission(
            TelemetrySample(
                source=PRODUCER,
                metric="run_seconds",
                value=seconds,
                subject_id=end.subject_id,
                observed_at=end.emitted_at,
            ),
            PRODUCER,
            end.subject_id,
            end.trace_id,
            (start.packet_id, end.packet_id),
            end.partition,
            end.emitted_at,
            end.occurrence,
        ),
    )


def _known(connection: sa.Connection, packet_ids: Iterable[str]) -> set[str]:
    wanted = list(packet_ids)
    found: set[str] = set()
    for start in range(0, len(wanted), _IN_A_QUERY):
        some = wanted[start : start + _IN_A_QUERY]
        query = sa.select(packets.c.packet_id).where(packets.c.packet_id.in_(some))
        found.update(connection.scalars(query))
    return found
