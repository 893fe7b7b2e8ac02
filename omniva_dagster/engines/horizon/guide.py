"""One creator's guidance: weights, trajectories, warnings, gradients and what is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.horizon import (
    DesirabilityMetrics,
    DriftWarning,
    GoalGradient,
    GoalGradients,
    GoalTrajectory,
    SchedulingWeights,
    SeasonalityProfile,
    TrajectoryPoint,
)
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.engines.horizon.dossier import DAY, DIGITS, Dossier, evidence
from omniva_dagster.engines.horizon.goals import Standing, goal_window, standings
from omniva_dagster.engines.horizon.inflection import Inflection, inflection
from omniva_dagster.engines.horizon.season import profile, season_of
from omniva_dagster.engines.horizon.wanted import metrics
from omniva_dagster.engines.horizon.weights import weigh

# How far behind, as a share of the target, a goal is warned about.
_SEVERITY = ((-0.5, Severity.CRITICAL), (-0.2, Severity.WARNING), (-0.1, Severity.INFO))
_MOST_POINTS = 60


@dataclass(frozen=True)
class Guidance:
    """All of Horizon's documents about one creator at a moment."""

    weights: SchedulingWeights
    gradients: GoalGradients
    desirability: DesirabilityMetrics
    trajectories: tuple[GoalTrajectory, ...]
    warnings: tuple[DriftWarning, ...]
    season: SeasonalityProfile | None
    inflection: Inflection | None


def neutral_guidance(day: str) -> dict[str, Any]:
    """Guidance for a day with no campaign: every hour and subject equally welcome."""
    return {"goal_window": {"since": day, "until": day}, "desirability": 1.0, "adjustment": 0.0}


def guide(dossier: Dossier) -> Guidance:
    """The guidance that follows from the dossier; the same dossier always gives the same."""
    stand = standings(dossier)
    season = season_of(dossier.posts)
    turn = inflection(dossier.posts)
    return Guidance(
        weights=weigh(dossier, season, stand),
        gradients=_gradients(dossier, stand),
        desirability=metrics(dossier, stand),
        trajectories=tuple(_trajectory(dossier, item) for item in stand),
        warnings=(*_drifts(dossier, stand), *_turns(dossier, turn)),
        season=profile(dossier, season),
        inflection=turn,
    )


def _gradients(dossier: Dossier, stand: Sequence[Standing]) -> GoalGradients:
    pulls = [GoalGradient(goal=item.name, gradient=item.gradient) for item in stand]
    return GoalGradients(
        goal_window=goal_window(dossier.campaign),
        gradients=pulls or [GoalGradient(goal="windows", gradient=0.0)],
        evidence=evidence(dossier, [post for item in stand for post in item.posts]),
        generated_at=dossier.now,
    )


def _trajectory(dossier: Dossier, item: Standing) -> GoalTrajectory:
    since, until = (
        parse_timestamp(moment)
        for moment in (goal_window(dossier.campaign).since, goal_window(dossier.campaign).until)
    )
    days = (until - since).total_seconds() / DAY
    steps = int(min(_MOST_POINTS, max(1, days // 7)))
    points = [
        TrajectoryPoint(
            at=format_timestamp(since + (until - since) * (step / steps)),
            expected=round(item.start + (item.end - item.start) * step / steps, DIGITS),
        )
        for step in range(steps + 1)
    ]
    seen = "nothing to measure yet" if item.observed is None else f"it is {item.observed:g}"
    cumulative = item.name == "cadence"
    return GoalTrajectory(
        goal_window=goal_window(dossier.campaign),
        goal=item.name,
        metric="clips_published" if cumulative else item.metric,
        points=points,
        recommendation=item.advice,
        explanation=f"{item.metric} should be {item.expected:g} by now, {seen}; "
        f"the way goes straight from {item.start:g} to {item.end:g}",
        evidence=evidence(dossier, item.posts),
        generated_at=dossier.now,
    )


def _drifts(dossier: Dossier, stand: Sequence[Standing]) -> list[DriftWarning]:
    found = []
    for item in stand:
        severity = _severity(item.drift)
        if severity is None or item.drift is None or item.observed is None:
            continue
        found.append(
            DriftWarning(
                goal_window=goal_window(dossier.campaign),
                goal=item.name,
                metric=item.metric,
                expected=item.expected,
                observed=item.observed,
                drift=item.drift,
                severity=severity,
                message=f"{item.name}: {item.metric} is {item.observed:g}, should be "
                f"{item.expected:g} by now ({item.drift:+.0%} of the target); {item.advice}",
                evidence=evidence(dossier, item.posts),
                detected_at=dossier.now,
            )
        )
    return found


def _severity(drift: float | None) -> Severity | None:
    if drift is None:
        return None
    return next((severity for bound, severity in _SEVERITY if drift <= bound), None)


def _turns(dossier: Dossier, turn: Inflection | None) -> list[DriftWarning]:
    if turn is None:
        return []
    change = (turn.now - turn.before) / turn.before if turn.before else 1.0
    way = "up" if turn.rising else "down"
    metric = f"{dossier.campaign.success.value}_per_clip"
    return [
        DriftWarning(
            goal_window=goal_window(dossier.campaign),
            goal="trend",
            metric=metric,
            expected=round(turn.before, DIGITS),
            observed=round(turn.now, DIGITS),
            drift=round(min(1.0, max(-1.0, change)), DIGITS),
            severity=Severity.INFO if turn.rising else Severity.WARNING,
            message=f"the trend of {metric} has turned {way}: {turn.better} of the {turn.of} "
            f"newest clips did better than the median before ({turn.before:g}, now {turn.now:g}); "
            "look whether the goals still fit: omniva horizon show",
            evidence=evidence(dossier, turn.posts),
            detected_at=dossier.now,
        )
    ]
