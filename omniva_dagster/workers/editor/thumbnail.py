"""Which moment of a clip becomes its thumbnail, and the card that may be set over it. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from omniva_dagster.workers.editor.captions.fonts import Font
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.timeline import Still, Word

if TYPE_CHECKING:
    from pysubs2 import Color

CARD_FILE = "card.ass"
# Of the 64 bits of a difference hash: pictures of one shot differ in 0 to 8, others in 20 to 40.
ALIKE = 10
# The fades at both ends, and a cut that is not quite on its frame, are no thumbnails.
_EDGE = 0.3
_UNUSABLE = 0.05
_CARD_CHARACTERS = 70
_CARD_WORDS = 12
_CARD_LINES = 4
_SMALLEST = 0.5


def worth(still: Still) -> float:
    """How good a thumbnail a moment is, from 0 to 1: a product, so that no strength makes up for
    a blurred, dark or blinking one."""
    sharp, lit, open_ = (max(0.0, min(1.0, value)) for value in _qualities(still))
    return float(sharp**0.4 * lit**0.35 * open_**0.25)


def _qualities(still: Still) -> tuple[float, float, float]:
    return still.sharpness, still.exposure, still.openness


def choose_stills(
    stills: Sequence[Still], spans: Mapping[str, tuple[float, float]]
) -> dict[str, Still]:
    """The still of each clip of a video: the best inside its span (seconds of the video) that does
    not look like one of an earlier clip.

    Clips take their turn by start, then id: the same for whoever asks, in whatever order clips are
    planned. A clip is left out where nothing inside it will do; where all that is left looks like
    another's, the one that differs most is taken.
    """
    chosen: dict[str, Still] = {}
    for clip_id, (start, end) in sorted(spans.items(), key=lambda item: (item[1], item[0])):
        inside = [
            still
            for still in stills
            if start + _EDGE <= still.time <= end - _EDGE and worth(still) > _UNUSABLE
        ]
        if not inside:
            continue
        apart = {still: _nearest(still, list(chosen.values())) for still in inside}
        new = [still for still in inside if apart[still] > ALIKE]
        if new:
            chosen[clip_id] = max(new, key=_rank)
        else:
            chosen[clip_id] = max(inside, key=lambda still: (apart[still], _rank(still)))
    return chosen


def _rank(still: Still) -> tuple[float, float, str]:
    return worth(still), -still.time, still.likeness


def _nearest(still: Still, others: Sequence[Still]) -> int:
    return min((distance(still, other) for other in others), default=64)


def distance(one: Still, other: Still) -> int:
    """In how many of their 64 bits the likenesses of two stills differ."""
    return (int(one.likeness, 16) ^ int(other.likeness, 16)).bit_count()


def card_words(words: Sequence[Word], start: float, end: float) -> str:
    """What a title card says: the clip's first sentence, cut at a whole word where it is long."""
    said: list[str] = []
    for word in words:
        if not start <= (word.start + word.end) / 2 < end:
            continue
        text = " ".join(word.text.split())
        longer = len(" ".join([*said, text])) > _CARD_CHARACTERS or len(said) == _CARD_WORDS
        if said and longer:
            return " ".join(said).rstrip(" ,;:-–—") + "..."
        said.append(text)
        if text.endswith((".", "!", "?", "。", "！", "？", "؟")):
            break
    return " ".join(said).rstrip(" ,;:.-–—")


def make_card(text: str, style: Style, font: Font) -> str:
    """The card as an Advanced SubStation Alpha document; empty where there is nothing to set, or
    where the font lacks a character of it.

    Lines are broken here, by the font's own widths, and the size goes down until they fit.
    """
    plain = _plain(text)
    if not plain or not font.has(plain):
        return ""
    room = style.width - 2 * style.margin_side
    size = round(style.font_size * 1.15)
    lines = _wrapped(plain, font, size, room)
    smallest = style.font_size * _SMALLEST
    while size > smallest and (
        len(lines) > _CARD_LINES or any(font.width(line, size) > room for line in lines)
    ):
        size -= 4
        lines = _wrapped(plain, font, size, room)
    return _document(lines, size, style, font)


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFC", text).replace("\\", "/").replace("…", "...")
    kept = "".join(char for char in text if not unicodedata.category(char).startswith("C"))
    return " ".join(kept.split())


def _wrapped(text: str, font: Font, size: float, room: float) -> list[str]:
    """Lines of at most ``room`` pixels, of about equal length; a longer word has its own."""
    lines = _filled(text.split(), font, size, room)
    while room > 0 and len(lines) > 1:
        tighter = _filled(text.split(), font, size, room - 20)
        if len(tighter) > len(lines):
            break
        lines, room = tighter, room - 20
    return lines


def _filled(words: Sequence[str], font: Font, size: float, room: float) -> list[str]:
    lines: list[str] = []
    for word in words:
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and font.width(joined, size) <= room:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def _document(lines: Sequence[str], size: int, style: Style, font: Font) -> str:
    import pysubs2

    document = pysubs2.SSAFile()
    document.info = {
        "ScriptType": "v4.00+",
        "PlayResX": str(style.width),
        "PlayResY": str(style.height),
        "WrapStyle": "2",
        "ScaledBorderAndShadow": "yes",
        "YCbCr Matrix": "TV.709",
    }
    document.styles = {
        "Card": pysubs2.SSAStyle(
            fontname=font.family,
            fontsize=size,
            bold=True,
            primarycolor=_colour(style.text_colour),
            outlinecolor=_colour(style.box_colour or style.outline_colour),
            # A box behind the lines: a thumbnail is small, and its picture may be of any colour.
            borderstyle=3,
            outline=round(size * 0.16),
            shadow=0.0,
            alignment=pysubs2.Alignment.BOTTOM_CENTER,
            marginl=style.margin_side,
            marginr=style.margin_side,
            marginv=style.margin_bottom,
        )
    }
    escaped = [line.replace("{", "\\{").replace("}", "\\}") for line in lines]
    # As long as the format can say: it is drawn on one picture, whenever that is.
    document.events.append(
        pysubs2.SSAEvent(start=0, end=9 * 3600 * 1000, text="\\N".join(escaped), style="Card")
    )
    return str(document.to_string("ass", header_notice=""))


def _colour(code: str) -> Color:
    from pysubs2 import Color

    return Color(*(int(code[at : at + 2], 16) for at in (1, 3, 5)))
