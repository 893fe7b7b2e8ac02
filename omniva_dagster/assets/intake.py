"""The way of a partition's videos from their sources into Atlas."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.workers.scraper import Fetched, Listing

from omniva_dagster import state as db
from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.cognition.paradox import ConflictResolution, ConflictTrigger
from omniva_dagster.contracts.ids import derive_id, video_id_of
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import parse_timestamp
from omniva_dagster.contracts.video import RawCapture, ScraperJob, ScrapeStatus, VideoAsset
from omniva_dagster.engines import paradox
from omniva_dagster.resources import conflicts
from omniva_dagster.resources.catalog import StateCatalog
from omniva_dagster.resources.comparing import arrival_facts, video_fact
from omniva_dagster.resources.media import AtlasResource, ScraperResource
from omniva_dagster.resources.workbench import Commit, Recorder, Skip, Workbench
from omniva_dagster.state.partition import Partition, Subject


@dataclass(frozen=True)
class Find:
    """A video found at a source, and the job that found it."""

    job: Record[ScraperJob]
    url: str
    title: str
    listing: "Listing"


class Intake:
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

    def look(self, jobs: list[Record[ScraperJob]]) -> list[Find]:
        """What the sources have for this day; a source that can't be read is an outcome."""
        finds: dict[str, Find] = {}

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

    def subject(self, find: Find) -> Subject:
        """What a find's outcome is about: the video, by what its listing says of it.

        Where the video is another partition's, it is about this partition's request for it: the
        outcome there stands.
        """
        video_id = _listed_id(find)
        with self._bench.store.read() as connection:
            where = db.library.has_video(connection, video_id)
        subject_id = _subject_id(video_id, where, self._bench.partition)
        return Subject(subject_id, find.title or find.url, trace_of(video_id), video_id)

    def bring_in(self, find: Find) -> Commit:
        """Fetch a video into Atlas, unless it is there, or is known to be there twice then."""
        if self._held(find):
            return lambda recorder: []
        if self._is_here(_listed_id(find), find):
            return lambda recorder: []
        fetched = self._scraper.fetch(find.listing, self._bench.watch(self.subject(find)))
        metadata = fetched.metadata
        video_id = video_id_of(metadata.platform.value, metadata.platform_id)
        if self._is_here(video_id, find, fetched.sha256):
            return lambda recorder: []
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
            self._compare(recorder, asset)
            return [asset]

        return commit

    @staticmethod
    def _compare(recorder: Recorder, asset: Record[VideoAsset]) -> None:
        """Have what is said of the video's times looked at, before anything is made of it."""
        fact = video_fact(recorder.connection, asset, recorder.partition)
        facts = paradox.Facts(recorder.now, ConflictTrigger.INGESTION, videos=(fact,))
        conflicts.settle(recorder, paradox.find(facts), asset.trace_id)

    def _keep_proxy(self, fetched: "Fetched", media_uri: str, key: str) -> None:
        """Put the small rendition beside the media; the first one stands, and none is needed."""
        from omniva_dagster.workers.media.proxy import STEM, proxy_of

        if fetched.proxy is None or proxy_of(self._atlas.path(media_uri)) is not None:
            return
        with suppress(WorkerError):
            self._atlas.put(fetched.proxy, f"{key}/{STEM}{fetched.proxy.suffix}")

    def _listings(self, job: Record[ScraperJob]) -> list[Find]:
        from omniva_dagster.workers.scraper import Failure

        url = job.document.target_url
        if url in self._asked:
            listing = self._scraper.resolve(url)
            return [Find(job, listing.url, listing.title, listing)]
        wanted = job.document.requested_range
        finds = []
        for entry in self._scraper.list_videos(
            url, parse_timestamp(wanted.since), parse_timestamp(wanted.until)
        ):
            if isinstance(entry, Failure):
                subject = Subject(derive_id("listing", entry.url), entry.title or entry.url)
                self._bench.fail(subject, entry.error)
            else:
                finds.append(Find(job, entry.url, entry.title, entry))
        return finds

    def _held(self, find: Find) -> str | None:
        with self._bench.store.read() as connection:
            return db.library.listed_as(connection, self._bench.partition.creator, find.url)

    def _is_here(self, video_id: str, find: Find, sha256: str = "") -> bool:
        """Whether this partition holds the video. What others hold, or hold under another name,
        is a duplicate: Paradox reports it, Zenith holds it, and it is skipped (`Skip`)."""
        bench = self._bench
        with bench.store.begin() as connection:
            where = db.library.has_video(connection, video_id)
            if where == bench.partition:
                return True
            recorder = bench.recorder(connection)
            arrival = paradox.VideoFact(
                subject_id=_subject_id(video_id, where, bench.partition),
                video_id=video_id,
                creator=bench.partition.creator,
                day=bench.partition.day,
                ingested_at=recorder.now,
                packet_id=find.job.packet_id,
                sha256=sha256,
                arriving=True,
            )
            found = [
                item
                for item in paradox.find(arrival_facts(connection, arrival, recorder.now))
                if item.affected_ids[-1] == arrival.subject_id
            ]
            reported = conflicts.settle(recorder, found, trace_of(video_id))
            stopping = [item for item in reported if self._stops(connection, item, arrival)]
        if stopping:
            raise Skip(ReasonCode.DUPLICATE, stopping[0].message)
        return False

    def _stops(
        self, connection: "sa.Connection", found: ConflictResolution, arrival: paradox.VideoFact
    ) -> bool:
        """Whether a conflict keeps a video out. What a person released comes in, unless Atlas has
        it: there is nothing more to bring in then."""
        where = db.library.has_video(connection, arrival.video_id)
        own = db.library.holder_of(connection, arrival.creator, arrival.sha256)
        if where is not None or own is not None:
            return True
        state = conflicts.state_of(connection, arrival.subject_id, found, self._bench.now)
        return state != "released"

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


def _listed_id(find: Find) -> str:
    from omniva_dagster.workers.scraper.metadata import platform_of

    return video_id_of(platform_of(find.url).value, find.listing.platform_id)


def _subject_id(video_id: str, where: Partition | None, here: Partition) -> str:
    if where in (None, here):
        return video_id
    return derive_id("ingestion", here.creator, here.day, video_id)


def trace_of(video_id: str) -> str:
    """The workflow of a video: everything made from it shares this trace."""
    return derive_id("trace", video_id)
