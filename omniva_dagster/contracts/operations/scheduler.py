"""The scheduler: its command, changes of the queue, faults (module interfaces, 5.5)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    Evidence,
    GoalWindow,
    Ids,
    Text,
    demand,
    when,
)
from omniva_dagster.contracts.operations.common import LEFT_OUT, Among, WorkerFailure, require
from omniva_dagster.contracts.publishing import ScheduleTask
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.types import Opt, Positive, SemVer, Timestamp, Uuid

FaultReason = Annotated[ReasonCode, Among((ReasonCode.SCHEDULER_FAULT,))]


class QueueEntry(Document):
    """A clip and the slot it holds."""

    clip_id: Uuid = Field(description="The clip.")
    creator_id: Uuid = Field(description="The creator whose channel it goes to.")
    slot: Timestamp = Field(description="When it is to go out.")


class QueueSnapshot(Document):
    """The queue as Zenith saw it."""

    taken_at: Timestamp = Field(description="When it was looked at.")
    daily_quota: Positive = Field(description="Most clips a creator publishes in a day.")
    entries: Annotated[list[QueueEntry], Field(max_length=10_000)] = Field(
        description="The slots that are taken."
    )


class ScheduleCommand(Document):
    """Zenith's order to book a slot, with the queue as it is (5.5, Input)."""

    directive_id: Uuid = Field(description="The directive that orders it.")
    task: ScheduleTask = Field(description="The clip and the slot recommended.")
    queue: QueueSnapshot = Field(description="The slots that are taken.")
    goal_window: GoalWindow = Field(description="Horizon's window it is to fall in.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class Mutation(StrEnum):
    """How a clip's place in the queue changed."""

    SCHEDULED = "scheduled"
    RESCHEDULED = "rescheduled"
    SKIPPED = "skipped"


class QueueMutation(Document):
    """A clip's place in the queue changed (5.5, Output and Stardust reference)."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                when(
                    "mutation",
                    Mutation.SCHEDULED.value,
                    {
                        "required": ["commitment_time"],
                        "properties": {"previous_time": LEFT_OUT},
                    },
                ),
                when(
                    "mutation",
                    Mutation.RESCHEDULED.value,
                    {"required": ["commitment_time", "previous_time"]},
                ),
                when(
                    "mutation",
                    Mutation.SKIPPED.value,
                    {"properties": {"commitment_time": LEFT_OUT}},
                ),
            ]
        }
    )

    clip_id: Uuid = Field(description="The clip.")
    mutation: Mutation = Field(description="How its place changed.")
    commitment_time: Opt[Timestamp] = Field(
        default=None, description="When it goes out by the clock on the wall; none when skipped."
    )
    previous_time: Opt[Timestamp] = Field(
        default=None, description="The slot it had before, if it had one."
    )
    goal_window: GoalWindow = Field(description="Horizon's window that motivated it.")
    reason: Text = Field(description="Why, in a sentence.")
    evidence: Evidence = Field(description="Packets it rests on.")
    decided_at: Timestamp = Field(description="When it was changed.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _commits_unless_skipped(self) -> Self:
        skipped = self.mutation is Mutation.SKIPPED
        committed = self.commitment_time is not None
        moved = self.previous_time is not None
        if self.mutation is Mutation.RESCHEDULED:
            require(self, "commitment_time", "previous_time")
        elif not skipped:
            require(self, "commitment_time")
        demand(
            self,
            (
                not (skipped and committed),
                "commitment_time",
                "must be left out: a skipped clip has none",
            ),
            (
                self.mutation is not Mutation.SCHEDULED or not moved,
                "previous_time",
                "must be left out: a clip that had a slot is rescheduled",
            ),
        )
        return self


class Constraint(StrEnum):
    """What could not be kept."""

    DOUBLE_BOOKING = "double_booking"
    DAILY_QUOTA = "daily_quota"
    OUTSIDE_GOAL_WINDOW = "outside_goal_window"
    NO_FREE_SLOT = "no_free_slot"


class SchedulerFault(WorkerFailure):
    """Constraints conflict (5.5, Error signaling: ``scheduler_fault``)."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                when(
                    "constraint",
                    Constraint.DOUBLE_BOOKING.value,
                    {
                        "properties": {
                            "clip_ids": {"minItems": 2},
                            "paradox_invited": {"const": True},
                        }
                    },
                )
            ]
        }
    )

    reason_code: FaultReason = Field(
        default=ReasonCode.SCHEDULER_FAULT, description="Always scheduler_fault."
    )
    constraint: Constraint = Field(description="What could not be kept.")
    clip_ids: Ids = Field(description="The clips in conflict.")
    slot: Opt[Timestamp] = Field(default=None, description="The slot in conflict, if it is one.")
    paradox_invited: bool = Field(description="Whether Paradox is to look for duplicates.")

    @model_validator(mode="after")
    def _shows_paradox_a_double_booking(self) -> Self:
        double = self.constraint is Constraint.DOUBLE_BOOKING
        demand(
            self,
            (
                not double or len(self.clip_ids) > 1,
                "clip_ids",
                "must hold at least 2 items: a double booking is of two clips",
            ),
            (
                not double or self.paradox_invited,
                "paradox_invited",
                "must be true: Paradox validates double bookings",
            ),
        )
        return self
