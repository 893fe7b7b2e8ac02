"""Bringing videos in: what to scrape, and what came of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets._common import Shown, cell, clock, outcome_metadata, pipeline_asset
from omniva_dagster.assets.intake import Intake, trace_of
from omniva_dagster.contracts.cognition.paradox import ConflictResolution
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.contracts.video import ScraperJob, ScrapeStatus, TimeRange, VideoAsset
from omniva_dagster.resources import conflicts
from omniva_dagster.resources.comparing import scraper_job_id, windows_of
from omniva_dagster.resources.media import AtlasResource, ScraperResource
from omniva_dagster.resources.state import StateResource
from omniva_dagster.resources.workbench import Recorder


@pipeline_asset(ScraperJob, group="ingest", kinds={"python"}, version="1")
def scraper_jobs(
    context: dg.AssetExecutionContext, state: StateResource
) -> dg.Output[list[Record[ScraperJob]]]:
    """What to scrape: the creator's channel on this day, and videos asked for one by one.

    A plan only; nothing is fetched here. A job that asks a source for what another job asks it for
    already is held before it begins.
    """
    bench = state.workbench(context)
    with bench.store.begin() as connection:
        try:
            creator = db.creators.get(connection, bench.partition.creator)
        except db.creators.UnknownCreatorError as error:
            raise dg.Failure(str(error)) from error
        asked = db.creators.requested_videos(connection, creator.slug, bench.partition.day)
        recorder = bench.recorder(connection)
        targets = [url for url in (creator.url, *asked) if url]
        records = [_plan(recorder, creator, url) for url in dict.fromkeys(targets)]
        found = conflicts.find_conflicts(
            connection, bench.partition, bench.stage, records, recorder.now
        )
        ours, again = [one.subject_id for one in records], [one.conflict_id for one in found]
        gone = conflicts.lapsed(connection, ours, "overlapping_ranges", again)
        conflicts.attend(connection, recorder.now, conflicts.over(connection, gone, recorder.now))
        for window in windows_of(records, bench.partition):
            db.conflicts.put_window(connection, window)
        conflicts.settle(recorder, found)
    metadata: Shown = {"jobs": len(records), "targets": "\n".join(targets) or "none"}
    return dg.Output(records, metadata=metadata | _contradicted(found))


@pipeline_asset(VideoAsset, group="ingest", kinds={"python", "youtube"}, version="1")
def videos(
    context: dg.AssetExecutionContext,
    scraper_jobs: list[Record[ScraperJob]],
    state: StateResource,
    atlas: AtlasResource,
    scraper: ScraperResource,
) -> dg.Output[list[Record[VideoAsset]]]:
    """The videos of this day that Atlas holds, fetched once each, metadata in one form.

    A video that cannot be had is an outcome with a reason; the others go on. What Atlas holds
    stays, whatever the source says later.
    """
    bench = state.workbench(context)
    intake = Intake(bench, atlas, scraper)
    finds = intake.look(scraper_jobs)
    bench.each(finds, intake.subject, intake.bring_in)
    outcomes = bench.finish()
    with bench.store.read() as connection:
        held = db.library.videos_of(connection, bench.partition)
    records = [
        Record(video, video.video_id, trace_of(video.video_id), packet_id, video.video_id)
        for video, packet_id in held
    ]
    return dg.Output(records, metadata=_shown(records) | outcome_metadata(outcomes))


def _plan(recorder: Recorder, creator: "db.creators.Creator", url: str) -> Record[ScraperJob]:
    day = datetime.fromisoformat(recorder.partition.day).replace(tzinfo=UTC)
    job_id = scraper_job_id(creator.creator_id, recorder.partition.day, url)
    job = ScraperJob(
        job_id=job_id,
        creator_id=creator.creator_id,
        platform=creator.platform,
        target_url=url,
        requested_range=TimeRange(
            since=format_timestamp(day), until=format_timestamp(day + timedelta(days=1))
        ),
        status=ScrapeStatus.PENDING,
        created_at=recorder.now,
        updated_at=recorder.now,
    )
    return recorder.record(job, subject_id=job_id, trace_id=derive_id("trace", job_id))


def _contradicted(found: list[ConflictResolution]) -> Shown:
    if not found:
        return {}
    lines = ["| advice | what contradicts what, and what to do |", "|---|---|"]
    lines += [f"| {item.recommended_action.value} | {cell(item.message)} |" for item in found]
    return {"conflicts": dg.MetadataValue.md("\n".join(lines))}


def _shown(records: list[Record[VideoAsset]]) -> Shown:
    lines = ["| title | length | picture | file |", "|---|---|---|---|"]
    for record in records:
        video = record.document
        lines.append(
            f"| {cell(video.title)} | {clock(video.duration_seconds)} "
            f"| {video.width}x{video.height} | {Path(video.media_uri).name} |"
        )
    return {
        "videos": len(records),
        "minutes": round(sum(record.document.duration_seconds for record in records) / 60, 2),
        "titles": dg.MetadataValue.md("\n".join(lines)),
    }
