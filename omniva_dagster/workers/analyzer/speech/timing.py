"""When words are really said: the speech model's times, corrected by the sound itself (pure).

Whisper tells a word's time from its attention, in steps of 20 ms, and each of its models is late
or early in its own way by up to a tenth of a second. Where the sound pauses, the pause says when
the word before it ended and the next one began; how far off the model was at those places corrects
its times where nobody pauses. Against a synthesizer's own word times this halves the error of the
small model's beginnings (median 116 to 42 ms) and takes the end of a sentence from 127 to 16 ms.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING

from omniva_dagster.workers.analyzer.audio import SAMPLE_RATE
from omniva_dagster.workers.media.timeline import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from omniva_dagster.workers.analyzer.audio import Samples

    Levels = NDArray[np.float32]

FRAME_SECONDS = 0.01
_HOP = round(FRAME_SECONDS * SAMPLE_RATE)
_FLOOR_DB = -100.0
# What is loud and what is quiet changes along a video: levels are compared within so many frames.
_BLOCK = 1000
_RANGE_SHARE = 0.3
_LEAST_RANGE_DB = 12.0
_SHORTEST_PAUSE = 10
# A pause this long is between words; a shorter one may be a closed mouth within one ("ap-ple").
_CLEAR_PAUSE = 0.2
_REACH = 0.35
_LARGEST_BIAS = 0.25
_LEAST_EVIDENCE = 5
_SHORTEST_WORD = 0.06


@dataclass(frozen=True)
class Envelope:
    """Loudness of a sound every 10 ms, in dB below full scale, high frequencies raised."""

    levels: Levels

    @classmethod
    def of(cls, samples: Samples) -> Envelope:
        """Of float32 mono samples at 16 kHz. Consonants count: they begin and end words."""
        import numpy as np

        frames = len(samples) // _HOP
        levels = np.full(frames, _FLOOR_DB, dtype=np.float32)
        step = 60 * SAMPLE_RATE // _HOP
        for at in range(0, frames, step):
            count = min(step, frames - at)
            piece = samples[at * _HOP : (at + count) * _HOP].astype(np.float64)
            piece[1:] -= 0.95 * piece[:-1]
            power = np.square(piece).reshape(count, _HOP).mean(axis=1)
            levels[at : at + count] = 10 * np.log10(np.maximum(power, 1e-10))
        return cls(levels)

    @cached_property
    def pauses(self) -> list[tuple[float, float]]:
        """Spans (seconds) of at least 0.1 s in which nobody speaks, in order.

        Quiet is what lies within the lowest 30 % of the range between the quiet and the loud parts
        around it; where they differ by less than 12 dB, as in music, there are none.
        """
        import numpy as np

        levels = self.levels
        if not len(levels):
            return []
        smooth = np.maximum(levels, np.concatenate([levels[1:], levels[-1:]]))
        quiet = smooth <= self._thresholds()
        edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
        return [
            (round(int(a) * FRAME_SECONDS, 3), round(int(b) * FRAME_SECONDS, 3))
            for a, b in zip(edges[::2], edges[1::2], strict=True)
            if b - a >= _SHORTEST_PAUSE
        ]

    def _thresholds(self) -> Levels:
        import numpy as np

        found = np.full(len(self.levels), -np.inf, dtype=np.float32)
        for at in range(0, len(self.levels), _BLOCK):
            around = self.levels[max(0, at - _BLOCK) : at + 2 * _BLOCK]
            quiet, loud = np.percentile(around, (5, 95))
            quiet = max(float(quiet), float(loud) - 50)
            if loud - quiet >= _LEAST_RANGE_DB:
                found[at : at + _BLOCK] = quiet + _RANGE_SHARE * (loud - quiet)
        return found


def refine(words: Sequence[Word], envelope: Envelope) -> list[Word]:
    """The words at the times at which the sound begins and ends, in the same order.

    None overlaps another. The order and the texts stay; `words.tidy` has to follow.
    """
    pauses = envelope.pauses
    matched = _matched(words, pauses)
    early, late = _biases(words, matched)
    shifted = _shifted(words, early, late)
    matched = _matched(shifted, pauses)
    return _snapped(shifted, matched)


@dataclass(frozen=True)
class _Match:
    """A pause at the boundary before word ``at`` (or after the last word)."""

    at: int
    start: float
    end: float


def _matched(words: Sequence[Word], pauses: Sequence[tuple[float, float]]) -> list[_Match]:
    """For each boundary between words the pause that is there, if any, in order."""
    starts = [word.start for word in words]
    found: dict[int, _Match] = {}
    for start, end in pauses:
        low = bisect_left(starts, start - _REACH)
        high = bisect_right(starts, end + _REACH) + 1
        near = range(low, min(len(words) + 1, high))
        cost, at = min(((_off(words, i, start, end), i) for i in near), default=(1.0, 0))
        if cost <= (_REACH if end - start >= _CLEAR_PAUSE else _REACH / 2):
            # A breath or a click may divide one pause in two.
            first = found.get(at)
            found[at] = _Match(at, first.start if first else start, end)
    return [found[at] for at in sorted(found)]


def _off(words: Sequence[Word], at: int, start: float, end: float) -> float:
    """How much sound, in seconds, lies between a pause and the boundary before word ``at``, and
    how much is missing for the words on either side to be said."""
    off = 0.0
    if at:
        before = words[at - 1]
        off += _outside(before.end, start, end) + max(0.0, before.start + _SHORTEST_WORD - start)
    if at < len(words):
        after = words[at]
        off += _outside(after.start, start, end) + max(0.0, end - after.end + _SHORTEST_WORD)
    return off


def _outside(moment: float, start: float, end: float) -> float:
    return max(0.0, start - moment, moment - end)


def _biases(words: Sequence[Word], matches: Sequence[_Match]) -> tuple[float, float]:
    """How late words begin and end after the model says so, in seconds."""
    clear = [match for match in matches if match.end - match.start >= _CLEAR_PAUSE]
    return (
        _bias([m.end - words[m.at].start for m in clear if m.at < len(words)]),
        _bias([m.start - words[m.at - 1].end for m in clear if m.at]),
    )


def _bias(differences: Sequence[float]) -> float:
    if len(differences) < _LEAST_EVIDENCE:
        return 0.0
    return min(_LARGEST_BIAS, max(-_LARGEST_BIAS, median(differences)))


def _shifted(words: Sequence[Word], starts: float, ends: float) -> list[Word]:
    shifted: list[Word] = []
    for word in words:
        start, end = word.start + starts, word.end + ends
        if shifted and start < shifted[-1].end:
            # Where one word goes over into the next, beginnings are the better known.
            shifted[-1] = replace(shifted[-1], end=max(shifted[-1].start, start))
        shifted.append(replace(word, start=start, end=max(start, end)))
    return shifted


def _snapped(words: Sequence[Word], matches: Sequence[_Match]) -> list[Word]:
    starts = {match.at: match.end for match in matches}
    ends = {match.at - 1: match.start for match in matches}
    snapped: list[Word] = []
    for i, word in enumerate(words):
        start, end = starts.get(i, word.start), ends.get(i, word.end)
        if snapped:
            start = max(start, snapped[-1].end)
        if end - start < _SHORTEST_WORD:
            start, end = _widened(start, end, i in starts and i not in ends)
            start = max(start, snapped[-1].end if snapped else 0.0)
        snapped.append(replace(word, start=start, end=max(end, start)))
    return snapped


def _widened(start: float, end: float, start_is_sure: bool) -> tuple[float, float]:
    if start_is_sure:
        return start, start + _SHORTEST_WORD
    return min(start, end - _SHORTEST_WORD), end
