"""Pauses and fillers taken out of a clip: what stays, and where everything lies then. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from omniva_dagster.workers.editor.pace.fillers import is_filler
from omniva_dagster.workers.editor.style import Pace
from omniva_dagster.workers.media.timeline import Face, Interest, Kept, Scene, Word

SHORTEST_CLIP = 15.0
_SHORTEST_KEPT = 0.5
# Less than this is not worth a jump in the picture.
_SHORTEST_CUT = 0.15
_SHOT_DISTANCE = 0.2
# What stays of a pause stands mostly behind the word: its last sounds are the quietest.
_BEHIND = 0.6
# How far from its neighbours a filler must stand, and how far from it a silence may end: they are
# measured in steps of 0.1 s.
_APART = 0.12
_NEAR = 0.15
# What stays of a pause at the end of a clip, under its fade.
_LAST_PAUSE = 0.35

_Cut = tuple[float, float]
_Span = TypeVar("_Span", Word, Scene, Interest)


@dataclass(frozen=True)
class Retimed:
    """A clip's evidence on the clip's own clock, 0 to ``duration`` seconds.

    ``joins`` are the moments at which something is left out within a shot.
    """

    words: list[Word]
    scenes: list[Scene]
    faces: list[Face]
    interests: list[Interest]
    joins: list[float]
    duration: float


def tighten(
    words: Sequence[Word],
    silences: Sequence[tuple[float, float]],
    scenes: Sequence[Scene],
    start: float,
    end: float,
    pace: Pace,
    *,
    language: str = "",
    rate: Fraction | None = None,
) -> list[Kept]:
    """What stays of the span ``start`` to ``end`` (seconds of the video) when it is tightened.

    Pauses are left out only where it is silent (``silences``) and nobody speaks, fillers only
    where they stand apart; no cut lies within 0.2 s of a shot change unless it is on it, no kept
    stretch is shorter than 0.5 s, and a clip of 15 s or more keeps 15 s. With the clip's frame
    ``rate`` every cut falls between two of its pictures. ``language`` (ISO 639-1) says which words
    are fillers; without it only those that are a word in no language.
    """
    inside = sorted(
        (word for word in words if word.end > start and word.start < end),
        key=lambda word: (word.start, word.end),
    )
    changes = sorted(scene.start for scene in scenes if start < scene.start < end)
    quiet = _merged(silences)
    fillers = [word for word in inside if pace.fillers and is_filler(word.text, language)]
    spoken = [word for word in inside if word not in fillers]
    if not spoken:
        return [Kept(start, end)]
    found = [
        cut
        for gap in _gaps(spoken, start, end)
        for cut in _in_gap(gap, fillers, quiet, pace, (start, end))
    ]
    cuts = [_off_shot_changes(cut, changes, quiet, spoken) for cut in found]
    if rate is not None:
        cuts = [_on_frames(cut, changes, (start, end), rate) for cut in cuts]

    def harmless(cut: _Cut) -> bool:
        return _harmless(cut, changes, inside, (start, end), float(1 / rate) if rate else 0.0)

    cuts = _chosen(cuts, harmless, (start, end), rate)
    edges = [start, *(edge for cut in cuts for edge in cut), end]
    return [Kept(one, two) for one, two in zip(edges[::2], edges[1::2], strict=True) if two > one]


def operation(kept: Sequence[Kept], start: float, end: float) -> str:
    """How an edit job states it: ``tighten: 7 pauses, 4.2 s``; empty if nothing is left out."""
    edges = [start, *(edge for one in kept for edge in (one.start, one.end)), end]
    left_out = [two - one for one, two in zip(edges[::2], edges[1::2], strict=True) if two > one]
    if not left_out:
        return ""
    pauses = "1 pause" if len(left_out) == 1 else f"{len(left_out)} pauses"
    return f"tighten: {pauses}, {sum(left_out):.1f} s"


def retime(
    kept: Sequence[Kept],
    *,
    words: Iterable[Word] = (),
    scenes: Iterable[Scene] = (),
    faces: Iterable[Face] = (),
    interests: Iterable[Interest] = (),
) -> Retimed:
    """Bring a clip's evidence from the video's clock to the clip's.

    What lies outside the kept stretches is dropped, what reaches over their edges is shortened.
    """
    clock = _Clock(kept)
    shots = [_moved(scene, clock) for scene in scenes]
    ends = [clock.at(one.end) for one in kept[:-1]]
    changes = [scene.start for scene in shots]
    return Retimed(
        words=[_moved(word, clock) for word in words if clock.keeps((word.start + word.end) / 2)],
        scenes=[scene for scene in shots if scene.end - scene.start > 1e-6],
        faces=[replace(face, time=clock.at(face.time)) for face in faces if clock.keeps(face.time)],
        interests=[
            moved
            for moved in (_moved(interest, clock) for interest in interests)
            if moved.end - moved.start > 1e-6
        ],
        joins=[join for join in ends if all(abs(join - change) > 1e-3 for change in changes)],
        duration=clock.duration,
    )


class _Clock:
    """Where a moment of the video lies in a clip."""

    def __init__(self, kept: Sequence[Kept]) -> None:
        self._kept = kept
        self._starts = [0.0]
        for one in kept:
            self._starts.append(self._starts[-1] + one.end - one.start)
        self.duration = round(self._starts[-1], 6)

    def at(self, time: float) -> float:
        """A moment that is left out lies at the join."""
        number = bisect_left([one.end for one in self._kept], time)
        if number == len(self._kept):
            return self.duration
        return round(self._starts[number] + max(0.0, time - self._kept[number].start), 6)

    def keeps(self, time: float) -> bool:
        return any(one.start <= time < one.end for one in self._kept)


def _moved(thing: _Span, clock: _Clock) -> _Span:
    return replace(thing, start=clock.at(thing.start), end=clock.at(thing.end))


def _merged(silences: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for begins, ends in sorted(silences):
        if merged and begins <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ends))
        else:
            merged.append((begins, ends))
    return merged


def _gaps(spoken: Sequence[Word], start: float, end: float) -> list[_Cut]:
    """Where nothing is said that has to stay."""
    gaps, said = [], start
    for word in spoken:
        if word.start > said:
            gaps.append((said, word.start))
        said = max(said, word.end)
    return [*gaps, (said, end)] if said < end else gaps


def _in_gap(
    gap: _Cut, fillers: Sequence[Word], quiet: Sequence[_Cut], pace: Pace, span: _Cut
) -> list[_Cut]:
    said = [word for word in fillers if gap[0] <= word.start and word.end <= gap[1]]
    if said and (cut := _around_fillers(gap, said, quiet, pace, span)):
        return [cut]
    edges = [gap[0], *(edge for word in said for edge in (word.start, word.end)), gap[1]]
    unspoken = zip(edges[::2], edges[1::2], strict=True)
    parts = [(max(a, c), min(b, d)) for a, b in unspoken for c, d in quiet]
    return [_shortened(part, pace, span) for part in parts if part[1] - part[0] > pace.pause_over]


def _shortened(pause: _Cut, pace: Pace, span: _Cut) -> _Cut:
    """What to leave out of a pause; at the clip's start all of it but what leads to the word."""
    begins, ends = pause
    if begins > span[0]:
        begins += _LAST_PAUSE if ends >= span[1] else _BEHIND * pace.pause_to
    return begins, ends if ends >= span[1] else ends - (1 - _BEHIND) * pace.pause_to


