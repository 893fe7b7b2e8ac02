"""The ledger's runs as lines of JSON (NDJSON), always the same bytes for the same ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import orjson

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.openlineage.naming import Naming
from omniva_dagster.stardust.openlineage.reading import runs_of
from omniva_dagster.stardust.openlineage.runs import events_of


@dataclass(frozen=True)
class Wanted:
    """Which runs: all, those told of from a day (UTC) on, or one by Dagster's id."""

    since: date | None = None
    run: str = ""


def exported(layout: Layout, naming: Naming, wanted: Wanted) -> Iterator[list[bytes]]:
    """The events of a run at a time, each a line without its end.

    Raises `LedgerError` where the ledger can't be read.
    """
    # As the mirror has it: a run's events share a trace.
    trace = derive_id("trace", "dagster_run", wanted.run) if wanted.run else ""
    for run in runs_of(layout, since=wanted.since, trace_id=trace):
        lines = [
            orjson.dumps(event, option=orjson.OPT_SORT_KEYS) for event in events_of(run, naming)
        ]
        if lines:
            yield lines
