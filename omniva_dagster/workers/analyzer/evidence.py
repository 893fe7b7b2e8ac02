"""The whole video as features look at it: sums over its time axis, looked up for any span (pure).

Everything is summed up once, so that a span costs a few look-ups however long the video is.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

from omniva_dagster.workers.analyzer.keywords import Keyword
from omniva_dagster.workers.analyzer.sentences import Sentence
from omniva_dagster.workers.analyzer.words import weight
from omniva_dagster.workers.media.timeline import Face, Word

_FLOOR_DB = -60.0


class Video:
    """Words, sentences, loudness, faces and keywords of one video.

    ``content`` has one text for each word: its form, or empty for a stop word. ``levels`` are dB
    for each ``step`` seconds; ``looks`` is the time in seconds between two looks at the faces.
    """

    def __init__(
        self,
        words: Sequence[Word],
        sentences: Sequence[Sentence],
        language: str,
        *,
        content: Sequence[str],
        keywords: Sequence[Keyword],
        levels: Sequence[float],
        step: float,
        faces: Sequence[Face],
        looks: float,
        has_pictures: bool,
        duration: float,
    ) -> None:
        self.words, self.sentences, self.language = words, sentences, language
        self.keywords, self.has_pictures = keywords, has_pictures
        self._duration, self._step, self._looks = duration, step, looks
        self._spoken = _sums(weight(word.text) for word in words)
        self._content = _sums(1 if form else 0 for form in content)
        on_keyword = {i for k in keywords for at in k.at for i in range(at, at + k.length)}
        self._on_keyword = _sums(
            1 if form and i in on_keyword else 0 for i, form in enumerate(content)
        )
        said = Counter(content)
        self._rarity = _sums(1 / said[form] if form else 0.0 for form in content)
        heard = [max(_FLOOR_DB, level) for level in levels]
        self._levels = _sums(heard)
        self._squares = _sums(level * level for level in heard)
        self.mean_loudness = self._levels[-1] / len(heard) if heard else _FLOOR_DB
        counts = Counter(face.time for face in faces)
        self._face_times = sorted(counts)
        self._face_counts = [counts[time] for time in self._face_times]

    def spoken(self, first: int, stop: int) -> float:
        """How many words are said (half the characters in scripts without blanks)."""
        return self._spoken[stop] - self._spoken[first]

    def loudness_in(self, start: float, end: float) -> tuple[float, float]:
        """Mean and standard deviation of the loudness, in dB, -60 counting as silence."""
        last = len(self._levels) - 1
        a = min(last, max(0, round(start / self._step)))
        b = min(last, max(a, round(end / self._step)))
        if a == b:
            return _FLOOR_DB, 0.0
        mean = (self._levels[b] - self._levels[a]) / (b - a)
        square = (self._squares[b] - self._squares[a]) / (b - a)
        return mean, math.sqrt(max(0.0, square - mean * mean))

    def face_counts(self, start: float, end: float) -> list[int]:
        """How many faces are seen at each moment of the span that shows any."""
        a, b = (bisect_left(self._face_times, time) for time in (start, end))
        return self._face_counts[a:b]

    def face_share(self, start: float, end: float, at_least: int = 1) -> float:
        """For what part of the span that many faces are seen."""
        moments = sum(count >= at_least for count in self.face_counts(start, end))
        looks = max(1.0, (end - start) / self._looks)
        return min(1.0, moments / looks)

    def pauses(self, first: int, stop: int) -> tuple[float, float]:
        """Seconds without words before word ``first`` and after word ``stop - 1``."""
        before = self.words[first - 1].end if first else 0.0
        after = self.words[stop].start if stop < len(self.words) else self._duration
        return (
            max(0.0, self.words[first].start - before),
            max(0.0, after - self.words[stop - 1].end),
        )

    def keyword_share(self, first: int, stop: int) -> float:
        """What part of the content words belongs to a keyword."""
        said = self._content[stop] - self._content[first]
        return (self._on_keyword[stop] - self._on_keyword[first]) / said if said else 0.0

    def phrases_in(self, first: int, stop: int) -> list[str]:
        """Keywords said in whole within words ``first`` to ``stop``, best first."""
        return [k.phrase for k in self.keywords if _said(k, first, stop)]

    def rarity(self, first: int, stop: int) -> float:
        """The mean of 1 / (occurrences in the video) over the content words."""
        said = self._content[stop] - self._content[first]
        return (self._rarity[stop] - self._rarity[first]) / said if said else 0.0


def _said(keyword: Keyword, first: int, stop: int) -> bool:
    i = bisect_left(keyword.at, first)
    return i < len(keyword.at) and keyword.at[i] + keyword.length <= stop


def _sums(values: Iterable[float]) -> list[float]:
    return list(accumulate(values, initial=0.0))
