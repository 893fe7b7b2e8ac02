"""Text as it looks: what is written so that people read a word is that word for a rule, too.

Letters of another alphabet that look alike, letters in full width or in mathematical type, joiners
and strokes between letters: a rule on words looks at the text without these, and is told where in
the text itself it stands.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

# Cyrillic, Greek and other letters that look like a Latin one (after Unicode's confusables).
_LOOKS_LIKE = dict(
    zip(
        "авсԁеһіјкӏмноԛргѕтуүѵԝхпԍ" + "αβεηικμνορτυχγωϲ" + "ıɑɡʟɪʀꜱøđłħŧ" + "օսո",
        "abcdehijklmhoqprstyyvwxng" + "abenikuvoptuxywc" + "iaglirsodlht" + "oun",
        strict=True,
    )
)
_APOSTROPHES = dict.fromkeys("’‘ʼ＇`´′", "'")
_DASHES = dict.fromkeys("‐‑‒–—−﹣－", "-")
_SAME = _APOSTROPHES | _DASHES
# Scripts that are written without spaces, or that join their particles to the word.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_UNSPACED = re.compile(f"[{UNSPACED}]")
_WORD = re.compile(r"[^\W\d_]+")
_STROKES = re.compile("[\u0300-\u036f\u1dc0-\u1dff\u20d0-\u20ff]")
# Letters that are set apart one by one, three or more of them; "a" and "I" are words before them.
_SET_APART = re.compile(r"(?<!\w)(?![aAI] )[^\W\d_](?:[ .·_*-]{1,2}[^\W\d_]){2,}(?!\w)")


@dataclass(frozen=True)
class Seen:
    """A text as it looks, and where each of its characters stands in the text itself."""

    text: str
    at: tuple[int, ...]

    def place(self, start: int, stop: int) -> tuple[int, int]:
        """The span in the text itself of a span here."""
        return self.at[start], max(self.at[stop], self.at[stop - 1] + 1)


@dataclass(frozen=True)
class Words:
    """A pattern that is looked for in texts as they look.

    ``bare`` is for rules on English words: letters go without their accents, and count as the Latin
    letters that they look like; else only those do that stand among Latin letters in one word.
    """

    pattern: re.Pattern[str]
    bare: bool = False

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the text has it, from left to right."""
        seen = as_seen(text, self.bare)
        for match in self.pattern.finditer(seen.text):
            if match.end() > match.start():
                yield seen.place(*match.span())

    def found(self, text: str) -> list[str]:
        """The passages that have it."""
        return [text[start:stop] for start, stop in self.spans(text)]

    def inside(self, text: str) -> bool:
        """Whether the text has it."""
        return next(self.spans(text), None) is not None

    def sub(self, instead: Callable[[str], str], text: str) -> str:
        """The text with each passage as ``instead`` has it."""
        parts, last = [], 0
        for start, stop in self.spans(text):
            if start >= last:
                parts += [text[last:start], instead(text[start:stop])]
                last = stop
        return "".join([*parts, text[last:]])


def phrase(words: str) -> Words:
    """A phrase as whole words, in whatever case; in a script without spaces wherever it stands."""
    seen = as_seen(unicodedata.normalize("NFC", words), False).text.strip()
    spaced = r"\s+".join(re.escape(word) for word in seen.split())
    before = "" if _UNSPACED.match(seen[:1]) else r"(?<!\w)"
    after = "" if _UNSPACED.match(seen[-1:]) else r"(?!\w)"
    return Words(re.compile(before + spaced + after, re.IGNORECASE))


@lru_cache(maxsize=256)
def as_seen(text: str, bare: bool) -> Seen:
    """A text as it looks."""
    found: list[str] = []
    at: list[int] = []
    mixed = range(len(text)) if bare else _mixed(text)
    unspaced = False
    for index, char in enumerate(text):
        shown = _shown(char, bare=bare)
        if index in mixed:
            shown = "".join(map(_latin, shown))
        if not shown:
            continue
        if found and shown[0].isalnum() and found[-1].isalnum():
            turns = bool(_UNSPACED.match(shown)) != unspaced
            found += " " * turns
            at += [index] * turns
        unspaced = bool(_UNSPACED.match(shown))
        found += shown
        at += [index] * len(shown)
    seen = Seen("".join(found), (*at, len(text)))
    return _closed_up(seen) if bare else seen


def _shown(char: str, *, bare: bool) -> str:
    """What a character looks like: nothing, itself, or others."""
    if char in _SAME:
        return _SAME[char]
    if char.isascii():
        return char
    if unicodedata.category(char) == "Cf" or _STROKES.match(char):
        return ""
    if not bare:
        shown = unicodedata.normalize("NFKC", char)
    else:
        parts = unicodedata.normalize("NFKD", char)
        shown = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    return " " if shown.isspace() else shown


def _latin(char: str) -> str:
    other = _LOOKS_LIKE.get(char.lower())
    if other is None:
        return char
    return other.upper() if char.isupper() else other


def _mixed(text: str) -> frozenset[int]:
    """Where words stand that have Latin letters and such as look like them."""
    if text.isascii():
        return frozenset()
    return frozenset(
        index
        for word in _WORD.finditer(text)
        if any(map(_is_latin, word.group())) and any(map(_is_alike, word.group()))
        for index in range(*word.span())
    )


def _is_latin(char: str) -> bool:
    return unicodedata.name(char, "").startswith("LATIN ")


def _is_alike(char: str) -> bool:
    return char.lower() in _LOOKS_LIKE and not _is_latin(char)


def _closed_up(seen: Seen) -> Seen:
    gone: list[int] = []
    for run in _SET_APART.finditer(seen.text):
        gone += [index for index in range(*run.span()) if not seen.text[index].isalpha()]
    if not gone:
        return seen

    def kept(index: int) -> bool:
        place = bisect_left(gone, index)
        return place == len(gone) or gone[place] != index

    left = [index for index in range(len(seen.text)) if kept(index)]
    text = "".join(seen.text[index] for index in left)
    return Seen(text, (*(seen.at[index] for index in left), seen.at[-1]))
