"""Captions: words with their times in, an Advanced SubStation Alpha document out. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from omniva_dagster.workers.editor.captions.fonts import Font
from omniva_dagster.workers.editor.captions.placing import Avoided, Block, placed
from omniva_dagster.workers.editor.captions.subtitles import SHORTEST, Caption, padding, written
from omniva_dagster.workers.editor.captions.wording import (
    WORDLESS_AT_A_TIME,
    SetWord,
    broken,
    clusters,
    set_words,
)
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.timeline import Word

_PAUSE = 0.6
# Captions that follow each other within this do so without a picture between them.
_BRIDGED = 0.2
_PHRASE_ENDS = tuple(".!?,:;。！？、，；：؟،؛।։")
# A word that does not fit is set smaller down to this, then broken.
_SMALLEST = 0.6


@dataclass(frozen=True)
class Captions:
    """The document (empty when no word is shown), how many words it shows, and why not more.

    ``fonts`` are all that the document names, the style's first: libass has to be given their
    files.
    """

    ass: str
    words: int
    notes: list[str]
    fonts: tuple[Font, ...] = ()


def make_captions(
    words: Sequence[Word],
    start: float,
    end: float,
    style: Style,
    font: Font,
    avoid: Sequence[Avoided] = (),
    *,
    language: str = "",
) -> Captions:
    """Captions for the span ``start`` to ``end`` (seconds of the words' clock) of a clip.

    Times in the document count from the start of the span, as those of ``avoid`` do: boxes in
    pixels of the finished picture that captions stand clear of if they can. Words that neither
    ``font`` nor a packaged one can write are left out, and a note says so. ``language`` (ISO
    639-1) is what upper case follows.
    """
    shown, notes = set_words(words, start, end, font, upper=style.upper, language=language)
    captions = [caption for phrase in _phrases(shown) for caption in _cut_up(phrase, style)]
    captions = _timed(captions, end - start)
    if not captions:
        return Captions("", 0, notes)
    blocks = [_block(caption, style) for caption in captions]
    captions = [
        replace(caption, position=position)
        for caption, position in zip(captions, placed(blocks, avoid, style), strict=True)
    ]
    return Captions(
        written(captions, style, font),
        sum(len(caption.words) for caption in captions),
        notes,
        _fonts(captions, font),
    )


def _phrases(words: Sequence[SetWord]) -> list[list[SetWord]]:
    """Words up to a punctuation mark or a pause: no caption runs over either."""
    phrases: list[list[SetWord]] = []
    for word in words:
        last = phrases[-1][-1] if phrases else None
        if last is None or word.start - last.end > _PAUSE or last.text.endswith(_PHRASE_ENDS):
            phrases.append([])
        phrases[-1].append(word)
    return phrases


def _cut_up(phrase: list[SetWord], style: Style) -> list[Caption]:
    """A phrase in captions of even length, each fitting its lines."""
    groups = [part for group in _even(phrase, style) for part in _fitting(group, style)]
    return [_caption(group, style, opens=number == 0) for number, group in enumerate(groups)]


def _even(phrase: list[SetWord], style: Style) -> list[list[SetWord]]:
    loads = [
        len(clusters(word.text)) / WORDLESS_AT_A_TIME if word.wordless else 1 / style.max_words
        for word in phrase
    ]
    share = sum(loads) / math.ceil(sum(loads) - 1e-9)
    groups: list[list[SetWord]] = [[]]
    filled, load = 0.0, 0.0
    for word, own in zip(phrase, loads, strict=True):
        late = filled + own / 2 > share * len(groups) + 1e-9
        if groups[-1] and (late or load + own > 1 + 1e-9):
            groups.append([])
            load = 0.0
        groups[-1].append(word)
        filled, load = filled + own, load + own
    return groups


def _fitting(group: list[SetWord], style: Style) -> list[list[SetWord]]:
    if len(group) == 1 or _widest(_lines(group, style), style) <= _line_width(style):
        return [group]
    half = (len(group) + 1) // 2
    return [*_fitting(group[:half], style), *_fitting(group[half:], style)]


def _caption(group: list[SetWord], style: Style, *, opens: bool) -> Caption:
    lines = _lines(group, style)
    if len(group) == 1 and _line_width(style) < _SMALLEST * _widest(lines, style):
        # Letters that join or change with their neighbours are not torn apart.
        word = group[0]
        if word.rightwards and all(c.isascii() or c.isupper() or c.islower() for c in word.text):
            lines = [[part] for part in broken(word, style.max_lines)]
    scale = min(1.0, _line_width(style) / max(1.0, _widest(lines, style)))
    return Caption(group, lines, scale, opens)


def _lines(group: list[SetWord], style: Style) -> list[list[SetWord]]:
    """The group in as few lines as fit, none much longer than another."""
    best = [group]
    for count in range(1, min(style.max_lines, len(group)) + 1):
        layouts = [
            [group[a:b] for a, b in pairwise((0, *breaks, len(group)))]
            for breaks in combinations(range(1, len(group)), count - 1)
        ]
        best = min(layouts, key=lambda lines: _widest(lines, style))
        if _widest(best, style) <= _line_width(style):
            break
    return best


def _widest(lines: Sequence[Sequence[SetWord]], style: Style) -> float:
    return max(_length(line, style.font_size) for line in lines)


def _length(line: Sequence[SetWord], size: float) -> float:
    blanks = sum(len(two.follows(one)) for one, two in pairwise(line))
    return sum(word.width(size) for word in line) + blanks * line[0].blank(size)


def _line_width(style: Style) -> float:
    return style.width - 2 * (style.margin_side + style.outline + padding(style))


def _timed(captions: Sequence[Caption], length: float) -> list[Caption]:
    """Shown from the first word's start to the last word's end, or to the next if that is near.

    None flashes up, none is over another, none outlasts the clip: what begins too shortly before
    the next begins earlier, and what has no room at all is not shown.
    """
    starts: list[float] = []
    latest = length
    for caption in reversed(captions):
        latest = min(caption.words[0].start, latest - SHORTEST)
        starts.insert(0, latest)
    timed: list[Caption] = []
    free = 0.0
    for caption, begins, following in zip(captions, starts, [*starts, length][1:], strict=True):
        begins, spoken = max(begins, free), max(word.end for word in caption.words)
        latest = max(following, begins + SHORTEST)
        ends = latest if latest - spoken <= _BRIDGED else max(spoken, begins + SHORTEST)
        free = min(ends, latest, length)
        if free - begins >= SHORTEST - 1e-9:
            timed.append(replace(caption, start=begins, end=free))
    return timed


def _block(caption: Caption, style: Style) -> Block:
    size = style.font_size * caption.scale
    height = sum(max(word.height(size) for word in line) for line in caption.lines)
    around = 2 * (style.outline + padding(style))
    width = max(_length(line, size) for line in caption.lines)
    return Block(caption.start, caption.end, width + around, height + around, caption.opens)


def _fonts(captions: Sequence[Caption], font: Font) -> tuple[Font, ...]:
    """The style's font first: libass looks it up even where no letter is set in it."""
    pieces = [piece for one in captions for word in one.words for piece, _ in word.pieces]
    others = {piece.family: piece for piece in pieces if piece != font}
    return (font, *(others[family] for family in sorted(others)))
