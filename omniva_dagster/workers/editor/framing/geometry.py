"""Rectangles that are cut out of a picture, and what must be seen in them. Pure.

Positions are pixels of the picture as displayed, from its left and top edge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.timeline import Face

# A detected face ends at the hairline and the ears; a head goes on. In parts of the face's size.
_HAIR, _CHIN, _EAR = 0.35, 0.1, 0.2
_EYES = 0.4


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the picture as displayed; all four are even."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Area:
    """What has to be seen: a head, or several. ``eyes`` is the height the eyes are at."""

    left: float
    top: float
    right: float
    bottom: float
    eyes: float

    @property
    def x(self) -> float:
        """The middle."""
        return (self.left + self.right) / 2

    @property
    def width(self) -> float:
        """From the left to the right edge."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From the top to the bottom edge."""
        return self.bottom - self.top


def head_of(face: Face, width: int, height: int) -> Area:
    """The head around a face, in a picture of ``width`` and ``height``, inside the picture."""
    tall, wide = face.height * height, face.width * width
    left, top = face.x * width, face.y * height
    return Area(
        left=max(0.0, left - _EAR * wide),
        top=max(0.0, top - _HAIR * tall),
        right=min(float(width), left + (1 + _EAR) * wide),
        bottom=min(float(height), top + (1 + _CHIN) * tall),
        eyes=top + _EYES * tall,
    )


def around(areas: Iterable[Area]) -> Area:
    """The smallest area that holds them all; its eyes are between the highest and the lowest."""
    known = list(areas)
    eyes = [area.eyes for area in known]
    return Area(
        min(area.left for area in known),
        min(area.top for area in known),
        max(area.right for area in known),
        max(area.bottom for area in known),
        (min(eyes) + max(eyes)) / 2,
    )


def between(one: Area, two: Area, share: float) -> Area:
    """The area on the straight way from ``one`` (share 0) to ``two`` (share 1)."""
    return Area(
        one.left + (two.left - one.left) * share,
        one.top + (two.top - one.top) * share,
        one.right + (two.right - one.right) * share,
        one.bottom + (two.bottom - one.bottom) * share,
        one.eyes + (two.eyes - one.eyes) * share,
    )


@dataclass(frozen=True)
class Canvas:
    """A picture and the shape that crops of it have: the whole clip's, or half of it."""

    width: int
    height: int
    shown_width: int
    shown_height: int

    def crop_size(self, zoom: float = 1.0) -> tuple[int, int]:
        """Even width and height of the largest crop of the shape, made smaller by ``zoom``."""
        scale = min(self.width / self.shown_width, self.height / self.shown_height) / zoom
        return even(self.shown_width * scale), even(self.shown_height * scale)

    def box(self, left: float, top: float, size: tuple[int, int]) -> Box:
        """A crop of ``size`` with its corner there, moved inside the picture."""
        x = min(max(0.0, left), self.width - size[0])
        y = min(max(0.0, top), self.height - size[1])
        return Box(int(x) // 2 * 2, int(y) // 2 * 2, *size)

    def centred(self, x: float, y: float, size: tuple[int, int]) -> Box:
        """A crop of ``size`` with its middle at x and y, moved inside the picture."""
        return self.box(x - size[0] / 2, y - size[1] / 2, size)

    def magnified(self, size: tuple[int, int]) -> float:
        """How many pixels of the clip one of a crop of ``size`` becomes."""
        return self.shown_height / size[1]


def canvas_of(width: int, height: int, style: Style) -> Canvas:
    """The whole clip's canvas for a picture of ``width`` and ``height``."""
    return Canvas(width, height, style.width, style.height)


def half_of(canvas: Canvas) -> Canvas:
    """The canvas of either half of a split layout."""
    return Canvas(canvas.width, canvas.height, canvas.shown_width, even(canvas.shown_height / 2))


def even(length: float) -> int:
    """The even number at or below ``length``, at least 2."""
    return max(2, int(length + 0.01) // 2 * 2)
