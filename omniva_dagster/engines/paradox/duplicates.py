"""The same thing twice: requests, videos, uploads, jobs."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

from omniva_dagster.contracts.cognition.paradox import WorkerStateDigest
from omniva_dagster.contracts.decisions import OutcomeStatus
from omniva_dagster.engines.paradox.facts import UploadFact, VideoFact, Window, moment
from omniva_dagster.engines.paradox.rules import Finding

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
OVER = frozenset({OutcomeStatus.CANCELLED, OutcomeStatus.SKIPPED})


def grouped(items: Iterable[T], key: Callable[[T], K | None]) -> Iterator[list[T]]:
    """Items with the same key, where there are several; those without a key are left out."""
    groups: dict[K, list[T]] = {}
    for item in items:
        value = key(item)
        if value is not None:
            groups.setdefault(value, []).append(item)
    yield from (group for group in groups.values() if len(group) > 1)


def overlapping_windows(windows: Iterable[Window]) -> Iterator[Finding]:
    """Jobs that ask one source for the same time, by a sweep over each source's ranges.

    A job is a duplicate of the oldest that still runs where it begins to overlap; a day's job
    beside the next day's is none, for ranges are half-open.
    """
    once = {window.job_id: window for window in sorted(windows, key=_window_age, reverse=True)}
    for group in grouped(once.values(), lambda window: window.source):
        running: list[tuple[tuple[str, float, str], float, Window]] = []
        for window in sorted(group, key=lambda item: (moment(item.since), _window_age(item))):
            while running and running[0][1] <= moment(window.since):
                heapq.heappop(running)
            if running:
                yield _overlap(*sorted((running[0][2], window), key=_window_age))
            heapq.heappush(running, (_window_age(window), moment(window.until), window))


def _overlap(first: Window, second: Window) -> Finding:
    who = "the same creator" if first.creator == second.creator else f"creator {first.creator}"
    return Finding(
        "overlapping_ranges",
        (first.job_id, second.job_id),
        _packets(first.packet_id, second.packet_id),
        f"{second.source} is asked for {_range(second)} by {second.creator}, and for "
        f"{_range(first)} by {who} before: the first job stands. Archive one of the two creators, "
        f"or release this job: omniva override release {second.job_id} --reason ...",
    )


def same_videos(videos: Iterable[VideoFact]) -> Iterator[Finding]:
    """A platform's video under two creators or days, and a file under two videos."""
    held = list(videos)
    for group in grouped(held, lambda video: video.video_id):
        yield from _same_id(group)
    for group in grouped(held, lambda video: video.sha256 or None):
        first, *others = _each_video(group)
        for other in others:
            yield _same_file(first, other)


def _same_id(group: list[VideoFact]) -> Iterator[Finding]:
    first, *others = sorted({video.subject_id: video for video in group}.values(), key=_video_age)
    for other in others:
        own = other.creator == first.creator
        what_now = (
            "nothing is to be done"
            if own
            else f"it is worked on there; archive one of the two creators, or take it from "
            f"{other.creator}'s requests"
        )
        yield Finding(
            "same_video_same_creator" if own else "same_video",
            (first.subject_id, other.subject_id),
            _packets(first.packet_id, other.packet_id),
            f"the video is held since before under {first.creator}, {first.day}, and was found "
            f"for {other.creator}, {other.day}, too: {what_now}",
        )


def _each_video(group: list[VideoFact]) -> list[VideoFact]:
    once: dict[str, VideoFact] = {}
    for video in sorted(group, key=_video_age):
        once.setdefault(video.video_id, video)
    return list(once.values())


def _same_file(first: VideoFact, other: VideoFact) -> Finding:
    own = other.creator == first.creator
    what_now = (
        "the first is worked on instead"
        if own
        else "whose it is, a person has to say: release it with "
        f"omniva override release {other.subject_id} --reason ..., or leave it held"
    )
    return Finding(
        "same_file" if own else "same_file_elsewhere",
        (first.subject_id, other.subject_id),
        _packets(first.packet_id, other.packet_id),
        f"the same file as video {first.video_id} of {first.creator}, {first.day} "
        f"(SHA-256 {first.sha256[:16]}...): {what_now}",
    )


def same_uploads(uploads: Iterable[UploadFact]) -> Iterator[Finding]:
    """Two clips that would be posted with the same words and the same file."""
    for group in grouped(uploads, _posted):
        ordered = sorted(group, key=_upload_age)
        first, *others = {upload.clip_id: upload for upload in ordered}.values()
        for other in others:
            yield Finding(
                "same_upload",
                (first.clip_id, other.clip_id),
                _packets(first.packet_id, other.packet_id),
                f"clip {other.clip_id} has title and file of clip {first.clip_id}: it would be "
                "posted twice. The first stands; cancel this one with "
                f"omniva override cancel {other.clip_id} --reason ...",
            )


def same_jobs(jobs: Iterable[WorkerStateDigest]) -> Iterator[Finding]:
    """Two jobs of one kind about the same thing in the world, neither of them given up."""
    alive = [job for job in jobs if job.status not in OVER]
    for group in grouped(alive, lambda job: (job.job_type, job.natural_id)):
        ordered = sorted(group, key=lambda job: (moment(job.created_at), job.job_id))
        first, *others = {job.job_id: job for job in ordered}.values()
        for other in others:
            yield Finding(
                "same_job",
                (first.job_id, other.job_id),
                _packets(first.packet_id, other.packet_id),
                f"{other.job_type.value} {other.job_id} is about {other.natural_id}, as is "
                f"{first.job_id} before it: the first stands. Release this one if both are "
                f"wanted: omniva override release {other.job_id} --reason ...",
            )


def _posted(upload: UploadFact) -> tuple[str, str, str] | None:
    if not upload.media_sha256:
        return None
    return (upload.creator, " ".join(upload.title.casefold().split()), upload.media_sha256)


def _packets(*ids: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in ids if one))


def _range(window: Window) -> str:
    return f"{window.since} to {window.until}"


def _window_age(window: Window) -> tuple[str, float, str]:
    return (window.rank, moment(window.asked_at), window.job_id)


def _video_age(video: VideoFact) -> tuple[bool, float, str]:
    return (video.arriving, moment(video.ingested_at), video.subject_id)


def _upload_age(upload: UploadFact) -> tuple[float, str]:
    return (moment(upload.prepared_at), upload.clip_id)
