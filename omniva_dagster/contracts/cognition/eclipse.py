"""Eclipse: what would contain and heal a failure; it proposes, and never acts itself (4.2)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    EACH_ONCE,
    UNIQUE,
    Evidence,
    Ids,
    JobType,
    Line,
    Lines,
    Name,
    PositiveSeconds,
    Severity,
    Text,
    demand,
)
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.types import (
    Count,
    Opt,
    Positive,
    SemVer,
    Timestamp,
    Uuid,
    parse_timestamp,
)


class Remediation(StrEnum):
    """What would heal; orchestrator workers do it once Zenith approves."""

    RESTART_REQUIRED = "restart_required"
    CACHE_FLUSH = "cache_flush"
    CREDENTIAL_ROTATION = "credential_rotation"
    DISK_CLEANUP = "disk_cleanup"
    MODEL_RELOAD = "model_reload"
    QUEUE_DRAIN = "queue_drain"
    RESCALE = "rescale"
    WAIT_FOR_QUOTA = "wait_for_quota"
    OPERATOR_REVIEW = "operator_review"


Remediations = Annotated[list[Remediation], Field(max_length=16), EACH_ONCE, UNIQUE]


class Jitter(StrEnum):
    """How waits are spread; none, so that the same plan gives the same times."""

    NONE = "none"


class Backoff(Document):
    """Waits that grow: ``initial_seconds * multiplier ** n``, at most ``max_seconds``."""

    initial_seconds: PositiveSeconds = Field(description="The first wait.")
    multiplier: Annotated[float, Field(ge=1, le=100)] = Field(
        description="How much longer each wait is than the one before."
    )
    max_seconds: PositiveSeconds = Field(description="The longest wait.")
    jitter: Jitter = Field(default=Jitter.NONE, description="How waits are spread.")

    @field_validator("max_seconds")
    @classmethod
    def _not_below_the_first(cls, longest: float, info: ValidationInfo) -> float:
        if longest < info.data.get("initial_seconds", 0):
            raise ValueError("must not be less than initial_seconds")
        return longest


class RetryPlan(Document):
    """When and how often a job is to be tried again (4.2, Outputs)."""

    plan_id: Uuid = Field(description="Derived from the job and its failed attempt.")
    job_type: JobType = Field(description="The contract of the job.")
    job_id: Uuid = Field(description="The job; a clip's or video's id where the job has none.")
    reason_code: ReasonCode = Field(description="Why it failed.")
    attempts_made: Count = Field(description="Attempts so far.")
    attempts: Positive = Field(description="Attempts allowed in all, those made included.")
    backoff: Backoff = Field(description="How long to wait before each further attempt.")
    budget_seconds: PositiveSeconds = Field(description="Time that all attempts may take.")
    next_attempt_at: Opt[Timestamp] = Field(
        default=None, description="When to try next; absent when the attempts are spent."
    )
    remediation: Remediations = Field(
        default_factory=list, description="What to heal before the next attempt."
    )
    evidence: Evidence = Field(description="Packets of the failures.")
    issued_at: Timestamp = Field(description="When it was planned.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _plans_only_what_is_left(self) -> Self:
        left = self.attempts - self.attempts_made
        demand(
            self,
            (left >= 0, "attempts", "must not be less than attempts_made"),
            (
                left > 0 or self.next_attempt_at is None,
                "next_attempt_at",
                "must be left out: the attempts are spent",
            ),
        )
        return self


class FallbackKind(StrEnum):
    """What a job is moved between."""

    WORKER = "worker"
    QUEUE = "queue"


class FallbackStrategy(Document):
    """Work is to go to a backup until the usual way is safe (4.2, Outputs)."""

    strategy_id: Uuid = Field(description="Derived from what is left and the failure.")
    kind: FallbackKind = Field(description="Whether workers or queues are meant.")
    from_target: Name = Field(description="The worker or queue to leave.")
    to_target: Name = Field(description="The backup; another one.")
    job_ids: Ids = Field(description="The jobs to move; empty for all of the queue or worker.")
    reason: Text = Field(description="Why.")
    remediation: Remediations = Field(
        default_factory=list, description="What would make the usual way safe again."
    )
    evidence: Evidence = Field(description="Packets of the failures.")
    issued_at: Timestamp = Field(description="When it was proposed.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("to_target")
    @classmethod
    def _goes_elsewhere(cls, target: str, info: ValidationInfo) -> str:
        if target == info.data.get("from_target"):
            raise ValueError("must differ from from_target")
        return target


class QuarantineSubject(StrEnum):
    """What can be isolated."""

    WORKER = "worker"
    CREATOR = "creator"


class QuarantineInstruction(Document):
    """A worker or creator is to get no work; Zenith enforces it (4.2, Outputs)."""

    instruction_id: Uuid = Field(description="Derived from the subject and its start.")
    subject_kind: QuarantineSubject = Field(description="What is isolated.")
    subject: Line = Field(description="The worker's name or the creator's slug.")
    reason: Text = Field(description="Why.")
    since: Timestamp = Field(description="When it begins.")
    until: Opt[Timestamp] = Field(
        default=None, description="When it ends; absent: when a readiness signal lifts it."
    )
    remediation: Remediations = Field(
        default_factory=list, description="What would make the subject safe again."
    )
    evidence: Evidence = Field(description="Packets of the failures.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("until")
    @classmethod
    def _ends_after_it_begins(cls, until: str, info: ValidationInfo) -> str:
        since = info.data.get("since")
        if since and parse_timestamp(since) >= parse_timestamp(until):
            raise ValueError("must be later than since")
        return until


class HealingProposal(Document):
    """Steps that would heal a worker pool, for Zenith to approve (4.2, Expected Behavior)."""

    proposal_id: Uuid = Field(description="Derived from the pool and the failure.")
    cluster: Name = Field(description="The worker pool.")
    steps: Annotated[list[Line], Field(min_length=1, max_length=50)] = Field(
        description="What to do, in order."
    )
    remediation: Remediations = Field(description="The same for machines, where there is a word.")
    rollback: Text = Field(description="How to undo the steps.")
    evidence: Evidence = Field(description="Packets of the failures.")
    issued_at: Timestamp = Field(description="When it was proposed.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class ReadinessSignal(Document):
    """A worker pool is safe again (4.2, Expected Behavior)."""

    cluster: Name = Field(description="The worker pool.")
    lifts: Ids = Field(description="Quarantine instructions that may end.")
    checks_passed: Lines = Field(description="What was looked at to say so.")
    evidence: Evidence = Field(description="Packets of the health seen since.")
    observed_at: Timestamp = Field(description="When it was seen to be safe.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class CrisisEscalation(Document):
    """Failures that containment does not stop: Zenith is asked at once (4.9)."""

    escalation_id: Uuid = Field(description="Derived from the failures.")
    severity: Severity = Field(description="How much it matters.")
    affected: Lines = Field(description="Workers, queues and creators that are hit.")
    message: Text = Field(description="What happens, and what is asked of Zenith.")
    proposals: Ids = Field(
        description="Plans, fallbacks, quarantines and proposals already made for it."
    )
    evidence: Evidence = Field(description="Packets of the failures.")
    issued_at: Timestamp = Field(description="When it was raised.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
