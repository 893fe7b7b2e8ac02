"""What speaks for a span, feature by feature, each with its evidence (pure).

A feature is a value from 0 to 1; its points are value times weight, the weights add up to 1, and
a span's confidence is the sum of its points. Nothing is learned and nothing is random: the same
video gives the same points, and each can be read and disputed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from omniva_dagster.workers.analyzer.candidates import Span
from omniva_dagster.workers.analyzer.evidence import Video
from omniva_dagster.workers.analyzer.lexicon import (
    DEPENDENT_OPENERS,
    NUMBER_WORDS,
    SECOND_PERSON,
)
from omniva_dagster.workers.analyzer.words import join, key

# Raise it with any change of weights or features: it is part of an analysis's fingerprint.
SCORING_VERSION = "1"
WEIGHTS: dict[str, float] = {
    "hook": 0.18,
    "self_containedness": 0.18,
    "speech_rate": 0.10,
    "energy": 0.10,
    "face_presence": 0.12,
    "boundaries": 0.08,
    "length": 0.10,
    "keyword_density": 0.08,
    "novelty": 0.06,
}
HOOK_SECONDS = 3.0
_QUESTION_MARKS = ("?", "？", "؟")


@dataclass(frozen=True)
class Contribution:
    """What one feature adds to a span's confidence, and what it rests on."""

    name: str
    value: float
    weight: float
    points: float
    evidence: str


Finding = tuple[float, str]


def score(video: Video, span: Span) -> list[Contribution]:
    """One contribution for each feature, in the order of `WEIGHTS`."""
    contributions = []
    for name, weight in WEIGHTS.items():
        value, evidence = FEATURES[name](video, span)
        value = round(min(1.0, max(0.0, value)), 4)
        contributions.append(Contribution(name, value, weight, round(value * weight, 6), evidence))
    return contributions


def confidence(contributions: Sequence[Contribution]) -> float:
    """The sum of the points, from 0 to 1."""
    return min(1.0, max(0.0, round(math.fsum(c.points for c in contributions), 6)))


def hook(video: Video, span: Span) -> Finding:
    """The first three seconds: are they full, do they ask, address someone, name a number?"""
    opening = [
        w
        for w in video.words[span.first_word : span.stop_word]
        if w.start < span.start + HOOK_SECONDS
    ]
    forms = {key(word.text) for word in opening}
    density = min(1.0, video.spoken(span.first_word, span.first_word + len(opening)) / 8.0)
    asks = video.sentences[span.first].text.rstrip("\"'”’»)")[-1:] in _QUESTION_MARKS
    addresses = bool(forms & SECOND_PERSON.get(video.language, frozenset()))
    numbers = NUMBER_WORDS.get(video.language, frozenset())
    counts = any(form in numbers or any(c.isdigit() for c in form) for form in forms)
    signs = [("a question", asks), ("speaks to the viewer", addresses), ("a number", counts)]
    value = 0.5 * density + 0.25 * asks + 0.15 * addresses + 0.1 * counts
    seen = ", ".join([f"{len(opening)} words in 3 s", *(sign for sign, there in signs if there)])
    return value, f"opens with “{join(opening)}”: {seen}"


def self_containedness(video: Video, span: Span) -> Finding:
    """Does it begin and end where a sentence does, and not lean on what was said before?"""
    first, last = video.sentences[span.first], video.sentences[span.stop - 1]
    opener = key(video.words[span.first_word].text)
    leaners = DEPENDENT_OPENERS.get(video.language)
    leans = leaners is not None and opener in leaners
    value = 0.3 * first.opened + 0.4 * last.closed
    value += 0.15 if leaners is None else 0.3 * (not leans)
    begins = "begins with a sentence" if first.opened else "begins within a sentence"
    ends = "ends with a full stop" if last.closed else "ends within a sentence"
    leaning = f"; “{opener}” leans on what came before" if leans else ""
    return value, f"{begins}, {ends}{leaning}"


def speech_rate(video: Video, span: Span) -> Finding:
    """Words a second: 2 to 3.5 is lively, below 0.5 or above 6 nobody follows."""
    rate = video.spoken(span.first_word, span.stop_word) / (span.end - span.start)
    return _trapezoid(rate, 0.5, 2.0, 3.5, 6.0), f"{rate:.1f} words a second"


def energy(video: Video, span: Span) -> Finding:
    """How much the loudness moves, and how loud the span is beside the whole video."""
    mean, deviation = video.loudness_in(span.start, span.end)
    louder = mean - video.mean_loudness
    value = 0.5 * min(1.0, deviation / 12.0) + 0.5 * min(1.0, max(0.0, 0.5 + louder / 12.0))
    return value, f"loudness varies by {deviation:.1f} dB, {louder:+.1f} dB beside the video's mean"


def face_presence(video: Video, span: Span) -> Finding:
    """For how much of the span a face is seen; 60 % is enough."""
    if not video.has_pictures:
        return 0.0, "there are no pictures"
    share = video.face_share(span.start, span.end)
    return share / 0.6, f"a face is seen for {share:.0%} of the span"


def boundaries(video: Video, span: Span) -> Finding:
    """Are there pauses to cut in? Half a second at either end is enough."""
    before, after = video.pauses(span.first_word, span.stop_word)
    value = 0.5 * min(1.0, before / 0.5) + 0.5 * min(1.0, after / 0.5)
    return value, f"{before:.2f} s of pause before, {after:.2f} s after"


def length(video: Video, span: Span) -> Finding:
    """20 to 40 s is the length that people watch to the end."""
    seconds = span.end - span.start
    return _trapezoid(seconds, 10.0, 20.0, 40.0, 80.0), f"{seconds:.1f} s"


def keyword_density(video: Video, span: Span) -> Finding:
    """How much of what is said is on the video's keywords; half is enough."""
    share = video.keyword_share(span.first_word, span.stop_word)
    phrases = ", ".join(video.phrases_in(span.first_word, span.stop_word)[:5]) or "none"
    return share / 0.5, f"{share:.0%} of its content words are keywords: {phrases}"


def novelty(video: Video, span: Span) -> Finding:
    """Does it say what is not said all over the video?"""
    value = video.rarity(span.first_word, span.stop_word)
    times = f"said {1 / value:.1f} times" if value else "not there"
    return value, f"its content words are {times} in the video (harmonic mean)"


FEATURES: dict[str, Callable[[Video, Span], Finding]] = {
    "hook": hook,
    "self_containedness": self_containedness,
    "speech_rate": speech_rate,
    "energy": energy,
    "face_presence": face_presence,
    "boundaries": boundaries,
    "length": length,
    "keyword_density": keyword_density,
    "novelty": novelty,
}


def _trapezoid(x: float, zero: float, full: float, full_until: float, zero_again: float) -> float:
    rising, falling = (x - zero) / (full - zero), (zero_again - x) / (zero_again - full_until)
    return min(1.0, max(0.0, min(rising, falling)))
