"""What Paradox compares documents of a stage with, read by their keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import rfc8785

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.common import JobType
from omniva_dagster.contracts.cognition.paradox import ConflictTrigger, WorkerStateDigest
from omniva_dagster.contracts.decisions import OutcomeStatus
from omniva_dagster.contracts.editing import RenderedClip
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import ScheduleTask, UploadJob
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.video import ScraperJob, VideoAsset
from omniva_dagster.engines import paradox
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.creators import Creator

_TRIGGERS = {
    "scraper_jobs": ConflictTrigger.INGESTION,
    "videos": ConflictTrigger.INGESTION,
    "schedule_tasks": ConflictTrigger.SCHEDULING,
    "upload_jobs": ConflictTrigger.SCHEDULING,
}


def facts_of(
    connection: sa.Connection,
    partition: Partition,
    stage: str,
    records: Sequence[Record[Any]],
    now: str,
) -> paradox.Facts:
    """A stage's documents as Paradox's facts, with everything they are to be compared with."""
    reads: dict[str, Any] = {
        "scraper_jobs": _jobs,
        "videos": _videos,
        "schedule_tasks": _tasks,
        "upload_jobs": _uploads,
    }
    found = reads[stage](connection, partition, records) if stage in reads else {}
    subjects = [record.subject_id for record in records]
    prior = tuple(
        paradox.Prior(known.conflict_id, known.members, known.packet_id)
        for known in db.conflicts.about(connection, subjects)
    )
    trigger = _TRIGGERS.get(stage, ConflictTrigger.INGESTION)
    return paradox.Facts(now, trigger, prior=prior, **found)


def arrival_facts(connection: sa.Connection, arrival: paradox.VideoFact, now: str) -> paradox.Facts:
    """A video about to be brought in, beside those that have its id or its bytes."""
    held = db.conflicts.videos_like(connection, arrival.video_id, arrival.sha256)
    facts = tuple(fact for video in held if (fact := _held(connection, video.video_id)) is not None)
    return paradox.Facts(now, ConflictTrigger.INGESTION, videos=(*facts, arrival))


def windows_of(
    records: Iterable[Record[ScraperJob]], partition: Partition
) -> list[db.conflicts.ScrapeWindow]:
    """What jobs ask their sources for."""
    return [
        db.conflicts.ScrapeWindow(
            job_id=record.subject_id,
            source=paradox.source_of(record.document.target_url),
            since=record.document.requested_range.since,
            until=record.document.requested_range.until,
            creator=partition.creator,
            packet_id=record.packet_id,
        )
        for record in records
    ]


def digest_of(record: Record[ScraperJob]) -> WorkerStateDigest:
    """A scrape job as Paradox compares it with others."""
    job = record.document
    asked = f"{job.requested_range.since}/{job.requested_range.until}"
    source = paradox.source_of(job.target_url)
    return WorkerStateDigest(
        worker="scraper",
        job_type=JobType.SCRAPER_JOB,
        job_id=job.job_id,
        status=OutcomeStatus(job.status.value),
        # Addresses may be longer than a line.
        natural_id=f"{derive_id('source', source)}/{asked}",
        content_hash=hashlib.sha256(rfc8785.dumps(job.dump())).hexdigest(),
        packet_id=record.packet_id,
        created_at=job.created_at,
        updated_at=job.updated_at,
    )


def _jobs(
    connection: sa.Connection, partition: Partition, records: Sequence[Record[ScraperJob]]
) -> dict[str, Any]:
    if not records:
        return {}
    own = windows_of(records, partition)
    following = {item.slug: item for item in db.creators.all_of(connection, db.creators.ACTIVE)}
    since, until = min(item.since for item in own), max(item.until for item in own)
    others = [
        item
        for item in db.conflicts.windows_over(connection, [w.source for w in own], since, until)
        # A creator that is archived asks no more; one's own earlier address has moved.
        if item.creator != partition.creator and item.creator in following
    ]
    asked_at = {record.subject_id: record.document.created_at for record in records}
    asked_at |= db.conflicts.emitted_at(connection, [item.packet_id for item in others])
    windows = [
        paradox.Window(
            item.job_id,
            item.source,
            item.creator,
            item.since,
            item.until,
            asked_at.get(item.job_id) or asked_at.get(item.packet_id) or since,
            item.packet_id,
            _rank(following.get(item.creator)),
        )
        for item in (*own, *others)
    ]
    expected = _expected(following, partition, records)
    return {
        "windows": (*windows, *expected),
        "jobs": tuple(digest_of(record) for record in records),
    }


def _expected(
    following: dict[str, Creator], partition: Partition, records: Sequence[Record[ScraperJob]]
) -> list[paradox.Window]:
    """Jobs of this day that creators who followed a source before are to make, or have made."""
    here = following.get(partition.creator)
    asked = {paradox.source_of(record.document.target_url): record for record in records}
    day = datetime.fromisoformat(partition.day)
    return [
        paradox.Window(
            scraper_job_id(other.creator_id, partition.day, other.url),
            paradox.source_of(other.url),
            other.slug,
            f"{partition.day}T00:00:00Z",
            f"{(day + timedelta(days=1)).date()}T00:00:00Z",
            other.registered_at,
            "",
            _rank(other),
        )
        for other in following.values()
        if other.url
        and other.slug != partition.creator
        and _rank(other) < _rank(here)
        and paradox.source_of(other.url) in asked
    ]


def scraper_job_id(creator_id: str, day: str, url: str) -> str:
    """The id of a creator's job for a day and an address."""
    return derive_id("scraper_job", creator_id, day, url)


