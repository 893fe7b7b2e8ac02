"""Nudges for the scheduler's slots, each with the sentence that explains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.campaign import Campaign
from omniva_dagster.contracts.cognition.horizon import SchedulingWeights, SlotWeight
from omniva_dagster.engines.horizon.dossier import DIGITS, Dossier, HourOfWeek, evidence
from omniva_dagster.engines.horizon.goals import Standing, goal_window
from omniva_dagster.engines.horizon.season import WEEKDAYS, Season, named

SEASON_REACH = 0.4  # an hour whose every post did better is raised by at most so much
WISH_REACH = 0.4  # an hour that the campaign wants most, by so much
DELAY_COST = 0.05  # of a day's wait, while the cadence is kept
_DELAY_MOST = 0.5
_OVERRIDES = 4  # so many overridden slots halve the nudges
_LINE, _TEXT = 200, 2000


def weigh(dossier: Dossier, season: Season, stand: Sequence[Standing]) -> SchedulingWeights:
    """The adjustments of all hours of the week that are not left as they are."""
    overridden = sum(len(item.overridden) for item, _ in dossier.reflections)
    trust = _OVERRIDES / (_OVERRIDES + overridden)
    smoothing = dossier.campaign.smoothing if dossier.before else 0.0
    wishes = _wishes(dossier.campaign)
    slots = []
    for when in [(day, hour) for day in range(7) for hour in range(24)]:
        learned = SEASON_REACH * season.effect(when)
        wished, before = WISH_REACH * wishes.get(when, 0.0), dossier.before.get(when, 0.0)
        value = smoothing * before + (1 - smoothing) * trust * (learned + wished)
        value = round(min(1.0, max(-1.0, value)), DIGITS)
        if value:
            why = _why(when, value, season, wishes.get(when, 0.0), smoothing, before)
            slots.append(
                SlotWeight(weekday=WEEKDAYS[when[0]], hour=when[1], adjustment=value, why=why)
            )
    cadence = next((item for item in stand if item.name == "cadence"), None)
    return SchedulingWeights(
        goal_window=goal_window(dossier.campaign),
        slots=slots,
        smoothing=smoothing,
        delay_cost=_delay_cost(cadence),
        **given(daily_target=round(cadence.target / 7, DIGITS) if cadence else None),
        explanation=_explanation(dossier, slots, cadence, overridden, trust),
        evidence=evidence(dossier, dossier.posts),
        generated_at=dossier.now,
    )


def _wishes(campaign: Campaign) -> Mapping[HourOfWeek, float]:
    """What the campaign's windows ask for; where two meet, the stronger wish."""
    found: dict[HourOfWeek, float] = {}
    for window in campaign.windows or []:
        for day in window.weekdays or WEEKDAYS:
            for hour in window.hours:
                when = WEEKDAYS.index(day), hour
                former = found.get(when, 0.0)
                found[when] = max(former, window.preference, key=lambda wish: (abs(wish), wish))
    return found


def _delay_cost(cadence: Standing | None) -> float:
    behind = -min(0.0, cadence.drift or 0.0) if cadence else 0.0
    return round(DELAY_COST + (_DELAY_MOST - DELAY_COST) * behind, DIGITS)


def _why(
    when: HourOfWeek, value: float, season: Season, wish: float, smoothing: float, before: float
) -> str:
    parts = [season.said(when)] if season.said(when) else []
    if wish:
        parts.append(f"the campaign {'wants' if wish > 0 else 'keeps clear of'} it ({wish:+.2f})")
    if smoothing and before:
        parts.append(f"{smoothing:.0%} of {before:+.2f} before is kept")
    return f"{value:+.2f}: {'; '.join(parts)}"[:_LINE]


def _explanation(
    dossier: Dossier,
    slots: Sequence[SlotWeight],
    cadence: Standing | None,
    overridden: int,
    trust: float,
) -> str:
    sentences = []
    if cadence and cadence.drift is not None and cadence.drift < 0:
        cost = _delay_cost(cadence)
        sentences.append(f"cadence: {cadence.advice} (a day's wait costs {cost:.2f})")
    if overridden:
        sentences.append(
            f"operators moved {overridden} slot{'' if overridden == 1 else 's'} lately, "
            f"so nudges count for {trust:.2f}"
        )
    ranked = sorted(slots, key=lambda slot: (-abs(slot.adjustment), slot.why or ""))
    for slot in ranked:
        when = WEEKDAYS.index(slot.weekday), slot.hour
        sentences.append(f"{named(when)} {slot.why}")
    if not sentences:
        sentences = ["no hour of the week stands out so far"]
    text = ""
    for sentence in sentences:
        longer = f"{text}\n{sentence}" if text else sentence
        if len(longer) > _TEXT:
            break
        text = longer
    return text
