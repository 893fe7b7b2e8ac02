"""Dagster's daemon, slow between its look whether a run is queued and its word that it starts.

Two of them launch a queued run both: Dagster reckons with one daemon only.
"""

from __future__ import annotations

import time
from typing import Any

from dagster import DagsterEvent, DagsterEventType, DagsterInstance
from dagster._daemon.cli import main

# Longer than from one look of a daemon to the next.
_SECONDS = 8.0
_report = DagsterInstance.report_dagster_event


def _report_late(self: DagsterInstance, event: DagsterEvent, *arguments: Any, **named: Any) -> None:
    if event.event_type is DagsterEventType.RUN_STARTING:
        time.sleep(_SECONDS)
    _report(self, event, *arguments, **named)


DagsterInstance.report_dagster_event = _report_late  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
