"""Moments that could be a thumbnail: sharp, well exposed, eyes open; each with a perceptual hash.

Sharpness is the variance of the Laplacian (Pech-Pacheco et al., 2000) of the largest face, or of
the picture where there is none. Exposure is the histogram of picture and face: nothing burnt out
or drowned, and a brightness near the middle. Openness looks at the largest face's eyes: in an open
eye the dark of iris and pupil is tall, in a closed one a line of lashes is left. The hash is a
difference hash (dHash: the brightness of 9 x 8 cells, each against its right neighbour's).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from omniva_dagster.workers.media.timeline import Still

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from omniva_dagster.workers.analyzer.pictures.faces import Features, Point
    from omniva_dagster.workers.analyzer.pictures.small import Luma

    Gray = NDArray[np.uint8]

_SECONDS = 1.0
_FACE_SIZE = (96, 96)
# Variances of the Laplacian at which a face, or a picture of 640 x 360, is half as sharp as can be.
_HALF_SHARP_FACE, _HALF_SHARP_PICTURE = 60.0, 250.0
_DARK, _BRIGHT, _MIDDLE = 16, 240, 0.45
# An eye's patch is so wide and high, of the distance between the eyes; brows are above it.
_EYE_WIDE, _EYE_HIGH = 0.36, 0.32
_EYE_SIZE = (36, 32)
_SHUT, _OPEN = 0.27, 0.6


class Stills:
    """Takes looks in order and keeps the best moment of every second."""

    def __init__(self) -> None:
        self._kept: list[Still] = []
        self._second = -1

    def see(
        self, time: float, picture: NDArray[np.uint8], faces: list[Features], luma: Luma
    ) -> None:
        """Take a look at ``time``: BGR as displayed (about 640 x 360), and the full picture's
        brightness."""
        still = _still(time, picture, faces, luma)
        second = int(time / _SECONDS)
        if second != self._second:
            self._second = second
            self._kept.append(still)
        elif _worth(still) > _worth(self._kept[-1]):
            self._kept[-1] = still

    def finish(self) -> list[Still]:
        """The moments, in order."""
        return self._kept


def _still(time: float, picture: NDArray[np.uint8], faces: list[Features], luma: Luma) -> Still:
    import cv2
    import numpy as np

    gray: Gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    largest = max(faces, key=lambda one: one.face.height * one.face.width, default=None)
    exposure = _exposure(gray)
    if largest is not None:
        # A face well lit in the dark is a good picture.
        exposure = (exposure + _exposure(_part(gray, largest))) / 2
    return Still(
        time,
        sharpness=round(_sharpness(gray, largest, luma), 4),
        exposure=round(exposure, 4),
        openness=round(_openness(largest, luma), 4) if largest else 0.0,
        likeness=_likeness(gray),
    )


def _part(gray: Gray, features: Features) -> Gray:
    height, width = gray.shape
    face = features.face
    top, left = min(height - 1, int(face.y * height)), min(width - 1, int(face.x * width))
    bottom = max(top + 1, int((face.y + face.height) * height))
    return gray[top:bottom, left : max(left + 1, int((face.x + face.width) * width))]


def _worth(still: Still) -> float:
    return still.sharpness * still.exposure * (1 + still.openness)


def _sharpness(gray: Gray, largest: Features | None, luma: Luma) -> float:
    import cv2

    part = None
    if largest is not None:
        face = largest.face
        box = (face.x, face.y, face.x + face.width, face.y + face.height)
        part = luma.patch(box, _FACE_SIZE)
    half = _HALF_SHARP_PICTURE if part is None else _HALF_SHARP_FACE
    edges = cv2.Laplacian(gray if part is None else part, cv2.CV_32F)
    variance = float(edges.var())
    return variance / (variance + half)


def _exposure(gray: Gray) -> float:
    import numpy as np

    lost = float(np.count_nonzero(gray <= _DARK) + np.count_nonzero(gray >= _BRIGHT)) / gray.size
    off = abs(float(gray.mean()) / 255 - _MIDDLE) / _MIDDLE
    return max(0.0, 1 - lost) * max(0.0, 1 - off**2)


def _openness(features: Features, luma: Luma) -> float:
    """Of the more open eye: a head turned away hides the other."""
    apart = abs(features.eyes[0][0] - features.eyes[1][0])
    if apart <= 0:
        return 0.0
    height, width = luma.pixels.shape
    tall = apart * width / height
    return max(_eye(eye, apart, tall, luma) for eye in features.eyes)


def _eye(middle: Point, apart: float, tall: float, luma: Luma) -> float:
    import numpy as np

    x, y = middle
    wide, high = apart * _EYE_WIDE / 2, tall * _EYE_HIGH / 2
    patch = luma.patch((x - wide, y - high, x + wide, y + high), _EYE_SIZE)
    if patch is None:
        return 0.0
    skin, darkest = float(np.percentile(patch, 80)), float(np.percentile(patch, 2))
    if skin - darkest < 12:
        return 0.0
    dark = patch < darkest + 0.4 * (skin - darkest)
    # The tallest run of dark in any column: iris and pupil are tall, lashes and lids are flat.
    heights = dark.sum(axis=0)
    tallest = float(np.percentile(heights, 90)) / _EYE_SIZE[1]
    return min(1.0, max(0.0, (tallest - _SHUT) / (_OPEN - _SHUT)))


def _likeness(gray: Gray) -> str:
    import cv2

    cells = cv2.resize(gray, (9, 8), interpolation=cv2.INTER_AREA)
    bits = (cells[:, 1:] > cells[:, :-1]).reshape(-1)
    value = 0
    for bit in bits:
        value = value << 1 | int(bit)
    return f"{value:016x}"


def unlikeness(one: str, other: str) -> int:
    """In how many of 64 bits two hashes differ; below about 10, pictures look alike."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
