"""The whole video as features look at it: sums over its time axis, looked up for any span (pure).

Everything is summed up once, so that a span costs a few look-ups however long the video is.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate, pairwise

from omniva_dagster.workers.analyzer.scores.hints import NO_HINTS, Hints
from omniva_dagster.workers.analyzer.scores.prosody import Prosody
from omniva_dagster.workers.analyzer.scores.reactions import laughs
from omniva_dagster.workers.analyzer.scores.warmth import Warmth
from omniva_dagster.workers.analyzer.text import lexicon
from omniva_dagster.workers.analyzer.text.grammar import NOUNS_CAPITALIZED
from omniva_dagster.workers.analyzer.text.keywords import MOST_KEYWORDS, Keyword
from omniva_dagster.workers.analyzer.text.marks import Marks, find, single
from omniva_dagster.workers.analyzer.text.sentences import Sentence
from omniva_dagster.workers.analyzer.text.words import key, unspaced, weight
from omniva_dagster.workers.media.timeline import Face, Scene, Word

_FLOOR_DB = -60.0
_PART_SECONDS = 30.0
_LEAST_LONG_PAUSE = 0.6
_LONG_WORD_RANK = 0.8
_SHORTEST_LONG_WORD = 7


class Video:
    """Words, sentences, loudness, faces and keywords of one video.

    ``content`` has one text for each word: its form, or empty for a stop word. ``levels`` are dB
    for each ``step`` seconds; ``looks`` is the time in seconds between two looks at the faces;
    ``motion`` is the change of the picture (0 to 1) for each second. Without ``prosody``,
    ``hints``, ``scenes`` or ``motion`` what they would say is not known.
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
        prosody: Prosody | None = None,
        hints: Hints = NO_HINTS,
        scenes: Sequence[Scene] = (),
        motion: Sequence[float] = (),
    ) -> None:
        self.words, self.sentences, self.language = words, sentences, language
        self.keywords, self.has_pictures, self.duration = keywords, has_pictures, duration
        self.prosody, self.chapters = prosody, hints.chapters
        self.forms = [key(word.text).replace("’", "'") for word in words]
        self.content = content
        self.warmth = Warmth(hints.heat, duration)
        self._step, self._looks = step, looks
        self._spoken = _sums(weight(word.text) for word in words)
        self._content = _sums(1 if form else 0 for form in content)
        leading = keywords[:MOST_KEYWORDS]
        on_keyword = {i for k in leading for at in k.at for i in range(at, at + k.length)}
        self._on_keyword = _sums(
            1 if form and i in on_keyword else 0 for i, form in enumerate(content)
        )
        self._spread = _sums(_spreads(words, content))
        heard = [max(_FLOOR_DB, level) for level in levels]
        self._levels = _sums(heard)
        self._squares = _sums(level * level for level in heard)
        self.mean_loudness = self._levels[-1] / len(heard) if heard else _FLOOR_DB
        counts = Counter(face.time for face in faces)
        self._face_times = sorted(counts)
        self._face_counts = [counts[time] for time in self._face_times]
        self._cuts = sorted(scene.start for scene in scenes if scene.start > 0)
        self._motion = _sums(motion)

    # What is said

    def spoken(self, first: int, stop: int) -> float:
        """How many words are said (half the characters in scripts without blanks)."""
        return self._spoken[stop] - self._spoken[first]

    def pauses(self, first: int, stop: int) -> tuple[float, float]:
        """Seconds without words before word ``first`` and after word ``stop - 1``."""
        before = self.words[first - 1].end if first else 0.0
        after = self.words[stop].start if stop < len(self.words) else self.duration
        return (
            max(0.0, self.words[first].start - before),
            max(0.0, after - self.words[stop - 1].end),
        )

    def is_long(self, pause: float) -> bool:
        """Whether a pause (seconds) is one of the longest between the video's sentences."""
        return pause >= self._long_pause

    def content_words(self, first: int, stop: int) -> float:
        """How many of the words are neither stop words nor numbers."""
        return self._content[stop] - self._content[first]

    def keyword_share(self, first: int, stop: int) -> float:
        """What part of the content words belongs to one of the video's leading keywords."""
        said = self.content_words(first, stop)
        return (self._on_keyword[stop] - self._on_keyword[first]) / said if said else 0.0

    def phrases_in(self, first: int, stop: int) -> list[str]:
        """Keywords said in whole within words ``first`` to ``stop``, best first."""
        return [k.phrase for k in self.keywords if _said(k, first, stop)]

    def rarity(self, first: int, stop: int) -> float:
        """The mean of 1 / (half-minutes of the video in which it is said) over content words."""
        said = self.content_words(first, stop)
        return (self._spread[stop] - self._spread[first]) / said if said else 0.0

    @cached_property
    def teasers(self) -> Marks | None:
        """Phrases that open a gap; None in a language without a list, as for those below."""
        return self._phrases(lexicon.TEASERS)

    @cached_property
    def housekeeping(self) -> Marks | None:
        """Greetings, sponsors, calls to subscribe."""
        return self._phrases(lexicon.HOUSEKEEPING)

    @cached_property
    def conclusions(self) -> Marks | None:
        """Phrases that say what it all comes to."""
        return self._phrases(lexicon.CONCLUSIONS)

    @cached_property
    def announcements(self) -> Marks | None:
        """Phrases that announce what comes after them."""
        return self._phrases(lexicon.ANNOUNCEMENTS)

    @cached_property
    def stirring(self) -> Marks | None:
        """Words that stir people."""
        stems = lexicon.STIRRING.get(self.language)
        if stems is None:
            return None
        return single(i for i, form in enumerate(self.forms) if stems.fullmatch(form))

    @cached_property
    def uncommon(self) -> Marks | None:
        """Long words, names and figures among the content words, said at most twice; None in
        scripts without blanks, where a word's length says little."""
        if 2 * sum(unspaced(form) for form in self.forms) > len(self.forms):
            return None
        said = Counter(self.content)
        lengths = sorted(len(form) for form in said if form)
        rank = lengths[int(_LONG_WORD_RANK * (len(lengths) - 1))] if lengths else 0
        long = max(_SHORTEST_LONG_WORD, rank)
        return single(
            i
            for i, form in enumerate(self.content)
            if form and said[form] <= 2 and (len(form) >= long or self._is_special(i))
        )

    # What is heard

    def loudness_in(self, start: float, end: float) -> tuple[float, float]:
        """Mean and standard deviation of the loudness, in dB, -60 counting as silence."""
        a, b = self._steps(self._levels, start, end)
        if a == b:
            return _FLOOR_DB, 0.0
        mean = (self._levels[b] - self._levels[a]) / (b - a)
        square = (self._squares[b] - self._squares[a]) / (b - a)
        return mean, math.sqrt(max(0.0, square - mean * mean))

    def movement_in(self, start: float, end: float) -> tuple[float, float, float]:
        """Of the pitch: mean and root mean square in semitones beside the voice around it, and the
        seconds of voice."""
        a, b = self._steps(self._voiced, start, end)
        voiced = self._voiced[b] - self._voiced[a]
        if not voiced:
            return 0.0, 0.0, 0.0
        mean = (self._moved[b] - self._moved[a]) / voiced
        square = (self._moved_squares[b] - self._moved_squares[a]) / voiced
        return mean, math.sqrt(max(0.0, square)), voiced * self._step

    @cached_property
    def laughter(self) -> list[tuple[float, float]]:
        """Stretches that sound like laughter, in seconds."""
        return laughs(self.words, self.prosody)

    @property
    def raised(self) -> list[tuple[float, float]]:
        """Stretches that are far louder than the rest, in seconds."""
        return self.prosody.raised if self.prosody else []

    # What is seen

    def face_counts(self, start: float, end: float) -> list[int]:
        """How many faces are seen at each moment of the span that shows any."""
        a, b = (bisect_left(self._face_times, time) for time in (start, end))
        return self._face_counts[a:b]

    def face_share(self, start: float, end: float, at_least: int = 1) -> float:
        """For what part of the span that many faces are seen."""
        moments = sum(count >= at_least for count in self.face_counts(start, end))
        looks = max(1.0, (end - start) / self._looks)
        return min(1.0, moments / looks)

    def cuts_in(self, start: float, end: float) -> int:
        """How often the picture cuts to another shot within the span."""
        return bisect_left(self._cuts, end) - bisect_right(self._cuts, start)

    def motion_in(self, start: float, end: float) -> float | None:
        """The mean change of the picture beside the whole video's (1 is equal); None where it is
        not known, or nothing moves."""
        last = len(self._motion) - 1
        a, b = min(last, int(start)), min(last, math.ceil(end))
        if a >= b or self._motion[-1] <= 0:
            return None
        return (self._motion[b] - self._motion[a]) / (b - a) / (self._motion[-1] / last)

    @cached_property
    def has_cuts(self) -> bool:
        """Whether the video is known to have more than one shot."""
        return bool(self._cuts)

    # How it is summed up

    @cached_property
    def _long_pause(self) -> float:
        pairs = pairwise(self.sentences)
        pauses = sorted(after.start - before.end for before, after in pairs)
        if not pauses:
            return _LEAST_LONG_PAUSE
        usual, longest = pauses[len(pauses) // 2], pauses[int(0.9 * (len(pauses) - 1))]
        return max(_LEAST_LONG_PAUSE, 1.5 * usual, longest)

    @cached_property
    def _voiced(self) -> list[float]:
        return _sums(
            1.0 if hertz else 0.0 for hertz in (self.prosody.pitch if self.prosody else [])
        )

    @cached_property
    def _moved(self) -> list[float]:
        return _sums(self.prosody.movement if self.prosody else [])

    @cached_property
    def _moved_squares(self) -> list[float]:
        return _sums(step * step for step in (self.prosody.movement if self.prosody else []))

    def _steps(self, sums: Sequence[float], start: float, end: float) -> tuple[int, int]:
        last = max(0, len(sums) - 1)
        a = min(last, max(0, round(start / self._step)))
        return a, min(last, max(a, round(end / self._step)))

    def _phrases(self, lists: dict[str, tuple[str, ...]]) -> Marks | None:
        listed = lists.get(self.language)
        return None if listed is None else find(self.forms, listed)

    def _is_special(self, i: int) -> bool:
        """A name (a capital inside a sentence) or a figure."""
        text = self.words[i].text
        if any(char.isdigit() for char in text):
            return True
        inside = i > 0 and self.words[i - 1].text[-1:].isalnum()
        return inside and text[:1].isupper() and self.language not in NOUNS_CAPITALIZED


def _spreads(words: Sequence[Word], content: Sequence[str]) -> list[float]:
    """For each content word 1 / (half-minutes in which it is said); 0 for the others."""
    parts: dict[str, set[int]] = defaultdict(set)
    for word, form in zip(words, content, strict=True):
        parts[form].add(int(word.start / _PART_SECONDS))
    return [1 / len(parts[form]) if form else 0.0 for form in content]


def _said(keyword: Keyword, first: int, stop: int) -> bool:
    i = bisect_left(keyword.at, first)
    return i < len(keyword.at) and keyword.at[i] + keyword.length <= stop


def _sums(values: Iterable[float]) -> list[float]:
    return list(accumulate(values, initial=0.0))
