"""Pictures composed on 16:9 canvases, and the frames that a slow camera sees of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from omniva_dagster.demo.footage.programme import Shot, Window
from omniva_dagster.demo.footage.sources import Sources

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

FRAME_RATE = 25
WIDTH, HEIGHT = 1280, 720
# A quarter more than the screen, so that a zoom to 80 % is still sharp.
_CANVAS_WIDTH, _CANVAS_HEIGHT = 1600, 900

_PHOTOGRAPHS = {
    "brick": "brick.png",
    "cameraman": "camera.png",
    "cat": "chelsea.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "rocket": "rocket.jpg",
    "sky": "hubble_deep_field.jpg",
}
# Factors for blue, green and red, which turn grey pictures into coloured ones.
_TINTS = {
    "brick": (0.62, 0.72, 1.0),
    "cameraman": (1.0, 0.94, 0.86),
    "coins": (0.6, 0.85, 1.0),
    "grass": (0.52, 0.86, 0.72),
    "gravel": (1.0, 0.88, 0.78),
}
# Where the kept strip of a picture taller than 16:9 begins: 0 at its top, 1 at its bottom.
_STRIP = {"cameraman": 0.15, "cat": 0.75, "coffee": 0.4, "rocket": 0.7}
_PORTRAIT = "astronaut.png"
_CARD_TOP, _CARD_BOTTOM = (24, 52, 96), (64, 20, 44)
_CARD_INK = (255, 244, 224)


def frames(shot: Shot, count: int, sources: Sources) -> Iterator[bytes]:
    """``count`` frames of a shot: planar YUV 4:2:0, 8 bits, BT.601, limited range."""
    canvas = _canvas(shot.canvas, sources)
    if shot.start == shot.end:
        frame = _frame(canvas, shot.start)
        for _ in range(count):
            yield frame
        return
    for index in range(count):
        yield _frame(canvas, _between(shot.start, shot.end, index / max(1, count - 1)))


def _between(start: Window, end: Window, fraction: float) -> Window:
    return Window(
        start.x + (end.x - start.x) * fraction,
        start.y + (end.y - start.y) * fraction,
        start.width + (end.width - start.width) * fraction,
    )


def _frame(canvas: Picture, window: Window) -> bytes:
    """The screen's view of a canvas; a window that hangs over its edge is pushed back in."""
    import cv2
    import numpy as np

    half = window.width / 2
    x = min(max(window.x, half), 1 - half) - half
    y = min(max(window.y, half), 1 - half) - half
    scale = window.width * _CANVAS_WIDTH / WIDTH
    to_canvas = np.array(
        [[scale, 0, x * _CANVAS_WIDTH], [0, scale, y * _CANVAS_HEIGHT]], dtype=np.float64
    )
    view = cv2.warpAffine(
        canvas,
        to_canvas,
        (WIDTH, HEIGHT),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return bytes(cv2.cvtColor(view, cv2.COLOR_BGR2YUV_I420).data)


@lru_cache(maxsize=16)
def _canvas(name: str, sources: Sources) -> Picture:
    if name.startswith("card:"):
        return _card(name.removeprefix("card:").split("|"), sources.font)
    if name in ("portrait-left", "portrait-right"):
        return _portrait(_read(sources.pictures / _PORTRAIT), name.removeprefix("portrait-"))
    return _photograph(name, sources)


def _read(path: Path) -> Picture:
    import cv2

    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise RuntimeError(f"{path} cannot be read as a picture; install its package again")
    return cast("Picture", picture)


def _photograph(name: str, sources: Sources) -> Picture:
    """A picture that covers the whole canvas, cut at top and bottom where it is taller."""
    import cv2
    import numpy as np

    picture = _read(sources.pictures / _PHOTOGRAPHS[name])
    height, width = picture.shape[:2]
    kept = min(height, round(width * _CANVAS_HEIGHT / _CANVAS_WIDTH))
    top = round((height - kept) * _STRIP.get(name, 0.5))
    covered = cv2.resize(
        picture[top : top + kept], (_CANVAS_WIDTH, _CANVAS_HEIGHT), interpolation=cv2.INTER_CUBIC
    )
    tinted: Picture = (covered * np.array(_TINTS.get(name, (1.0, 1.0, 1.0)))).astype(np.uint8)
    return tinted


def _portrait(picture: Picture, side: str) -> Picture:
    """A square portrait at full height on one side, over a blurred copy of itself.

    A centred vertical crop would cut the person: there is something to do for one that follows
    faces.
    """
    import cv2
    import numpy as np

    spread = cv2.resize(picture, (_CANVAS_WIDTH, _CANVAS_WIDTH), interpolation=cv2.INTER_CUBIC)
    backdrop = cv2.GaussianBlur(spread[:_CANVAS_HEIGHT], (0, 0), 60) * 0.55
    square = cv2.resize(picture, (_CANVAS_HEIGHT, _CANVAS_HEIGHT), interpolation=cv2.INTER_CUBIC)
    left = 0 if side == "left" else _CANVAS_WIDTH - _CANVAS_HEIGHT
    canvas: Picture = backdrop.astype(np.uint8)
    canvas[:, left : left + _CANVAS_HEIGHT] = square
    return canvas


def _card(lines: list[str], font: Path) -> Picture:
    """Words on a vertical gradient."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    ramp = np.linspace(0.0, 1.0, _CANVAS_HEIGHT)[:, None, None]
    shades = np.array(_CARD_TOP) * (1 - ramp) + np.array(_CARD_BOTTOM) * ramp
    gradient = np.broadcast_to(shades, (_CANVAS_HEIGHT, _CANVAS_WIDTH, 3)).astype(np.uint8)
    image = Image.fromarray(gradient)
    ImageDraw.Draw(image).multiline_text(
        (_CANVAS_WIDTH / 2, _CANVAS_HEIGHT / 2),
        "\n".join(lines),
        fill=_CARD_INK,
        font=ImageFont.truetype(str(font), 120),
        anchor="mm",
        align="center",
    )
    card: Picture = np.array(image)[:, :, ::-1].copy()
    return card
