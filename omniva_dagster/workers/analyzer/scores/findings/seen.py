"""Findings on what is seen, and on what the site's viewers did (pure)."""

from __future__ import annotations

from bisect import bisect_right

from omniva_dagster.workers.analyzer.scores.evidence import Video
from omniva_dagster.workers.analyzer.scores.findings import Finding, together
from omniva_dagster.workers.analyzer.spans.candidates import Span
from omniva_dagster.workers.media.timeline import Chapter

_SHORTEST_SHOT = 4.0
# A chapter's mark is set by hand, often on the breath before its first word.
_LATE_SECONDS = 4.0
_OVER_SECONDS = 1.0


def face_presence(video: Video, span: Span) -> Finding:
    """For how much of the span a face is seen; 60 % is enough."""
    if not video.has_pictures:
        return None, "there are no pictures"
    share = video.face_share(span.start, span.end)
    return share / 0.6, f"a face is seen for {share:.0%} of the span"


def visual_change(video: Video, span: Span) -> Finding:
    """Does something happen in the picture: a cut every four seconds, or more motion than usual
    in the video?"""
    motion = video.motion_in(span.start, span.end)
    if motion is None and not video.has_cuts:
        return None, "the picture does not change, or was not measured"
    cuts = video.cuts_in(span.start, span.end)
    pace = cuts * _SHORTEST_SHOT / (span.end - span.start)
    value = together([(0.6, pace), (0.6, (motion or 0.0) / 2)])
    moved = "" if motion is None else f", {motion:.1f} times the video's usual motion"
    return value, f"{cuts} cuts{moved}"


def heatmap(video: Video, span: Span) -> Finding:
    """How often viewers watch it again, beside the rest of the video."""
    if not video.warmth.known:
        return None, "the site does not say what is replayed"
    value, cooler, peak = video.warmth.of(span.start, span.end)
    return value, f"replayed more than {cooler:.0%} of the video; its peak is {peak:.0%} of the top"


def chapters(video: Video, span: Span) -> Finding:
    """Does it lie within one chapter, and begin where the chapter begins?"""
    if not video.chapters:
        return None, "the video has no chapters"
    i = bisect_right(video.chapters, span.start + _LATE_SECONDS, key=_start) - 1
    chapter = video.chapters[max(0, i)]
    inside = min(span.end, chapter.end) - max(span.start, chapter.start)
    share = max(0.0, inside) / (span.end - span.start)
    begins = abs(span.start - chapter.start) <= _LATE_SECONDS
    within = span.end <= chapter.end + _OVER_SECONDS and span.start >= chapter.start - _LATE_SECONDS
    value = (0.6 if within else 0.5 * share) + 0.4 * begins
    place = "within" if within else f"{share:.0%} within"
    return value, f"{place} the chapter “{chapter.title}”{', from its beginning' if begins else ''}"


def _start(chapter: Chapter) -> float:
    return chapter.start
