"""Comparing Dagster's whole event log with the outbox, and bringing what is not there.

An anti-join on what names an event: it needs no cursor, so it finds whatever a cursor lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from omniva_dagster.stardust.mirror import cursors, sources
from omniva_dagster.stardust.mirror.bringing import PATIENCE, bring
from omniva_dagster.stardust.mirror.sources import Entry, Run
from omniva_dagster.stardust.mirror.tailing import Mirrored

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from omniva_dagster.state.store import Store

LOOK_BACK = timedelta(days=7)
_RUNS_AT_ONCE = 50


def reconcile(
    instance: DagsterInstance,
    store: Store,
    *,
    now: datetime,
    everything: bool = False,
    patience: timedelta = PATIENCE,
) -> Mirrored:
    """Bring what the outbox lacks of runs that changed in the last week, and of the runless log.

    The first time, and with ``everything``, all of history is compared.
    """
    with store.read() as connection:
        everything = everything or not cursors.looked_back(connection)
    since = None if everything else now - LOOK_BACK
    done = Mirrored()
    runless = sources.runless_since(instance, since.timestamp() if since else float("-inf"))
    events = sources.unique(runless)
    done.add(bring(instance, store, events, now=now, patience=patience))
    for runs in _some(sources.all_runs(instance, since)):
        entries: list[Entry] = []
        for run in runs:
            try:
                entries += sources.log_of(instance, run.run_id)
            except Exception as error:
                done.note_unreadable(run.run_id, error)
        events = sources.unique(entries)
        done.add(bring(instance, store, events, now=now, patience=patience))
        done.runs += len(runs)
    if everything and not done.unreadable and not done.waiting:
        with store.begin() as connection:
            cursors.set_looked_back(connection, now.isoformat())
    return done


def _some(runs: Iterable[Run]) -> Iterator[list[Run]]:
    remaining = iter(runs)
    while found := list(islice(remaining, _RUNS_AT_ONCE)):
        yield found
