"""What speaks against a span: how it begins and ends, and where it rests (pure).

A penalty takes a share of a span's worth in the selection. It does not change its confidence, whose
features look at the same places among others: what is penalized twice is a cut that an editor would
not make, however good the span is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from omniva_dagster.workers.analyzer.spans.candidates import Span
from omniva_dagster.workers.analyzer.spans.cuts import flashes, nearest
from omniva_dagster.workers.analyzer.text.lexicon import DEPENDENT_OPENERS
from omniva_dagster.workers.analyzer.text.punctuation import begins_small
from omniva_dagster.workers.analyzer.text.sentences import Sentence
from omniva_dagster.workers.analyzer.text.words import key
from omniva_dagster.workers.media.timeline import Word

# Shares of the worth, by how much they spoil a clip; all of them together leave a tenth.
LARGEST: dict[str, float] = {
    # Who hears "because he said so" first does not know who, what, or why.
    "dependent_opening": 0.20,
    # The clip breaks off.
    "open_ending": 0.30,
    # Without silence the neighbouring word is heard, or its breath.
    "abrupt_start": 0.12,
    "abrupt_end": 0.12,
    # A flash of another shot.
    "shot_change_at_start": 0.08,
    "shot_change_at_end": 0.08,
    # Where a speaker rests for long, one thing ends and another begins; a viewer leaves there.
    "long_rest": 0.25,
}
# So much of a pause is enough to cut in.
ENOUGH_MS = 200
# A rest is long from the first of these on, and as bad as it gets from the second.
_REST_MS, _LONG_REST_MS = 1_200, 2_500


@dataclass(frozen=True)
class Penalty:
    """A named share (0 to 1) of a span's worth that is lost, and why."""

    name: str
    share: float
    evidence: str


def penalties(
    span: Span,
    sentences: Sequence[Sentence],
    words: Sequence[Word],
    changes: Sequence[int],
    language: str,
) -> list[Penalty]:
    """What a span is charged with, in the order of `LARGEST`; nothing for a clean cut.

    ``changes`` are `cuts.shot_changes`.
    """
    found = [
        _dependent(span, sentences, words, language),
        _open(span, sentences),
        _abrupt("abrupt_start", span.start_ms, words, span.first_word),
        _abrupt("abrupt_end", span.end_ms, words, span.stop_word),
        _flash("shot_change_at_start", span.start_ms, changes),
        _flash("shot_change_at_end", span.end_ms, changes),
        _rest(span, sentences),
    ]
    return [penalty for penalty in found if penalty is not None]


def kept(charged: Sequence[Penalty]) -> float:
    """What share of the worth is left."""
    return max(0.1, 1.0 - sum(penalty.share for penalty in charged))


def _dependent(
    span: Span, sentences: Sequence[Sentence], words: Sequence[Word], language: str
) -> Penalty | None:
    if span.first == 0:
        # Nothing came before.
        return None
    first = words[span.first_word].text
    opener = key(first)
    name = "dependent_opening"
    if opener in DEPENDENT_OPENERS.get(language, frozenset()):
        return Penalty(name, LARGEST[name], f"“{opener}” leans on what came before")
    if not sentences[span.first].opened:
        # Where a long stretch has no marks, a small letter says nothing more than that.
        share = LARGEST[name] if begins_small(first) else LARGEST[name] / 2
        return Penalty(name, share, f"“{first}” is within a sentence")
    return None


def _open(span: Span, sentences: Sequence[Sentence]) -> Penalty | None:
    last = sentences[span.stop - 1]
    if last.closed:
        return None
    final = last.text.split()[-1] if last.text.split() else ""
    return Penalty("open_ending", LARGEST["open_ending"], f"ends without a full stop: “{final}”")


def _abrupt(name: str, at: int, words: Sequence[Word], boundary: int) -> Penalty | None:
    """The pause that the cut is made in, before word ``boundary``."""
    if not 0 < boundary < len(words):
        return None
    pause = round((words[boundary].start - words[boundary - 1].end) * 1000)
    if pause >= ENOUGH_MS:
        return None
    share = LARGEST[name] * (1 - max(0, pause) / ENOUGH_MS)
    return Penalty(name, round(share, 6), f"only {pause} ms of silence at {at / 1000:.2f} s")


def _flash(name: str, at: int, changes: Sequence[int]) -> Penalty | None:
    if not flashes(at, changes):
        return None
    return Penalty(name, LARGEST[name], f"{nearest(at, changes)} ms from a shot change")


def _rest(span: Span, sentences: Sequence[Sentence]) -> Penalty | None:
    """The longest rest between two sentences of the span."""
    inside = sentences[span.first : span.stop]
    rests = [(round((b.start - a.end) * 1000), a.end) for a, b in pairwise(inside)]
    rest, at = max(rests, default=(0, 0.0))
    if rest <= _REST_MS:
        return None
    share = min(1.0, (rest - _REST_MS) / (_LONG_REST_MS - _REST_MS)) * LARGEST["long_rest"]
    return Penalty("long_rest", round(share, 6), f"{rest / 1000:.1f} s of rest at {at:.1f} s")
