"""Pictures of a finished clip for people: a sheet of frames, and one frame with its safe area."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.durable import sync
from omniva_dagster.workers.editor.style import Style

if TYPE_CHECKING:
    import numpy as np

    Picture = np.ndarray[Any, np.dtype[Any]]

_TILE = (270, 480)
_GAP = 6
_UNSAFE = (64, 64, 230)
_SHADE = 0.4


def contact_sheet(clip: Path, target: Path, *, columns: int = 4, rows: int = 2) -> Path:
    """A PNG of ``columns`` x ``rows`` frames of a clip, evenly spaced, left to right."""
    import cv2
    import numpy as np

    width, height = _TILE
    sheet = np.full(
        (rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), 24, dtype=np.uint8
    )
    shares = [(number + 0.5) / (columns * rows) for number in range(columns * rows)]
    for number, picture in enumerate(_frames(clip, shares)):
        tile = cv2.resize(picture, _TILE, interpolation=cv2.INTER_AREA)
        y = _GAP + number // columns * (height + _GAP)
        x = _GAP + number % columns * (width + _GAP)
        sheet[y : y + height, x : x + width] = tile
    return _written(sheet, target)


def safe_areas(clip: Path, target: Path, style: Style, *, share: float = 0.5) -> Path:
    """A PNG of the frame at ``share`` (0 to 1) of a clip; where players draw is shaded red, what
    is left for captions is framed."""
    import cv2

    (picture,) = _frames(clip, [share])
    left, top = style.margin_side, style.margin_top
    right, bottom = style.width - style.margin_side, style.height - style.margin_bottom
    shaded = picture.copy()
    shaded[:] = _UNSAFE
    blended = cv2.addWeighted(picture, 1 - _SHADE, shaded, _SHADE, 0)
    blended[top:bottom, left:right] = picture[top:bottom, left:right]
    cv2.rectangle(blended, (left, top), (right, bottom), (255, 255, 255), 3)
    return _written(blended, target)


def _frames(clip: Path, shares: list[float]) -> list[Picture]:
    """The frames (BGR) at shares of a clip's length, in one pass over it."""
    import av

    found: list[Picture] = []
    with av.open(str(clip), "r", options={"protocol_whitelist": "file,pipe"}) as container:
        stream = container.streams.video[0]
        wanted = [int(share * (stream.frames or 1)) for share in shares]
        for number, frame in enumerate(container.decode(stream)):
            while len(found) < len(wanted) and number >= wanted[len(found)]:
                found.append(frame.to_ndarray(format="bgr24"))
            if len(found) == len(wanted):
                break
    return found


def _written(picture: Picture, target: Path) -> Path:
    import cv2

    done, encoded = cv2.imencode(".png", picture)
    if not done:
        raise WorkerError(ReasonCode.INTERNAL, f"{target.name} could not be encoded; report it")
    temporary = target.with_name(f".{target.name}")
    temporary.write_bytes(encoded.tobytes())
    sync(temporary)
    temporary.replace(target)
    return target
