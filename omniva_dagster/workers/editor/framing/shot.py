"""A shot of a clip and how its picture is cut. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from omniva_dagster.workers.editor.framing.geometry import Box
from omniva_dagster.workers.editor.framing.path import Waypoint, position

Mode = Literal["face", "follow", "split", "interest", "centre", "whole", "fit"]


@dataclass(frozen=True)
class FramedShot:
    """A shot of the clip (seconds from the clip's start) and how its picture is cut.

    ``mode``: ``face`` (a crop that stands still on a face or several), ``follow`` (a crop of the
    size of ``crop``, where it starts, moving along ``path``), ``split`` (``crop`` above ``second``,
    each half as high as the clip), ``interest`` (what is most salient), ``centre``, ``whole``
    (nothing to cut away) or ``fit`` (all of it, over its own blur; ``crop`` is then the part used
    for the blur). ``picture`` is the part of the source between its black bars, if it has any.
    """

    start: float
    end: float
    mode: Mode
    crop: Box
    path: tuple[Waypoint, ...] = ()
    second: Box | None = None
    picture: Box | None = None


def corner_at(shot: FramedShot, time: float) -> tuple[float, float]:
    """The left and top edge of the crop at a moment (seconds from the clip's start)."""
    if shot.path:
        return position(shot.path, time)
    return float(shot.crop.x), float(shot.crop.y)


def held(shot: FramedShot, at: float, length: float) -> FramedShot:
    """The framing of ``shot`` at a moment (seconds from the clip's start), standing still for
    ``length`` seconds from 0 on: for a thumbnail."""
    crop, mode = shot.crop, shot.mode
    if shot.path:
        x, y = position(shot.path, at)
        crop = Box(int(max(0.0, x)) // 2 * 2, int(max(0.0, y)) // 2 * 2, crop.width, crop.height)
        mode = "face"
    return FramedShot(0.0, length, mode, crop, second=shot.second, picture=shot.picture)


def framing_word(shots: Sequence[FramedShot]) -> str:
    """How the picture was reframed, for `EditSummary.framing`: ``face``, ``face+fit`` ..."""
    lengths: dict[str, float] = {}
    for shot in shots:
        lengths[shot.mode] = lengths.get(shot.mode, 0.0) + shot.end - shot.start
    return "+".join(sorted(lengths, key=lambda mode: (-lengths[mode], mode)))
