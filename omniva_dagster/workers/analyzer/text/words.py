"""Spoken words as text: put in order in time, written together, and told apart (pure)."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from omniva_dagster.workers.media.timeline import Word

SHORTEST_MS = 60
# Scripts written without blanks between words: Thai to Khmer, kana, and Han (Unicode blocks).
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]"
)
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


def tidy(heard: Iterable[Word], duration: float) -> list[Word]:
    """The words with sane times, in whole milliseconds.

    Each starts at or after the end of the one before, lasts at least 60 ms and no longer than it
    can take to say, and ends within ``duration`` (seconds); words that begin later are dropped,
    and stray punctuation joins the word before it.
    """
    limit = int(duration * 1000)
    tidied: list[Word] = []
    previous = 0
    for word in heard:
        text = " ".join(word.text.split())
        if not key(text):
            if text and tidied:
                tidied[-1] = _extended(tidied[-1], text)
            continue
        start, end = _times(text, word, previous)
        end = min(end, limit)
        if end - start < 1:
            continue
        tidied.append(Word(text, start / 1000, end / 1000, _probability(word.probability)))
        previous = end
    return tidied


def _times(text: str, word: Word, previous: int) -> tuple[int, int]:
    start, end = round(word.start * 1000), round(word.end * 1000)
    # Whisper stretches words over silence: a clause's last word to the right, others to the left.
    longest = 2000 + 100 * len(text)
    if end - start > longest:
        start, end = (start, start + longest) if text[-1] in ".,!?;:" else (end - longest, end)
    if end - start < SHORTEST_MS:
        start = end - SHORTEST_MS
    start = max(start, previous, 0)
    return start, max(end, start + SHORTEST_MS)


def _extended(word: Word, mark: str) -> Word:
    return Word(word.text + mark, word.start, word.end, word.probability)


def _probability(value: float) -> float:
    return round(min(1.0, max(0.0, float(value))), 4)


def within(words: Sequence[Word], start: float, end: float) -> Sequence[Word]:
    """The words that begin from ``start`` on and before ``end`` (seconds)."""
    first = bisect_left(words, start, key=_start)
    return words[first : bisect_left(words, end, first, key=_start)]


def _start(word: Word) -> float:
    return word.start


def join(words: Sequence[Word]) -> str:
    """The words as running text, without blanks between scripts that are written without."""
    return join_texts([word.text for word in words])


def join_texts(texts: Sequence[str]) -> str:
    """Like `join`, of texts."""
    parts: list[str] = []
    for text in texts:
        if not text:
            continue
        if parts and not (unspaced(parts[-1][-1]) and unspaced(text[0])):
            parts.append(" ")
        parts.append(text)
    return "".join(parts)


def unspaced(text: str) -> bool:
    """Whether the text holds a character of a script written without blanks."""
    return _UNSPACED.search(text) is not None


def key(text: str) -> str:
    """What makes two spellings the same word: case and edge punctuation removed (NFKC)."""
    return _EDGES.sub("", unicodedata.normalize("NFKC", text)).casefold()


def weight(text: str) -> float:
    """How many words a token counts for: one, or half its characters in unspaced scripts."""
    characters = len(_UNSPACED.findall(text))
    return max(1.0, characters / 2)
