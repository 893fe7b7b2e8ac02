"""Zenith: what it hears, and how it accounts for what it decided (4.9).

The command itself is `contracts.decisions.Directive`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    EACH_ONCE,
    UNIQUE,
    Engine,
    Evidence,
    GoalWindow,
    Ids,
    Line,
    Lines,
    Name,
    Text,
    demand,
    when,
)
from omniva_dagster.contracts.decisions import DirectiveKind, OutcomeStatus
from omniva_dagster.contracts.types import (
    Count,
    Opt,
    Score,
    SemVer,
    Timestamp,
    Uuid,
)


class OverrideRequest(Document):
    """An operator wants something decided otherwise; an input, not a command (4.9, Inputs)."""

    model_config = ConfigDict(
        json_schema_extra={"allOf": [when("kind", "reschedule", {"required": ["scheduled_time"]})]}
    )

    request_id: Uuid = Field(description="The request.")
    operator: Name = Field(description="Who asks.")
    subject_id: Uuid = Field(description="What it is about; a clip's id for clips.")
    overrides: Opt[Uuid] = Field(default=None, description="The directive to replace.")
    priority: Opt[Score] = Field(default=None, description="The priority it should have.")
    scheduled_time: Opt[Timestamp] = Field(
        default=None, description="The slot it should have; required to reschedule."
    )
    kind: DirectiveKind = Field(description="What Zenith should order.")
    reason: Text = Field(description="Why.")
    evidence: Ids = Field(default_factory=list, description="Packets the operator points to.")
    requested_at: Timestamp = Field(description="When.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("kind")
    @classmethod
    def _names_the_new_slot(cls, kind: DirectiveKind, info: ValidationInfo) -> DirectiveKind:
        if kind is DirectiveKind.RESCHEDULE and info.data.get("scheduled_time", "") is None:
            raise ValueError("must not be reschedule where there is no scheduled_time")
        return kind


class WorkerState(StrEnum):
    """How a worker pool stands."""

    IDLE = "idle"
    BUSY = "busy"
    DEGRADED = "degraded"
    QUARANTINED = "quarantined"
    OFFLINE = "offline"


class OperationalStatus(Document):
    """How a worker pool stands, told regularly (4.9, Inputs)."""

    worker: Name = Field(description="The worker pool.")
    state: WorkerState = Field(description="How it stands.")
    running: Count = Field(description="Jobs in its hands.")
    waiting: Count = Field(description="Jobs in its queues.")
    failed: Count = Field(description="Jobs that failed since the last control cycle.")
    observed_at: Timestamp = Field(description="When it was so.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class StateTransition(Document):
    """Work moved from one status to another, by a directive (4.9, Expected Behavior)."""

    subject_id: Uuid = Field(description="The document.")
    directive_id: Uuid = Field(description="The directive that moved it.")
    from_status: OutcomeStatus = Field(description="How it stood.")
    to_status: OutcomeStatus = Field(description="How it stands; another status.")
    owner: Name = Field(description="The worker that is to act.")
    state_version: Count = Field(description="Grows by one with each transition of the document.")
    occurred_at: Timestamp = Field(description="When it was moved.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("to_status")
    @classmethod
    def _moves(cls, status: OutcomeStatus, info: ValidationInfo) -> OutcomeStatus:
        if status is info.data.get("from_status"):
            raise ValueError("must differ from from_status")
        return status


class CommitmentLog(Document):
    """What one control cycle committed to, for Stardust (4.9, Outputs)."""

    cycle_id: Uuid = Field(description="The control cycle.")
    cycle: Count = Field(description="Its number; each is one more than the last.")
    directives: Ids = Field(description="Directives issued, in order.")
    transitions: Annotated[list[StateTransition], Field(max_length=1000)] = Field(
        description="What they moved, in order."
    )
    verdicts: Ids = Field(description="Arbitration verdicts they rest on.")
    considered: Evidence = Field(description="Packets of all advice and status that was read.")
    committed_at: Timestamp = Field(description="When the cycle was closed.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _moves_nothing_without_a_directive(self) -> Self:
        moved_by = {transition.directive_id for transition in self.transitions}
        demand(
            self,
            (
                moved_by <= set(self.directives),
                "transitions",
                "must hold nothing that is not in directives",
            ),
        )
        return self


class Advice(Document):
    """What an engine is for."""

    engine: Engine = Field(description="The engine.")
    recommends: Line = Field(description="What it is for.")
    weight: Score = Field(description="How sure it is, or how much it matters to it.")
    packet_id: Uuid = Field(description="The packet of the advice.")


class ArbitrationVerdict(Document):
    """Engines disagree, and Zenith decides between them (4.9, Outputs)."""

    verdict_id: Uuid = Field(description="Derived from the subject and the advice.")
    subject_id: Uuid = Field(description="What the advice is about; a clip's id for clips.")
    advice: Annotated[list[Advice], Field(min_length=2, max_length=100)] = Field(
        description="What was compared, one of each engine."
    )
    precedence_rule: Line = Field(description="The rule that decided.")
    chosen: Engine = Field(description="The engine whose advice was taken.")
    overridden: Annotated[list[Engine], Field(min_length=1, max_length=9), EACH_ONCE, UNIQUE] = (
        Field(description="The engines whose advice was not.")
    )
    reason: Text = Field(description="Why, in a sentence.")
    directive_id: Opt[Uuid] = Field(default=None, description="The directive that came of it.")
    decided_at: Timestamp = Field(description="When.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _decides_between_those_who_spoke(self) -> Self:
        heard = [item.engine for item in self.advice]
        demand(
            self,
            (len(set(heard)) == len(heard), "advice", "must not hold the same engine twice"),
            (self.chosen in heard, "chosen", "must be an engine of advice"),
            (
                set(self.overridden) <= set(heard) - {self.chosen},
                "overridden",
                "must hold engines of advice other than chosen",
            ),
        )
        return self


class CycleReflection(Document):
    """What Zenith learned from its last cycles, for Horizon (4.5, Inputs)."""

    goal_window: GoalWindow = Field(description="The time it looks back on.")
    cycles: Count = Field(description="Control cycles in that time.")
    went_well: Lines = Field(description="What should be done again.")
    went_badly: Lines = Field(description="What should not.")
    overridden: Ids = Field(description="Directives that operators replaced.")
    evidence: Evidence = Field(description="Packets of the commitment logs.")
    generated_at: Timestamp = Field(description="When it was written.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
