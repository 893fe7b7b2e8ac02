"""What Eclipse hears of failures: events, beats, deviations and the panic button (4.2)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonValue

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    Ids,
    JobType,
    Line,
    Lines,
    Name,
    PositiveSeconds,
    Severity,
    Text,
    when,
)
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.types import (
    MAX_NUMBER,
    Count,
    Number,
    Positive,
    Seconds,
    SemVer,
    Timestamp,
    Uuid,
    parse_timestamp,
)


class WorkerErrorEvent(Document):
    """A worker could not do a job (4.2, Inputs)."""

    worker: Name = Field(description="The worker pool: scraper, analyzer, editor ...")
    instance: Name = Field(description="The process or host within the pool.")
    job_type: JobType = Field(description="The contract of the job.")
    job_id: Uuid = Field(description="The job; a clip's or video's id where the job has none.")
    reason_code: ReasonCode = Field(description="Why it failed.")
    message: Text = Field(description="What happened, and what to do about it.")
    transient: bool = Field(description="Whether the same call may succeed later.")
    attempt: Positive = Field(description="How often it was tried.")
    occurred_at: Timestamp = Field(description="When it failed.")
    evidence: Ids = Field(default_factory=list, description="Packets about the job.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class Heartbeat(Document):
    """A worker is alive; a gap longer than the SLA wakes Eclipse (4.2, Trigger Conditions)."""

    worker: Name = Field(description="The worker pool.")
    instance: Name = Field(description="The process or host within the pool.")
    sequence: Count = Field(description="Counts the beats of an instance.")
    sent_at: Timestamp = Field(description="When it was sent.")
    sla_seconds: PositiveSeconds = Field(description="The longest gap that is still healthy.")
    running: Ids = Field(default_factory=list, description="The jobs in its hands.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class TimeoutAlert(Document):
    """A job takes longer than it may (4.2, Inputs)."""

    worker: Name = Field(description="The worker pool.")
    job_type: JobType = Field(description="The contract of the job.")
    job_id: Uuid = Field(description="The job; a clip's or video's id where the job has none.")
    limit_seconds: PositiveSeconds = Field(description="How long it may take.")
    elapsed_seconds: Seconds = Field(description="How long it has taken; at least the limit.")
    observed_at: Timestamp = Field(description="When this was seen.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("elapsed_seconds")
    @classmethod
    def _over_the_limit(cls, elapsed: float, info: ValidationInfo) -> float:
        if elapsed < info.data.get("limit_seconds", 0):
            raise ValueError("must not be less than limit_seconds")
        return elapsed


class AbnormalLog(Document):
    """Log lines of a kind that healthy work does not write (4.2, Inputs)."""

    worker: Name = Field(description="The worker pool.")
    instance: Name = Field(description="The process or host within the pool.")
    signature: Line = Field(description="The lines' common form, their variables taken out.")
    sample: Text = Field(description="One such line, secrets removed.")
    occurrences: Positive = Field(description="How many there were.")
    first_seen: Timestamp = Field(description="When the first one was written.")
    last_seen: Timestamp = Field(description="When the last one was written.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("last_seen")
    @classmethod
    def _in_order(cls, last_seen: str, info: ValidationInfo) -> str:
        first = info.data.get("first_seen")
        if first and parse_timestamp(first) > parse_timestamp(last_seen):
            raise ValueError("must not be before first_seen")
        return last_seen


class HealthDeviation(Document):
    """A health check measured what it should not have (4.2, Inputs)."""

    worker: Name = Field(description="The worker pool.")
    instance: Name = Field(description="The process or host within the pool.")
    metric: Name = Field(description="What was measured, its unit in the name.")
    observed: Number = Field(description="What it is.")
    expected: Number = Field(description="What it is in health.")
    tolerance: Annotated[float, Field(ge=0, le=MAX_NUMBER)] = Field(
        description="How far from that it may be."
    )
    severity: Severity = Field(description="How much it matters.")
    observed_at: Timestamp = Field(description="When it was measured.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class PanicScope(StrEnum):
    """How much an operator stops."""

    ALL = "all"
    WORKER = "worker"
    CREATOR = "creator"


_SUBJECTS_BY_SCOPE: list[JsonValue] = [
    when("scope", PanicScope.ALL.value, {"properties": {"subjects": {"maxItems": 0}}}),
    when("scope", PanicScope.WORKER.value, {"properties": {"subjects": {"minItems": 1}}}),
    when("scope", PanicScope.CREATOR.value, {"properties": {"subjects": {"minItems": 1}}}),
]


class PanicSignal(Document):
    """The operator's panic button (4.2, Trigger Conditions)."""

    model_config = ConfigDict(json_schema_extra={"allOf": _SUBJECTS_BY_SCOPE})

    signal_id: Uuid = Field(description="One press of the button.")
    operator: Name = Field(description="Who pressed it.")
    scope: PanicScope = Field(description="How much is to stop.")
    subjects: Lines = Field(description="The workers or creators; empty when all is to stop.")
    reason: Text = Field(description="Why.")
    pressed_at: Timestamp = Field(description="When it was pressed.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("subjects")
    @classmethod
    def _names_what_is_to_stop(cls, subjects: list[str], info: ValidationInfo) -> list[str]:
        scope = info.data.get("scope")
        if scope is PanicScope.ALL and subjects:
            raise ValueError("must be empty where the scope is all")
        if scope and scope is not PanicScope.ALL and not subjects:
            raise ValueError(f"must name at least one {scope.value}")
        return subjects
