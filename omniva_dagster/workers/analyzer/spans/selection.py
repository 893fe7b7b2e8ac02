"""The spans that are offered: scored, charged for bad cuts, and none that says another again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omniva_dagster.workers.analyzer.scores import features
from omniva_dagster.workers.analyzer.scores.evidence import Video
from omniva_dagster.workers.analyzer.scores.features import Contribution
from omniva_dagster.workers.analyzer.spans import candidates
from omniva_dagster.workers.analyzer.spans.candidates import Span
from omniva_dagster.workers.analyzer.spans.cuts import shot_changes
from omniva_dagster.workers.analyzer.spans.penalties import Penalty, kept, penalties
from omniva_dagster.workers.analyzer.text import embeddings
from omniva_dagster.workers.analyzer.text.words import join
from omniva_dagster.workers.media.timeline import Scene

if TYPE_CHECKING:
    from omniva_dagster.workers.analyzer.text.embeddings import Vectors

# So many clips make a video worth uploading; below that, a repetition is better than nothing.
FEWEST_CLIPS = 4
# A clip half as good as the video's best is not worth offering beside it.
_LEAST_SHARE = 0.5
# Two readings of one text come to 0.95 and more, two parts of one talk to 0.3 (measured).
_SAME = 0.9


@dataclass(frozen=True)
class Chosen:
    """A span with what speaks for it and against its cuts."""

    span: Span
    contributions: list[Contribution]
    penalties: list[Penalty]


def select(video: Video, scenes: Sequence[Scene], duration: float) -> list[Chosen]:
    """The best spans that do not overlap, by start; there may be none.

    What is said twice, such as a teaser before a video's beginning, is taken once, as long as
    four clips are left without it.
    """
    spans = candidates.propose(video.sentences, video.words, duration, scenes)
    changes = shot_changes(scenes)
    scored = [features.score(video, span) for span in spans]
    charged = [
        penalties(span, video.sentences, video.words, changes, video.language) for span in spans
    ]
    merits = [
        features.confidence(points) * kept(charges)
        for points, charges in zip(scored, charged, strict=True)
    ]
    # What only fills the time between two good clips is worth less than nothing.
    least = _LEAST_SHARE * max(merits, default=0.0)
    worths = [
        candidates.worth(merit - least, span) for merit, span in zip(merits, spans, strict=True)
    ]
    chosen = _without_repetitions(video, spans, worths)
    return [Chosen(spans[i], scored[i], charged[i]) for i in chosen]


def _without_repetitions(video: Video, spans: Sequence[Span], worths: Sequence[int]) -> list[int]:
    left = list(range(len(spans)))
    chosen = candidates.choose(spans, worths)
    while len(chosen) > FEWEST_CLIPS:
        again = _repetition(_vectors(video, [spans[i] for i in chosen]))
        if again is None:
            break
        worse = min((chosen[i] for i in again), key=lambda i: (worths[i], -i))
        left = [i for i in left if not _overlap(spans[i], spans[worse])]
        others = [left[i] for i in _chosen_of(left, spans, worths)]
        if len(others) < FEWEST_CLIPS:
            break
        chosen = others
    return chosen


def _chosen_of(left: Sequence[int], spans: Sequence[Span], worths: Sequence[int]) -> list[int]:
    return candidates.choose([spans[i] for i in left], [worths[i] for i in left])


def _vectors(video: Video, spans: Sequence[Span]) -> Vectors:
    texts = [join(video.words[span.first_word : span.stop_word]) for span in spans]
    return embeddings.embed(texts, [sentence.text for sentence in video.sentences])


def _repetition(vectors: Vectors) -> tuple[int, int] | None:
    """The two that are most alike, if they say the same."""
    import numpy as np

    if len(vectors) < 2:
        return None
    likeness = np.triu(vectors @ vectors.T, 1)
    first, second = np.unravel_index(int(np.argmax(likeness)), likeness.shape)
    return (int(first), int(second)) if likeness[first, second] >= _SAME else None


def _overlap(a: Span, b: Span) -> bool:
    return a.start_ms < b.end_ms and b.start_ms < a.end_ms
