"""A store with a creator and documents that passed through it, without footage."""

from __future__ import annotations

import logging
from typing import Any

from omniva_dagster import state as db
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.cognition.horizon import SchedulingWeights
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import creator_id_of, derive_id
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.video import Platform, VideoAsset
from omniva_dagster.engines import horizon
from omniva_dagster.resources.guidance import Guided
from omniva_dagster.resources.workbench import Recorder, Workbench
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store

NOW = "2026-03-04T05:06:07Z"
HERE = Partition("ada", "2026-03-04")
NEUTRAL = Guided(HERE, horizon.neutral_guidance(HERE.day))


def opened(path: Any) -> Store:
    """A store with the creator ada."""
    store = Store(f"sqlite:///{path}")
    store.migrate()
    with store.begin() as connection:
        db.creators.register(connection, "ada", "http://a.example/feed", Platform.OTHER, NOW)
    return store


def bench(store: Store, stage: str) -> Workbench:
    """A stage at work on ada's day."""
    return Workbench(store, HERE, stage, logging.getLogger("test"))


def guided(**body: Any) -> Guided:
    """Guidance of a campaign in whose window all of the near future lies."""
    return Guided(
        HERE,
        {
            **NEUTRAL.body,
            "campaign": "spring",
            "made_for": HERE.day,
            "made_at": NOW,
            "goal_window": {"since": "2026-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"},
            "delay_cost": 0.0,
            "slots": [],
            "subjects": {},
            "gradients": {},
            "packets": {},
            **body,
        },
    )


def weights(store: Store) -> str:
    """The packet of Horizon's weights."""
    document = SchedulingWeights.parse(
        {
            "goal_window": {"since": "2026-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"},
            "slots": [],
            "smoothing": 0.0,
            "explanation": "none",
            "evidence": [derive_id("packet", "goals")],
            "generated_at": NOW,
            "schema_version": "1.1.0",
        }
    )
    return _record(store, document, creator_id_of("ada"), "horizon", "").packet_id


def video(store: Store, name: str, *tags: str, seconds: float = 60.0) -> Record[VideoAsset]:
    """A video that was brought in."""
    video_id = derive_id("video", name)
    asset = VideoAsset.parse(
        {
            "video_id": video_id,
            "job_id": derive_id("job", name),
            "creator_id": derive_id("creator", "ada"),
            "platform": "other",
            "platform_id": name,
            "source_url": f"http://a.example/{name}",
            "title": name,
            "description": "",
            "uploader": "Ada",
            "tags": list(tags),
            "duration_seconds": seconds,
            "width": 320,
            "height": 180,
            "frame_rate": 25.0,
            "has_audio": True,
            "media_uri": f"atlas://videos/{name}/source.mp4",
            "metadata_uri": f"atlas://videos/{name}/info.json",
            "sha256": "0" * 64,
            "size_bytes": 1,
            "ingested_at": NOW,
        }
    )
    return _record(store, asset, video_id, "videos", video_id)


def candidate(
    store: Store, name: str, start: float, *tags: str, priority: float = 0.5
) -> Record[ClipCandidate]:
    """A judged candidate of a video."""
    document = ClipCandidate(
        start_time=start,
        end_time=start + 20,
        confidence=priority,
        subject_focus="speaker",
        faces_detected=1,
        semantic_tags=list(tags),
        pantheon_votes={"craft": priority},
        lattice_priority=priority,
    )
    subject = derive_id("clip", name, int(start))
    return _record(store, document, subject, "clip_candidates", derive_id("video", name))


def promoted(store: Store, record: Record[ClipCandidate]) -> None:
    """Zenith's promotion of a candidate."""
    directive(store, DirectiveKind.PROMOTE, record.subject_id, record.packet_id)
    clip = record.document.model_copy(update={"clip_id": record.subject_id})
    with store.begin() as connection:
        db.decisions.promote(connection, HERE, record.video_id, clip, record.packet_id)


def directive(store: Store, kind: DirectiveKind, subject: str, evidence: str, **more: Any) -> str:
    """A directive of Zenith's, on record and in force; its packet."""
    document = Directive(
        directive_id=derive_id("directive", kind.value, subject, *more.values()),
        kind=kind,
        subject_id=subject,
        owner="scheduler",
        reason="because of the test",
        evidence=[evidence],
        rollback="undo it",
        issued_at=NOW,
        **more,
    )
    record = _record(store, document, subject, "zenith", "", document.directive_id)
    with store.begin() as connection:
        db.decisions.append(connection, HERE, document, record.packet_id)
    return record.packet_id


def _record(
    store: Store, document: Any, subject: str, stage: str, video_id: str, occurrence: str = ""
) -> Record[Any]:
    with store.begin() as connection:
        return Recorder(connection, stage, HERE, NOW).record(
            document,
            subject_id=subject,
            trace_id=derive_id("trace", subject),
            video_id=video_id,
            occurrence=occurrence,
        )
