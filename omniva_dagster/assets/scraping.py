"""Bringing videos in: what to scrape, and what came of it."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from omniva_dagster.workers.scraper import Fetched, Listing

from omniva_dagster import state as db
from omniva_dagster.assets._common import Shown, cell, clock, outcome_metadata, pipeline_asset
from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.ids import derive_id, video_id_of
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.contracts.video import (
    RawCapture,
    ScraperJob,
    ScrapeStatus,
    TimeRange,
    VideoAsset,
)
from omniva_dagster.resources.catalog import StateCatalog
from omniva_dagster.resources.media import AtlasResource, ScraperResource
from omniva_dagster.resources.state import StateResource
from omniva_dagster.resources.workbench import Commit, Recorder, Skip, Workbench
from omniva_dagster.state.partition import Subject


@pipeline_asset(ScraperJob, group="ingest", kinds={"python"}, version="1")
def scraper_jobs(
    context: dg.AssetExecutionContext, state: StateResource
) -> dg.Output[list[Record[ScraperJob]]]:
    """What to scrape: the creator's channel on this day, and videos asked for one by one.

    A plan only; nothing is fetched here.
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
    metadata: Shown = {"jobs": len(records), "targets": "\n".join(targets) or "none"}
    return dg.Output(records, metadata=metadata)


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
    intake = _Intake(bench, atlas, scraper)
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


def trace_of(video_id: str) -> str:
    """The workflow of a video: everything made from it shares this trace."""
    return derive_id("trace", video_id)


def _plan(recorder: Recorder, creator: "db.creators.Creator", url: str) -> Record[ScraperJob]:
    day = datetime.fromisoformat(recorder.partition.day).replace(tzinfo=UTC)
    job_id = derive_id("scraper_job", creator.creator_id, recorder.partition.day, url)
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


@dataclass(frozen=True)
class _Find:
    """A video found at a source, and the job that found it."""

    job: Record[ScraperJob]
    url: str
    title: str
    listing: "Listing"


