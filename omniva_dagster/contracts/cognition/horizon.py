"""Horizon: goals, history and season in; weights, trajectory and warnings out (4.5).

Whatever it emits names the ``goal_window`` it applies to.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    Evidence,
    GoalWindow,
    Hour,
    Line,
    Name,
    Severity,
    Signed,
    Text,
    Weekday,
)
from omniva_dagster.contracts.types import (
    Count,
    Number,
    Opt,
    Score,
    Seconds,
    SemVer,
    Timestamp,
    Uuid,
)
from omniva_dagster.contracts.video import Platform

HOURS_OF_A_WEEK = 168


class Goal(Document):
    """Something a campaign is to reach."""

    name: Name = Field(description="What it is called.")
    metric: Name = Field(description="What is measured, its unit in the name.")
    target: Number = Field(description="The value to reach by the window's end.")
    weight: Score = Field(description="How much it counts among the goals.")


class CampaignGoals(Document):
    """What is wanted in the long run (4.5, Inputs)."""

    campaign_id: Uuid = Field(description="The campaign.")
    goal_window: GoalWindow = Field(description="When the goals hold.")
    goals: Annotated[list[Goal], Field(min_length=1, max_length=50)] = Field(
        description="What to reach, the weightiest first."
    )
    subjects: Annotated[list[Line], Field(max_length=100)] = Field(
        default_factory=list, description="What the clips should be about."
    )
    set_by: Name = Field(description="Who set them.")
    issued_at: Timestamp = Field(description="When they were set.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class EngagementRecord(Document):
    """How a published clip did (4.5, Inputs)."""

    clip_id: Uuid = Field(description="The clip.")
    platform: Platform = Field(description="Where.")
    published_at: Timestamp = Field(description="When it went out.")
    observed_at: Timestamp = Field(description="When it was counted.")
    views: Count = Field(description="All so far.")
    likes: Count = Field(description="All so far.")
    comments: Count = Field(description="All so far.")
    shares: Count = Field(description="All so far.")
    watched_seconds: Seconds = Field(description="By all viewers together.")
    retention: Score = Field(description="The mean share of the clip that was watched.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class SeasonalSlot(Document):
    """An hour of the week, and how it usually does."""

    weekday: Weekday = Field(description="In UTC.")
    hour: Hour = Field(description="In UTC, 0 to 23.")
    engagement: Score = Field(description="Beside the best hour of the week, which is 1.")
    samples: Count = Field(description="Publications it was learned from.")


class SeasonalityProfile(Document):
    """When an audience is there (4.5, Inputs)."""

    platform: Platform = Field(description="Where.")
    creator_id: Opt[Uuid] = Field(default=None, description="Whose audience; absent for all.")
    observed: GoalWindow = Field(description="The time it was learned from.")
    slots: Annotated[list[SeasonalSlot], Field(min_length=1, max_length=HOURS_OF_A_WEEK)] = Field(
        description="Hours of the week, from Monday on."
    )
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class SlotWeight(Document):
    """What to add to the weight of an hour of the week."""

    weekday: Weekday = Field(description="In UTC.")
    hour: Hour = Field(description="In UTC, 0 to 23.")
    adjustment: Signed = Field(description="A ScheduleTask's horizon_adjustment.")
    why: Opt[Line] = Field(default=None, description="What it comes of, in numbers.")


class SchedulingWeights(Document):
    """Nudges for the scheduler's slots (4.5, Outputs)."""

    goal_window: GoalWindow = Field(description="When they apply.")
    slots: Annotated[list[SlotWeight], Field(max_length=HOURS_OF_A_WEEK)] = Field(
        description="Hours of the week, from Monday on; one not listed is left as it is."
    )
    smoothing: Score = Field(description="How much of the weights before is kept.")
    delay_cost: Opt[Score] = Field(
        default=None, description="What a day's wait takes from a slot's weight."
    )
    daily_target: Opt[Annotated[float, Field(ge=0, le=24)]] = Field(
        default=None, description="Clips a day that the cadence asks for; a mean, not whole."
    )
    explanation: Text = Field(description="Why, in terms of goals, history and season.")
    evidence: Evidence = Field(description="Packets of the goals and records used.")
    generated_at: Timestamp = Field(description="When they were made.")
    schema_version: SemVer = Field(default="1.1.0", description="Version of this contract.")


class TrajectoryPoint(Document):
    """Where a goal should stand at a time."""

    at: Timestamp = Field(description="The time.")
    expected: Number = Field(description="What the metric should be then.")


class GoalTrajectory(Document):
    """The way to a goal, and what to do to stay on it (4.5, Outputs)."""

    goal_window: GoalWindow = Field(description="When it applies.")
    goal: Name = Field(description="The goal's name.")
    metric: Name = Field(description="What is measured, its unit in the name.")
    points: Annotated[list[TrajectoryPoint], Field(min_length=1, max_length=1000)] = Field(
        description="Where it should stand, by time."
    )
    recommendation: Text = Field(description="What to do.")
    explanation: Text = Field(description="Why.")
    evidence: Evidence = Field(description="Packets of the goals and records used.")
    generated_at: Timestamp = Field(description="When it was made.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class DriftWarning(Document):
    """Output drifts from what is wanted (4.5, Outputs)."""

    goal_window: GoalWindow = Field(description="When the goal applies.")
    goal: Name = Field(description="The goal's name.")
    metric: Name = Field(description="What is measured, its unit in the name.")
    expected: Number = Field(description="What it should be.")
    observed: Number = Field(description="What it is.")
    drift: Signed = Field(description="How far off, as a share of the target; below is negative.")
    severity: Severity = Field(description="How much it matters.")
    message: Text = Field(description="What drifts, and what to do about it.")
    evidence: Evidence = Field(description="Packets of the goals and records used.")
    detected_at: Timestamp = Field(description="When it was found.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class GoalGradient(Document):
    """Which way a goal pulls."""

    goal: Name = Field(description="The goal's name.")
    gradient: Signed = Field(description="1: more of it at once; -1: enough of it.")


class GoalGradients(Document):
    """Which way the goals pull the routing of work, for Lattice (4.4, Inputs)."""

    goal_window: GoalWindow = Field(description="When they apply.")
    gradients: Annotated[list[GoalGradient], Field(min_length=1, max_length=50)] = Field(
        description="By goal."
    )
    evidence: Evidence = Field(description="Packets of the goals and records used.")
    generated_at: Timestamp = Field(description="When they were made.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class SubjectDesirability(Document):
    """How much clips about a subject are wanted in the long run."""

    subject: Line = Field(description="A phrase of a candidate's semantic_tags.")
    desirability: Score = Field(description="0.5 is neutral.")


class DesirabilityMetrics(Document):
    """What is wanted in the long run, as a bias for Pantheon (4.5, Expected Behavior; 4.6)."""

    goal_window: GoalWindow = Field(description="When they apply.")
    subjects: Annotated[list[SubjectDesirability], Field(max_length=500)] = Field(
        description="The most wanted first; one not listed is neutral."
    )
    explanation: Text = Field(description="Why.")
    evidence: Evidence = Field(description="Packets of the goals and records used.")
    generated_at: Timestamp = Field(description="When they were made.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
