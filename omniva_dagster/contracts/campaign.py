"""The goals file: what campaigns are to reach, as one document.

It is configuration, not a message: operators write it as YAML (``<home>/goals.yaml``) and it never
travels. What each campaign comes to for a creator is recorded as `CampaignGoals`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    EACH_ONCE,
    UNIQUE,
    Hour,
    Line,
    Weekday,
    demand,
)
from omniva_dagster.contracts.types import MAX_NUMBER, Day, Opt, Score, SemVer, Slug

Target = Annotated[float, Field(gt=0, le=MAX_NUMBER)]
Share = Annotated[float, Field(gt=0, le=1)]
Preference = Annotated[float, Field(ge=-1, le=1)]
CampaignName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,47}$")]
HALF = 0.5


class Measure(StrEnum):
    """What a clip is measured by."""

    VIEWS = "views"
    LIKES = "likes"
    COMMENTS = "comments"
    SHARES = "shares"
    WATCHED_SECONDS = "watched_seconds"
    RETENTION = "retention"


class Cadence(Document):
    """How often clips are to go out."""

    clips_per_week: Annotated[float, Field(gt=0, le=168)] = Field(
        description="Publications of each creator in seven days."
    )
    weight: Score = Field(default=HALF, description="How much it counts among the goals.")


class Growth(Document):
    """How well clips are to do by the end of the campaign."""

    measure: Measure = Field(description="What is counted, on average a clip.")
    target: Target = Field(description="The median of the last ten clips, at the campaign's end.")
    weight: Score = Field(default=HALF, description="How much it counts among the goals.")


class MixPart(Document):
    """How much of what goes out is to be about a subject."""

    subject: Line = Field(description="A phrase of the clips' semantic_tags, or a word of one.")
    share: Share = Field(description="Share of the clips.")
    weight: Score = Field(default=HALF, description="How much it counts among the goals.")


class PostingWindow(Document):
    """Hours of the week that are wanted, or to be kept clear of."""

    weekdays: Opt[
        Annotated[list[Weekday], Field(min_length=1, max_length=7), EACH_ONCE, UNIQUE]
    ] = Field(default=None, description="Days of the week, in UTC; every day if left out.")
    hours: Annotated[list[Hour], Field(min_length=1, max_length=24), EACH_ONCE, UNIQUE] = Field(
        description="Hours of the day, in UTC."
    )
    preference: Preference = Field(
        default=HALF, description="1: wanted most; -1: to be kept clear of."
    )


class Campaign(Document):
    """What some creators' clips are to reach within a span of days."""

    name: CampaignName = Field(description="What it is called: a-z, 0-9, _ and -.")
    creators: Opt[
        Annotated[list[Slug], Field(min_length=1, max_length=1000), EACH_ONCE, UNIQUE]
    ] = Field(default=None, description="Whose clips; all creators if left out.")
    since: Day = Field(description="The first day (UTC).")
    until: Day = Field(description="The first day after it (UTC).")
    cadence: Opt[Cadence] = Field(default=None, description="How often clips are to go out.")
    growth: Opt[Annotated[list[Growth], Field(min_length=1, max_length=6)]] = Field(
        default=None, description="How well they are to do."
    )
    mix: Opt[Annotated[list[MixPart], Field(min_length=1, max_length=40)]] = Field(
        default=None, description="What they are to be about."
    )
    windows: Opt[Annotated[list[PostingWindow], Field(min_length=1, max_length=40)]] = Field(
        default=None, description="When they are to go out."
    )
    success: Measure = Field(
        default=Measure.VIEWS, description="What makes one clip a better one than another."
    )
    smoothing: Score = Field(
        default=HALF, description="How much of the day before's weights is kept each day."
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        mix, growth = self.mix or [], self.growth or []
        demand(
            self,
            (self.since < self.until, "until", "must be later than since"),
            (
                any((self.cadence, mix, growth, self.windows)),
                "cadence",
                "must be there, or growth, mix or windows: a campaign wants something",
            ),
            (
                sum(part.share for part in mix) <= 1 + 1e-9,
                "mix",
                "must have shares that come to at most 1",
            ),
            (
                all(re.search(r"\w", part.subject) for part in mix),
                "mix",
                "must have a word in each subject: nothing is about marks alone",
            ),
            (
                not _twice(part.subject.casefold() for part in mix),
                "mix",
                "must name each subject once",
            ),
            (
                not _twice(goal.measure for goal in growth),
                "growth",
                "must name each measure once",
            ),
        )
        return self


class GoalsFile(Document):
    """All campaigns; at most one for a creator at a time."""

    campaigns: Annotated[list[Campaign], Field(max_length=100)] = Field(
        description="The campaigns, in any order."
    )
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _one_at_a_time(self) -> Self:
        clash = _clash(self.campaigns)
        demand(
            self,
            (
                not _twice(campaign.name for campaign in self.campaigns),
                "campaigns",
                "must have a name each, no two the same",
            ),
            (not clash, "campaigns", f"must not hold two for one creator at a time: {clash}"),
        )
        return self


def campaign_of(goals: GoalsFile, creator: str, day: str) -> Campaign | None:
    """The campaign that applies to a creator on a day: one that names them before one for all."""
    running = [one for one in goals.campaigns if one.since <= day < one.until]
    own = [one for one in running if one.creators and creator in one.creators]
    shared = [one for one in running if one.creators is None]
    return next(iter(own or shared), None)


def _twice(items: Iterable[str]) -> bool:
    return any(count > 1 for count in Counter(items).values())


def _clash(campaigns: list[Campaign]) -> str:
    for index, one in enumerate(campaigns):
        for other in campaigns[:index]:
            if one.since < other.until and other.since < one.until:
                shared = set(one.creators or []) & set(other.creators or [])
                for_all = one.creators is None and other.creators is None
                if shared or for_all:
                    who = min(shared) if shared else "all creators"
                    return f"{other.name} and {one.name} overlap for {who}"
    return ""