class _Intake:
    """The way of a partition's videos from their sources into Atlas."""

    def __init__(self, bench: Workbench, atlas: AtlasResource, scraper: ScraperResource) -> None:
        self._bench = bench
        self._atlas = atlas.store
        self._scraper = scraper.scraper(StateCatalog(bench.store))
        with bench.store.read() as connection:
            self._asked = set(
                db.creators.requested_videos(
                    connection, bench.partition.creator, bench.partition.day
                )
            )

    def look(self, jobs: list[Record[ScraperJob]]) -> list[_Find]:
        """What the sources have for this day; a source that can't be read is an outcome."""
        finds: dict[str, _Find] = {}

        def look_at(job: Record[ScraperJob]) -> Commit:
            try:
                found = self._listings(job)
            except WorkerError:
                self._settle(job, ScrapeStatus.ERROR)
                raise
            for find in found:
                finds.setdefault(find.url, find)
            return lambda recorder: [_settled(recorder, job, ScrapeStatus.DONE)]

        self._bench.each(
            jobs,
            lambda job: Subject(job.subject_id, job.document.target_url, job.trace_id),
            look_at,
        )
        return list(finds.values())

    @staticmethod
    def subject(find: _Find) -> Subject:
        """What a find's outcome is about: the video, by what its listing says of it."""
        from omniva_dagster.workers.scraper.metadata import platform_of

        video_id = video_id_of(platform_of(find.url).value, find.listing.platform_id)
        return Subject(video_id, find.title or find.url, trace_of(video_id), video_id)

    def bring_in(self, find: _Find) -> Commit:
        """Fetch a video into Atlas, unless it is there."""
        if self._held(find):
            return lambda recorder: []
        fetched = self._scraper.fetch(find.listing, self._bench.watch(self.subject(find)))
        metadata = fetched.metadata
        video_id = video_id_of(metadata.platform.value, metadata.platform_id)
        self._refuse_duplicates(video_id, fetched.sha256)
        key = f"videos/{video_id}/{fetched.sha256[:16]}"
        media_uri = self._atlas.put(fetched.media, f"{key}/source{fetched.media.suffix.lower()}")
        metadata_uri = self._atlas.put(fetched.info_json, f"{key}/info.json")
        self._keep_proxy(fetched, media_uri, key)

        def commit(recorder: Recorder) -> list[Record[VideoAsset]]:
            capture = recorder.record(
                RawCapture(
                    video_id=video_id,
                    job_id=find.job.subject_id,
                    source_url=metadata.source_url,
                    media_uri=media_uri,
                    metadata_uri=metadata_uri,
                    sha256=fetched.sha256,
                    size_bytes=fetched.size_bytes,
                    ingested_at=recorder.now,
                ),
                subject_id=video_id,
                trace_id=trace_of(video_id),
                parents=[find.job.packet_id],
                video_id=video_id,
            )
            info = fetched.media_info
            asset = recorder.record(
                VideoAsset(
                    video_id=video_id,
                    job_id=find.job.subject_id,
                    creator_id=find.job.document.creator_id,
                    platform=metadata.platform,
                    platform_id=metadata.platform_id,
                    source_url=metadata.source_url,
                    title=metadata.title,
                    description=metadata.description,
                    uploader=metadata.uploader,
                    tags=list(metadata.tags),
                    duration_seconds=info.duration,
                    width=info.width,
                    height=info.height,
                    frame_rate=info.frame_rate,
                    has_audio=info.has_audio,
                    media_uri=media_uri,
                    metadata_uri=metadata_uri,
                    sha256=fetched.sha256,
                    size_bytes=fetched.size_bytes,
                    ingested_at=recorder.now,
                    **given(
                        uploaded_at=metadata.uploaded_at,
                        view_count=metadata.view_count,
                        like_count=metadata.like_count,
                    ),
                ),
                subject_id=video_id,
                trace_id=trace_of(video_id),
                parents=[capture.packet_id],
                video_id=video_id,
            )
            db.library.add_video(
                recorder.connection, recorder.partition, asset.document, asset.packet_id, find.url
            )
            self._scraper.discard(find.listing)
            return [asset]

        return commit

    def _keep_proxy(self, fetched: "Fetched", media_uri: str, key: str) -> None:
        """Put the small rendition beside the media; the first one stands, and none is needed."""
        from omniva_dagster.workers.media.proxy import STEM, proxy_of

        if fetched.proxy is None or proxy_of(self._atlas.path(media_uri)) is not None:
            return
        with suppress(WorkerError):
            self._atlas.put(fetched.proxy, f"{key}/{STEM}{fetched.proxy.suffix}")

    def _listings(self, job: Record[ScraperJob]) -> list[_Find]:
        from omniva_dagster.workers.scraper import Failure

        url = job.document.target_url
        if url in self._asked:
            listing = self._scraper.resolve(url)
            return [_Find(job, listing.url, listing.title, listing)]
        wanted = job.document.requested_range
        finds = []
        for entry in self._scraper.list_videos(
            url, parse_timestamp(wanted.since), parse_timestamp(wanted.until)
        ):
            if isinstance(entry, Failure):
                subject = Subject(derive_id("listing", entry.url), entry.title or entry.url)
                self._bench.fail(subject, entry.error)
            else:
                finds.append(_Find(job, entry.url, entry.title, entry))
        return finds

    def _held(self, find: _Find) -> str | None:
        with self._bench.store.read() as connection:
            return db.library.listed_as(connection, self._bench.partition.creator, find.url)

    def _refuse_duplicates(self, video_id: str, sha256: str) -> None:
        creator = self._bench.partition.creator
        with self._bench.store.read() as connection:
            where = db.library.has_video(connection, video_id)
            same = db.library.holder_of(connection, creator, sha256)
        if where is not None:
            raise Skip(
                ReasonCode.DUPLICATE,
                f"held since before under {where.creator}, {where.day}; worked on there",
            )
        if same is not None:
            raise Skip(
                ReasonCode.DUPLICATE, f"the same file as video {same}, which is worked on instead"
            )

    def _settle(self, job: Record[ScraperJob], status: ScrapeStatus) -> None:
        with self._bench.store.begin() as connection:
            _settled(self._bench.recorder(connection), job, status)


def _settled(
    recorder: Recorder, job: Record[ScraperJob], status: ScrapeStatus
) -> Record[ScraperJob]:
    document = job.document.model_copy(update={"status": status, "updated_at": recorder.now})
    return recorder.record(
        document, subject_id=job.subject_id, trace_id=job.trace_id, parents=[job.packet_id]
    )


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
