"""Where to cut a vertical picture out of a wide one, shot by shot. Pure.

Within a shot the crop stands still: a crop that follows the face looks like a nervous camera. It
is only ever cut out, or shown whole over its own blur; the picture is never stretched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.timeline import Face, Scene

Mode = Literal["face", "centre", "fit", "whole"]

_SHORTEST_SHOT = 0.2
_CLUSTER_GAP = 0.15
# A crop that keeps this much of the picture loses nothing that a viewer would miss.
_KEPT_ENOUGH = 0.6


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the picture as displayed; all four are even."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class FramedShot:
    """A shot of the clip (seconds from the clip's start) and how its picture is cut.

    ``mode``: ``face`` (crop centred on a face), ``centre``, ``whole`` (nothing to cut away) or
    ``fit`` (all of it, over its own blur; ``crop`` is then the part used for the blur).
    """

    start: float
    end: float
    mode: Mode
    crop: Box


def frame_shots(
    faces: Sequence[Face],
    scenes: Sequence[Scene],
    start: float,
    end: float,
    width: int,
    height: int,
    style: Style,
) -> list[FramedShot]:
    """The shots of the span ``start`` to ``end`` (seconds of the video), without gaps.

    ``width`` and ``height`` are of the picture as displayed. Neighbouring shots that are framed
    alike come as one.
    """
    shots: list[FramedShot] = []
    for begins, ends in _bounds(scenes, start, end):
        seen = [face for face in faces if begins <= face.time < ends]
        shot = _framed(seen, begins - start, ends - start, width, height, style)
        last = shots[-1] if shots else None
        if last and (last.mode, last.crop) == (shot.mode, shot.crop):
            shots[-1] = FramedShot(last.start, shot.end, last.mode, last.crop)
        else:
            shots.append(shot)
    return shots


def framing_word(shots: Sequence[FramedShot]) -> str:
    """How the picture was reframed, for `EditSummary.framing`: ``face``, ``face+fit`` ..."""
    lengths: dict[str, float] = {}
    for shot in shots:
        lengths[shot.mode] = lengths.get(shot.mode, 0.0) + shot.end - shot.start
    return "+".join(sorted(lengths, key=lambda mode: (-lengths[mode], mode)))


def _bounds(scenes: Sequence[Scene], start: float, end: float) -> list[tuple[float, float]]:
    cuts = [start]
    for cut in sorted(scene.start for scene in scenes if start < scene.start < end):
        if cut - cuts[-1] >= _SHORTEST_SHOT and end - cut >= _SHORTEST_SHOT:
            cuts.append(cut)
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def _framed(
    faces: Sequence[Face], start: float, end: float, width: int, height: int, style: Style
) -> FramedShot:
    crop_width, crop_height = _crop_size(width, height, style)
    centred = _box(0.5, 0.5, crop_width, crop_height, width, height)
    if crop_width >= width - 1 and crop_height >= height - 1:
        return FramedShot(start, end, "whole", centred)
    if faces:
        x, y = _focus(faces, crop_width / width)
        return FramedShot(start, end, "face", _box(x, y, crop_width, crop_height, width, height))
    kept = crop_width * crop_height / (width * height)
    mode: Mode = "centre" if style.faceless == "centre" or kept >= _KEPT_ENOUGH else "fit"
    return FramedShot(start, end, mode, centred)


def _crop_size(width: int, height: int, style: Style) -> tuple[int, int]:
    """The largest even size of the style's shape that fits into the picture."""
    scale = min(width / style.width, height / style.height)
    return _even(style.width * scale), _even(style.height * scale)


def _even(length: float) -> int:
    return max(2, int(length + 0.01) // 2 * 2)


def _box(x: float, y: float, crop_width: int, crop_height: int, width: int, height: int) -> Box:
    """The crop with its middle at the fractions x and y, moved inside the picture."""
    left = min(max(0.0, x * width - crop_width / 2), width - crop_width)
    top = min(max(0.0, y * height - crop_height / 2), height - crop_height)
    return Box(int(left) // 2 * 2, int(top) // 2 * 2, crop_width, crop_height)


def _focus(faces: Sequence[Face], crop_share: float) -> tuple[float, float]:
    """The point (fractions) to centre on: the middle of all faces if one crop holds them, else of
    the group that is seen largest and longest."""
    left, right = min(face.x for face in faces), max(face.x + face.width for face in faces)
    kept = faces if right - left <= crop_share else _main_cluster(faces, crop_share)
    y = _weighted_median([(face.y + face.height / 2, _weight(face)) for face in kept])
    if kept is faces:
        return (left + right) / 2, y
    return _weighted_median([(face.x + face.width / 2, _weight(face)) for face in kept]), y


def _main_cluster(faces: Sequence[Face], crop_share: float) -> Sequence[Face]:
    ordered = sorted(faces, key=lambda face: (face.x + face.width / 2, face.time))
    clusters = [[ordered[0]]]
    for before, face in pairwise(ordered):
        apart = face.x + face.width / 2 - before.x - before.width / 2
        if apart > min(_CLUSTER_GAP, crop_share / 2):
            clusters.append([])
        clusters[-1].append(face)
    return max(clusters, key=lambda cluster: sum(_weight(face) for face in cluster))


def _weight(face: Face) -> float:
    return face.width * face.height * face.score


def _weighted_median(values: list[tuple[float, float]]) -> float:
    values = sorted(values)
    half = sum(weight for _, weight in values) / 2
    below = 0.0
    for value, weight in values:
        below += weight
        if below >= half:
            return value
    return values[-1][0]
