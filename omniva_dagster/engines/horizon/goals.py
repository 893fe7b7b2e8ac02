"""Where each goal stands: what it should be by now, what it is, and which way it pulls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from omniva_dagster.contracts.campaign import Cadence, Campaign, Growth, Measure, MixPart
from omniva_dagster.contracts.cognition.common import GoalWindow
from omniva_dagster.contracts.cognition.horizon import CampaignGoals, Goal
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import parse_timestamp
from omniva_dagster.engines.horizon.dossier import DAY, DIGITS, Dossier, Post, about, in_order

CADENCE_DAYS = 14  # the cadence is looked at over so many days
_EARLY_DAYS = 3  # and not before so many are over
RECENT = 10  # clips that growth is measured on
FEWEST = 5  # clips that a share or a median needs to mean something
_NAME = 64


@dataclass(frozen=True)
class Standing:
    """A goal beside what is: ``drift`` is the distance as a share of the target, below is
    negative; None where too little is known to say."""

    name: str
    metric: str
    target: float
    weight: float
    expected: float
    observed: float | None
    posts: tuple[Post, ...]
    advice: str
    # what the campaign's end asks for, and where it began: the way to the goal
    start: float
    end: float

    @property
    def drift(self) -> float | None:
        """In [-1, 1]."""
        if self.observed is None:
            return None
        share = (self.observed - self.expected) / self.target
        return round(min(1.0, max(-1.0, share)), DIGITS) or 0.0

    @property
    def gradient(self) -> float:
        """Which way it pulls: 1 is more of it at once, -1 enough of it."""
        pull = -(self.drift or 0.0) * 2 * self.weight
        # Of nothing there are two zeros, and only one of them is worth showing.
        return round(min(1.0, max(-1.0, pull)), DIGITS) or 0.0


def goal_window(campaign: Campaign) -> GoalWindow:
    """When a campaign's goals hold."""
    return GoalWindow(since=f"{campaign.since}T00:00:00Z", until=f"{campaign.until}T00:00:00Z")


def campaign_goals(campaign: Campaign, creator: str, set_by: str, at: str) -> CampaignGoals:
    """What a campaign comes to for a creator, the weightiest goal first."""
    goals = [
        Goal(name=item.name, metric=item.metric, target=item.target, weight=item.weight)
        for item in _goals(campaign)
    ]
    return CampaignGoals(
        campaign_id=derive_id("campaign", campaign.name, creator),
        goal_window=goal_window(campaign),
        goals=sorted(goals, key=lambda goal: (-goal.weight, goal.name)),
        subjects=[part.subject for part in campaign.mix or []],
        set_by=set_by,
        issued_at=at,
    )


def standings(dossier: Dossier) -> list[Standing]:
    """Where each goal stands, by name."""
    posts = in_order(dossier.posts)
    campaign = dossier.campaign
    found = [_growth(dossier, goal, posts) for goal in campaign.growth or []]
    found += [_mix(dossier, part, posts) for part in campaign.mix or []]
    if campaign.cadence:
        found.append(_cadence(dossier, campaign.cadence, posts))
    return sorted(found, key=lambda standing: standing.name)


@dataclass(frozen=True)
class _Named:
    name: str
    metric: str
    target: float
    weight: float


def _goals(campaign: Campaign) -> list[_Named]:
    found = []
    if campaign.cadence:
        cadence = campaign.cadence
        found.append(_Named("cadence", "clips_per_week", cadence.clips_per_week, cadence.weight))
    found += [
        _Named(_growth_name(goal), _per_clip(goal), goal.target, goal.weight)
        for goal in campaign.growth or []
    ]
    found += [
        _Named(mix_name(part), "share_of_clips", part.share, part.weight)
        for part in campaign.mix or []
    ]
    # Windows alone are a wish too: all clips within them.
    return found or [_Named("windows", "share_of_clips_in_windows", 1.0, 0.5)]


