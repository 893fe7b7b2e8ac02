"""When an audience is there: a tally of posts by hour of the week, shrunk while it is small.

A post is measured by the share of the posts around it in time that it did better than. That
compares like with like while a channel grows, and one post that went around the world counts no
more than any other that was the best of its days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.cognition.common import GoalWindow, Weekday
from omniva_dagster.contracts.cognition.horizon import SeasonalityProfile, SeasonalSlot
from omniva_dagster.contracts.types import parse_timestamp
from omniva_dagster.engines.horizon.dossier import DIGITS, Dossier, HourOfWeek, Post, in_order

# So many posts count for half of what they say.
PRIOR = 5
AROUND = 10  # posts on either side that a post is compared with
_FEWEST = 2
WEEKDAYS = tuple(Weekday)


@dataclass(frozen=True)
class Tally:
    """How well so many posts did: the sum of the shares of those around them that they beat."""

    won: float = 0.0
    of: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.won + other.won, self.of + other.of)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(self.won - other.won, self.of - other.of)

    @property
    def beaten(self) -> float:
        """The mean share of those around them that they did better than; a half is nothing."""
        return self.won / self.of if self.of else 0.5

    @property
    def share(self) -> float:
        """How much of the whole truth it counts for, in [0, 1)."""
        return self.of / (self.of + PRIOR)

    def towards(self, prior: float) -> float:
        """How far from a half it is, in [-1, 1], shrunk to a prior."""
        return self.share * (2 * self.beaten - 1) + (1 - self.share) * prior


@dataclass(frozen=True)
class Season:
    """Tallies by hour of the week and by hour of the day."""

    slots: Mapping[HourOfWeek, Tally] = field(default_factory=dict)
    hours: Mapping[int, Tally] = field(default_factory=dict)

    def effect(self, when: HourOfWeek) -> float:
        """How well an hour of the week does, in (-1, 1): its own posts before those of the same
        hour on other days, and nothing where there are none."""
        own = self.slots.get(when, Tally())
        others = self.hours.get(when[1], Tally()) - own
        return own.towards(others.towards(0.0))

    def said(self, when: HourOfWeek) -> str:
        """The effect in words."""
        own = self.slots.get(when, Tally())
        others = self.hours.get(when[1], Tally()) - own
        parts = []
        if own.of:
            parts.append(f"{_posts(own)} on {named(when)} beat {own.beaten:.0%} of those around")
            parts[-1] += f" (counts {own.share:.2f})"
        if others.of:
            days = " on other days" if own.of else ""
            parts.append(f"{_posts(others)} at {when[1]:02d}:00{days} beat {others.beaten:.0%}")
            parts[-1] += f" (counts {others.share:.2f})"
        return "; ".join(parts)


def beats(posts: Sequence[Post]) -> list[tuple[Post, float]]:
    """Posts that can be compared, in order, each with the share of those around it that it did
    better than; one that did as well counts for half.

    As many before as after: on the way up, the newest would beat all that are before them. So the
    first and the last posts are not judged.
    """
    known = [post for post in in_order(posts) if post.value is not None]
    found = []
    for index, post in enumerate(known):
        side = min(AROUND, index, len(known) - 1 - index)
        if side < _FEWEST:
            continue
        near = known[index - side : index] + known[index + 1 : index + 1 + side]
        values, value = [other.value or 0.0 for other in near], post.value or 0.0
        beaten = sum(1.0 if other < value else 0.5 if other == value else 0.0 for other in values)
        found.append((post, beaten / len(values)))
    return found


def season_of(posts: Sequence[Post]) -> Season:
    """The tallies of posts."""
    slots: dict[HourOfWeek, Tally] = {}
    hours: dict[int, Tally] = {}
    for post, won in beats(posts):
        when = hour_of_week(post.published_at)
        slots[when] = slots.get(when, Tally()) + Tally(won, 1)
        hours[when[1]] = hours.get(when[1], Tally()) + Tally(won, 1)
    return Season(slots, hours)


def profile(dossier: Dossier, season: Season) -> SeasonalityProfile | None:
    """The season as a document; None where nothing was observed."""
    observed = [post for post in in_order(dossier.posts) if post.value is not None]
    if not season.slots or observed[0].published_at >= dossier.now:
        return None
    best = max(1 + season.effect(when) for when in season.slots)
    slots = [
        SeasonalSlot(
            weekday=WEEKDAYS[when[0]],
            hour=when[1],
            engagement=round((1 + season.effect(when)) / best, DIGITS),
            samples=tally.of,
        )
        for when, tally in sorted(season.slots.items())
    ]
    return SeasonalityProfile(
        platform=dossier.platform,
        **given(creator_id=dossier.creator_id or None),
        observed=GoalWindow(since=observed[0].published_at, until=dossier.now),
        slots=slots,
    )


def hour_of_week(at: str) -> HourOfWeek:
    """The weekday and hour of a timestamp, in UTC."""
    moment = parse_timestamp(at)
    return moment.weekday(), moment.hour


def named(when: HourOfWeek) -> str:
    """``Friday 18:00``."""
    return f"{WEEKDAYS[when[0]].value.capitalize()} {when[1]:02d}:00"


def _posts(tally: Tally) -> str:
    return f"{tally.of} post{'' if tally.of == 1 else 's'}"
