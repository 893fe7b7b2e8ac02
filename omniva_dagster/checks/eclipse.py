"""Eclipse on what workers make: no failure without a plan, no work by who is isolated."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets.analysis import analysis_results
from omniva_dagster.assets.editing import rendered_clips
from omniva_dagster.assets.publishing import publications
from omniva_dagster.assets.scraping import videos
from omniva_dagster.contracts.decisions import Outcome, OutcomeStatus
from omniva_dagster.contracts.ids import worker_id_of
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.engines import eclipse
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources.recovery import WORKER_OF
from omniva_dagster.resources.recovery.report import plain, plans_table
from omniva_dagster.resources.recovery.workers import name_of
from omniva_dagster.resources.state import StateResource, partition_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.recoveries import Recovery

# What was begun before a hold may be recorded just after it: long work looks every two seconds.
_GRACE_SECONDS = 10.0


def _check(asset: dg.AssetsDefinition) -> dg.AssetChecksDefinition:
    stage = asset.key.path[-1]

    @dg.asset_check(
        asset=asset,
        name="eclipse",
        blocking=True,
        partitions_def=creator_day,
        description="Every failed document has a plan, and nobody who is isolated did the work.",
    )
    def eclipse_check(
        context: dg.AssetCheckExecutionContext, state: StateResource
    ) -> dg.AssetCheckResult:
        partition, now = partition_of(context.partition_key), format_timestamp(datetime.now(UTC))
        with state.store.read() as connection:
            outcomes = db.outcomes.of_partition(connection, partition, stage)
            plans = db.recoveries.of_partition(connection, partition, stage)
            problems = [
                *_unplanned(outcomes, plans),
                *_by_the_isolated(connection, stage, outcomes, now),
            ]
        return _verdict(len(outcomes), problems, plans)

    return eclipse_check


def _unplanned(outcomes: list[Outcome], plans: list["Recovery"]) -> list[tuple[str, str]]:
    """Failed documents that nothing will become of."""
    planned = {plan.subject_id for plan in plans if plan.state != db.recoveries.FAILED}
    return [
        (outcome.label or outcome.subject_id, "failed, and has no retry plan")
        for outcome in outcomes
        if outcome.status is OutcomeStatus.ERROR
        and outcome.reason_code not in eclipse.AWAITING
        and outcome.subject_id not in planned
    ]


def _by_the_isolated(
    connection: "sa.Connection", stage: str, outcomes: list[Outcome], now: str
) -> list[tuple[str, str]]:
    """Work on these documents that was done while Zenith held who did it."""
    done = {item.subject_id for item in outcomes if item.status is OutcomeStatus.DONE}
    found = []
    for item in db.health.of_workers(connection, [WORKER_OF[stage]]):
        name = name_of(item.worker, item.instance)
        held = db.decisions.restrained(connection, [worker_id_of(name)], now)
        if held is None or item.succeeded_at <= eclipse.later(held.since, _GRACE_SECONDS):
            continue
        last = db.outbox.by_id(connection, item.success_packet_id)
        if last is not None and last.payload["stage"] == stage and last.subject_id in done:
            found.append((name, f"worked at {item.succeeded_at}, held since {held.since}"))
    return found


def _verdict(
    looked_at: int, problems: list[tuple[str, str]], plans: list["Recovery"]
) -> dg.AssetCheckResult:
    spent = [plan for plan in plans if plan.state == db.recoveries.SPENT]
    metadata: dict[str, Any] = {
        "looked_at": looked_at,
        "waiting": len(plans) - len(spent),
        "spent": len(spent),
        "problems": len(problems),
    }
    if plans:
        metadata["plans"] = dg.MetadataValue.md(plans_table(plans))
        metadata["what_to_do"] = (
            "what waits is tried again by itself; what is spent is for a person: see the table"
        )
    if problems:
        lines = ["| what | problem |", "|---|---|"]
        lines += [f"| {plain(who)} | {why} |" for who, why in problems]
        metadata["findings"] = dg.MetadataValue.md("\n".join(lines))
        metadata["what_to_do"] = (
            "materialize the asset again: it plans for what failed; where an isolated worker "
            "worked, stop its process, and see `omniva control status`"
        )
    return dg.AssetCheckResult(
        passed=not problems and not plans,
        severity=dg.AssetCheckSeverity.ERROR if problems else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


ECLIPSE_CHECKS = [
    _check(asset) for asset in (videos, analysis_results, rendered_clips, publications)
]
