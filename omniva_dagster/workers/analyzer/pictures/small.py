"""Small pictures made of decoded frames, no larger than who looks at them needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# YuNet misses small faces below about 640 x 360.
_FACE_PIXELS = 640 * 360
_THUMB_PIXELS = 128 * 72
# A gist is averaged over so many pixels that noise and the pulse of key frames vanish.
_GIST_SHRINK = 4


@dataclass(frozen=True)
class Thumb:
    """A frame as stored (not turned), about 128 x 72: ``luma`` and, half as wide and high,
    ``blue`` and ``red``; 0 to 255."""

    luma: NDArray[np.uint8]
    blue: NDArray[np.uint8]
    red: NDArray[np.uint8]

    def gist(self) -> NDArray[np.float32]:
        """What of it is compared: its three planes (3 x about 18 x about 32)."""
        import cv2
        import numpy as np

        height, width = self.luma.shape
        size = (max(1, width // _GIST_SHRINK), max(1, height // _GIST_SHRINK))
        planes = [
            cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
            for plane in (self.luma, self.blue, self.red)
        ]
        return np.stack(planes).astype(np.float32)


@dataclass(frozen=True)
class Luma:
    """A frame's brightness as displayed; times ``scale`` it is 0 to 255."""

    pixels: NDArray[Any]
    scale: float

    def patch(
        self, box: tuple[float, float, float, float], size: tuple[int, int]
    ) -> NDArray[np.float32] | None:
        """The part within ``box`` (left, top, right, bottom as fractions of the picture), at
        ``size`` (width, height); None where less than two pixels of it are in the picture."""
        import cv2
        import numpy as np

        height, width = self.pixels.shape
        left, right = (round(min(1.0, max(0.0, v)) * width) for v in (box[0], box[2]))
        top, bottom = (round(min(1.0, max(0.0, v)) * height) for v in (box[1], box[3]))
        if right - left < 2 or bottom - top < 2:
            return None
        part = np.ascontiguousarray(self.pixels[top:bottom, left:right])
        way = cv2.INTER_AREA if part.shape[1] > size[0] else cv2.INTER_LINEAR
        return cv2.resize(part, size, interpolation=way).astype(np.float32) * self.scale


class Shrinker:
    """Makes small pictures of the frames of one stream; sizes are those of its first frame."""

    def __init__(self, stream: Any, first: Any) -> None:
        from av.video.reformatter import VideoReformatter

        aspect = first.width / first.height * float(stream.sample_aspect_ratio or 1)
        self._turns = round((getattr(first, "rotation", 0) or 0) / 90) % 4
        self._thumb_size = fitting(aspect, _THUMB_PIXELS)
        self._face_size = fitting(aspect, _FACE_PIXELS)
        self._to_thumb, self._to_face, self._to_gray = (VideoReformatter() for _ in range(3))

    @property
    def face_size(self) -> tuple[int, int]:
        """Width and height of what `displayed` gives."""
        return self._face_size[::-1] if self._turns % 2 else self._face_size

    @property
    def aspect(self) -> float:
        """Width by height of the picture as displayed."""
        width, height = self.face_size
        return width / height

    def thumb(self, frame: Any) -> Thumb:
        """The frame at its smallest. It samples few pixels, a tenth of the cost of all."""
        small = self._to_thumb.reformat(
            frame, *self._thumb_size, format="yuv420p", interpolation="FAST_BILINEAR"
        )
        luma, blue, red = (_pixels(plane) for plane in small.planes)
        return Thumb(luma, blue, red)

    def displayed(self, frame: Any) -> NDArray[np.uint8]:
        """BGR, height x width x 3, turned as displayed."""
        small = self._to_face.reformat(
            frame, *self._face_size, format="bgr24", interpolation="BILINEAR"
        )
        turned: NDArray[np.uint8] = self.upright(small.to_ndarray())
        return turned

    def luma(self, frame: Any) -> Luma:
        """The frame's own brightness at full size; at that of `displayed` where it has none."""
        import numpy as np

        shape = frame.format
        first = shape.components[0]
        if first.is_luma and len(frame.planes) > 1 and not shape.is_big_endian:
            # p010 and its like keep their bits at the upper end.
            bits = 16 if shape.name.startswith("p0") else first.bits
            pixels, scale = _pixels(frame.planes[0], 2 if bits > 8 else 1), 255 / (2**bits - 1)
        else:
            gray = self._to_gray.reformat(
                frame, *self._face_size, format="gray", interpolation="BILINEAR"
            )
            pixels, scale = _pixels(gray.planes[0]), 1.0
        return Luma(np.rot90(pixels, self._turns), scale)

    def upright(self, picture: Any) -> Any:
        """An array of pixels as stored, turned as displayed."""
        import numpy as np

        if not self._turns:
            return picture
        return np.ascontiguousarray(np.rot90(picture, self._turns))


def fitting(aspect: float, pixels: int) -> tuple[int, int]:
    """Width and height of that aspect and area, even, and neither too thin to look at."""
    aspect = min(10.0, max(0.1, aspect))
    height = math.sqrt(pixels / aspect)
    return max(2, round(height * aspect / 2) * 2), max(2, round(height / 2) * 2)


def _pixels(plane: Any, size: int = 1) -> Any:
    """A plane as an array of samples of ``size`` bytes: no copy, without the padding of rows."""
    import numpy as np

    rows = np.frombuffer(plane, np.uint8 if size == 1 else np.uint16)
    return rows.reshape(-1, plane.line_size // size)[: plane.height, : plane.width]
