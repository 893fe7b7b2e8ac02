"""How often a span is watched again, beside the rest of its video (pure)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from omniva_dagster.workers.media.timeline import Heat

_STEP = 1.0
# A span's rank among the video, its height up to the hottest second, and that second itself.
_RANK, _HEIGHT, _PEAK = 0.4, 0.4, 0.2
_EQUAL = 1e-9
# Viewers who leave at once make the beginning look hot: what falls from there is no interest.
_BEGINNING_SHARE = 0.1


class Warmth:
    """A site's heatmap on the video's clock. Not known where there are fewer than three values or
    all are the same."""

    def __init__(self, heat: Sequence[Heat], duration: float) -> None:
        usable = _without_beginning([item for item in heat if item.start < duration], duration)
        values = {item.value for item in usable}
        self.known = len(usable) > 2 and len(values) > 1
        seconds = _by_second(usable, duration) if self.known else []
        self.known = self.known and max(seconds) - min(seconds) > _EQUAL
        self._seconds = seconds
        self._sums = list(accumulate(seconds, initial=0.0))
        self._ranked = sorted(seconds)
        self._coolest, self._hottest = min(seconds, default=0.0), max(seconds, default=0.0)

    def of(self, start: float, end: float) -> tuple[float, float, float]:
        """(value from 0 to 1, share of the video that is cooler than the span's mean, its hottest
        second beside the video's hottest). Only where it is `known`."""
        a = min(len(self._seconds) - 1, int(start / _STEP))
        b = min(len(self._seconds), max(a + 1, round(end / _STEP)))
        mean = (self._sums[b] - self._sums[a]) / (b - a)
        # Equal stretches are neither cooler nor warmer.
        cooler = bisect_right(self._ranked, mean - _EQUAL) / len(self._ranked)
        height = (mean - self._coolest) / (self._hottest - self._coolest)
        peak = max(self._seconds[a:b]) / self._hottest
        return _RANK * cooler + _HEIGHT * height + _PEAK * peak, cooler, peak


def _without_beginning(heat: Sequence[Heat], duration: float) -> list[Heat]:
    """The heat with its fall at the very start, if there is one, at the level it falls to."""
    stop = 1
    while (
        stop < len(heat)
        and heat[stop].value < heat[stop - 1].value
        and heat[stop].start < _BEGINNING_SHARE * duration
    ):
        stop += 1
    if stop < 2 or heat[0].start > _STEP:
        return list(heat)
    lowest = heat[stop - 1].value
    return [replace(item, value=lowest) for item in heat[:stop]] + list(heat[stop:])


def _by_second(heat: Sequence[Heat], duration: float) -> list[float]:
    """The value at the middle of each second; the mean of all where the site says nothing."""
    usual = sum(item.value for item in heat) / len(heat)
    starts = [item.start for item in heat]
    values = []
    for second in range(max(1, round(duration / _STEP))):
        middle = (second + 0.5) * _STEP
        i = bisect_right(starts, middle) - 1
        values.append(heat[i].value if i >= 0 and middle < heat[i].end else usual)
    return values
