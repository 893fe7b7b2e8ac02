"""What Paradox looks at: plain data about documents, each with the packet that shows it (4.1)."""

from __future__ import annotations

from dataclasses import dataclass

from omniva_dagster.contracts.cognition.paradox import ConflictTrigger, WorkerStateDigest
from omniva_dagster.contracts.types import parse_timestamp


@dataclass(frozen=True)
class Window:
    """A scrape job: what a source is asked for, ``since`` inside and ``until`` not.

    ``source`` is the address in one form (`sources.source_of`). ``rank`` comes before
    ``asked_at``: who followed the source first, where that is known.
    """

    job_id: str
    source: str
    creator: str
    since: str
    until: str
    asked_at: str
    packet_id: str
    rank: str = ""


@dataclass(frozen=True)
class VideoFact:
    """A video that Atlas holds, or one that a creator's day is about to bring in.

    ``subject_id`` is what would be held: the video's id, or that of the request for a video whose
    id is held already under another partition. ``requested``: asked for by its own address, and so
    under whatever day it was asked for.
    """

    subject_id: str
    video_id: str
    creator: str
    day: str
    ingested_at: str
    packet_id: str
    sha256: str = ""
    uploaded_at: str | None = None
    requested: bool = False
    title: str = ""
    duration: float = 0.0
    # About to be brought in: whatever Atlas holds was there before, be it in the same second.
    arriving: bool = False


@dataclass(frozen=True)
class ClipFact:
    """A promoted span of a video, in seconds."""

    clip_id: str
    video_id: str
    start: float
    end: float
    promoted_at: str
    packet_id: str


@dataclass(frozen=True)
class SlotFact:
    """A clip's task: when it is to go out, and when it was rendered."""

    clip_id: str
    creator: str
    slot: str
    scheduled_at: str
    packet_id: str
    rendered_at: str | None = None
    published: bool = False


@dataclass(frozen=True)
class UploadFact:
    """A clip about to be uploaded: its words, and the bytes of its file."""

    clip_id: str
    creator: str
    title: str
    prepared_at: str
    packet_id: str
    media_sha256: str = ""


@dataclass(frozen=True)
class Link:
    """A packet and one that it came from, each with what it is about and when it was emitted."""

    child: str
    parent: str
    child_subject: str = ""
    child_at: str = ""
    parent_at: str = ""


@dataclass(frozen=True)
class Order:
    """A directive of Zenith's log that says whether work may be done."""

    directive_id: str
    subject_id: str
    restrains: bool
    evidence: tuple[str, ...]
    issued_at: str
    packet_id: str


@dataclass(frozen=True)
class Prior:
    """A conflict reported before."""

    conflict_id: str
    affected: tuple[str, ...]
    packet_id: str


@dataclass(frozen=True)
class Facts:
    """Everything that is compared with each other, and why it is looked at."""

    now: str
    trigger: ConflictTrigger
    windows: tuple[Window, ...] = ()
    videos: tuple[VideoFact, ...] = ()
    clips: tuple[ClipFact, ...] = ()
    slots: tuple[SlotFact, ...] = ()
    uploads: tuple[UploadFact, ...] = ()
    jobs: tuple[WorkerStateDigest, ...] = ()
    links: tuple[Link, ...] = ()
    orders: tuple[Order, ...] = ()
    prior: tuple[Prior, ...] = ()


def moment(timestamp: str) -> float:
    """Seconds since 1970, for comparing timestamps that differ in their fractions."""
    return parse_timestamp(timestamp).timestamp()
