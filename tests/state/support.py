"""Documents and emissions for the store's tests."""

from __future__ import annotations

from typing import Any

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import ScheduleTask
from omniva_dagster.state.outbox import Emission
from omniva_dagster.state.partition import Partition

NOW = "2026-03-04T05:06:07Z"
LATER = "2026-03-05T05:06:07Z"
HERE = Partition("ada", "2026-03-04")
CLIP = derive_id("clip", "one")


def task(**changes: Any) -> ScheduleTask:
    """A schedule task."""
    fields: dict[str, Any] = {
        "clip_id": CLIP,
        "recommended_time": NOW,
        "priority": 0.5,
        "horizon_adjustment": 0.0,
        "final_decision_source": "automation",
    }
    return ScheduleTask.parse({**fields, **changes})


def emission(**changes: Any) -> Emission:
    """An emission of a schedule task on CLIP."""
    fields: dict[str, Any] = {
        "document": task(),
        "producer": "schedule_tasks",
        "subject_id": CLIP,
        "trace_id": derive_id("trace", "one"),
        "parents": (),
        "partition": HERE,
        "emitted_at": NOW,
    }
    return Emission(**{**fields, **changes})
