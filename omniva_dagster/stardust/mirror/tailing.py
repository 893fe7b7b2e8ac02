"""Following Dagster's event log: what a tick of the mirror does.

1. Runs that changed since the last tick join the open ones. The time between is looked at twice
   (`OVERLAP`), because the clocks of the machines differ and transactions commit late.
2. An open run that is under way is read on from its cursor, which stays behind by `OVERLAP` and
   `ID_WINDOW`: what became visible behind it within that much is read after all.
3. An open run that has ended is read from its beginning, until it was read so `SETTLE` after its
   end: then it is settled, and costs nothing any more.
4. What belongs to no run has one log, read like a run under way that never ends.

What even this misses, `reconciling` finds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from omniva_dagster.stardust.inconsistencies import surface
from omniva_dagster.stardust.mirror import cursors, sources
from omniva_dagster.stardust.mirror.bringing import PATIENCE, Brought, bring
from omniva_dagster.stardust.mirror.cursors import Cursor
from omniva_dagster.stardust.mirror.events import moment
from omniva_dagster.stardust.mirror.sources import Entry, Run

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from omniva_dagster.state.store import Store

OVERLAP = timedelta(minutes=10)
ID_WINDOW = 500
SETTLE = timedelta(minutes=1)
# How far back the first tick looks; `reconcile` brings what was before.
FIRST_LOOK = timedelta(days=1)
_RUNS_AT_ONCE = 20


@dataclass
class Mirrored:
    """What a tick or a reconciliation came to.

    ``new`` packets, of which ``flagged`` lack a parent; ``waiting`` events were left for later;
    ``runs`` were read, and ``left`` were not, for want of time; ``unreadable`` logs of runs could
    not be read, and why; ``inconsistencies`` are known to the outbox.
    """

    new: int = 0
    flagged: int = 0
    waiting: int = 0
    runs: int = 0
    left: int = 0
    inconsistencies: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)

    def add(self, brought: Brought) -> None:
        """Count what was brought."""
        self.new += brought.new
        self.flagged += brought.flagged
        self.waiting += len(brought.waiting)

    def note_unreadable(self, run_id: str, error: Exception) -> None:
        """Say why a run's log could not be read."""
        self.unreadable[run_id or "outside of runs"] = f"{type(error).__name__}: {error}"[:200]


def mirror(
    instance: DagsterInstance,
    store: Store,
    *,
    now: datetime,
    patience: timedelta = PATIENCE,
    seconds: float = float("inf"),
) -> Mirrored:
    """Bring what is new in Dagster's event log into the outbox.

    ``seconds`` is how long it may go on to take up further runs; ``patience`` how long an event
    waits for its parents. Any number of mirrors may be at work at once.
    """
    deadline = time.monotonic() + seconds
    done = Mirrored()
    _note_changes(instance, store, now)
    _follow_runless(instance, store, now, patience, done)
    with store.read() as connection:
        due = cursors.open_runs(connection)
    for start in range(0, len(due), _RUNS_AT_ONCE):
        if start and time.monotonic() > deadline:
            done.left = len(due) - start
            break
        _follow(instance, store, due[start : start + _RUNS_AT_ONCE], now, patience, done)
    done.inconsistencies = surface(store, now)
    return done


def _note_changes(instance: DagsterInstance, store: Store, now: datetime) -> None:
    with store.read() as connection:
        until = cursors.changes_until(connection)
    since = datetime.fromisoformat(until) - OVERLAP if until else now - FIRST_LOOK
    changed = sources.runs_changed(instance, since)
    # By the run storage's own times: whose clock they are of does not matter.
    newest = max([since + OVERLAP if until else since, *(_time(run) for run in changed)])
    with store.begin() as connection:
        cursors.note(connection, changed)
        cursors.set_changes_until(connection, newest.isoformat())
        cursors.forget_settled(connection, (since - OVERLAP).isoformat())


def _follow(
    instance: DagsterInstance,
    store: Store,
    due: Sequence[Cursor],
    now: datetime,
    patience: timedelta,
    done: Mirrored,
) -> None:
    """Read some runs, and record their events in the order in which they happened."""
    runs = sources.runs_by_id(instance, [cursor.run_id for cursor in due])
    logs: list[tuple[Cursor, Run, list[Entry]]] = []
    for cursor in due:
        run = runs.get(cursor.run_id)
        if run is None or (run.waiting and cursor.seen_at == run.updated_at):
            continue
        entries = _log(instance, run.run_id, 0 if run.ended else cursor.position, done)
        if entries is None:
            continue
        logs.append((cursor, run, entries))
    events = sources.unique([entry for _, _, entries in logs for entry in entries])
    brought = bring(instance, store, events, now=now, patience=patience)
    done.add(brought)
    done.runs += len(logs)
    with store.begin() as connection:
        cursors.forget(connection, [item.run_id for item in due if item.run_id not in runs])
        for cursor, run, entries in logs:
            position = _safe_position(cursor.position, entries, brought, now)
            settled = (
                run.ended
                and now - _time(run) > SETTLE
                and not any(entry.event.packet_id in brought.waiting for entry in entries)
            )
            cursors.read(connection, cursor, position, now.isoformat(), settled=settled)


def _follow_runless(
    instance: DagsterInstance, store: Store, now: datetime, patience: timedelta, done: Mirrored
) -> None:
    with store.read() as connection:
        position = cursors.runless(connection)
    entries = _log(instance, sources.RUNLESS, position, done)
    if entries is None:
        return
    brought = bring(instance, store, sources.unique(entries), now=now, patience=patience)
    done.add(brought)
    position = _safe_position(position, entries, brought, now)
    with store.begin() as connection:
        cursors.set_runless(connection, position)


def _log(instance: DagsterInstance, run_id: str, after: int, done: Mirrored) -> list[Entry] | None:
    """A run's log, unless it cannot be read, which must not keep others from being mirrored."""
    try:
        return list(sources.log_of(instance, run_id, after))
    except Exception as error:
        done.note_unreadable(run_id, error)
        return None


def _safe_position(position: int, entries: Sequence[Entry], brought: Brought, now: datetime) -> int:
    """The id up to which nothing more is expected to become visible."""
    if not entries:
        return position
    last = max(entry.storage_id for entry in entries) - ID_WINDOW
    for entry in sorted(entries, key=lambda entry: entry.storage_id):
        recent = moment(entry.event.timestamp) > now - OVERLAP
        if recent or entry.storage_id > last or entry.event.packet_id in brought.waiting:
            break
        position = max(position, entry.storage_id)
    return position


def _time(run: Run) -> datetime:
    found = datetime.fromisoformat(run.updated_at)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
