"""Clips that were posted, or planned, without the hour of media that leads there."""

from __future__ import annotations

from pathlib import Path

from omniva_dagster import state as db
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.editing import RenderedClip
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import UploadJob
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store
from omniva_dagster.workers.uploader import Submission
from omniva_dagster.workers.uploader.outbox import OutboxPublisher
from tests.contracts.support import example, without

NOW = "2026-03-04T05:06:07Z"
TITLE = "Nobody tells you this ../../etc | <b>"


def planned(store: Store, creator: str, name: str, day: str = "2026-03-04") -> str:
    """A clip that is promoted and prepared, and not posted; its id."""
    clip_id, video_id = derive_id("clip", creator, name), derive_id("video", creator, name)
    here = Partition(creator, day)
    trace = derive_id("trace", video_id)
    job = UploadJob.parse(without("UploadJob", clip_id=clip_id, title=TITLE))
    candidate = ClipCandidate.parse(without("ClipCandidate", clip_id=clip_id))
    with store.begin() as connection:

        def record(document: Document, producer: str, *parents: str) -> str:
            emission = db.outbox.Emission(document, producer, clip_id, trace, parents, here, NOW)
            return db.outbox.emit(connection, emission).packet_id

        judged = record(candidate, "clip_candidates")
        db.decisions.promote(connection, here, video_id, candidate, judged)
        prepared = record(job, "upload_jobs", judged)
        for kind in (DirectiveKind.PROMOTE, DirectiveKind.RELEASE):
            directive = Directive(
                directive_id=derive_id("directive", kind.value, clip_id),
                kind=kind,
                subject_id=clip_id,
                video_id=video_id,
                owner="uploader",
                reason="a test",
                evidence=[prepared],
                rollback="withdraw it",
                issued_at=NOW,
            )
            packet_id = record(directive, "zenith", prepared)
            db.decisions.append(connection, here, directive, packet_id)
    return clip_id


def claimed(store: Store, creator: str, name: str) -> str:
    """A clip whose posting was begun and cut off; its id."""
    clip_id = planned(store, creator, name)
    with store.begin() as connection:
        db.publishing.claim(connection, clip_id, "outbox", _key(clip_id))
    return clip_id


def posted(store: Store, home: Path, creator: str, name: str) -> str:
    """A clip in the outbox of a home, with its receipt; its id."""
    clip_id = claimed(store, creator, name)
    receipt = OutboxPublisher(home / "outbox").publish(submission(home, creator, clip_id), NOW)
    with store.begin() as connection:
        clip = db.decisions.promotion(connection, clip_id)
        assert clip is not None
        packet = db.outbox.emit(
            connection,
            db.outbox.Emission(
                receipt,
                "publications",
                clip_id,
                derive_id("trace", clip.video_id),
                (clip.packet_id,),
                Partition(creator, "2026-03-04"),
                NOW,
            ),
        )
        db.publishing.settle(connection, receipt, packet.packet_id)
    return clip_id


def submission(home: Path, creator: str, clip_id: str) -> Submission:
    """What the uploader is given for a clip."""
    media, thumbnail = home / "m.mp4", home / "t.jpg"
    media.write_bytes(b"media")
    thumbnail.write_bytes(b"thumbnail")
    return Submission(
        creator=creator,
        job=UploadJob.parse(without("UploadJob", clip_id=clip_id, title=TITLE)),
        clip=RenderedClip.parse(example("RenderedClip")),
        media=media,
        thumbnail=thumbnail,
        directive_id=derive_id("directive", "release", clip_id),
        idempotency_key=_key(clip_id),
    )


def status_of(store: Store, clip_id: str) -> str:
    """How a clip stands in the outbox, by the store."""
    with store.read() as connection:
        found = db.publishing.publication(connection, clip_id, "outbox")
    return found.status if found else ""


def _key(clip_id: str) -> str:
    return derive_id("publication", clip_id, "outbox")
