"""Paradox: contradictions between documents, found and pointed at; it changes nothing (4.1)."""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    Evidence,
    Ids,
    JobType,
    Line,
    Name,
    Severity,
    Text,
    when,
)
from omniva_dagster.contracts.decisions import OutcomeStatus
from omniva_dagster.contracts.types import (
    Opt,
    Positive,
    SemVer,
    Sha256,
    Timestamp,
    Uri,
    Uuid,
    parse_timestamp,
)


class WorkerStateDigest(Document):
    """A job as a worker holds it, in what Paradox compares (4.1, Inputs)."""

    worker: Name = Field(description="The worker pool.")
    job_type: JobType = Field(description="The contract of the job.")
    job_id: Uuid = Field(description="The job; a clip's or video's id where the job has none.")
    status: OutcomeStatus = Field(description="How it stands.")
    natural_id: Line = Field(
        description="What it is about in the world; two jobs with the same one are duplicates."
    )
    content_hash: Sha256 = Field(description="Of the job's canonical JSON.")
    depends_on: Ids = Field(default_factory=list, description="Jobs that must be done before it.")
    excludes: Ids = Field(default_factory=list, description="Jobs that must not be done beside it.")
    packet_id: Uuid = Field(description="The job's packet.")
    created_at: Timestamp = Field(description="When the job was made.")
    updated_at: Timestamp = Field(description="When its status last changed.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("updated_at")
    @classmethod
    def _not_before_it_was_made(cls, updated_at: str, info: ValidationInfo) -> str:
        created_at = info.data.get("created_at")
        if created_at and parse_timestamp(created_at) > parse_timestamp(updated_at):
            raise ValueError("must not be before created_at")
        return updated_at


class AtlasCollision(Document):
    """Two different files under one key of the media store (4.1, Trigger Conditions)."""

    uri: Uri = Field(description="The key, as a URI of Atlas.")
    held_sha256: Sha256 = Field(description="Of the file that Atlas keeps.")
    offered_sha256: Sha256 = Field(description="Of the file it refused; another one.")
    offered_by: Name = Field(description="The worker that brought it.")
    subject_id: Uuid = Field(description="The video or clip it was brought for.")
    occurred_at: Timestamp = Field(description="When it was refused.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("offered_sha256")
    @classmethod
    def _another_file(cls, offered: str, info: ValidationInfo) -> str:
        if offered == info.data.get("held_sha256"):
            raise ValueError("must differ from held_sha256")
        return offered


class ConflictKind(StrEnum):
    """What contradicts what."""

    DUPLICATE = "duplicate"
    CONFLICTING_TIMESTAMPS = "conflicting_timestamps"
    CIRCULAR_DEPENDENCY = "circular_dependency"
    MUTUALLY_EXCLUSIVE = "mutually_exclusive"


class ConflictTrigger(StrEnum):
    """Why Paradox looked."""

    INGESTION = "ingestion"
    AUDIT = "audit"
    COLLISION = "collision"
    SCHEDULING = "scheduling"


class RecommendedAction(StrEnum):
    """What Paradox advises."""

    BLOCK = "block"
    QUARANTINE = "quarantine"
    IGNORE = "ignore"


class ResolutionStatus(StrEnum):
    """Whether the work is to halt: ERROR only then."""

    DONE = "DONE"
    ERROR = "ERROR"


_PAIRED = (ConflictKind.DUPLICATE, ConflictKind.MUTUALLY_EXCLUSIVE)
_OF_TWO: JsonDict = {"properties": {"affected_ids": {"minItems": 2}}}


def _status(value: ResolutionStatus) -> JsonDict:
    return {"properties": {"status": {"const": value.value}}}


class ConflictResolution(Document):
    """A contradiction, with what Paradox advises; ERROR exactly when it advises to halt (4.1)."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                when("recommended_action", "block", _status(ResolutionStatus.ERROR)),
                when("recommended_action", "quarantine", _status(ResolutionStatus.DONE)),
                when("recommended_action", "ignore", _status(ResolutionStatus.DONE)),
                *(when("kind", kind.value, _OF_TWO) for kind in _PAIRED),
            ]
        }
    )

    conflict_id: Uuid = Field(description="Derived from kind and affected ids: found again, same.")
    kind: ConflictKind = Field(description="What contradicts what.")
    severity: Severity = Field(description="How much it matters.")
    recommended_action: RecommendedAction = Field(description="What Paradox advises.")
    status: ResolutionStatus = Field(description="ERROR exactly when the action is to block.")
    affected_ids: Evidence = Field(
        description="The documents involved; of a cycle in its order, of duplicates oldest first."
    )
    trigger: ConflictTrigger = Field(description="Why it was looked for.")
    message: Text = Field(description="What contradicts what, and what to do about it.")
    evidence: Evidence = Field(description="Packets that show it.")
    prior_conflicts: Ids = Field(
        default_factory=list, description="Earlier reports on the same documents."
    )
    found_by: Line = Field(description="The rule that found it, with its version.")
    detected_at: Timestamp = Field(description="When it was found.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("status")
    @classmethod
    def _error_only_to_halt(
        cls, status: ResolutionStatus, info: ValidationInfo
    ) -> ResolutionStatus:
        action = info.data.get("recommended_action")
        halts = action is RecommendedAction.BLOCK
        due = ResolutionStatus.ERROR if halts else ResolutionStatus.DONE
        if action and status is not due:
            raise ValueError(f"must be {due.value} where the recommended action is {action.value}")
        return status

    @field_validator("affected_ids")
    @classmethod
    def _takes_two(cls, affected: list[str], info: ValidationInfo) -> list[str]:
        kind = info.data.get("kind")
        if kind in _PAIRED and len(affected) < 2:
            raise ValueError(f"must hold at least 2 items where the kind is {kind.value}")
        return affected


class ConflictEscalation(Document):
    """A conflict that lasts or spreads: Paradox asks Eclipse to contain it (4.2, Inputs)."""

    conflict_id: Uuid = Field(description="The conflict.")
    occurrences: Positive = Field(description="How often it was found.")
    severity: Severity = Field(description="How much it matters by now.")
    affected_ids: Evidence = Field(description="The documents involved.")
    worker: Opt[Name] = Field(default=None, description="The worker pool that it comes from.")
    message: Text = Field(description="Why advice alone does not end it.")
    evidence: Evidence = Field(description="Packets of the conflict reports.")
    issued_at: Timestamp = Field(description="When it was raised.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class ComplianceAlert(Document):
    """Wording or content that may break a policy, told to Chorus (4.7, Inputs)."""

    alert_id: Uuid = Field(description="Derived from subject and policy.")
    subject_id: Uuid = Field(description="The clip or video.")
    policy: Line = Field(description="The rule that may be broken.")
    passage: Opt[Text] = Field(default=None, description="The words it is about.")
    severity: Severity = Field(description="How much it matters.")
    message: Text = Field(description="What is wrong, and what would be right.")
    evidence: Evidence = Field(description="Packets that show it.")
    detected_at: Timestamp = Field(description="When it was found.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
