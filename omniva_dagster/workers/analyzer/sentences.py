"""Words to sentences (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from omniva_dagster.workers.analyzer.words import join
from omniva_dagster.workers.media.timeline import Word

PAUSE_SECONDS = 1.0
LONGEST_SECONDS = 30.0
_TERMINAL = ".!?…。！？｡؟۔।॥"
_CLAUSE = ",;:—–،؛、，；："
_CLOSERS = "\"'”’»)]}」』）】"
_INITIALS = re.compile(r"^(?:[^\W\d_]\.)+$")
_ABBREVIATIONS = (
    "mr. mrs. ms. dr. prof. st. vs. jr. sr. sra. mme. mlle. hr. fr. z.b. bzw. ca. e.g. i.e. "
    "approx. no. fig. gen. col. sgt. capt. rev. hon. gov. sen. rep."
)
_ABBREVIATED = frozenset(_ABBREVIATIONS.split())
_SHORT_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Sentence:
    """Words ``first`` to ``stop`` (exclusive); times in seconds.

    ``opened`` and ``closed`` tell whether it begins and ends where a sentence does: a part of one
    that was too long, or that a pause cut short, does not.
    """

    first: int
    stop: int
    start: float
    end: float
    text: str
    opened: bool
    closed: bool


def split(
    words: Sequence[Word],
    pause: float = PAUSE_SECONDS,
    longest: float = LONGEST_SECONDS,
) -> list[Sentence]:
    """The words as sentences, in order, every word in exactly one.

    A sentence ends at terminal punctuation of any script, and at a pause longer than ``pause``
    seconds. One longer than ``longest`` is divided where it breathes most: at clause punctuation
    and pauses.
    """
    ends = [i + 1 for i in range(len(words)) if _ends(words, i) or _gap(words, i) > pause]
    if words and (not ends or ends[-1] != len(words)):
        ends.append(len(words))
    stops: list[int] = []
    for first, stop in zip([0, *ends], ends, strict=False):
        stops += _divided(words, first, stop, longest)
    return _sentences(words, stops)


def _sentences(words: Sequence[Word], stops: Sequence[int]) -> list[Sentence]:
    sentences: list[Sentence] = []
    first, opened = 0, True
    for stop in stops:
        closed = _ends(words, stop - 1)
        spoken = words[first:stop]
        sentences.append(
            Sentence(first, stop, spoken[0].start, spoken[-1].end, join(spoken), opened, closed)
        )
        first, opened = stop, closed
    return sentences


def _ends(words: Sequence[Word], i: int) -> bool:
    text = words[i].text.rstrip(_CLOSERS)
    if not text or text[-1] not in _TERMINAL:
        return False
    shortened = text.lower() in _ABBREVIATED or _INITIALS.match(text) is not None
    return not shortened or i + 1 == len(words) or _gap(words, i) >= _SHORT_PAUSE_SECONDS


def _gap(words: Sequence[Word], i: int) -> float:
    return words[i + 1].start - words[i].end if i + 1 < len(words) else 0.0


def _divided(words: Sequence[Word], first: int, stop: int, longest: float) -> list[int]:
    """Ends of the parts of words ``first`` to ``stop``; each lasts at most ``longest`` if it has
    more than one word."""
    open_parts, ends = [(first, stop)], []
    while open_parts:
        a, b = open_parts.pop()
        if b - a < 2 or words[b - 1].end - words[a].start <= longest:
            ends.append(b)
        else:
            middle = _breath(words, a, b)
            open_parts += [(a, middle), (middle, b)]
    return sorted(ends)


def _breath(words: Sequence[Word], first: int, stop: int) -> int:
    """Where to divide: the longest pause, clause punctuation counting for half a second, and
    nearness to the middle for up to another half."""
    start, length = words[first].start, words[stop - 1].end - words[first].start

    def worth(i: int) -> tuple[float, int]:
        clause = words[i].text.rstrip(_CLOSERS)[-1:] in _CLAUSE
        off_middle = abs((words[i].end - start) / length - 0.5)
        return (_gap(words, i) + 0.5 * clause + 0.5 - off_middle, -i)

    return max(range(first, stop - 1), key=worth) + 1
