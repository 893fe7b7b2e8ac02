"""Words as they are set in captions: cleaned, in the style's case, each piece in a font that has
its characters. Pure but for reading fonts."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from omniva_dagster.workers.editor.captions.fonts import Font, font_for, package_for, script
from omniva_dagster.workers.media.timeline import Word

# What of a script without blanks between words is shown at a time.
WORDLESS_AT_A_TIME = 8
_WORDLESS = {
    *("BOPOMOFO", "CJK", "FULLWIDTH", "HALFWIDTH", "HIRAGANA", "IDEOGRAPHIC", "KATAKANA"),
    *("KATAKANA-HIRAGANA", "KHMER", "LAO", "MYANMAR", "THAI"),
}
# Pictures, modifiers and controls: no glyph in most fonts, nothing that was said.
_DECORATION = frozenset({"So", "Sk", "Cf", "Cc", "Cs", "Co", "Cn", "Me", "Zl", "Zp"})
_SPOKEN_SIGNS = frozenset("°©®™℃℉№")
_JOINERS = "\u200c\u200d"
_WORD_JOINER = "\u2060"
_MOST_MARKS = 3
_REPLACED = str.maketrans(
    {"\u00a0": " ", "\u202f": " ", "\u2010": "-", "\u2011": "-", "\u2026": "...", "\ufffd": None}
    | dict.fromkeys(map(chr, range(0xFE00, 0xFE10)))
)
_DOTTED = str.maketrans({"i": "İ", "ı": "I"})
_TONOS = "\u0301"


@dataclass(frozen=True)
class SetWord:
    """A word as it is shown from ``start`` to ``end`` (seconds of the clip).

    ``pieces`` are texts with the font of each; sizes are given for the style's font, whose line
    box is ``line_box`` em.
    """

    pieces: tuple[tuple[Font, str], ...]
    start: float
    end: float
    line_box: float

    @cached_property
    def text(self) -> str:
        """All of the word."""
        return "".join(text for _, text in self.pieces)

    @property
    def rightwards(self) -> bool:
        """Whether it reads from left to right."""
        return not any(unicodedata.bidirectional(c) in ("R", "AL") for c in self.text)

    @property
    def wordless(self) -> bool:
        """Whether its script has no blanks between words."""
        return _wordless(self.text[0])

    def follows(self, before: SetWord) -> str:
        """What stands between the word before and this one: a blank or nothing."""
        return "" if _wordless(before.text[-1]) and _wordless(self.text[0]) else " "

    def width(self, size: float) -> float:
        """Pixels on one line."""
        return sum(
            font.width(text, scaled(size, font, self.line_box)) for font, text in self.pieces
        )

    def height(self, size: float) -> float:
        """Pixels of its line."""
        return max(scaled(size, font, self.line_box) for font, _ in self.pieces)

    def blank(self, size: float) -> float:
        """Pixels of a blank beside it."""
        font = self.pieces[0][0]
        return font.width(" ", scaled(size, font, self.line_box))


def scaled(size: float, font: Font, line_box: float) -> float:
    """The size at which ``font`` is as large as one with ``line_box`` at ``size``."""
    return size * font.line_box / line_box


def set_words(
    words: Sequence[Word], start: float, end: float, font: Font, *, upper: bool, language: str
) -> tuple[list[SetWord], list[str]]:
    """The words spoken (by their middle) from ``start`` to ``end``, and notes on those that no
    font here can write. Times are moved to the clip's own clock."""
    shown: list[SetWord] = []
    missing: list[str] = []
    for word in _whole_characters(words, start, end):
        pieces = _pieces(_upper(word.text, language), font) if upper else None
        pieces = pieces or _pieces(word.text, font)
        if pieces is None:
            missing.append(word.text)
        else:
            times = word.start - start, min(word.end, end) - start
            shown += _short(SetWord(pieces, *times, font.line_box))
    return shown, _notes(missing, font)


def escaped(text: str) -> str:
    """Text that a caption document shows as it is, whatever is in it."""
    for command in ("N", "n", "h"):
        text = text.replace(f"\\{command}", f"\\{_WORD_JOINER}{command}")
    text = text.replace("{", "\\{").replace("}", "\\}")
    return f"{text}{_WORD_JOINER}" if text.endswith("\\") else text


def clusters(text: str) -> list[str]:
    """Characters with the marks that belong to them."""
    found: list[str] = []
    for character in text:
        if found and (_is_mark(character) or character in _JOINERS):
            found[-1] += character
        else:
            found.append(character)
    return found


