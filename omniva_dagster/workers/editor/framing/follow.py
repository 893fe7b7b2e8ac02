"""The crop that keeps one person, or several, well placed for a while. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from omniva_dagster.workers.editor.framing.geometry import Area, Box, Canvas
from omniva_dagster.workers.editor.framing.path import (
    STEP,
    Waypoint,
    Wish,
    find_path,
    waypoints,
)
from omniva_dagster.workers.editor.framing.tracks import Track, together
from omniva_dagster.workers.editor.style import Style

# A jump that a taken-out pause leaves is hidden by a slightly closer view.
NO_PUNCH, PUNCH = 1.0, 1.08
# A moving crop is cut in two steps, for places between pixels; the first is so much larger.
SPARE = 4

_EYE_LINE = 0.36
_CAPTIONS_START = 0.6
_HEAD_TALL = 0.22
_MOST_ZOOM, _SHARP = 1.4, 2.1
_HEAD_WIDE = 0.7
_ZOOM_STEP = 0.05
# In a close-up an ear may be cut off rather than that the crop trembles, in crop widths.
_TOLERANCE = 0.07
# How far from the middle what is salient may come to lie, in crop widths.
_ASTRAY = 0.3


@dataclass(frozen=True)
class Framed:
    """A crop, and the path it moves along (empty where it stands still)."""

    crop: Box
    path: tuple[Waypoint, ...] = ()


def follow(
    tracks: Sequence[Track],
    start: float,
    end: float,
    canvas: Canvas,
    style: Style,
    punch: float = NO_PUNCH,
) -> Framed | None:
    """The crop for these people from ``start`` to ``end``; None where they are too fast for one.

    Their eyes come to about the upper third and their chins above the captions where the picture
    has room for it. Waypoints have the times of the tracks.
    """
    moments = [start + STEP * n for n in range(max(1, round((end - start) / STEP)) + 1)]
    areas = [together(tracks, moment) for moment in moments]
    size = canvas.crop_size(punch * (_zoom(areas, canvas) if len(tracks) == 1 else 1.0))
    tolerance = _TOLERANCE if len(tracks) == 1 else 0.0
    across = find_path(_across(areas, size, canvas, tolerance))
    down = find_path(_down(areas, size, canvas, style))
    return _framed(across, down, size, start, canvas)


def glide(
    places: Sequence[tuple[float, float, float]], start: float, end: float, canvas: Canvas
) -> Framed | None:
    """A crop that goes from place to place (moment, x, y in pixels; at least one) and is at each
    about its moment; None where they are too far apart for that."""
    size = canvas.crop_size()
    moments = [start + STEP * n for n in range(max(1, round((end - start) / STEP)) + 1)]
    across = [_on_the_way(moment, [(at, x) for at, x, _ in places]) for moment in moments]
    down = [_on_the_way(moment, [(at, y) for at, _, y in places]) for moment in moments]
    wishes = [
        Wish(
            [middle - side / 2 for middle in middles],
            [middle - (0.5 + _ASTRAY) * side for middle in middles],
            [middle - (0.5 - _ASTRAY) * side for middle in middles],
            float(side),
            float(room - side),
        )
        for middles, side, room in (
            (across, size[0], canvas.width),
            (down, size[1], canvas.height),
        )
    ]
    return _framed(find_path(wishes[0]), find_path(wishes[1]), size, start, canvas)


def _on_the_way(moment: float, places: Sequence[tuple[float, float]]) -> float:
    before = [place for place in places if place[0] <= moment]
    after = [place for place in places if place[0] > moment]
    if not before or not after:
        return (before[-1] if before else after[0])[1]
    (one, here), (two, there) = before[-1], after[0]
    return here + (there - here) * (moment - one) / (two - one)


def _framed(
    across: list[float] | None,
    down: list[float] | None,
    size: tuple[int, int],
    start: float,
    canvas: Canvas,
) -> Framed | None:
    if across is None or down is None:
        return None
    box = canvas.box(across[0], down[0], size)
    x, y = _moving(across, canvas.width - size[0]), _moving(down, canvas.height - size[1])
    if not x and not y:
        return Framed(box)
    still = [0.0] * len(across)
    path = waypoints(x or [box.x + n for n in still], y or [box.y + n for n in still], start)
    return Framed(canvas.box(path[0].x, path[0].y, size), path)


def _moving(places: Sequence[float], room: int) -> list[float]:
    """One edge of a crop that moves, with room to spare; empty if it does not."""
    if max(places) - min(places) < 1 or room < 2 * SPARE:
        return []
    return [min(place, float(room - SPARE)) for place in places]


def _zoom(areas: Sequence[Area], canvas: Canvas) -> float:
    """How much closer than the largest crop: for a small head, or one low in the picture, as far
    as the pixels last."""
    size = canvas.crop_size()
    tall = median(area.height for area in areas) / size[1]
    chin = median(area.bottom for area in areas) / canvas.height
    wide = max(area.width for area in areas) / size[0]
    wanted = max(_HEAD_TALL / max(0.01, tall), (1 - _CAPTIONS_START) / max(0.01, 1 - chin))
    most = min(_MOST_ZOOM, _SHARP / canvas.magnified(size), _HEAD_WIDE / max(0.01, wide))
    return max(1.0, min(wanted, most) // _ZOOM_STEP * _ZOOM_STEP)


def _across(areas: Sequence[Area], size: tuple[int, int], canvas: Canvas, tolerance: float) -> Wish:
    best = [area.x - size[0] / 2 for area in areas]
    # Of what is wider than the crop, all of the crop.
    bounds = [sorted((area.right - size[0], area.left)) for area in areas]
    loose = tolerance * size[0]
    bounds = [
        [min(low, place - loose), max(high, place + loose)]
        for (low, high), place in zip(bounds, best, strict=True)
    ]
    return _wish(best, bounds, size[0], canvas.width - size[0])


def _down(areas: Sequence[Area], size: tuple[int, int], canvas: Canvas, style: Style) -> Wish:
    best, bounds = [], []
    captions = min(_CAPTIONS_START, 1 - style.margin_bottom / style.height)
    for area in areas:
        top = area.eyes - _EYE_LINE * size[1]
        top = max(top, area.bottom - captions * size[1])
        top = max(min(top, area.top), area.bottom - size[1])
        best.append(top)
        bounds.append(sorted((area.bottom - size[1], area.top)))
    return _wish(best, bounds, size[1], canvas.height - size[1])


def _wish(best: list[float], bounds: Sequence[list[float]], size: int, room: int) -> Wish:
    least, most = [low for low, _ in bounds], [high for _, high in bounds]
    return Wish(best, least, most, float(size), float(room))
