"""What speaks for a span, feature by feature, each with its evidence (pure).

A feature is a value from 0 to 1; its points are value times weight, and a span's confidence is the
sum of its points. Where a feature does not apply (no heatmap, no list of words in the language) it
stands there with no weight and the reason, and the weights of the others are scaled up so that they
add up to 1 again: nothing is held against a video for what its source cannot tell. Nothing is
learned and nothing is random: the same video gives the same points, and each can be disputed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from omniva_dagster.workers.analyzer.scores.evidence import Video
from omniva_dagster.workers.analyzer.scores.findings import Finding, heard, said, seen
from omniva_dagster.workers.analyzer.spans.candidates import Span

# Raise it with any change of weights or features: it is part of an analysis's fingerprint.
SCORING_VERSION = "2"
# Judgement, not measurement: no public data set ties these to what viewers did. The reasons:
WEIGHTS: dict[str, float] = {
    # What viewers of this very video replayed: the only one that is evidence of wanting.
    "heatmap": 0.15,
    # Short-form viewers decide within three seconds whether to stay.
    "hook": 0.13,
    # A clip that needs what was said before is the fault that editors name first.
    "self_containedness": 0.11,
    # What makes a clip a story and not an excerpt.
    "payoff": 0.10,
    # Stirring content is passed on more (Berger and Milkman, 2012).
    "arousal": 0.06,
    # Faces hold the eye, and a vertical crop needs something to hold on to.
    "face_presence": 0.07,
    # Livelier voices are heard as more engaging (energy and pitch are two ways of one thing).
    "energy": 0.05,
    "pitch": 0.04,
    "speech_rate": 0.05,
    # An audience's reaction; rare, hence a small part.
    "bursts": 0.03,
    # What it is about, and that it is not about what all the rest is about.
    "keyword_density": 0.03,
    "novelty": 0.03,
    "rare_words": 0.02,
    # The author's own cut of the matter.
    "chapters": 0.03,
    "visual_change": 0.02,
    # Workmanship: a pause to cut in, a length that is watched to the end.
    "boundaries": 0.03,
    "length": 0.05,
}


@dataclass(frozen=True)
class Contribution:
    """What one feature adds to a span's confidence, and what it rests on.

    ``weight`` is the share it has on this span; 0 where the feature does not apply.
    """

    name: str
    value: float
    weight: float
    points: float
    evidence: str


def score(video: Video, span: Span) -> list[Contribution]:
    """One contribution for each feature, in the order of `WEIGHTS`."""
    findings = {name: FEATURES[name](video, span) for name in WEIGHTS}
    known = math.fsum(WEIGHTS[name] for name, (value, _) in findings.items() if value is not None)
    return [_contribution(name, finding, known) for name, finding in findings.items()]


def confidence(contributions: Sequence[Contribution]) -> float:
    """The sum of the points, from 0 to 1."""
    return min(1.0, max(0.0, round(math.fsum(c.points for c in contributions), 6)))


def values(contributions: Sequence[Contribution]) -> dict[str, float]:
    """The features that apply, by name: what judges vote on."""
    return {c.name: c.value for c in contributions if c.weight > 0}


def _contribution(name: str, finding: Finding, known: float) -> Contribution:
    value, evidence = finding
    if value is None:
        return Contribution(name, 0.0, 0.0, 0.0, f"does not apply: {evidence}")
    value = round(min(1.0, max(0.0, value)), 4)
    weight = round(WEIGHTS[name] / known, 6)
    return Contribution(name, value, weight, round(value * weight, 6), evidence)


FEATURES: dict[str, Callable[[Video, Span], Finding]] = {
    "heatmap": seen.heatmap,
    "hook": said.hook,
    "self_containedness": said.self_containedness,
    "payoff": said.payoff,
    "arousal": said.arousal,
    "face_presence": seen.face_presence,
    "energy": heard.energy,
    "pitch": heard.pitch,
    "speech_rate": heard.speech_rate,
    "bursts": heard.bursts,
    "keyword_density": said.keyword_density,
    "novelty": said.novelty,
    "rare_words": said.rare_words,
    "chapters": seen.chapters,
    "visual_change": seen.visual_change,
    "boundaries": heard.boundaries,
    "length": heard.length,
}
