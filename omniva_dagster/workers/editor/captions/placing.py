"""Where on the picture captions stand: off the faces, and not jumping about. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from omniva_dagster.workers.editor.framing import Box
from omniva_dagster.workers.editor.style import Style

Position = Literal["lower", "middle", "upper"]
POSITIONS: tuple[Position, ...] = ("lower", "middle", "upper")

# A face and what belongs to it: chin and hair.
_AROUND = 20
# Costs, in seconds of a face that is covered: a caption moves for a face, hardly within a phrase,
# and goes home when nothing is in its way.
_NOT_HOME = 0.01
_MOVED = 0.03
_MOVED_WITHIN_PHRASE = 0.15

Avoided = tuple[float, float, Box]


@dataclass(frozen=True)
class Block:
    """A caption's times (seconds of the clip) and size (pixels); ``opens`` a phrase or not."""

    start: float
    end: float
    width: float
    height: float
    opens: bool


def placed(blocks: Sequence[Block], avoid: Sequence[Avoided], style: Style) -> list[Position]:
    """A position for each caption, such that over all as little of the ``avoid``ed boxes (in
    pixels of the picture, by seconds of the clip) is covered as is worth moving for."""
    costs: dict[Position, float] = dict.fromkeys(POSITIONS, 0.0)
    ways: list[dict[Position, Position]] = []
    for block in blocks:
        moving = _MOVED if block.opens else _MOVED_WITHIN_PHRASE
        if not ways:
            moving = 0.0
        way, reached = {}, {}
        for here in POSITIONS:
            before = min(POSITIONS, key=lambda p: (costs[p] + moving * (p != here), p != here))
            way[here] = before
            reached[here] = costs[before] + moving * (before != here)
            reached[here] += _covered(block, here, avoid, style) + _NOT_HOME * (
                here != style.position
            )
        ways.append(way)
        costs = reached
    if not ways:
        return []
    at = min(POSITIONS, key=lambda p: (costs[p], p != style.position))
    path = [at]
    for way in reversed(ways[1:]):
        at = way[at]
        path.append(at)
    return path[::-1]


def top_of(position: Position, height: float, style: Style) -> float:
    """The upper edge of a caption of that height."""
    if position == "upper":
        return style.margin_top
    if position == "middle":
        return (style.height - height) / 2
    return style.height - style.margin_bottom - height


def _covered(block: Block, position: Position, avoid: Sequence[Avoided], style: Style) -> float:
    """Seconds of a face, by the part of it that is covered."""
    left = (style.width - block.width) / 2
    top = top_of(position, block.height, style)
    total = 0.0
    for start, end, box in avoid:
        seconds = min(end, block.end) - max(start, block.start)
        across = min(box.x + box.width + _AROUND, left + block.width) - max(box.x - _AROUND, left)
        down = min(box.y + box.height + _AROUND, top + block.height) - max(box.y - _AROUND, top)
        if min(seconds, across, down) > 0:
            total += seconds * across * down / max(1, box.width * box.height)
    return total
