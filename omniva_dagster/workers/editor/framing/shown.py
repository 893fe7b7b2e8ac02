"""Where things of the source are on the finished picture, and how good a framing is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import fmean

from omniva_dagster.workers.editor.framing.geometry import (
    Area,
    Box,
    Canvas,
    around,
    canvas_of,
    even,
    head_of,
)
from omniva_dagster.workers.editor.framing.shot import FramedShot, corner_at
from omniva_dagster.workers.editor.framing.tracks import Track, find_tracks, main_tracks
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.timeline import Face

_BEFORE_AND_AFTER = 0.2
_LEAST_SEEN = 0.25
_STEP = 1 / 30


def face_boxes(
    faces: Sequence[Face], shots: Sequence[FramedShot], width: int, height: int, style: Style
) -> list[tuple[float, float, Box]]:
    """Where faces are on the finished picture: (start, end, box in the clip's pixels), by time.

    ``faces`` and ``shots`` are in the clip's clock (seconds from its start). Between two sights of
    a person the box holds both. Passers-by and false alarms are left out, and so is what is not on
    the picture.
    """
    canvas = canvas_of(width, height, style)
    found: list[tuple[float, float, Box]] = []
    for shot in shots:
        seen = [face for face in faces if shot.start <= face.time < shot.end]
        people = main_tracks(find_tracks(seen, width, height), shot.end - shot.start)
        for track in people:
            found += _boxes_of(track, shot, canvas)
    return sorted(found, key=lambda item: (item[0], item[1], item[2].x, item[2].y))


def shown(area: Area, shot: FramedShot, time: float, canvas: Canvas) -> Area | None:
    """Where an area of the source is on the clip's picture, in its pixels (parts of it may be
    outside); None where it is not on it at all. Of a split layout, the half that shows more."""
    places = [_placed(area, *view) for view in _views(shot, time, canvas)]
    best = max(places, key=lambda place: _visible(*place))
    return best[0] if _visible(*best) > 0 else None


@dataclass(frozen=True)
class FramingQuality:
    """How well shots keep a known head. Lengths are fractions of the clip's width.

    ``inside``: share of moments with all of the face on the picture. ``off_centre``: mean distance
    of its middle from the picture's, across. ``jitter``: mean size of the change of the crop's
    step from one picture to the next (second difference), ``speed`` the fastest move a second,
    both in one shot. ``turns``: how often the crop changes direction.
    """

    inside: float
    off_centre: float
    jitter: float
    speed: float
    turns: int


def measure_framing(
    faces: Sequence[Face], shots: Sequence[FramedShot], width: int, height: int, style: Style
) -> FramingQuality:
    """Measure shots against where one person's face really is (``faces``, in the clip's clock)."""
    canvas = canvas_of(width, height, style)
    inside, apart = [], []
    for face in faces:
        shot = next((shot for shot in shots if shot.start <= face.time < shot.end), None)
        if shot is None:
            continue
        place = shown(_face_area(face, width, height), shot, face.time, canvas)
        inside.append(place is not None and _all_on(place, style))
        if place is not None:
            apart.append(abs(place.x / style.width - 0.5))
    moves = [_moves(shot) for shot in shots if shot.path]
    jitter = [abs(b - a) for steps in moves for a, b in pairwise(steps)]
    return FramingQuality(
        inside=fmean(inside) if inside else 0.0,
        off_centre=fmean(apart) if apart else 0.0,
        jitter=fmean(jitter) if jitter else 0.0,
        speed=max((abs(step) / _STEP for steps in moves for step in steps), default=0.0),
        turns=sum(_turns(steps) for steps in moves),
    )


def _boxes_of(track: Track, shot: FramedShot, canvas: Canvas) -> list[tuple[float, float, Box]]:
    places = [
        (face.time, shown(_face_area(face, canvas.width, canvas.height), shot, face.time, canvas))
        for face in track.faces
    ]
    edges = [max(shot.start, track.start - _BEFORE_AND_AFTER)]
    edges += [time for time, _ in places[1:-1]]
    edges.append(min(shot.end, track.end + _BEFORE_AND_AFTER))
    if len(places) == 1:
        places *= 2
    boxes = []
    for (start, end), ((_, one), (_, two)) in zip(pairwise(edges), pairwise(places), strict=True):
        known = [place for place in (one, two) if place is not None]
        box = _on_picture(around(known), canvas) if known else None
        if box is not None:
            boxes.append((round(start, 3), round(end, 3), box))
    return boxes


def _on_picture(area: Area, canvas: Canvas) -> Box | None:
    left, top = max(0.0, area.left), max(0.0, area.top)
    right = min(float(canvas.shown_width), area.right)
    bottom = min(float(canvas.shown_height), area.bottom)
    if (right - left) < _LEAST_SEEN * area.width or (bottom - top) < _LEAST_SEEN * area.height:
        return None
    x, y = int(left) // 2 * 2, int(top) // 2 * 2
    return Box(x, y, even(right - x + 1), even(bottom - y + 1))


def _face_area(face: Face, width: int, height: int) -> Area:
    left, top = face.x * width, face.y * height
    right, bottom = left + face.width * width, top + face.height * height
    return Area(left, top, right, bottom, head_of(face, width, height).eyes)


# The part of the source that is seen (left, top, width, height), and where it is put.
_View = tuple[tuple[float, float, float, float], tuple[float, float, float, float]]


def _views(shot: FramedShot, time: float, canvas: Canvas) -> list[_View]:
    wide, tall = float(canvas.shown_width), float(canvas.shown_height)
    if shot.mode == "fit":
        all_of_it = shot.picture or Box(0, 0, canvas.width, canvas.height)
        scale = min(wide / all_of_it.width, tall / all_of_it.height)
        size = (all_of_it.width * scale, all_of_it.height * scale)
        whole = (all_of_it.x, all_of_it.y, all_of_it.width, all_of_it.height)
        return [(whole, ((wide - size[0]) / 2, (tall - size[1]) / 2, *size))]
    crop = shot.crop
    if shot.second is not None:
        second = shot.second
        return [
            ((crop.x, crop.y, crop.width, crop.height), (0.0, 0.0, wide, tall / 2)),
            ((second.x, second.y, second.width, second.height), (0.0, tall / 2, wide, tall / 2)),
        ]
    return [((*corner_at(shot, time), crop.width, crop.height), (0.0, 0.0, wide, tall))]


def _placed(
    area: Area,
    source: tuple[float, float, float, float],
    target: tuple[float, float, float, float],
) -> tuple[Area, tuple[float, float, float, float]]:
    across, down = target[2] / source[2], target[3] / source[3]
    left, right = (target[0] + (x - source[0]) * across for x in (area.left, area.right))
    top, bottom, eyes = (
        target[1] + (y - source[1]) * down for y in (area.top, area.bottom, area.eyes)
    )
    return Area(left, top, right, bottom, eyes), target


def _visible(area: Area, target: tuple[float, float, float, float]) -> float:
    """The share of an area that lies in its part of the picture."""
    wide = min(area.right, target[0] + target[2]) - max(area.left, target[0])
    tall = min(area.bottom, target[1] + target[3]) - max(area.top, target[1])
    if area.width <= 0 or area.height <= 0:
        return 0.0
    return max(0.0, wide) * max(0.0, tall) / (area.width * area.height)


def _all_on(place: Area, style: Style) -> bool:
    return (
        place.left >= -1
        and place.top >= -1
        and place.right <= style.width + 1
        and place.bottom <= style.height + 1
    )


def _moves(shot: FramedShot) -> list[float]:
    """Steps of the crop from picture to picture (30 a second), in crop widths."""
    count = round((shot.end - shot.start) / _STEP)
    places = [corner_at(shot, shot.start + n * _STEP)[0] for n in range(count)]
    return [(b - a) / shot.crop.width for a, b in pairwise(places)]


def _turns(steps: Sequence[float]) -> int:
    signs = [key for key, _ in groupby(0 if abs(s) < 1e-4 else (s > 0) - (s < 0) for s in steps)]
    directions = [sign for sign in signs if sign]
    return sum(a != b for a, b in pairwise(directions))
