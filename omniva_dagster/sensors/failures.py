"""Runs that end, told to Eclipse: an asset that raises runs no check (4.2)."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets import CLIP_PIPELINE
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.jobs import clip_pipeline
from omniva_dagster.resources.recovery import RunFailure, run_ended
from omniva_dagster.resources.state import StateResource, partition_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from omniva_dagster.state.store import Store

# Raised on purpose, or by a check: the same run would end alike.
_DELIBERATE = ("Failure", "DagsterAssetCheckFailedError", "DagsterUnknownPartitionError")


@dg.run_failure_sensor(
    name="eclipse_run_failures",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Tells Eclipse of runs that failed, so that it plans for their partitions.",
)
def run_failures(context: dg.RunFailureSensorContext, state: StateResource) -> dg.SkipReason:
    """A failed run of the clip pipeline, a backfill's too, becomes a plan for its partition.

    Zenith decides at once: what spreads does not wait for the next control cycle.
    """
    from omniva_dagster.resources.control import run_cycle

    if not _of_the_pipeline(context.dagster_run):
        return dg.SkipReason("somebody's own choice of assets: that is theirs to run again")
    failure = failure_of(context.get_step_failure_events(), context.failure_event.message or "")
    planned = told(state.store, context.dagster_run, failure)
    if not planned:
        return dg.SkipReason("nothing to plan for: it is known, or it did no work")
    report = run_cycle(state.store, format_timestamp(datetime.now(UTC)))
    return dg.SkipReason(f"planned: {', '.join(planned)}; {report.summary}")


@dg.run_status_sensor(
    name="eclipse_run_successes",
    run_status=dg.DagsterRunStatus.SUCCESS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Tells Eclipse of runs that succeeded: their partitions need no plan any more.",
)
def run_successes(context: dg.RunStatusSensorContext, state: StateResource) -> dg.SkipReason:
    """A run that succeeded ends the recovery of its partition's run."""
    if _of_the_pipeline(context.dagster_run):
        told(state.store, context.dagster_run, None)
    return dg.SkipReason("told Eclipse")


def _of_the_pipeline(run: dg.DagsterRun) -> bool:
    """Whether the run is the job's, or of all its assets, as the UI and backfills launch."""
    every = {key for asset in CLIP_PIPELINE for key in asset.keys}
    return run.job_name == clip_pipeline.name or (run.asset_selection or frozenset()) >= every


def told(store: "Store", run: dg.DagsterRun, failure: RunFailure | None) -> list[str]:
    """Tell Eclipse how a run ended, unless it never began its work; the packets of the plans."""
    key = run.tags.get("dagster/partition")
    if key is None:
        return []
    creator, day = run.tags.get("dagster/partition/creator"), run.tags.get("dagster/partition/day")
    partition = partition_of(dg.MultiPartitionKey({"creator": creator or "", "day": day or ""}))
    intent_id = run.tags.get(db.intents.TAG)
    if intent_id:
        with store.read() as connection:
            intent = db.intents.get(connection, intent_id)
        lineage = (run.run_id, run.root_run_id, run.parent_run_id)
        if intent is not None and intent.run_id not in lineage:
            # It was ended before it did anything: the intent is another run's, or is asked for
            # again, see `offering`.
            return []
    now = format_timestamp(datetime.now(UTC))
    return run_ended(store, partition, run.run_id, failure, now)


def failure_of(events: "Iterable[dg.DagsterEvent]", otherwise: str = "") -> RunFailure:
    """Which asset raised, and what it said, from a run's step failures."""
    for event in events:
        error = event.step_failure_data.error
        cause = (error.cause or error) if error else None
        names = {item.cls_name for item in (error, cause) if item is not None}
        said = cause.message.strip() if cause else "failed"
        return RunFailure(event.step_key or "", said, names.isdisjoint(_DELIBERATE))
    return RunFailure("", otherwise or "the run failed")
