"""Captions: words with their times in, an Advanced SubStation Alpha document out. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from omniva_dagster.workers.editor.fonts import Font
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.timeline import Word

if TYPE_CHECKING:
    from pysubs2 import Color

_PAUSE = 0.6
_SHORTEST = 0.08
_PHRASE_ENDS = (".", "!", "?", ",", ":", ";")
# What has no glyph in most fonts and says nothing in a caption.
_DECORATION = ("So", "Sk", "Cf", "Cc", "Cs", "Co", "Mn", "Me")
_REPLACED = str.maketrans(
    {"\u00a0": " ", "\u202f": " ", "\u2010": "-", "\u2011": "-", "\u2026": "...", "\\": "/"}
)


@dataclass(frozen=True)
class Captions:
    """The document (empty when no word is shown), how many words it shows, and why not more."""

    ass: str
    words: int
    notes: list[str]


def make_captions(
    words: Sequence[Word], start: float, end: float, style: Style, font: Font
) -> Captions:
    """Captions for the span ``start`` to ``end`` (seconds of the video) of a clip.

    Words with a character that the font lacks are left out, and a note says so. Times in the
    document count from the start of the span.
    """
    spoken = _within(words, start, end)
    shown = [word for word in spoken if word.text and font.has(word.text)]
    notes = _notes([word.text for word in spoken if word.text and not font.has(word.text)], font)
    if not shown:
        return Captions("", 0, notes)
    groups = [group for phrase in _phrases(shown) for group in _grouped(phrase, style, font)]
    return Captions(_document(groups, style, font), len(shown), notes)


def _within(words: Sequence[Word], start: float, end: float) -> list[Word]:
    """The words spoken (by their middle) inside the span, cleaned, on the clip's own clock."""
    inside = [word for word in words if start <= (word.start + word.end) / 2 < end]
    return [
        replace(
            word,
            text=_clean(word.text),
            start=max(0.0, word.start - start),
            end=min(end, max(word.end, word.start + _SHORTEST)) - start,
        )
        for word in sorted(inside, key=lambda word: (word.start, word.end))
    ]


def _clean(text: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).translate(_REPLACED).split())
    return "".join(c for c in text if unicodedata.category(c) not in _DECORATION).strip()


def _notes(dropped: list[str], font: Font) -> list[str]:
    if not dropped:
        return []
    scripts = sorted(
        {
            unicodedata.name(c, "unnamed").split()[0].title()
            for text in dropped
            for c in text
            if ord(c) not in font.advances
        }
    )
    return [
        f"{len(dropped)} spoken words are not shown: {font.family} has no glyphs for "
        f"{', '.join(scripts[:5])} characters"
    ]


def _phrases(words: Sequence[Word]) -> list[list[Word]]:
    """Words up to a punctuation mark or a pause: no caption runs over either."""
    phrases: list[list[Word]] = []
    for word in words:
        last = phrases[-1][-1] if phrases else None
        if last is None or word.start - last.end > _PAUSE or last.text.endswith(_PHRASE_ENDS):
            phrases.append([])
        phrases[-1].append(word)
    return phrases


def _grouped(phrase: list[Word], style: Style, font: Font) -> list[list[Word]]:
    """A phrase in captions of even length, each fitting its lines."""
    count = -(-len(phrase) // style.max_words)
    bounds = [round(len(phrase) * n / count) for n in range(count + 1)]
    groups: list[list[Word]] = []
    for first, last in pairwise(bounds):
        group = phrase[first:last]
        fits = _lines(group, style, font) <= style.max_lines
        groups.extend([group] if fits else [[word] for word in group])
    return groups


def _lines(group: Sequence[Word], style: Style, font: Font) -> int:
    line, lines = "", 1
    for word in group:
        joined = f"{line} {word.text}".strip()
        if line and font.width(joined, style.font_size) > _line_width(style):
            line, lines = word.text, lines + 1
        else:
            line = joined
    return lines


def _line_width(style: Style) -> float:
    return style.width - 2 * (style.margin_side + style.outline)


def _document(groups: list[list[Word]], style: Style, font: Font) -> str:
    import pysubs2

    document = pysubs2.SSAFile()
    document.info = {
        "ScriptType": "v4.00+",
        "PlayResX": str(style.width),
        "PlayResY": str(style.height),
        "WrapStyle": "0",
        "ScaledBorderAndShadow": "yes",
        "YCbCr Matrix": "TV.709",
    }
    document.styles = {
        "Caption": pysubs2.SSAStyle(
            fontname=font.family,
            fontsize=style.font_size,
            bold=True,
            primarycolor=_colour(style.text_colour),
            outlinecolor=_colour(style.outline_colour),
            outline=style.outline,
            shadow=0.0,
            alignment=pysubs2.Alignment.BOTTOM_CENTER,
            marginl=style.margin_side,
            marginr=style.margin_side,
            marginv=style.margin_bottom,
        )
    }
    for number, group in enumerate(groups):
        following = groups[number + 1][0].start if number + 1 < len(groups) else float("inf")
        for begins, ends, text in _events(group, following, style, font):
            document.events.append(
                pysubs2.SSAEvent(start=begins, end=ends, text=text, style="Caption")
            )
    return str(document.to_string("ass", header_notice=""))


def _colour(code: str) -> Color:
    from pysubs2 import Color

    return Color(*(int(code[at : at + 2], 16) for at in (1, 3, 5)))


def _events(
    group: list[Word], following: float, style: Style, font: Font
) -> list[tuple[int, int, str]]:
    """``(start, end, text)`` in milliseconds: one for the group, or one a word if highlighted."""
    end = max(word.end for word in group)
    if group[0].start < following < end:
        end = following
    widest = max(font.width(word.text, style.font_size) for word in group)
    shrink = min(1.0, _line_width(style) / widest)
    head = f"{{\\fs{int(style.font_size * shrink)}}}" if shrink < 1 else ""
    if not style.highlight_colour:
        return [(_centis(group[0].start), _centis(end), head + _joined(group, None, style))]
    edges = [word.start for word in group] + [end]
    return [
        (_centis(begins), _centis(ends), head + _joined(group, number, style))
        for number, (begins, ends) in enumerate(pairwise(edges))
        if _centis(begins) < _centis(ends)
    ]


def _joined(group: Sequence[Word], current: int | None, style: Style) -> str:
    texts = [_escaped(word.text) for word in group]
    if current is not None:
        red, green, blue = (style.highlight_colour[at : at + 2] for at in (1, 3, 5))
        texts[current] = f"{{\\c&H{blue}{green}{red}&}}{texts[current]}{{\\c}}"
    return " ".join(texts)


def _escaped(text: str) -> str:
    return text.replace("{", "\\{").replace("}", "\\}")


def _centis(seconds: float) -> int:
    # The format has centiseconds: rounding here keeps the writer from cutting them off.
    return round(seconds * 100) * 10
