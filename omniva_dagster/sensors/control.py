"""Zenith's control cycle, every 30 seconds: small work, and runs only when there is reason."""

from datetime import UTC, datetime

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.jobs import clip_pipeline
from omniva_dagster.partitions import CREATORS, partition_key
from omniva_dagster.resources.state import StateResource
from omniva_dagster.settings import settings


@dg.sensor(
    name="zenith_control",
    job=clip_pipeline,
    minimum_interval_seconds=settings().control_seconds,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Zenith hears all advice and overrides, decides, and launches or cancels runs.",
)
def zenith_control(context: dg.SensorEvaluationContext, state: StateResource) -> dg.SensorResult:
    """A cycle; then what it wants of Dagster."""
    from omniva_dagster.resources.control import run_cycle
    from omniva_dagster.resources.impact import settle_up
    from omniva_dagster.resources.offering import offer

    now = format_timestamp(datetime.now(UTC))
    report = run_cycle(state.store, now)
    settle_up(state.store, settings().home, now)
    offered = offer(state.store, context.instance, now, settings().reoffer_seconds)
    for record in report.directives:
        directive = record.document
        context.log.info(
            f"{directive.kind.value} on {directive.subject_id}: {directive.reason} "
            f"(evidence: {', '.join(directive.evidence)})"
        )
    for alert in report.told:
        context.log.warning(f"{alert.title}: {alert.message}")
    for lost in offered.given_up:
        home = lost.partition
        context.log.error(f"{home.creator}, {home.day}: no run could be had; omniva control alerts")
    slugs = sorted({intent.partition.creator for intent in offered.launches})
    if slugs:
        # A creator may be registered in state before Dagster knows the partition.
        context.instance.add_dynamic_partitions(CREATORS, slugs)
    requests = [
        dg.RunRequest(
            run_key=intent.run_key,
            partition_key=partition_key(intent.partition.creator, intent.partition.day),
            tags=intent.tags,
            run_config=intent.run_config,
        )
        for intent in offered.launches
    ]
    return dg.SensorResult(
        run_requests=requests or None,
        skip_reason=None if requests else f"{report.summary}; {offered.summary}",
        asset_events=[_recovery(state)] if report.changed else [],
    )


def _recovery(state: StateResource) -> dg.AssetMaterialization:
    """How what failed stands, where people look for it."""
    from omniva_dagster.resources.recovery import recovery_report

    with state.store.read() as connection:
        shown = recovery_report(connection)
        last = db.cycles.last(connection, "zenith")
    return dg.AssetMaterialization(
        "eclipse_recovery", metadata={**shown, "cycle": last.number if last else 0}
    )