def _around_fillers(
    gap: _Cut, said: Sequence[Word], quiet: Sequence[_Cut], pace: Pace, span: _Cut
) -> _Cut | None:
    """The cut that takes fillers out with the pauses around them, if they stand apart.

    It reaches from a filler only over silence: a laugh beside it stays.
    """
    first, last = min(word.start for word in said), max(word.end for word in said)
    opens, closes = gap[0] <= span[0], gap[1] >= span[1]
    before, after = first - gap[0], gap[1] - last
    if (before < _APART and not opens) or (after < _APART and not closes):
        return None
    begins = min([a for a, b in quiet if a < first <= b + _NEAR], default=first - before / 2)
    ends = max([b for a, b in quiet if a - _NEAR <= last < b], default=last + after / 2)
    stays = _LAST_PAUSE if closes else _BEHIND * pace.pause_to
    begins = max(begins, gap[0] + min(stays, before / 2))
    ends = min(ends, gap[1] - min((1 - _BEHIND) * pace.pause_to, after / 2))
    return (
        span[0] if opens and begins - span[0] < _SHORTEST_KEPT else begins,
        span[1] if closes and span[1] - ends < _SHORTEST_KEPT else ends,
    )


def _off_shot_changes(
    cut: _Cut, changes: Sequence[float], quiet: Sequence[_Cut], spoken: Sequence[Word]
) -> _Cut:
    """The cut moved onto a shot change that is near, or away from it: else a viewer sees a shot
    flash up."""
    begins, ends = cut
    for change in changes:
        if 0 < begins - change < _SHOT_DISTANCE:
            free = _free(change, begins, quiet, spoken)
            begins = change if free else change + _SHOT_DISTANCE
        if 0 < change - ends < _SHOT_DISTANCE:
            free = _free(ends, change, quiet, spoken)
            ends = change if free else change - _SHOT_DISTANCE
    return begins, ends


