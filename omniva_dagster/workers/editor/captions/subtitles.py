"""Captions as an Advanced SubStation Alpha document for libass. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omniva_dagster.workers.editor.captions.fonts import Font
from omniva_dagster.workers.editor.captions.placing import POSITIONS, Position
from omniva_dagster.workers.editor.captions.wording import SetWord, escaped, scaled
from omniva_dagster.workers.editor.style import Style

if TYPE_CHECKING:
    from pysubs2 import Color, SSAStyle

# Seconds: what is shown for less is a flash.
SHORTEST = 0.08
_BOX_PADDING = 0.16
# libass's own border style: one box behind all of an event.
_BOX = 4
_BY_CONTENT = -1


@dataclass(frozen=True)
class Caption:
    """Words shown together, in lines; ``scale`` is what they are made smaller by to fit.

    ``opens`` says that a phrase begins with it; times are seconds of the clip.
    """

    words: list[SetWord]
    lines: list[list[SetWord]]
    scale: float
    opens: bool
    start: float = 0.0
    end: float = 0.0
    position: Position = "lower"


def padding(style: Style) -> float:
    """How far the box behind a caption reaches beyond its words, in pixels."""
    return round(_BOX_PADDING * style.font_size) if style.box_colour else 0.0


def written(captions: Sequence[Caption], style: Style, font: Font) -> str:
    """The document; a file of each font that it names has to be given to libass."""
    import pysubs2

    document = pysubs2.SSAFile()
    document.info = {
        "ScriptType": "v4.00+",
        "PlayResX": str(style.width),
        "PlayResY": str(style.height),
        # Lines are broken here: what fits was measured.
        "WrapStyle": "2",
        "ScaledBorderAndShadow": "yes",
        "YCbCr Matrix": "TV.709",
    }
    look = pysubs2.SSAStyle(
        fontname=font.family,
        fontsize=style.font_size,
        bold=True,
        primarycolor=_colour(style.text_colour),
        outlinecolor=_colour(style.outline_colour),
        outline=style.outline,
        shadow=0.0,
        marginl=style.margin_side,
        marginr=style.margin_side,
        # The direction of a line follows from its text.
        encoding=_BY_CONTENT,
    )
    if style.box_colour:
        look.borderstyle, look.outline, look.shadow = _BOX, 0.0, padding(style)
        look.backcolor = _colour(style.box_colour, 1 - style.box_opacity)
    document.styles = {name: _standing(look, name, style) for name in POSITIONS}
    for caption in captions:
        for begins, ends, current in _events(caption, style):
            document.events.append(
                pysubs2.SSAEvent(
                    start=begins,
                    end=ends,
                    text=_text(caption, current, style, font),
                    style=caption.position,
                )
            )
    return str(document.to_string("ass", header_notice=""))


def _standing(look: SSAStyle, position: Position, style: Style) -> SSAStyle:
    from pysubs2 import Alignment

    # libass keeps the letters within the margins, not what is around them.
    around = math.ceil(style.outline + padding(style))
    standing = look.copy()
    standing.alignment, standing.marginv = {
        "lower": (Alignment.BOTTOM_CENTER, style.margin_bottom + around),
        "middle": (Alignment.MIDDLE_CENTER, 0),
        "upper": (Alignment.TOP_CENTER, style.margin_top + around),
    }[position]
    return standing


def _colour(code: str, transparency: float = 0.0) -> Color:
    from pysubs2 import Color

    red, green, blue = (int(code[at : at + 2], 16) for at in (1, 3, 5))
    return Color(red, green, blue, round(255 * transparency))


def _events(caption: Caption, style: Style) -> list[tuple[int, int, int | None]]:
    """``(start, end, word highlighted)`` in milliseconds: one, or one a word if highlighted.

    A word that would be lit for a flash is not: the one before stays lit.
    """
    start, end = _centis(caption.start), _centis(caption.end)
    if not style.highlight_colour:
        return [(start, end, None)]
    shortest = _centis(SHORTEST)
    lit = [(start, 0)]
    for number, word in enumerate(caption.words[1:], 1):
        begins = _centis(word.start)
        if lit[-1][0] + shortest <= begins <= end - shortest:
            lit.append((begins, number))
    ends = [begins for begins, _ in lit[1:]]
    return [(a, b, number) for (a, number), b in zip(lit, [*ends, end], strict=True)]


def _text(caption: Caption, current: int | None, style: Style, font: Font) -> str:
    thinner = caption.scale < 1 and not style.box_colour
    text = f"{{\\bord{style.outline * caption.scale:.1f}}}" if thinner else ""
    before: tuple[Font, float] = (font, style.font_size)
    for line_number, line in enumerate(caption.lines):
        text += "\\N" if line_number else ""
        for number, word in enumerate(line):
            text += word.follows(line[number - 1]) if number else ""
            whole = len(caption.words) == 1
            lit = current is not None and (whole or word is caption.words[current])
            if lit:
                red, green, blue = (style.highlight_colour[at : at + 2] for at in (1, 3, 5))
                text += f"{{\\c&H{blue}{green}{red}&}}"
            for piece, letters in word.pieces:
                size = int(scaled(style.font_size * caption.scale, piece, font.line_box))
                text += _switched(before, (piece, size)) + escaped(letters)
                before = (piece, size)
            text += "{\\c}" if lit else ""
    return text


def _switched(before: tuple[Font, float], now: tuple[Font, float]) -> str:
    tags = f"\\fn{now[0].family}" if now[0].family != before[0].family else ""
    tags += f"\\fs{now[1]}" if now[1] != before[1] else ""
    return f"{{{tags}}}" if tags else ""


def _centis(seconds: float) -> int:
    # The format has centiseconds: rounding here keeps the writer from cutting them off.
    return round(seconds * 100) * 10
