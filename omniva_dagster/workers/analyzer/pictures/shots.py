"""Hard cuts, to the frame.

A cut is a change that is large, all over the picture, alone in its time, and lasting: the pictures
before it differ from the one after, and the pictures after from the one before. So it is told from
motion and fast pans (large changes beside large changes), flashes (which do not last), captions
that appear (a part of the picture), and lights that go on or a key frame's pulse (the same
picture).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Sums over the three planes of mean absolute changes, of 255. Talk changes by 0.5 a frame, action
# by 5, cuts by 9 (the same shot, later) to 100.
_LARGE = 6.0
_CHANGED = 4.0
_ALL_OVER = 0.4
# A cut stands out by this from the second largest change near it; the largest may be another cut.
_ALONE, _PERHAPS_ALONE = 2.2, 1.4
_LEAST_LONGER, _MOST_LONGER = 0.5, 8.0
_LASTING = 0.6
_NEAR_SECONDS = 0.25
_NEAR_FRAMES, _NEAR_FRAMES_SECONDS = 2, 1.05
_MOST_NEAR = 64
# Of a change of light, so much at most is left when contrast and brightness are made equal.
_UNEXPLAINED = 0.35
# Correlations: of pictures that may be the same in another light, and of those that are the same
# but for what a key frame mends in a strongly compressed one.
_ALIKE, _SAME = 0.9, 0.985
_LEAST_CONTRAST = 4.0
_SHORTEST = 0.2


@dataclass(frozen=True)
class _Shown:
    time: float
    gist: NDArray[np.float32]
    change: float
    spread: float
    adjacent: bool
    since: float = math.inf


class CutFinder:
    """Takes gists (`small.Thumb.gist`) in order of display.

    ``cuts`` are the times of first pictures after a cut; ``doubts`` are (before, after) where
    pictures were left out between two that differ, or near by: a cut is perhaps there, later
    than ``before`` and not later than ``after``.
    """

    def __init__(self) -> None:
        self.cuts: list[float] = []
        self.doubts: list[tuple[float, float]] = []
        self._near: deque[_Shown] = deque()
        self._next = 0

    def add(self, time: float, gist: NDArray[np.float32], *, adjacent: bool = True) -> bool:
        """Take the next picture; whether it may be the first after a cut, as far as is known yet.

        ``adjacent`` says that no picture was left out between it and the one before.
        """
        before = self._near[-1] if self._near else None
        change, spread = _compare(before.gist, gist) if before else (0.0, 0.0)
        since = time - before.time if before else math.inf
        shown = _Shown(time, gist, change, spread, adjacent, since)
        self._near.append(shown)
        while self._ripe():
            self._judge()
        usual = before.change * _longer(shown, before) if before else math.inf
        return _is_large(shown) and change >= _PERHAPS_ALONE * usual

    def finish(self) -> None:
        """There are no more pictures."""
        while self._next < len(self._near):
            self._judge()

    def _ripe(self) -> bool:
        after = len(self._near) - 1 - self._next
        if after < _NEAR_FRAMES:
            return False
        spanned = self._near[-1].time - self._near[self._next].time
        return spanned > _NEAR_SECONDS or after >= _MOST_NEAR

    def _judge(self) -> None:
        at = self._next
        shown = self._near[at]
        if at > 0 and _is_large(shown):
            self._weigh(at, shown)
        self._next += 1
        while self._is_past():
            self._near.popleft()
            self._next -= 1

    def _is_past(self) -> bool:
        """Whether the oldest picture is of no more use to the next judgement."""
        spare = self._next - _NEAR_FRAMES - 1
        if spare <= 0 or self._next >= len(self._near):
            return False
        far = self._near[self._next].time - self._near[1].time > _NEAR_SECONDS
        return far or self._next > _MOST_NEAR

    def _weigh(self, at: int, shown: _Shown) -> None:
        before, beside = self._near[at - 1], self._beside(at)
        others = sorted(other.change * _longer(shown, other) for other in beside)
        stands_out = shown.change / max(1.0, others[-2] if len(others) > 1 else 0.0)
        if stands_out < _PERHAPS_ALONE or not self._lasts(at) or _is_same(before, shown):
            return
        whole = shown.adjacent and (stands_out >= _ALONE or all(other.adjacent for other in beside))
        if not whole:
            self.doubts.append((before.time, shown.time))
        elif stands_out >= _ALONE:
            self.cuts.append(shown.time)

    def _beside(self, at: int) -> list[_Shown]:
        moment = self._near[at].time
        return [
            shown
            for i, shown in enumerate(self._near)
            if i != at
            and abs(shown.time - moment)
            <= (_NEAR_FRAMES_SECONDS if abs(i - at) <= _NEAR_FRAMES else _NEAR_SECONDS)
        ]

    def _lasts(self, at: int) -> bool:
        before, after = self._near[at - 1], self._near[at]
        least = _LASTING * after.change
        for i, shown in enumerate(self._near):
            if 0 < before.time - shown.time <= _NEAR_SECONDS and i < at:
                other = after
            elif 0 < shown.time - after.time <= _NEAR_SECONDS:
                other = before
            else:
                continue
            if _compare(shown.gist, other.gist)[0] < least:
                return False
        return True


def settled(cuts: list[float], end: float) -> list[float]:
    """The cuts in order, inside the video; of several that no shot fits between, the first."""
    kept: list[float] = []
    for cut in sorted(cuts):
        if 0 < cut < end and (not kept or cut - kept[-1] >= _SHORTEST):
            kept.append(cut)
    return kept


def _is_large(shown: _Shown) -> bool:
    return shown.change >= _LARGE and shown.spread >= _ALL_OVER


def _longer(shown: _Shown, other: _Shown) -> float:
    """By how much more a motion shows in the one change than in the other, for the time each took:
    where pictures were dropped or left out, the next one has moved further."""
    return min(_MOST_LONGER, max(_LEAST_LONGER, shown.since / other.since))


def _compare(one: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[float, float]:
    """The change, and the share of the picture that it is seen in."""
    import numpy as np

    changes = np.abs(one - other).sum(axis=0)
    return float(changes.mean()), float((changes > _CHANGED).mean())


def _is_same(before: _Shown, after: _Shown) -> bool:
    """Whether the picture is the same, perhaps brighter or darker."""
    import numpy as np

    one, other = before.gist[0], after.gist[0]
    spread_one, spread_other = float(one.std()), float(other.std())
    if min(spread_one, spread_other) < _LEAST_CONTRAST:
        return False
    likeness = float(((one - one.mean()) * (other - other.mean())).mean())
    if likeness >= _SAME * spread_one * spread_other:
        return True
    if likeness < _ALIKE * spread_one * spread_other:
        return False
    gain = likeness / spread_one**2
    left = float(np.abs(other - other.mean() - gain * (one - one.mean())).mean())
    colours = float(np.abs(before.gist[1:] - after.gist[1:]).mean(axis=(1, 2)).sum())
    return left + colours < _UNEXPLAINED * after.change
