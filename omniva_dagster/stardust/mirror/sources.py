"""Reading Dagster's event log, by run: the one order that every storage keeps.

SQLite has a file for each run and one for what belongs to none (run id ``""``); on PostgreSQL it is
one table with an index by run. Within a run ids grow, but on PostgreSQL they may become visible out
of order where several processes write.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from dagster import (
    AssetKey,
    AssetRecordsFilter,
    DagsterEventType,
    DagsterRunStatus,
    EventRecordsFilter,
    RunsFilter,
)

from omniva_dagster.stardust.mirror.events import MIRRORED, Event, event_of

if TYPE_CHECKING:
    from dagster import DagsterInstance, EventLogRecord, RunRecord

RUNLESS = ""
_PAGE = 1_000
_AT_ONCE = 100
_WAITING = frozenset({DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED})


@dataclass(frozen=True)
class Entry:
    """An event, and its id in the log of its run: good for reading on from, for nothing else."""

    storage_id: int
    event: Event


@dataclass(frozen=True)
class Run:
    """A run as the run storage has it: when it last changed, and whether more may come."""

    run_id: str
    updated_at: str
    ended: bool
    waiting: bool

    @classmethod
    def of(cls, record: RunRecord) -> Run:
        """From the run storage's record."""
        run = record.dagster_run
        return cls(
            run.run_id,
            record.update_timestamp.isoformat(),
            run.is_finished,
            run.status in _WAITING,
        )


def log_of(instance: DagsterInstance, run_id: str, after: int = 0) -> Iterator[Entry]:
    """What is mirrored of a run's log, after an id of it."""
    cursor = _cursor(after) if after else None
    while True:
        page = instance.event_log_storage.get_records_for_run(
            run_id, cursor, of_type=set(MIRRORED), limit=_PAGE
        )
        yield from _entries(page.records)
        if not page.has_more:
            return
        cursor = page.cursor


def runless_since(instance: DagsterInstance, since: float) -> list[Entry]:
    """What was reported outside of runs since a moment (seconds since 1970), oldest first."""
    found: list[Entry] = []
    cursor = None
    while True:
        page = instance.event_log_storage.get_records_for_run(
            RUNLESS, cursor, of_type=set(MIRRORED), limit=_PAGE, ascending=False
        )
        entries = list(_entries(page.records))
        found += [entry for entry in entries if entry.event.timestamp >= since]
        # Clocks differ: one old event says little, a page of them that it was long ago.
        if not page.has_more or all(entry.event.timestamp < since for entry in entries):
            return sorted(found, key=lambda entry: entry.storage_id)
        cursor = page.cursor


def runs_changed(instance: DagsterInstance, since: datetime) -> list[Run]:
    """Runs that changed after a moment, in the order of their changes.

    Asked for by status, which is what the run storage's index begins with.
    """
    records = instance.get_run_records(
        RunsFilter(statuses=list(DagsterRunStatus), updated_after=since),
        order_by="update_timestamp",
        ascending=True,
    )
    return [Run.of(record) for record in records]


def runs_by_id(instance: DagsterInstance, run_ids: list[str]) -> dict[str, Run]:
    """Runs by id; those that were deleted are not there."""
    found: dict[str, Run] = {}
    for start in range(0, len(run_ids), _AT_ONCE):
        some = run_ids[start : start + _AT_ONCE]
        for record in instance.get_run_records(RunsFilter(run_ids=some)):
            found[record.dagster_run.run_id] = Run.of(record)
    return found


def all_runs(instance: DagsterInstance, since: datetime | None) -> Iterator[Run]:
    """Every run that changed since a moment, or at all."""
    cursor: str | None = None
    while True:
        records = instance.get_run_records(
            RunsFilter(updated_after=since), limit=_AT_ONCE, cursor=cursor
        )
        yield from map(Run.of, records)
        if len(records) < _AT_ONCE:
            return
        cursor = records[-1].dagster_run.run_id


def upstream(instance: DagsterInstance, event: Event) -> list[Event]:
    """The materializations that an event came from, of other steps and runs.

    Of each input the last one before the event, in the same partition if it has that. Of a check
    the one that it looked at.
    """
    found = [_last_before(instance, key, event) for key in event.inputs]
    if event.target is not None:
        looked_at = _stored(instance, event.target.storage_id)
        if looked_at and (looked_at.run_id, looked_at.timestamp) == (
            event.target.run_id,
            event.target.timestamp,
        ):
            found.append(looked_at)
    return [item for item in found if item is not None]


def _last_before(instance: DagsterInstance, key: AssetKey, event: Event) -> Event | None:
    partitions = [event.partition_key] if event.partition_key else None
    for wanted in [partitions, None] if partitions else [None]:
        page = instance.fetch_materializations(
            AssetRecordsFilter(
                asset_key=key, asset_partitions=wanted, before_timestamp=event.timestamp
            ),
            limit=1,
        )
        for entry in _entries(page.records):
            return entry.event
    return None


def _stored(instance: DagsterInstance, storage_id: int) -> Event | None:
    records = instance.event_log_storage.get_event_records(
        EventRecordsFilter(
            event_type=DagsterEventType.ASSET_MATERIALIZATION, storage_ids=[storage_id]
        ),
        limit=1,
    )
    return next((entry.event for entry in _entries(records)), None)


def _entries(records: object) -> Iterator[Entry]:
    assert isinstance(records, list | tuple)
    record: EventLogRecord
    for record in records:
        event = event_of(record.event_log_entry)
        if event is not None:
            yield Entry(record.storage_id, event)


def _cursor(storage_id: int) -> str:
    from dagster._core.event_api import EventLogCursor

    return EventLogCursor.from_storage_id(storage_id).to_string()


def unique(entries: list[Entry]) -> list[Event]:
    """Events in the order in which they happened, each once."""
    ordered = sorted(entries, key=lambda entry: (entry.event.timestamp, entry.event.packet_id))
    return [
        next(same).event for _, same in groupby(ordered, key=lambda entry: entry.event.packet_id)
    ]
