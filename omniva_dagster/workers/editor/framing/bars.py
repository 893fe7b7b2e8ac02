"""Black bars that are part of a video's picture (letterbox, pillarbox): a clip must not have them.

They are looked for in a few pictures of the clip's span, in all of which they have to be alike: a
dark scene or a presenter before black has no such edges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.editor.framing.geometry import Box, even
from omniva_dagster.workers.media.probe import picture_stream

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LOOKS = 9
# Of 255; a line is picture if more than this share of it is brighter than black.
_BLACK, _BRIGHT, _SHARE = 24, 60, 0.04
# In parts of the picture's side.
_THINNEST, _WIDEST, _UNEVEN = 0.02, 0.36, 0.02
_ALIKE = 0.7
# Encoders blur the edge.
_EDGE = 2


def find_picture(path: Path, start: float, end: float) -> Box | None:
    """The part of the picture between black bars, in pixels as displayed; None without bars.

    Looks at a few pictures from ``start`` to ``end`` seconds. `WorkerError` ``corrupt_media``.
    """
    import av

    try:
        with av.open(str(path), options={"protocol_whitelist": "file,pipe"}) as container:
            stream = picture_stream(container)
            if stream is None:
                return None
            found = list(_greys(container, stream, start, end))
            aspect = float(stream.sample_aspect_ratio or 1)
    except (av.FFmpegError, OSError, EOFError) as error:
        raise WorkerError(
            ReasonCode.CORRUPT_MEDIA,
            f"no picture of {path.name} can be decoded; fetch the video again",
        ) from error
    if not found:
        return None
    height, width = found[0][0].shape
    if found[0][1] % 180:
        aspect = 1 / aspect
    edges = [_edges(grey) for grey, _ in found if grey.shape == (height, width)]
    rows = _common([(top, bottom) for top, bottom, _, _ in edges if bottom > top], height)
    columns = _common([(left, right) for _, _, left, right in edges if right > left], width)
    if rows == (0, height) and columns == (0, width):
        return None
    left, top = _up(columns[0] * aspect), _up(rows[0])
    return Box(left, top, even(columns[1] * aspect - left), even(rows[1] - top))


def _greys(
    container: Any, stream: Any, start: float, end: float
) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """Bright enough pictures as greys, upright, with the turn that made them so."""
    import av
    import numpy as np

    origin = container.start_time or 0
    # Bars are seen without deblocking too, and next to a key frame as well as anywhere.
    stream.codec_context.options = {"skip_loop_filter": "all"}
    for look in range(_LOOKS):
        moment = start + (end - start) * (look + 0.5) / _LOOKS
        frame = None
        # A damaged place says nothing of bars: the others do.
        with suppress(av.FFmpegError):
            container.seek(origin + int(max(0.0, moment) * 1e6))
            frame = next(container.decode(stream), None)
        if frame is None:
            continue
        turn = int(getattr(frame, "rotation", 0) or 0)
        grey = np.rot90(frame.reformat(format="gray").to_ndarray(), round(turn / 90) % 4)
        if np.percentile(grey, 90) > _BRIGHT:
            yield grey, turn


def _edges(grey: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """First and end row, first and end column, that are not black."""
    import numpy as np

    bright = grey > _BLACK
    rows = np.flatnonzero(bright.mean(axis=1) > _SHARE)
    if not rows.size:
        return 0, 0, 0, 0
    columns = np.flatnonzero(bright[rows[0] : rows[-1] + 1].mean(axis=0) > _SHARE)
    if not columns.size:
        return 0, 0, 0, 0
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _common(edges: Sequence[tuple[int, int]], length: int) -> tuple[int, int]:
    """First and end of what is picture, if there are bars of one width on both sides."""
    if not edges:
        return 0, length
    first, end = min(edge for edge, _ in edges), max(edge for _, edge in edges)
    near = 0.01 * length + 1
    alike = sum(abs(a - first) <= near and abs(b - end) <= near for a, b in edges)
    even_bars = abs(first - (length - end)) <= _UNEVEN * length + 2
    wide_enough = _THINNEST * length <= min(first, length - end) <= _WIDEST * length
    if not even_bars or not wide_enough or alike < _ALIKE * len(edges):
        return 0, length
    return first + _EDGE, end - _EDGE


def _up(place: float) -> int:
    return -(-int(place) // 2) * 2
