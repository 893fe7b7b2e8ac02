"""A crop that follows somebody the way a person at a camera would. Pure.

It stands still while the head stays near its place, then moves decisively and at an even pace to
the next place. Between rests the way is a string pulled tight through a tube around the head
(the shortest way has the fewest turns), its corners rounded. If a head is too fast for that, there
is no path: the shot is then better shown whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

STEP = 0.1
# In crop widths (or heights): how far a head may stray, and speeds per second.
_SLACK = 0.09
_COMFORTABLE, TOP_SPEED = 0.5, 0.9
# Seconds: a place is a rest if it lasts so long; what is shorter than the window is a gesture.
_REST, _WINDOW = 2.0, 1.0
_ARRIVAL = 0.5
_ROUNDING = 3
_PRECISION = 0.3
_LONGEST_PIECE = 60


@dataclass(frozen=True)
class Waypoint:
    """Where the left and top edge of a moving crop are at a moment (seconds from the clip's
    start), in fractions of pixels, and how fast they move (pixels per second).

    Between two waypoints it moves along the cubic that has both places and both speeds.
    """

    time: float
    x: float
    y: float
    x_speed: float = 0.0
    y_speed: float = 0.0


@dataclass(frozen=True)
class Wish:
    """One edge of the crop every `STEP` seconds: where it would best be, and the least and most
    it may be for the head to stay inside. ``size`` is the crop's, ``room`` the most there is."""

    best: list[float]
    least: list[float]
    most: list[float]
    size: float
    room: float


def find_path(wish: Wish) -> list[float] | None:
    """The edge of the crop every `STEP` seconds, inside the room.

    All the same where it need not move; None where the head can't be followed within `TOP_SPEED`.
    """
    wanted = [_within(value, 0.0, wish.room) for value in _rolling_median(wish.best)]
    least = [_within(value, 0.0, wish.room) for value in wish.least]
    most = [_within(value, 0.0, wish.room) for value in wish.most]
    slack = _SLACK * wish.size
    place = _single_place(wanted, least, most, slack)
    if place is not None:
        return [place] * len(wanted)
    rests = _rests(wanted, slack)
    top: list[float] | None = None
    for wider in (1.0, 2.0, wish.size):
        tube = _tube(wanted, least, most, rests, slack, wider)
        rounded = _rounded(_pulled_tight(*tube))
        path = [_within(value, 0.0, wish.room) for value in rounded]
        speed, held = _speed(path) / wish.size, _holds(path, least, most)
        if held and speed <= _COMFORTABLE:
            return path
        if held and speed <= TOP_SPEED and top is None:
            top = path
    return top


def waypoints(xs: Sequence[float], ys: Sequence[float], start: float) -> tuple[Waypoint, ...]:
    """As few waypoints as give the path to a third of a pixel; its first moment is ``start``."""
    knots = [
        Waypoint(round(start + STEP * n, 3), xs[n], ys[n], _slope(xs, n), _slope(ys, n))
        for n in range(len(xs))
    ]
    moving = [bool(knot.x_speed or knot.y_speed) for knot in knots]
    kept, at = [knots[0]], 0
    while at < len(knots) - 1:
        ahead = at + 1
        while (
            ahead < min(len(knots) - 1, at + _LONGEST_PIECE)
            # Rest is rest: a cubic across its end would creep.
            and (moving[ahead] or not moving[at])
            and moving[ahead] == moving[ahead + 1] == moving[at + 1]
            and _enough(knots, at, ahead + 1)
        ):
            ahead += 1
        kept.append(knots[ahead])
        at = ahead
    return tuple(kept)


def position(path: Sequence[Waypoint], time: float) -> tuple[float, float]:
    """The crop's left and top edge at a moment; still before the first and after the last."""
    if time <= path[0].time:
        return path[0].x, path[0].y
    for one, two in itertools.pairwise(path):
        if time <= two.time:
            return _on_cubic(one, two, time)
    return path[-1].x, path[-1].y


def cubic(one: float, two: float, speed: float, end_speed: float, length: float) -> list[float]:
    """Coefficients of 1, u, u squared and u cubed, from ``one`` at u = 0 to ``two`` at
    ``length``."""
    rise = two - one
    square = (3 * rise - (2 * speed + end_speed) * length) / length**2
    cube = ((speed + end_speed) * length - 2 * rise) / length**3
    return [one, speed, square, cube]


def _on_cubic(one: Waypoint, two: Waypoint, time: float) -> tuple[float, float]:
    length, u = two.time - one.time, time - one.time
    x = cubic(one.x, two.x, one.x_speed, two.x_speed, length)
    y = cubic(one.y, two.y, one.y_speed, two.y_speed, length)
    powers = (1.0, u, u * u, u * u * u)
    return (
        sum(c * p for c, p in zip(x, powers, strict=True)),
        sum(c * p for c, p in zip(y, powers, strict=True)),
    )


def _enough(knots: Sequence[Waypoint], start: int, end: int) -> bool:
    for knot in knots[start + 1 : end]:
        x, y = _on_cubic(knots[start], knots[end], knot.time)
        if abs(x - knot.x) > _PRECISION or abs(y - knot.y) > _PRECISION:
            return False
    return True


