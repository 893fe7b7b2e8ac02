"""Whether a trend has turned: the newest posts beside those before them.

A sign test: of the twelve newest posts, how many did better than the median of the up to thirty-six
before them? Without a change each does with the chance of one half, and ten or more (or two or
fewer) come about in 4 of 100 looks. A false alarm costs a look at the goals, nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from omniva_dagster.engines.horizon.dossier import Post, in_order

RECENT = 12
_BEFORE = 36
_LEAST_BEFORE = 12
TURNED = 10


@dataclass(frozen=True)
class Inflection:
    """A trend that has turned: medians before and now, and the count that shows it."""

    before: float
    now: float
    better: int
    of: int
    posts: tuple[Post, ...]

    @property
    def rising(self) -> bool:
        """Whether it turned upwards."""
        return 2 * self.better > self.of


def inflection(posts: Sequence[Post]) -> Inflection | None:
    """The turn that the newest posts show, if they do."""
    known = [post for post in in_order(posts) if post.value is not None]
    recent, earlier = known[-RECENT:], known[:-RECENT][-_BEFORE:]
    if len(recent) < RECENT or len(earlier) < _LEAST_BEFORE:
        return None
    values = [post.value or 0.0 for post in recent]
    middle = median(post.value or 0.0 for post in earlier)
    better = sum(value > middle for value in values)
    worse = sum(value < middle for value in values)
    if better < TURNED and worse < TURNED:
        return None
    return Inflection(middle, median(values), better, len(recent), tuple(recent))