def _free(begins: float, ends: float, quiet: Sequence[_Cut], spoken: Sequence[Word]) -> bool:
    silent = any(one <= begins and ends <= two for one, two in quiet)
    return silent and not any(word.start < ends and word.end > begins for word in spoken)


def _on_frames(cut: _Cut, changes: Sequence[float], span: _Cut, rate: Fraction) -> _Cut:
    """The cut made shorter to lie between pictures; on a shot change it goes to the nearest, where
    the change itself comes to lie."""
    start, end = span
    begins, ends = ((edge - start) * rate for edge in cut)
    first = round(begins) if cut[0] in changes else math.ceil(begins - 1e-6)
    last = round(ends) if cut[1] in changes else math.floor(ends + 1e-6)
    return start + float(first / rate), cut[1] if cut[1] >= end else start + float(last / rate)


def _harmless(
    cut: _Cut, changes: Sequence[float], words: Sequence[Word], span: _Cut, frame: float
) -> bool:
    """Whether no word is cut in two, and no piece of a shot is left to flash up."""
    outwards = [edge - change for change in changes for edge in cut[:1] if edge > span[0]]
    outwards += [change - edge for change in changes for edge in cut[1:] if edge < span[1]]
    return not any(frame + 1e-6 < far < _SHOT_DISTANCE - frame - 1e-6 for far in outwards) and all(
        not word.start + 1e-6 < edge < word.end - 1e-6
        for word in words
        for edge in cut
        if span[0] < edge < span[1]
    )


def _chosen(
    cuts: Sequence[_Cut], harmless: Callable[[_Cut], bool], span: _Cut, rate: Fraction | None
) -> list[_Cut]:
    """The longest cuts that leave no stretch and no clip too short, in order."""
    start, end = span
    budget = end - start - SHORTEST_CLIP if end - start >= SHORTEST_CLIP else end - start
    taken: list[_Cut] = []
    for cut in sorted(cuts, key=lambda cut: (cut[0] - cut[1], cut)):
        begins, ends = _fitted(cut, budget, span, rate)
        long_enough = ends - begins >= _SHORTEST_CUT - 1e-9
        if long_enough and harmless((begins, ends)) and _spaced((begins, ends), taken, span):
            taken.append((begins, ends))
            budget -= ends - begins
    return sorted(taken)


def _fitted(cut: _Cut, budget: float, span: _Cut, rate: Fraction | None) -> _Cut:
    """The cut, or as much of it as the budget has left."""
    begins, ends = cut
    if ends - begins <= budget + 1e-9:
        return cut
    shorter = (ends - budget, ends) if ends >= span[1] else (begins, begins + budget)
    return shorter if rate is None else _on_frames(shorter, (), span, rate)


def _spaced(cut: _Cut, taken: Sequence[_Cut], span: _Cut) -> bool:
    """Whether what is kept beside the cut is nothing or long enough."""
    before = max([span[0], *(other[1] for other in taken if other[1] <= cut[0])])
    after = min([span[1], *(other[0] for other in taken if other[0] >= cut[1])])
    kept = ((cut[0] - before, before == span[0]), (after - cut[1], after == span[1]))
    return all(
        length >= _SHORTEST_KEPT - 1e-9 or (outermost and length < 1e-9)
        for length, outermost in kept
    )
