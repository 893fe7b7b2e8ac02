"""Words to sentences (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from omniva_dagster.workers.analyzer.text.punctuation import (
    begins_small,
    ends_clause,
    ends_sentence,
    is_marked,
)
from omniva_dagster.workers.analyzer.text.words import join, weight
from omniva_dagster.workers.media.timeline import Word

PAUSE_SECONDS = 1.0
LONGEST_SECONDS = 30.0
# Speech without any marks is divided where it pauses for so long, if it goes on for so many words.
_BREATH_SECONDS = 0.45
_UNMARKED_WORDS = 40


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
    language: str = "",
    *,
    pause: float = PAUSE_SECONDS,
    longest: float = LONGEST_SECONDS,
) -> list[Sentence]:
    """The words as sentences, in order, every word in exactly one.

    A sentence ends at terminal punctuation (see `punctuation.ends_sentence`), and at a pause
    longer than ``pause`` seconds. Where nothing is punctuated, shorter pauses divide. One longer
    than ``longest`` is divided where it breathes most: at clause punctuation and pauses.
    ``language`` (ISO 639-1) is needed where the same mark means different things.
    """
    cased = _cased(words)
    marked = [_ends(words, i, language, cased) for i in range(len(words))]
    ends = [i + 1 for i in range(len(words)) if marked[i] or _gap(words, i) > pause]
    if words and (not ends or ends[-1] != len(words)):
        ends.append(len(words))
    stops: list[int] = []
    for first, stop in zip([0, *ends], ends, strict=False):
        start = first
        for end in _breaths(words, first, stop):
            stops += _divided(words, start, end, longest)
            start = end
    return _sentences(words, stops, marked)


def _sentences(
    words: Sequence[Word], stops: Sequence[int], marked: Sequence[bool]
) -> list[Sentence]:
    sentences: list[Sentence] = []
    first, opened = 0, True
    for stop in stops:
        closed = marked[stop - 1]
        spoken = words[first:stop]
        sentences.append(
            Sentence(first, stop, spoken[0].start, spoken[-1].end, join(spoken), opened, closed)
        )
        first, opened = stop, closed
    return sentences


def _ends(words: Sequence[Word], i: int, language: str, cased: bool) -> bool:
    following = words[i + 1].text if i + 1 < len(words) else ""
    return ends_sentence(words[i].text, following, _gap(words, i), language, cased=cased)


def _cased(words: Sequence[Word]) -> bool:
    """Whether a capital follows most marks: some transcripts have no capitals at all."""
    after = [begins_small(b.text) for a, b in pairwise(words) if is_marked(a.text)]
    return 2 * sum(after) < len(after)


def _gap(words: Sequence[Word], i: int) -> float:
    return words[i + 1].start - words[i].end if i + 1 < len(words) else 0.0


def _breaths(words: Sequence[Word], first: int, stop: int) -> list[int]:
    """Ends of the parts of a stretch: itself, or where it pauses if it is long and unmarked."""
    unmarked = sum(weight(word.text) for word in words[first:stop]) > _UNMARKED_WORDS and not any(
        ends_clause(word.text) for word in words[first : stop - 1]
    )
    inner = range(first, stop - 1) if unmarked else ()
    return [*(i + 1 for i in inner if _gap(words, i) >= _BREATH_SECONDS), stop]


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
        clause = ends_clause(words[i].text)
        off_middle = abs((words[i].end - start) / length - 0.5)
        return (_gap(words, i) + 0.5 * clause + 0.5 - off_middle, -i)

    return max(range(first, stop - 1), key=worth) + 1
