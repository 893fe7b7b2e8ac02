"""How clips look and sound, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError


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
    text_colour: str = "#FFFFFF"
    highlight_colour: str = ""
    outline_colour: str = "#000000"
    outline: float = 7.0
    max_words: int = 3
    max_lines: int = 2
    margin_side: int = 100
    # Players draw their own title and buttons over the bottom fifth of the picture.
    margin_bottom: int = 480
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


STYLES = {
    style.name: style
    for style in (
        Style(name="clean"),
        Style(name="karaoke", highlight_colour="#FFD93D"),
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