def _slope(values: Sequence[float], at: int) -> float:
    """Pixels per second."""
    before, after = max(0, at - 1), min(len(values) - 1, at + 1)
    return (values[after] - values[before]) / (STEP * max(1, after - before))


def _within(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)


def _rolling_median(values: Sequence[float]) -> list[float]:
    half = round(_WINDOW / 2 / STEP)
    # At the ends as many on either side as there are: else a walk would begin late.
    reach = [min(n, half, len(values) - 1 - n) for n in range(len(values))]
    return [median(values[n - k : n + k + 1]) for n, k in enumerate(reach)]


def _single_place(
    wanted: Sequence[float], least: Sequence[float], most: Sequence[float], slack: float
) -> float | None:
    """The place that needs no move all along, if there is one."""
    lowest = max(max(least), max(wanted) - slack)
    highest = min(min(most), min(wanted) + slack)
    if lowest > highest:
        return None
    return _within(median(wanted), lowest, highest)


def _rests(wanted: Sequence[float], slack: float) -> list[tuple[int, int, float]]:
    """Stretches (first, last, place) in which the head keeps to a place, longest first found."""
    found: list[tuple[int, int, float]] = []
    open_parts = [(0, len(wanted))]
    while open_parts:
        start, end = open_parts.pop()
        first, last = _longest_calm(wanted, start, end, 1.6 * slack)
        if (last - first) * STEP < _REST:
            continue
        found.append((first, last - 1, median(wanted[first:last])))
        open_parts += [(start, first), (last, end)]
    return sorted(found)


def _longest_calm(wanted: Sequence[float], start: int, end: int, spread: float) -> tuple[int, int]:
    """The longest stretch whose values lie within ``spread`` of each other."""
    best, first = (start, start), start
    for last in range(start, end):
        while max(wanted[first : last + 1]) - min(wanted[first : last + 1]) > spread:
            first += 1
        if last + 1 - first > best[1] - best[0]:
            best = (first, last + 1)
    return best


def _tube(
    wanted: Sequence[float],
    least: Sequence[float],
    most: Sequence[float],
    rests: Sequence[tuple[int, int, float]],
    slack: float,
    wider: float,
) -> tuple[list[float], list[float]]:
    """The least and most that the path may be; where the head asks for more it gets it."""
    low = [value - slack * wider for value in wanted]
    high = [value + slack * wider for value in wanted]
    arrival = round(_ARRIVAL * min(wider, 2.0) / STEP)
    for first, last, place in rests:
        # Room for the move itself, except where nothing comes before or after.
        begins = first if first == 0 else first + arrival
        ends = last if last == len(wanted) - 1 else last - arrival
        for n in range(begins, ends + 1):
            low[n] = high[n] = place
    for n in range(len(wanted)):
        low[n], high[n] = (_within(edge, least[n], most[n]) for edge in (low[n], high[n]))
    return low, high


def _pulled_tight(low: Sequence[float], high: Sequence[float]) -> list[float]:
    """The shortest way through the tube, from the middle of its first to that of its last
    opening (the funnel algorithm)."""
    last = len(low) - 1
    low, high = list(low), list(high)
    low[0] = high[0] = (low[0] + high[0]) / 2
    low[last] = high[last] = (low[last] + high[last]) / 2
    corners = [(0, low[0])]
    while corners[-1][0] < last:
        corners.append(_next_corner(*corners[-1], low, high))
    path: list[float] = []
    for (one, here), (two, there) in itertools.pairwise(corners):
        path += [here + (there - here) * (n - one) / (two - one) for n in range(one, two)]
    return [*path, corners[-1][1]]


def _next_corner(
    at: int, place: float, low: Sequence[float], high: Sequence[float]
) -> tuple[int, float]:
    steepest, flattest = float("-inf"), float("inf")
    on_low = on_high = at + 1
    for n in range(at + 1, len(low)):
        up, down = (low[n] - place) / (n - at), (high[n] - place) / (n - at)
        if up > flattest:
            return on_high, high[on_high]
        if down < steepest:
            return on_low, low[on_low]
        if up >= steepest:
            steepest, on_low = up, n
        if down <= flattest:
            flattest, on_high = down, n
    return len(low) - 1, low[-1]


def _rounded(path: Sequence[float]) -> list[float]:
    """Without corners: two running means make every change of speed take over half a second.

    Beyond its ends the path is taken to go on as it comes, so that a walk is not slowed there.
    """
    for _ in range(2):
        reach = min(_ROUNDING, len(path) - 1)
        before = [2 * path[0] - path[k] for k in range(reach, 0, -1)]
        after = [2 * path[-1] - path[-1 - k] for k in range(1, reach + 1)]
        longer, window = [*before, *path, *after], 2 * reach + 1
        path = [sum(longer[n : n + window]) / window for n in range(len(path))]
    return list(path)


def _speed(path: Sequence[float]) -> float:
    steps = [abs(b - a) for a, b in itertools.pairwise(path)]
    return max(steps, default=0.0) / STEP


def _holds(path: Sequence[float], least: Sequence[float], most: Sequence[float]) -> bool:
    bounds = zip(path, least, most, strict=True)
    return all(a - 1 <= value <= b + 1 for value, a, b in bounds)
