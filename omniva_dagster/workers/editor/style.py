"""How clips look and sound, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError


@dataclass(frozen=True)
class Pace:
    """How pauses and fillers are tightened, in seconds: a pause longer than ``pause_over`` is
    shortened to ``pause_to``; ``fillers`` ("um", "äh") that stand alone go too."""

    pause_over: float = 0.6
    pause_to: float = 0.25
    fillers: bool = True


@dataclass(frozen=True)
class Style:
    """Everything about a clip that is taste rather than content.

    Lengths are pixels of the finished picture, times are seconds, colours are ``#RRGGBB``.
    """

    name: str
    width: int = 1080
    height: int = 1920
    max_frame_rate: float = 60.0
    font: str = "Source Sans Pro"
    font_size: int = 112
    # How heavy the letters are; where a family has no black cut, bold is the heaviest.
    weight: Literal["bold", "black"] = "bold"
    upper: bool = False
    text_colour: str = "#FFFFFF"
    highlight_colour: str = ""
    outline_colour: str = "#000000"
    outline: float = 7.0
    # A box behind the words instead of an outline around them; none where the colour is empty.
    box_colour: str = ""
    box_opacity: float = 0.8
    max_words: int = 3
    max_lines: int = 2
    # Where captions stand as long as nothing is in their way.
    position: Literal["lower", "middle", "upper"] = "lower"
    margin_side: int = 100
    # Players draw their own title and buttons over the bottom fifth of the picture.
    margin_bottom: int = 480
    margin_top: int = 300
    loudness_target: float = -14.0
    true_peak_max: float = -1.0
    preset: str = "veryfast"
    crf: int = 20
    max_bitrate: str = "12M"
    audio_bitrate: str = "192k"
    fade_out: float = 0.2
    audio_fade_in: float = 0.02
    # A shot without a face: shown whole over its own blur, or cropped at its centre.
    faceless: Literal["fit", "centre"] = "fit"
    # None: what was said is kept at the pace at which it was said.
    pace: Pace | None = None
    # The clip's opening words over its thumbnail.
    title_card: bool = False


STYLES = {
    style.name: style
    for style in (
        Style(name="clean"),
        Style(name="karaoke", highlight_colour="#FFD93D"),
        Style(
            name="bold",
            weight="black",
            upper=True,
            font_size=128,
            outline=12.0,
            highlight_colour="#3DFF8B",
            max_words=2,
        ),
    )
}


def style_named(name: str) -> Style:
    """The style called ``name``; `WorkerError` ``bad_command`` listing the known ones."""
    if name not in STYLES:
        known = ", ".join(sorted(STYLES))
        raise WorkerError(
            ReasonCode.BAD_COMMAND, f"there is no style {name!r}; choose one of: {known}"
        )
    return STYLES[name]
