"""Where a clip may begin and end around its words: in the pause, and clear of shot changes (pure).

All times are whole milliseconds. Between two sentences there is one moment that divides them: what
ends with the first never reaches over it, what begins with the second never starts before.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from omniva_dagster.workers.media.timeline import Scene

# Air before the first word and after the last, where the pause has room for it.
LEAD_MS, TAIL_MS = 150, 250
# A clip that begins or ends so near a shot change flashes a picture that is not its own.
FLASH_MS = 300
# Shot changes are known to the millisecond and frames are not: end before the next shot's first.
_BEFORE_SHOT_MS = 2
# A word's last sound fades: no picture is cut right at its end for the sake of a shot.
_FADE_MS = 40


@dataclass(frozen=True)
class Pause:
    """What lies between two sentences: from the last word's end to the next word's beginning.

    At the edges of the video it has only one word, and all of it belongs to that.
    """

    start: int
    end: int
    first: bool = False
    last: bool = False


def shot_changes(scenes: Sequence[Scene]) -> list[int]:
    """The moments at which one shot follows another, in order."""
    return [round(scene.start * 1000) for scene in scenes[1:]]


def places(pause: Pause, changes: Sequence[int]) -> tuple[int, int]:
    """Where a clip that ends with this pause ends, and where one that begins with it begins.

    At a shot change if one lies in the pause near enough to the words; else with a little air and,
    where there is room, `FLASH_MS` away from any.
    """
    divide = _divide(pause, changes)
    return _ending(pause, divide, changes), _beginning(pause, divide, changes)


def nearest(moment: int, changes: Sequence[int]) -> int | None:
    """Milliseconds to the nearest shot change, None if there is none."""
    at = bisect_left(changes, moment)
    return min((abs(moment - change) for change in changes[max(0, at - 1) : at + 1]), default=None)


def flashes(moment: int, changes: Sequence[int]) -> bool:
    """Whether a cut at this moment shows a flash of another shot: on the change it does not."""
    off = nearest(moment, changes)
    return off is not None and _BEFORE_SHOT_MS < off < FLASH_MS


def _divide(pause: Pause, changes: Sequence[int]) -> int:
    if pause.first:
        return pause.start
    if pause.last:
        return pause.end
    # A change that serves either side; otherwise half of the pause belongs to either neighbour.
    latest, earliest = pause.start + TAIL_MS + FLASH_MS, pause.end - LEAD_MS - FLASH_MS
    shared = _within(changes, max(pause.start + _FADE_MS, earliest), min(pause.end, latest))
    return shared[-1] if shared else (pause.start + pause.end) // 2


def _ending(pause: Pause, divide: int, changes: Sequence[int]) -> int:
    usual = min(pause.start + TAIL_MS, divide)
    latest = min(divide, usual + FLASH_MS)
    at = _within(changes, pause.start + _FADE_MS, latest)
    if at:
        return max(pause.start, at[0] - _BEFORE_SHOT_MS)
    if not flashes(usual, changes):
        return usual
    # A change just before the end: show the new shot for longer.
    away = max(_within(changes, usual - FLASH_MS, usual), default=usual) + FLASH_MS
    return away if away <= latest and not flashes(away, changes) else usual


def _beginning(pause: Pause, divide: int, changes: Sequence[int]) -> int:
    usual = max(pause.end - LEAD_MS, divide)
    earliest = max(divide, usual - FLASH_MS)
    at = _within(changes, earliest, pause.end)
    if at:
        return at[-1]
    if not flashes(usual, changes):
        return usual
    away = min(_within(changes, usual, usual + FLASH_MS), default=usual) - FLASH_MS
    return away if away >= earliest and not flashes(away, changes) else usual


def _within(changes: Sequence[int], low: int, high: int) -> list[int]:
    return list(changes[bisect_left(changes, low) : bisect_left(changes, high + 1)])