def _rank(creator: Creator | None) -> str:
    return f"{creator.registered_at}/{creator.slug}" if creator else "~"


def _videos(
    connection: sa.Connection, partition: Partition, records: Sequence[Record[VideoAsset]]
) -> dict[str, Any]:
    facts: dict[str, paradox.VideoFact] = {}
    for record in records:
        same = db.conflicts.videos_like(connection, record.subject_id, record.document.sha256)
        for video in same:
            fact = _held(connection, video.video_id)
            if fact is not None:
                facts[fact.video_id] = fact
        facts[record.subject_id] = video_fact(connection, record, partition)
    return {"videos": tuple(facts[name] for name in sorted(facts))}


def video_fact(
    connection: sa.Connection, record: Record[VideoAsset], partition: Partition
) -> paradox.VideoFact:
    """A recorded video as Paradox compares it with others."""
    video = record.document
    job = db.outbox.latest(connection, ScraperJob.__name__, video.job_id)
    target = str(job.payload.get("target_url", "")) if job else ""
    asked = db.creators.requested_videos(connection, partition.creator, partition.day)
    return paradox.VideoFact(
        subject_id=record.subject_id,
        video_id=video.video_id,
        creator=partition.creator,
        day=partition.day,
        ingested_at=video.ingested_at,
        packet_id=record.packet_id,
        sha256=video.sha256,
        uploaded_at=video.uploaded_at,
        requested=target in asked,
        title=video.title,
        duration=video.duration_seconds,
    )


def _held(connection: sa.Connection, video_id: str) -> paradox.VideoFact | None:
    held = db.library.video(connection, video_id)
    where = db.library.has_video(connection, video_id)
    if held is None or where is None:
        return None
    record = Record(held[0], video_id, "", held[1], video_id)
    return video_fact(connection, record, where)


def _tasks(
    connection: sa.Connection, partition: Partition, records: Sequence[Record[ScheduleTask]]
) -> dict[str, Any]:
    made_at = db.conflicts.emitted_at(connection, [record.packet_id for record in records])
    out = db.conflicts.published(connection, [record.subject_id for record in records])
    slots = []
    for record in records:
        rendered = db.outbox.latest(connection, RenderedClip.__name__, record.subject_id)
        slots.append(
            paradox.SlotFact(
                record.document.clip_id,
                partition.creator,
                record.document.recommended_time,
                made_at.get(record.packet_id, record.document.recommended_time),
                record.packet_id,
                rendered.payload.get("rendered_at") if rendered else None,
                record.document.clip_id in out,
            )
        )
    return {"slots": tuple(slots)} | _clips(connection, [record.video_id for record in records])


def _uploads(
    connection: sa.Connection, partition: Partition, records: Sequence[Record[UploadJob]]
) -> dict[str, Any]:
    made_at = db.conflicts.emitted_at(connection, [record.packet_id for record in records])
    uploads, slots = [], []
    for record in records:
        rendered = db.outbox.latest(connection, RenderedClip.__name__, record.subject_id)
        at = made_at.get(record.packet_id, record.document.scheduled_time)
        uploads.append(
            paradox.UploadFact(
                record.document.clip_id,
                partition.creator,
                record.document.title,
                at,
                record.packet_id,
                str(rendered.payload.get("sha256", "")) if rendered else "",
            )
        )
        slots.append(
            paradox.SlotFact(
                record.document.clip_id,
                partition.creator,
                record.document.scheduled_time,
                at,
                record.packet_id,
            )
        )
    return {"uploads": tuple(uploads), "slots": tuple(slots)}


def _clips(connection: sa.Connection, video_ids: Sequence[str]) -> dict[str, Any]:
    videos: dict[str, paradox.VideoFact] = {}
    for video_id in sorted({name for name in video_ids if name}):
        own = _held(connection, video_id)
        if own is None:
            continue
        copies = db.conflicts.videos_like(connection, video_id, own.sha256)
        found = (_held(connection, copy.video_id) for copy in copies)
        videos |= {fact.video_id: fact for fact in found if fact is not None}
    promoted = {
        video_id: db.decisions.promotions_of(connection, video_id) for video_id in sorted(videos)
    }
    packets = [item.packet_id for items in promoted.values() for item in items]
    promoted_at = db.conflicts.emitted_at(connection, packets)
    clips = tuple(
        paradox.ClipFact(
            item.clip_id,
            video_id,
            item.candidate.start_time,
            item.candidate.end_time,
            promoted_at[item.packet_id],
            item.packet_id,
        )
        for video_id, items in promoted.items()
        for item in items
        if item.packet_id in promoted_at
    )
    return {"clips": clips, "videos": tuple(videos.values())}
