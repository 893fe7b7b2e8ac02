"""Horizon on scheduled clips: slots follow the guidance of their day, and what drifts is named."""

from typing import Any

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets._common import cell
from omniva_dagster.assets.publishing import schedule_tasks
from omniva_dagster.checks._common import records_of
from omniva_dagster.contracts.publishing import ScheduleTask
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import parse_timestamp
from omniva_dagster.engines import horizon
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources.guidance import KIND, Guided
from omniva_dagster.resources.media import AtlasResource
from omniva_dagster.resources.state import StateResource, partition_of


@dg.asset_check(
    asset=schedule_tasks,
    name="horizon",
    blocking=True,
    partitions_def=creator_day,
    description="Slots are moved as Horizon's pinned guidance says; drift from the goals is told.",
)
def horizon_check(
    context: dg.AssetCheckExecutionContext, state: StateResource, atlas: AtlasResource
) -> dg.AssetCheckResult:
    """ERROR where a slot was moved by what no guidance says, a warning where a goal drifts."""
    partition = partition_of(context.partition_key)
    records = records_of(schedule_tasks, context, atlas.home)
    with state.store.read() as connection:
        pinned = db.snapshots.pinned(connection, partition, KIND)
    guided = Guided(partition, pinned or horizon.neutral_guidance(partition.day))
    wrong = [(record.subject_id, why) for record in records if (why := _unfounded(record, guided))]
    outside = [record for record in records if _outside(record, guided)]
    drifting = guided.body.get("warnings", [])
    shown: dict[str, Any] = {
        "clips": len(records),
        "guidance": guided.note,
        "drift_warnings": len(drifting),
        "outside_goal_window": len(outside),
    }
    lines = ["| what | finding |", "|---|---|"]
    lines += [f"| {subject} | {cell(why)} |" for subject, why in wrong]
    lines += [f"| drift | {cell(warning, 600)} |" for warning in drifting]
    lines += [
        f"| {record.subject_id} | goes out {record.document.recommended_time}, outside of the "
        "goal window |"
        for record in outside
    ]
    if wrong or drifting or outside:
        shown["findings"] = dg.MetadataValue.md("\n".join(lines))
        shown["what_to_do"] = (
            "materialize schedule_tasks again; if it stays, a slot was changed around the scheduler"
            if wrong
            else "see `omniva horizon show`; change the goals in goals.yaml "
            "(`omniva horizon goals check`), or bring in how clips did: "
            "`omniva horizon import FILE`"
        )
    return dg.AssetCheckResult(
        passed=not (wrong or drifting or outside),
        severity=dg.AssetCheckSeverity.ERROR if wrong else dg.AssetCheckSeverity.WARN,
        metadata=shown,
    )


def _unfounded(record: Record[ScheduleTask], guided: Guided) -> str:
    """Why a slot's adjustment is none of Horizon's; empty if it is."""
    task = record.document
    if not task.horizon_adjustment:
        return ""
    nudges = guided.nudges()
    moment = parse_timestamp(task.recommended_time)
    weight = nudges.weights.get((moment.weekday(), moment.hour), 0.0) if nudges else 0.0
    if abs(weight - task.horizon_adjustment) < 0.001:
        return ""
    return f"says {task.horizon_adjustment:+.3f}; the guidance says {weight:+.3f}"


def _outside(record: Record[ScheduleTask], guided: Guided) -> bool:
    window = guided.goal_window
    at = record.document.recommended_time
    return window is not None and not window.since <= at < window.until


HORIZON_CHECKS = [horizon_check]
