"""What Horizon is given about one creator."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from omniva_dagster.contracts.campaign import Campaign, Measure
from omniva_dagster.contracts.cognition.horizon import CampaignGoals
from omniva_dagster.contracts.cognition.zenith import CycleReflection
from omniva_dagster.contracts.video import Platform

# An hour of the week: 0 is Monday, and 0 to 23, in UTC.
HourOfWeek = tuple[int, int]

MOST_EVIDENCE = 200
DIGITS = 3  # numbers are rounded, so that they are the same on every machine
DAY = 86_400


@dataclass(frozen=True)
class Post:
    """A published clip. ``value`` is how it did by the campaign's measure, None if unknown;
    ``packet_id`` is the packet of its record, or of its receipt."""

    clip_id: str
    published_at: str
    value: float | None = None
    tags: tuple[str, ...] = ()
    packet_id: str = ""


@dataclass(frozen=True)
class Dossier:
    """All that bears on one creator's guidance at a moment.

    ``posts`` have the values of the campaign's measure of success; ``measured`` the same posts by
    the other measures that it has goals for.
    """

    now: str
    campaign: Campaign
    goals: CampaignGoals
    goals_packet: str
    platform: Platform
    posts: tuple[Post, ...] = ()
    creator_id: str = ""
    # the adjustments in force the day before, by hour of the week
    before: Mapping[HourOfWeek, float] = field(default_factory=dict)
    # Zenith's look back on its cycles, with the packets they stand in
    reflections: tuple[tuple[CycleReflection, str], ...] = ()
    measured: Mapping[Measure, Sequence[Post]] = field(default_factory=dict)


def in_order(posts: Sequence[Post]) -> list[Post]:
    """Oldest first; of one moment by id."""
    return sorted(posts, key=lambda post: (post.published_at, post.clip_id))


def evidence(dossier: Dossier, posts: Sequence[Post] = ()) -> list[str]:
    """The packets that a statement rests on: the goals, the reflections, the newest posts."""
    newest = [post.packet_id for post in reversed(in_order(posts)) if post.packet_id]
    reflected = sorted(packet for _, packet in dossier.reflections)
    return list(dict.fromkeys([dossier.goals_packet, *reflected, *newest]))[:MOST_EVIDENCE]


def about(tags: Sequence[str], subject: str) -> bool:
    """Whether one of the tags holds every word of the subject."""
    wanted = _words(subject)
    return bool(wanted) and any(wanted <= _words(tag) for tag in tags)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))
