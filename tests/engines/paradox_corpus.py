"""Corpora of documents that contradict nothing, and conflicts to plant in them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from omniva_dagster.contracts.cognition.paradox import (
    ConflictKind,
    ConflictTrigger,
    WorkerStateDigest,
)
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.engines import paradox

NOW = "2026-03-20T12:00:00Z"
_START = datetime(2026, 3, 4, tzinfo=UTC)

Expected = tuple[ConflictKind, frozenset[str]]


def at(hours: float) -> str:
    """A moment so many hours after the corpus begins."""
    return format_timestamp(_START + timedelta(hours=hours))


def packet(*parts: str | int) -> str:
    return derive_id("packet", *parts)


@dataclass
class Corpus:
    """Facts in the making."""

    fields: dict[str, list[Any]] = field(default_factory=dict)
    # What was there before anything was planted.
    sound: dict[str, list[Any]] = field(default_factory=dict)

    def facts(self, shuffle: random.Random | None = None) -> paradox.Facts:
        """Them as the engine gets them, in any order."""
        ordered = {name: list(items) for name, items in self.fields.items()}
        if shuffle is not None:
            for items in ordered.values():
                shuffle.shuffle(items)
        return paradox.Facts(
            NOW, ConflictTrigger.AUDIT, **{name: tuple(items) for name, items in ordered.items()}
        )

    def add(self, name: str, item: Any) -> Any:
        self.fields.setdefault(name, []).append(item)
        return item

    def pick(self, name: str, rng: random.Random) -> Any:
        """One of what was there before anything was planted."""
        return rng.choice(self.sound[name])


def clean(rng: random.Random, size: int = 6) -> Corpus:
    """Creators, days, videos, clips and slots as the pipeline makes them."""
    corpus = Corpus()
    for number in range(size):
        creator = f"creator-{number % 3}"
        day = number // 3
        video = derive_id("video", "other", f"v{number}")
        job = derive_id("scraper_job", number)
        corpus.add(
            "windows",
            paradox.Window(
                job, f"{creator}.example/feed", creator, at(24 * day), at(24 * day + 24),
                at(24 * day + 30), packet("job", number),
            ),
        )  # fmt: skip
        corpus.add(
            "videos",
            paradox.VideoFact(
                video, video, creator, at(24 * day)[:10], at(24 * day + 31), packet("v", number),
                sha256=f"{number + 1:064x}", uploaded_at=at(24 * day + rng.uniform(1, 22)),
                title=f"A long enough title {number}", duration=600.0 + number,
            ),
        )  # fmt: skip
        previous = packet("v", number)
        for place in range(3):
            clip = derive_id("clip", number, place)
            begin = 100.0 * place + rng.uniform(0, 20)
            corpus.add(
                "clips",
                paradox.ClipFact(
                    clip, video, begin, begin + rng.uniform(15, 60), at(24 * day + 32),
                    packet("clip", number, place),
                ),
            )  # fmt: skip
            corpus.add(
                "slots",
                paradox.SlotFact(
                    clip, creator, at(24 * day + 40 + 3 * place), at(24 * day + 33),
                    packet("slot", number, place), rendered_at=at(24 * day + 32.5),
                ),
            )  # fmt: skip
            corpus.add(
                "uploads",
                paradox.UploadFact(
                    clip, creator, f"Title {number} {place}", at(24 * day + 34),
                    packet("upload", number, place),
                    media_sha256=f"{100 * number + place + 9:064x}",
                ),
            )  # fmt: skip
            child = packet("clip", number, place)
            corpus.add(
                "links", paradox.Link(child, previous, clip, at(24 * day + 32), at(24 * day + 31))
            )
        corpus.add("jobs", digest(number))
    corpus.sound = {name: list(items) for name, items in corpus.fields.items()}
    return corpus


def digest(number: int, **changes: Any) -> WorkerStateDigest:
    """A job as its worker holds it."""
    fields: dict[str, Any] = {
        "worker": "editor",
        "job_type": "edit_job",
        "job_id": derive_id("job", number),
        "status": "PENDING",
        "natural_id": f"clip {number}",
        "content_hash": f"{number:064x}",
        "packet_id": packet("digest", number),
        "created_at": at(number),
        "updated_at": at(number + 1),
    }
    return WorkerStateDigest.parse({**fields, **changes})


def _overlapping(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    window = corpus.pick("windows", rng)
    second = replace(
        window, job_id=derive_id("job", "second", tag), creator=f"other-{tag}",
        asked_at=at(500 + tag), packet_id=packet("second", tag),
    )  # fmt: skip
    corpus.add("windows", second)
    return ConflictKind.DUPLICATE, frozenset({window.job_id, second.job_id})


def _same_file(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    video = corpus.pick("videos", rng)
    other = derive_id("video", "other", f"copy-{tag}")
    corpus.add(
        "videos",
        replace(
            video, subject_id=other, video_id=other, ingested_at=at(500 + tag),
            packet_id=packet("copy", tag), title="",
        ),
    )  # fmt: skip
    return ConflictKind.DUPLICATE, frozenset({video.subject_id, other})


def _same_video(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    video = corpus.pick("videos", rng)
    asked = derive_id("ingestion", tag)
    corpus.add(
        "videos",
        replace(
            video, subject_id=asked, creator=f"other-{tag}", ingested_at=at(500 + tag),
            packet_id=packet("asked", tag), sha256="",
        ),
    )  # fmt: skip
    return ConflictKind.DUPLICATE, frozenset({video.subject_id, asked})


def _near_identical(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    clip = corpus.pick("clips", rng)
    shift = 0.09 * (clip.end - clip.start)
    other = replace(
        clip, clip_id=derive_id("clip", "twin", tag), start=clip.start + shift,
        end=clip.end + shift, promoted_at=at(500 + tag), packet_id=packet("twin", tag),
    )  # fmt: skip
    corpus.add("clips", other)
    return ConflictKind.DUPLICATE, frozenset({clip.clip_id, other.clip_id})


def _same_upload(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    upload = corpus.pick("uploads", rng)
    other = replace(
        upload, clip_id=derive_id("clip", "again", tag), prepared_at=at(500 + tag),
        packet_id=packet("again", tag), title=f"  {upload.title.upper()} ",
    )  # fmt: skip
    corpus.add("uploads", other)
    return ConflictKind.DUPLICATE, frozenset({upload.clip_id, other.clip_id})


def _same_job(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    job = corpus.pick("jobs", rng)
    other = digest(
        7000 + tag, natural_id=job.natural_id, created_at=at(500 + tag), updated_at=at(501 + tag)
    )
    corpus.add("jobs", other)
    return ConflictKind.DUPLICATE, frozenset({job.job_id, other.job_id})


def _future(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    video = derive_id("video", "other", f"future-{tag}")
    corpus.add(
        "videos",
        paradox.VideoFact(
            video, video, f"other-{tag}", at(0)[:10], at(20), packet("future", tag),
            uploaded_at=at(23),
        ),
    )  # fmt: skip
    return ConflictKind.CONFLICTING_TIMESTAMPS, frozenset({video})


def _another_day(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    video = derive_id("video", "other", f"day-{tag}")
    corpus.add(
        "videos",
        paradox.VideoFact(
            video, video, f"other-{tag}", at(0)[:10], at(90), packet("day", tag),
            uploaded_at=at(50 + rng.uniform(0, 20)),
        ),
    )  # fmt: skip
    return ConflictKind.CONFLICTING_TIMESTAMPS, frozenset({video})


def _early_child(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    clip = derive_id("clip", "early", tag)
    corpus.add("links", paradox.Link(packet("early", tag), packet("v", 0), clip, at(10), at(10.5)))
    return ConflictKind.CONFLICTING_TIMESTAMPS, frozenset({clip})


def _late_rendering(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    clip = derive_id("clip", "late", tag)
    corpus.add(
        "slots",
        paradox.SlotFact(
            clip, f"other-{tag}", at(40), at(39), packet("late", tag), rendered_at=at(41)
        ),
    )
    return ConflictKind.CONFLICTING_TIMESTAMPS, frozenset({clip})


def _one_slot(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    slot = corpus.pick("slots", rng)
    clip = derive_id("clip", "booked", tag)
    corpus.add(
        "slots",
        replace(slot, clip_id=clip, scheduled_at=at(500 + tag), packet_id=packet("booked", tag),
                rendered_at=None),
    )  # fmt: skip
    return ConflictKind.MUTUALLY_EXCLUSIVE, frozenset({slot.clip_id, clip})


def _excluded(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    job = corpus.pick("jobs", rng)
    other = digest(
        8000 + tag, excludes=[job.job_id], created_at=at(500 + tag), updated_at=at(501 + tag)
    )
    corpus.add("jobs", other)
    return ConflictKind.MUTUALLY_EXCLUSIVE, frozenset({job.job_id, other.job_id})


def _waiting(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    length = rng.randint(1, 5)
    names = [derive_id("job", 9000 + 10 * tag + n) for n in range(length)]
    for n in range(length):
        corpus.add("jobs", digest(9000 + 10 * tag + n, depends_on=[names[(n + 1) % length]]))
    return ConflictKind.CIRCULAR_DEPENDENCY, frozenset(names)


def _circular(corpus: Corpus, rng: random.Random, tag: int) -> Expected:
    length = rng.randint(1, 6)
    ring = [packet("ring", tag, n) for n in range(length)]
    for n, name in enumerate(ring):
        corpus.add("links", paradox.Link(name, ring[(n + 1) % length]))
    corpus.add("links", paradox.Link(packet("below", tag), ring[0]))
    return ConflictKind.CIRCULAR_DEPENDENCY, frozenset(ring)


PLANTS: tuple[Callable[[Corpus, random.Random, int], Expected], ...] = (
    _overlapping, _same_file, _same_video, _near_identical, _same_upload, _same_job, _future,
    _another_day, _early_child, _late_rendering, _one_slot, _excluded, _waiting, _circular,
)  # fmt: skip
