"""What was decided, and how each document stands (module interfaces, 4.9; DESIGN: Authority)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.types import Opt, Positive, Score, SemVer, Timestamp, Uuid


class DirectiveKind(StrEnum):
    """What Zenith can order."""

    PROMOTE = "promote"
    RELEASE = "release"
    HOLD = "hold"
    CANCEL = "cancel"
    RETRY = "retry"
    REROUTE = "reroute"
    RESCHEDULE = "reschedule"


class Directive(Document):
    """A binding command; the latest one on a subject is in force (4.9)."""

    directive_id: Uuid = Field(description="Derived from kind, subject and occurrence.")
    kind: DirectiveKind = Field(description="What is ordered.")
    subject_id: Uuid = Field(description="What it is about; a clip's id for clips.")
    video_id: Opt[Uuid] = Field(default=None, description="The video the subject comes from.")
    owner: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="The worker that is to act."
    )
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(
        description="Why, in a sentence."
    )
    evidence: Annotated[list[Uuid], Field(min_length=1)] = Field(
        description="Packets the decision rests on."
    )
    overrode: list[str] = Field(default_factory=list, description="Advice decided against.")
    rollback: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(
        description="How to undo it."
    )
    scheduled_time: Opt[Timestamp] = Field(
        default=None, description="The slot that a reschedule gives."
    )
    target: Opt[Annotated[str, StringConstraints(min_length=1, max_length=64)]] = Field(
        default=None, description="The queue, worker or device that a reroute sends work to."
    )
    not_before: Opt[Timestamp] = Field(
        default=None, description="When a retry is due: no attempt is made before."
    )
    until: Opt[Timestamp] = Field(
        default=None, description="When a hold ends by itself; absent: when it is lifted."
    )
    priority: Opt[Score] = Field(default=None, description="How urgent the subject is from now on.")
    issued_by: Annotated[str, StringConstraints(pattern=r"^zenith$")] = Field(
        default="zenith", description="Only Zenith commits."
    )
    issued_at: Timestamp = Field(description="When it was issued.")
    schema_version: SemVer = Field(default="1.1.0", description="Version of this contract.")


class OutcomeStatus(StrEnum):
    """Where the work on a document stands; CANCELLED and SKIPPED are introduced here (CON-6)."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"


class Outcome(Document):
    """How one step of the pipeline ended for one document."""

    subject_id: Uuid = Field(description="The document the step worked on.")
    stage: Annotated[str, StringConstraints(pattern=r"^[a-z_]+$")] = Field(
        description="The asset whose step it was."
    )
    status: OutcomeStatus = Field(description="How it stands.")
    reason_code: Opt[ReasonCode] = Field(default=None, description="Why it is not DONE.")
    message: str = Field(default="", description="What happened, and what to do about it.")
    label: str = Field(default="", description="A title or URL, for people.")
    attempt: Positive = Field(description="How often it was tried.")
    updated_at: Timestamp = Field(description="When this was recorded.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