def _whole_characters(words: Sequence[Word], start: float, end: float) -> list[Word]:
    """The words inside, cleaned; one that begins with a mark is the rest of the one before."""
    inside = [word for word in words if start <= (word.start + word.end) / 2 < end]
    whole: list[Word] = []
    for word in sorted(inside, key=lambda word: (word.start, word.end)):
        text = _clean(word.text)
        begins = max(start, word.start)
        if text and _is_mark(text[0]) and whole:
            joined = whole[-1].text + text
            whole[-1] = replace(whole[-1], text=joined, end=max(whole[-1].end, word.end))
        elif text:
            whole.append(replace(word, text=text, start=begins, end=max(word.end, begins)))
    return whole


def _clean(text: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).translate(_REPLACED).split())
    kept, marks = "", 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category == "Mn" else 0
        joins = character in _JOINERS and bool(kept) and script(kept[-1]) != "LATIN"
        shown = category not in _DECORATION or character in _SPOKEN_SIGNS or joins
        if shown and marks <= _MOST_MARKS:
            kept += character
    return kept.strip()


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Mc")


def _upper(text: str, language: str) -> str:
    """Upper case as the language has it: the Turkish i keeps its dot, Greek loses its accents."""
    code = language[:2].casefold()
    if code in ("tr", "az"):
        text = text.translate(_DOTTED)
    text = text.upper()
    if code == "el":
        text = unicodedata.normalize("NFD", text).replace(_TONOS, "")
    return unicodedata.normalize("NFC", text)


def _pieces(text: str, font: Font) -> tuple[tuple[Font, str], ...] | None:
    """The text in runs of one font: the style's where it has the characters."""
    pieces: list[tuple[Font, str]] = []
    for cluster in clusters(text):
        before = pieces[-1][0] if pieces else font
        chosen = _font_of(cluster, font, before)
        if chosen is None:
            return None
        if pieces and chosen is before:
            pieces[-1] = (chosen, pieces[-1][1] + cluster)
        else:
            pieces.append((chosen, cluster))
    return tuple(pieces) or None


def _font_of(cluster: str, font: Font, before: Font) -> Font | None:
    shown = cluster.translate(dict.fromkeys(map(ord, _JOINERS)))
    if not cluster[0].isalpha() and before.has(shown):
        return before
    other = None if font.has(shown) else font_for(cluster[0])
    candidates = (font, before, other)
    return next((one for one in candidates if one is not None and one.has(shown)), None)


def _short(word: SetWord) -> list[SetWord]:
    """A run of a script without blanks in parts that can be read at a glance."""
    parts = clusters(word.text)
    if not word.wordless or len(parts) <= WORDLESS_AT_A_TIME:
        return [word]
    count = -(-len(parts) // WORDLESS_AT_A_TIME)
    bounds = [round(len(parts) * n / count) for n in range(count + 1)]
    each = (word.end - word.start) / len(parts)
    return [
        replace(
            word,
            pieces=_part(word, parts, a, b),
            start=word.start + a * each,
            end=word.start + b * each,
        )
        for a, b in pairwise(bounds)
    ]


def broken(word: SetWord, count: int) -> list[SetWord]:
    """A word in ``count`` parts of even length, for as many lines."""
    parts = clusters(word.text)
    bounds = [round(len(parts) * n / count) for n in range(count + 1)]
    return [replace(word, pieces=_part(word, parts, a, b)) for a, b in pairwise(bounds) if a < b]


def _part(
    word: SetWord, parts: Sequence[str], first: int, last: int
) -> tuple[tuple[Font, str], ...]:
    at, begins = 0, len("".join(parts[:first]))
    ends = begins + len("".join(parts[first:last]))
    pieces = []
    for font, text in word.pieces:
        piece = text[max(0, begins - at) : max(0, ends - at)]
        if piece:
            pieces.append((font, piece))
        at += len(text)
    return tuple(pieces)


def _wordless(character: str) -> bool:
    return script(character) in _WORDLESS


def _notes(missing: Sequence[str], font: Font) -> list[str]:
    if not missing:
        return []
    lacking = [c for text in missing for c in text if not font.has(c) and font_for(c) is None]
    kinds = ", ".join(sorted({script(c).title() for c in lacking})[:5])
    packages = sorted({package_for(c) for c in lacking} - {""})
    help_ = f"; install the package {', '.join(packages)}" if packages else ""
    return [
        f"{len(missing)} spoken words are not shown: {font.family} has no glyphs for "
        f"{kinds} characters{help_}"
    ]
