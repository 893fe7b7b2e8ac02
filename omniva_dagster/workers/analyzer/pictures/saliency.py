"""Where a shot draws the eye, for pictures without a face.

Three cheap maps of a picture of about 128 x 72 are added up along a shot: its spectral residual
(Hou and Zhang, "Saliency Detection: A Spectral Residual Approach", CVPR 2007), how its colours
differ from its average colour (Achanta et al., "Frequency-tuned Salient Region Detection", CVPR
2009), and what moves against the rest of the picture. A mild preference for the middle keeps logos
and edges from winning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omniva_dagster.workers.analyzer.pictures.small import Thumb
from omniva_dagster.workers.media.timeline import Interest, Scene

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

# Maps are summed up to columns and rows of this many, for so many seconds at most.
_COLUMNS, _ROWS = 64, 36
_PIECE_SECONDS = 2.0
_VERTICAL = 9 / 16
_BLUR = 2.0
# Motion counts twice, where there is any: eyes follow it (Mital et al., 2011).
_MOTION = 2.0
_MOVES = 4.0
_CENTRE_SPREAD = 0.3
# A long shot gets a new point when what draws the eye has moved this far, and the crop around the
# old one holds less than this of what a new one would.
_MOVED = 0.12
_NEARLY = 0.7
_SHORTEST = 1.0
_ROUNDING = 1e-3


@dataclass(frozen=True)
class _Piece:
    """The columns and rows of what was salient from ``start`` on."""

    start: float
    columns: Map
    rows: Map


class Salience:
    """Takes pictures in order, a few a second; holds a hundred numbers for two seconds of video."""

    def __init__(self, shrinker: Any) -> None:
        self._shrinker = shrinker
        self._pieces: list[_Piece] = []
        self._map: Map | None = None
        self._start = 0.0
        self._before: Map | None = None

    def see(self, time: float, thumb: Thumb, *, new: bool = False) -> None:
        """Take a picture; ``new`` says that it may be the first of a shot."""
        if new or time - self._start >= _PIECE_SECONDS:
            self._close()
        if new:
            self._before = None
        found = self._salient(thumb)
        if self._map is None:
            self._map, self._start = found, time
        else:
            self._map += found

    def interests(self, scenes: list[Scene], aspect: float) -> list[Interest]:
        """The points of each shot; they follow each other without gaps. ``aspect`` is width by
        height of the picture as displayed."""
        self._close()
        found: list[Interest] = []
        at = 0
        for scene in scenes:
            inside: list[_Piece] = []
            while at < len(self._pieces) and self._pieces[at].start < scene.end - _ROUNDING:
                if self._pieces[at].start >= scene.start - _ROUNDING:
                    inside.append(self._pieces[at])
                at += 1
            found += _along(scene, inside, aspect)
        return found

    def _close(self) -> None:
        import cv2

        if self._map is None:
            return
        upright = self._shrinker.upright(self._map)
        grid = cv2.resize(upright, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA)
        columns, rows = grid.sum(axis=0), grid.sum(axis=1)
        self._pieces.append(_Piece(self._start, columns, rows))
        self._map = None

    def _salient(self, thumb: Thumb) -> Map:
        import numpy as np

        luma = _blurred(thumb.luma, 1)
        found: Map = _share(_residual(luma)) + _share(_unlike(thumb))
        if self._before is not None and self._before.shape == luma.shape:
            moving = np.abs(luma - self._before)
            # What the whole picture does is the camera's motion.
            moving = np.maximum(0, moving - float(np.median(moving)) - _MOVES)
            found += _MOTION * _share(_blurred(moving, _BLUR))
        self._before = luma
        return found * _towards_centre(*luma.shape)


def _residual(luma: Map) -> Map:
    import cv2
    import numpy as np

    spectrum = np.fft.fft2(luma)
    amplitude = np.log(np.abs(spectrum) + 1e-3).astype(np.float32)
    rest = amplitude - cv2.blur(amplitude, (3, 3))
    back = np.abs(np.fft.ifft2(np.exp(rest + 1j * np.angle(spectrum)))) ** 2
    return _blurred(back, _BLUR)


def _blurred(picture: NDArray[Any], sigma: float) -> Map:
    import cv2
    import numpy as np

    blurred = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), sigma)
    return np.asarray(blurred, np.float32)


def _unlike(thumb: Thumb) -> Map:
    import cv2
    import numpy as np

    height, width = thumb.luma.shape
    squares = np.zeros((height, width), np.float32)
    for plane in (thumb.luma, thumb.blue, thumb.red):
        whole = cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
        smooth = _blurred(whole, _BLUR)
        squares += (smooth - float(smooth.mean())) ** 2
    return squares


def _share(salient: Map) -> Map:
    """Above its average, and in all 1; a map without anything is 0."""
    import numpy as np

    above = np.maximum(0, salient - 1.5 * float(salient.mean()))
    total = float(above.sum())
    return above / total if total > 1e-6 else np.zeros_like(salient)


def _towards_centre(height: int, width: int) -> Map:
    import numpy as np

    y = (np.arange(height, dtype=np.float32) + 0.5) / height - 0.5
    x = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5
    return np.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / (2 * _CENTRE_SPREAD**2))


def _along(scene: Scene, pieces: list[_Piece], aspect: float) -> list[Interest]:
    """The points of one shot. One stays as long as its crop still holds nearly what the best one
    would; what is too short to be seen goes to its neighbour."""
    runs: list[_Piece] = []
    for piece in pieces:
        last = runs[-1] if runs else None
        if last is not None and (
            piece.start - last.start < _SHORTEST or _holds(piece, _point(last, aspect)[0], aspect)
        ):
            columns, rows = last.columns + piece.columns, last.rows + piece.rows
            runs[-1] = _Piece(last.start, columns, rows)
        elif last is None or scene.end - piece.start >= _SHORTEST:
            runs.append(piece)
    if not runs:
        return [Interest(scene.start, scene.end, 0.5, 0.5, round(_window(aspect), 4))]
    edges = [scene.start, *(run.start for run in runs[1:]), scene.end]
    return [
        Interest(round(edges[i], 3), round(edges[i + 1], 3), *_point(run, aspect))
        for i, run in enumerate(runs)
    ]


def _holds(piece: _Piece, x: float, aspect: float) -> bool:
    """Whether the crop around ``x`` holds nearly as much of the piece as its best crop."""
    wide = _columns_wide(aspect)
    best_x, _, best = _point(piece, aspect)
    if abs(best_x - x) < _MOVED:
        return True
    left = min(_COLUMNS - wide, max(0, round(x * _COLUMNS - wide / 2)))
    held = float(piece.columns[left : left + wide].sum())
    return held >= _NEARLY * best * float(piece.columns.sum())


def _columns_wide(aspect: float) -> int:
    return max(1, min(_COLUMNS, round(_window(aspect) * _COLUMNS)))


def _window(aspect: float) -> float:
    """The share of the width that a vertical crop of full height takes."""
    return min(1.0, _VERTICAL / aspect)


def _point(piece: _Piece, aspect: float) -> tuple[float, float, float]:
    """x, y and share of the vertical crop that holds most of what is salient."""
    import numpy as np

    columns, rows = piece.columns, piece.rows
    total = float(columns.sum())
    window = _window(aspect)
    if total <= 0:
        return 0.5, 0.5, round(window, 4)
    wide = _columns_wide(aspect)
    sums = np.convolve(columns, np.ones(wide), mode="valid")
    # Of equally good crops, the one in the middle.
    offsets = np.abs(np.arange(len(sums)) + wide / 2 - _COLUMNS / 2)
    left = int(np.lexsort((offsets, -np.round(sums / total, 6)))[0])
    inside = columns[left : left + wide]
    x = (left + 0.5 + float((inside * np.arange(wide)).sum() / max(inside.sum(), 1e-9))) / _COLUMNS
    y = float((rows * (np.arange(_ROWS) + 0.5)).sum() / rows.sum()) / _ROWS
    return round(x, 4), round(y, 4), round(float(sums[left]) / total, 4)
