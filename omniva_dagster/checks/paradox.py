"""Paradox on what is asked for, brought in and scheduled: a contradiction is held, or it blocks.

A warning is a document that Zenith holds; an error one that contradicts another and that nothing
holds.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets._common import cell
from omniva_dagster.assets.publishing import schedule_tasks, upload_jobs
from omniva_dagster.assets.scraping import scraper_jobs, videos
from omniva_dagster.checks._common import records_of
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources import conflicts
from omniva_dagster.resources.media import AtlasResource
from omniva_dagster.resources.state import StateResource, partition_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.partition import Partition

# Which check shows what a rule found; what is not named here is shown before the upload.
_SHOWN_ON = {
    "overlapping_ranges": "scraper_jobs",
    "same_job": "scraper_jobs",
    "excluded_job": "scraper_jobs",
    "updated_before_creation": "scraper_jobs",
    "waiting_for_each_other": "scraper_jobs",
    "same_video": "videos",
    "same_video_same_creator": "videos",
    "same_file": "videos",
    "same_file_elsewhere": "videos",
    "uploaded_after_ingestion": "videos",
    "another_day": "videos",
    "atlas_collision": "videos",
    "near_identical_clips": "schedule_tasks",
    "slot_before_rendering": "schedule_tasks",
    "double_booking": "schedule_tasks",
}
_LAST = "upload_jobs"


def _check(asset: dg.AssetsDefinition) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset,
        name="paradox",
        blocking=True,
        partitions_def=creator_day,
        description="What contradicts another document is held: duplicates, times, exclusive "
        "tasks, circles.",
    )
    def paradox_check(
        context: dg.AssetCheckExecutionContext, state: StateResource, atlas: AtlasResource
    ) -> dg.AssetCheckResult:
        records = records_of(asset, context, atlas.home)
        partition = partition_of(context.partition_key)
        stage = asset.key.path[-1]
        with state.store.read() as connection:
            now = format_timestamp(datetime.now(UTC))
            found = _found(connection, partition, stage, records, now)
        return _verdict(records, found)

    return paradox_check


def _found(
    connection: "sa.Connection",
    partition: "Partition",
    stage: str,
    records: Sequence[Record[Any]],
    now: str,
) -> list[conflicts.Standing]:
    """The conflicts of a stage's documents, found again, and those that were kept out of them."""
    reports = {
        conflict.conflict_id: conflicts.Reported(conflict, "", new=True)
        for conflict in conflicts.find_conflicts(connection, partition, stage, records, now)
    }
    for known in db.conflicts.of_partition(connection, partition):
        conflict = db.conflicts.report(connection, known)
        shown_on = _SHOWN_ON.get(conflicts.rule_of(conflict), _LAST)
        if known.conflict_id in reports or shown_on == stage:
            reports[known.conflict_id] = conflicts.Reported(conflict, known.packet_id, new=False)
    listed = {record.subject_id for record in records}
    return [
        standing
        for name in sorted(reports)
        for standing in conflicts.standing(connection, reports[name], now)
        # What is held in another partition is shown there.
        if standing.subject_id in listed or not reports[name].new
    ]


def _verdict(
    records: Sequence[Record[Any]], found: Sequence[conflicts.Standing]
) -> dg.AssetCheckResult:
    listed = {record.subject_id for record in records}
    loose = [item for item in found if item.state == "undecided" and item.subject_id in listed]
    waiting = [item for item in found if item.state != "released" and item not in loose]
    metadata: dict[str, Any] = {
        "looked_at": len(records),
        "held": sum(item.state == "held" for item in found),
        "released": sum(item.state == "released" for item in found),
        "got_through": len(loose),
    }
    if found:
        lines = ["| document | stands | advice | what contradicts what, and what to do |"]
        lines += ["|---|---|---|---|"]
        lines += [
            f"| {item.subject_id} | {item.state} | {item.conflict.recommended_action.value} "
            f"| {cell(item.conflict.message, 600)} |"
            for item in found
        ]
        metadata["findings"] = dg.MetadataValue.md("\n".join(lines))
    if loose:
        metadata["what_to_do"] = (
            "nothing holds these: run `omniva control cycle`, then materialize the asset again"
        )
    elif waiting:
        metadata["what_to_do"] = (
            "the others go on; release what is no conflict with "
            "`omniva override release <document> --reason ...`"
        )
    return dg.AssetCheckResult(
        passed=not loose and not waiting,
        severity=dg.AssetCheckSeverity.ERROR if loose else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


PARADOX_CHECKS = [_check(asset) for asset in (scraper_jobs, videos, schedule_tasks, upload_jobs)]
