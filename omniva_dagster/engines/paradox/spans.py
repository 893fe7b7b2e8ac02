"""Near-identical clips: almost the same span of one video, or of two files of it."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

from omniva_dagster.engines.paradox.duplicates import grouped
from omniva_dagster.engines.paradox.facts import ClipFact, VideoFact, moment
from omniva_dagster.engines.paradox.rules import Finding

# Shared time over the longer span: a short clip inside a long one is another clip.
NEARLY_ALL = 0.8
# How far apart two spans may begin that share so much, over the length of either.
_REACH = (1 - NEARLY_ALL) / NEARLY_ALL
_TELLING_TITLE = 8  # characters; "Live" and "Vlog" are many videos' titles


def near_identical(
    clips: Iterable[ClipFact], videos: Iterable[VideoFact] = ()
) -> Iterator[Finding]:
    """Clips of one source whose spans are almost the same: of two, the older one stands.

    Two videos are one source where their bytes are the same, or where title, length and creator
    are. Oldest first, each clip is compared only with those that stand and begin close to it, of
    which there can be but a few.
    """
    sources = one_source(videos)
    once = {clip.clip_id: clip for clip in sorted(clips, key=_age, reverse=True)}
    for group in grouped(once.values(), lambda clip: sources.get(clip.video_id, clip.video_id)):
        standing: list[tuple[float, str, ClipFact]] = []
        for clip in sorted(group, key=_age):
            twins = [other for other in _near(standing, clip) if shared(other, clip) >= NEARLY_ALL]
            if twins:
                yield _finding(min(twins, key=_age), clip)
            else:
                insort(standing, (clip.start, clip.clip_id, clip))


def shared(one: ClipFact, other: ClipFact) -> float:
    """The time that two spans share, over the longer of them, in [0, 1]."""
    together = min(one.end, other.end) - max(one.start, other.start)
    longer = max(one.end - one.start, other.end - other.start)
    return max(0.0, together) / longer if longer > 0 else 0.0


def one_source(videos: Iterable[VideoFact]) -> dict[str, str]:
    """The video that stands for each video which is another's copy."""
    standing: dict[tuple[str, ...], str] = {}
    sources: dict[str, str] = {}
    for video in sorted(videos, key=lambda item: (moment(item.ingested_at), item.video_id)):
        keys = _same_for_copies(video)
        first = next((standing[key] for key in keys if key in standing), video.video_id)
        for key in keys:
            standing.setdefault(key, first)
        sources.setdefault(video.video_id, first)
    return sources


def _same_for_copies(video: VideoFact) -> list[tuple[str, ...]]:
    title = " ".join(video.title.casefold().split())
    keys: list[tuple[str, ...]] = []
    if video.sha256:
        keys.append(("file", video.sha256))
    if len(title) >= _TELLING_TITLE and video.duration > 0:
        keys.append(("title", video.creator, title, str(round(video.duration))))
    return keys


def _near(standing: list[tuple[float, str, ClipFact]], clip: ClipFact) -> Iterator[ClipFact]:
    reach = _REACH * (clip.end - clip.start)
    # A little further, for the rounding of sums.
    for start, _, other in standing[bisect_left(standing, (clip.start - reach - 1e-6, "")) :]:
        if start > clip.start + reach + 1e-6:
            return
        yield other


def _finding(first: ClipFact, second: ClipFact) -> Finding:
    return Finding(
        "near_identical_clips",
        (first.clip_id, second.clip_id),
        tuple(dict.fromkeys((first.packet_id, second.packet_id))),
        f"{_span(second)} of video {second.video_id} shares {shared(first, second):.0%} with "
        f"{_span(first)} of video {first.video_id}, which was promoted before: the first stands. "
        f"To post both: omniva override release {second.clip_id} --reason ...",
    )


def _span(clip: ClipFact) -> str:
    return f"clip {clip.clip_id} ({clip.start:.1f} to {clip.end:.1f} s)"


def _age(clip: ClipFact) -> tuple[float, str]:
    return (moment(clip.promoted_at), clip.clip_id)
