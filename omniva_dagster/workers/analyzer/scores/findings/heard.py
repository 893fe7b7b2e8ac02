"""Findings on what is heard: energy, pitch, pace, laughter, pauses, length (pure)."""

from __future__ import annotations

from omniva_dagster.workers.analyzer.scores.evidence import Video
from omniva_dagster.workers.analyzer.scores.findings import Finding, trapezoid
from omniva_dagster.workers.analyzer.spans.candidates import Span

_LEAST_VOICED_SECONDS = 3.0


def energy(video: Video, span: Span) -> Finding:
    """How much the loudness moves, and how loud the span is beside the whole video."""
    mean, deviation = video.loudness_in(span.start, span.end)
    louder = mean - video.mean_loudness
    value = 0.5 * min(1.0, deviation / 12.0) + 0.5 * min(1.0, max(0.0, 0.5 + louder / 12.0))
    return value, f"loudness varies by {deviation:.1f} dB, {louder:+.1f} dB beside the video's mean"


def pitch(video: Video, span: Span) -> Finding:
    """How far the voice moves around its middle: 1 semitone is a monotone, 3.5 is lively."""
    if video.prosody is None:
        return None, "the voice was not measured"
    _, moved, voiced = video.movement_in(span.start, span.end)
    if voiced < _LEAST_VOICED_SECONDS:
        return None, f"only {voiced:.1f} s of voice"
    return (moved - 1.0) / 2.5, f"the pitch moves by {moved:.1f} semitones"


def speech_rate(video: Video, span: Span) -> Finding:
    """Words a second: 2 to 3.5 is lively, below 0.5 or above 6 nobody follows."""
    rate = video.spoken(span.first_word, span.stop_word) / (span.end - span.start)
    return trapezoid(rate, 0.5, 2.0, 3.5, 6.0), f"{rate:.1f} words a second"


def bursts(video: Video, span: Span) -> Finding:
    """Laughter and raised voices: two are enough. Where the whole video has none, nothing can be
    told from their absence."""
    if not video.laughter and not video.raised:
        return None, "nobody laughs or raises the voice in the video"
    laughter, raised = (
        sum(span.start <= start and end <= span.end for start, end in found)
        for found in (video.laughter, video.raised)
    )
    return (laughter + 0.6 * raised) / 2, f"{laughter} times laughter, {raised} raised voices"


def boundaries(video: Video, span: Span) -> Finding:
    """Are there pauses to cut in? Half a second at either end is enough."""
    before, after = video.pauses(span.first_word, span.stop_word)
    value = 0.5 * min(1.0, before / 0.5) + 0.5 * min(1.0, after / 0.5)
    return value, f"{before:.2f} s of pause before, {after:.2f} s after"


def length(video: Video, span: Span) -> Finding:
    """20 to 40 s is the length that people watch to the end."""
    seconds = span.end - span.start
    return trapezoid(seconds, 10.0, 20.0, 40.0, 80.0), f"{seconds:.1f} s"