def _cadence(dossier: Dossier, goal: Cadence, posts: Sequence[Post]) -> Standing:
    start = f"{dossier.campaign.since}T00:00:00Z"
    elapsed = _days(start, dossier.now)
    days = min(float(CADENCE_DAYS), elapsed)
    inside = [
        post
        for post in posts
        if start <= post.published_at < dossier.now
        and _days(post.published_at, dossier.now) <= days
    ]
    target = goal.clips_per_week
    observed = round(len(inside) * 7 / days, DIGITS) if days >= _EARLY_DAYS else None
    short = target * days / 7 - len(inside)
    # Less than one clip is no lag: publishing is in whole clips.
    if observed is not None and 0 < short < 1:
        observed = target
    advice = (
        f"{short:.1f} clips behind in {days:.0f} days: clips take the next free slots"
        if short >= 1
        else "on its way: keep the pace"
    )
    weeks = _days(start, f"{dossier.campaign.until}T00:00:00Z") / 7
    return Standing(
        "cadence",
        "clips_per_week",
        target,
        goal.weight,
        target,
        observed,
        tuple(inside),
        advice,
        0.0,
        round(target * weeks, DIGITS),
    )


def _growth(dossier: Dossier, goal: Growth, posts: Sequence[Post]) -> Standing:
    start, end = f"{dossier.campaign.since}T00:00:00Z", f"{dossier.campaign.until}T00:00:00Z"
    if goal.measure is not dossier.campaign.success:
        posts = in_order(dossier.measured.get(goal.measure, ()))
    known = [post for post in posts if post.value is not None and post.published_at < dossier.now]
    before = [post.value or 0.0 for post in known if post.published_at < start][-RECENT:]
    recent = known[-RECENT:]
    base = median(before) if before else 0.0
    passed = min(1.0, max(0.0, _days(start, dossier.now) / _days(start, end)))
    expected = round(base + (goal.target - base) * passed, DIGITS)
    enough = len(recent) >= FEWEST
    observed = round(median(post.value or 0.0 for post in recent), DIGITS) if enough else None
    advice = (
        "too few clips with known results to say"
        if observed is None
        else "make more of what did better than the rest: see desirability and slots"
        if observed < expected
        else "on its way: keep on"
    )
    return Standing(
        _growth_name(goal),
        _per_clip(goal),
        goal.target,
        goal.weight,
        expected,
        observed,
        tuple(recent),
        advice,
        round(base, DIGITS),
        goal.target,
    )


def _mix(dossier: Dossier, part: MixPart, posts: Sequence[Post]) -> Standing:
    start = f"{dossier.campaign.since}T00:00:00Z"
    # What a post is about is known of those that were made here.
    inside = [post for post in posts if post.tags and start <= post.published_at < dossier.now]
    with_it = [post for post in inside if about(post.tags, part.subject)]
    enough = len(inside) >= FEWEST
    observed = round(len(with_it) / len(inside), DIGITS) if enough else None
    short = part.share * len(inside) - len(with_it)
    if observed is not None and abs(short) < 1:
        observed = part.share
    advice = (
        f"{len(with_it)} of {len(inside)} clips are about it, {short:.1f} fewer than wanted: "
        "prefer candidates about it"
        if observed is not None and short >= 1
        else "on its way: keep the mix"
    )
    return Standing(
        mix_name(part),
        "share_of_clips",
        part.share,
        part.weight,
        part.share,
        observed,
        tuple(inside),
        advice,
        part.share,
        part.share,
    )


def mix_name(part: MixPart) -> str:
    """The goal's name, at most 64 characters; no two subjects have the same."""
    name = f"mix: {part.subject}"
    if len(name) <= _NAME:
        return name
    mark = derive_id("subject", part.subject)[:8]
    return f"{name[: _NAME - len(mark) - 2]}… {mark}"


def _growth_name(goal: Growth) -> str:
    return f"growth: {goal.measure.value}"


def _per_clip(goal: Growth) -> str:
    name = goal.measure.value
    return name if goal.measure is Measure.RETENTION else f"{name}_per_clip"


def _days(since: str, until: str) -> float:
    return (parse_timestamp(until) - parse_timestamp(since)).total_seconds() / DAY
