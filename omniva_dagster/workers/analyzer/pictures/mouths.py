"""Which mouths move: what changes in the lower face from picture to picture, beside the rest.

Between two looks at the faces, the boxes of the first look are watched in the pictures that are
decoded anyway. Each pair of pictures is laid over each other by the upper face (phase
correlation), so that a head that moves counts little; what then changes around the mouth more than
around eyes and forehead, of the face's contrast, is the mouth's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from omniva_dagster.workers.analyzer.pictures.faces import Features
    from omniva_dagster.workers.analyzer.pictures.small import Luma

# Faces are watched at 48 x 56 pixels; of many, the largest.
_WIDTH, _HEIGHT = 48, 56
_MOST_WATCHED = 4
# Closer pictures differ by less than their noise, and further ones by other things than speech.
_CLOSEST_SECONDS, _FURTHEST_SECONDS = 0.055, 0.25
# Parts of the watched box that is a face's width wide and 1.15 of its height high.
_BELOW_CHIN = 1.15
_MOUTH_WIDE, _MOUTH_ABOVE, _MOUTH_BELOW = 0.26, 0.12, 0.16
_LARGEST_SHIFT = 4.0
# A tenth of a face's contrast in the mouth alone is plain speech.
_PLAIN = 0.1

_Box = tuple[float, float, float, float]


@dataclass
class _Watched:
    box: _Box
    mouth: tuple[slice, slice]
    upper: int
    before: NDArray[np.float32] | None
    amounts: list[float] = field(default_factory=list)


class Mouths:
    """Watches the mouths of the faces of one look until the next."""

    def __init__(self, time: float, faces: list[Features], luma: Luma) -> None:
        self._time = time
        order = sorted(range(len(faces)), key=lambda i: -faces[i].face.height)
        self._count = len(faces)
        self._watched = {i: _watched(faces[i], luma) for i in order[:_MOST_WATCHED]}

    def wants(self, time: float) -> bool:
        """Whether a picture at that time is of use."""
        return bool(self._watched) and time - self._time >= _CLOSEST_SECONDS

    def see(self, time: float, luma: Luma) -> None:
        """Take the picture at ``time``, of the same shot."""
        near = time - self._time <= _FURTHEST_SECONDS
        self._time = time
        for watched in self._watched.values():
            now = luma.patch(watched.box, (_WIDTH, _HEIGHT))
            if near and now is not None and watched.before is not None:
                amount = _own_motion(watched, watched.before, now)
                if amount is not None:
                    watched.amounts.append(amount)
            watched.before = now

    def amounts(self) -> list[float]:
        """For each face, how much its mouth moved: 0 to 1."""
        return [
            _mean(self._watched[i].amounts) if i in self._watched else 0.0
            for i in range(self._count)
        ]


def _watched(features: Features, luma: Luma) -> _Watched:
    face = features.face
    box = (face.x, face.y, face.x + face.width, face.y + face.height * _BELOW_CHIN)
    across = (features.mouth[0] - box[0]) / (box[2] - box[0])
    down = (features.mouth[1] - box[1]) / (box[3] - box[1])
    eyes = sum(eye[1] for eye in features.eyes) / 2
    mouth = (
        _slice(down - _MOUTH_ABOVE, down + _MOUTH_BELOW, _HEIGHT),
        _slice(across - _MOUTH_WIDE, across + _MOUTH_WIDE, _WIDTH),
    )
    # Down to halfway between eyes and mouth.
    middle = ((eyes + features.mouth[1]) / 2 - box[1]) / (box[3] - box[1])
    upper = min(_HEIGHT - 8, max(8, round(middle * _HEIGHT)))
    return _Watched(box, mouth, upper, luma.patch(box, (_WIDTH, _HEIGHT)))


def _slice(start: float, stop: float, length: int) -> slice:
    first = min(length - 4, max(0, round(start * length)))
    return slice(first, max(first + 4, min(length, round(stop * length))))


def _own_motion(
    watched: _Watched, before: NDArray[np.float32], now: NDArray[np.float32]
) -> float | None:
    """What changed in the mouth alone, of the face's contrast; None for a head that jumped."""
    import cv2
    import numpy as np

    upper = slice(0, watched.upper), slice(4, _WIDTH - 4)
    window = cv2.createHanningWindow((_WIDTH - 8, watched.upper), cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(
        np.ascontiguousarray(before[upper]), np.ascontiguousarray(now[upper]), window
    )
    if math.hypot(x, y) > _LARGEST_SHIFT:
        return None
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(
        now, matrix, (_WIDTH, _HEIGHT), flags=way, borderMode=cv2.BORDER_REPLICATE
    )
    change = np.abs(laid - before)
    contrast = max(8.0, float(before.std()))
    mouth, rest = float(change[watched.mouth].mean()), float(change[upper].mean())
    return max(0.0, mouth - rest) / contrast


def _mean(amounts: list[float]) -> float:
    if not amounts:
        return 0.0
    return round(min(1.0, sum(amounts) / len(amounts) / _PLAIN), 4)
