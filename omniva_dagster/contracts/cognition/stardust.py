"""Stardust: packets of the ledger, its proofs, and what does not add up in it (4.3)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    Evidence,
    Ids,
    Line,
    Name,
    Severity,
    Text,
    demand,
)
from omniva_dagster.contracts.types import (
    Count,
    Day,
    Number,
    Opt,
    SemVer,
    Sha256,
    Slug,
    Timestamp,
    Uri,
    Uuid,
)

SourceKey = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
MessageType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Key = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
# Lean: a packet refers to what is large (STA-6).
Measures = Annotated[dict[Name, Number], Field(max_length=50)]
Labels = Annotated[dict[Name, Line], Field(max_length=50)]
# 64 bytes of Ed25519 in base64.
Signature = Annotated[str, StringConstraints(min_length=88, max_length=88)]


class TelemetrySample(Document):
    """A measurement whose lineage matters (4.3, Inputs)."""

    source: Name = Field(description="The module that measured.")
    metric: Name = Field(description="What was measured, its unit in the name.")
    value: Number = Field(description="What it was.")
    subject_id: Opt[Uuid] = Field(default=None, description="What it is about.")
    observed_at: Timestamp = Field(description="When it was measured.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class DagsterEventKind(StrEnum):
    """What of Dagster's event log is mirrored, in Dagster's own words."""

    RUN_ENQUEUED = "RUN_ENQUEUED"
    RUN_START = "RUN_START"
    RUN_SUCCESS = "RUN_SUCCESS"
    RUN_FAILURE = "RUN_FAILURE"
    RUN_CANCELED = "RUN_CANCELED"
    STEP_START = "STEP_START"
    STEP_SUCCESS = "STEP_SUCCESS"
    STEP_FAILURE = "STEP_FAILURE"
    STEP_UP_FOR_RETRY = "STEP_UP_FOR_RETRY"
    ASSET_MATERIALIZATION_PLANNED = "ASSET_MATERIALIZATION_PLANNED"
    ASSET_MATERIALIZATION = "ASSET_MATERIALIZATION"
    ASSET_FAILED_TO_MATERIALIZE = "ASSET_FAILED_TO_MATERIALIZE"
    ASSET_OBSERVATION = "ASSET_OBSERVATION"
    ASSET_CHECK_EVALUATION_PLANNED = "ASSET_CHECK_EVALUATION_PLANNED"
    ASSET_CHECK_EVALUATION = "ASSET_CHECK_EVALUATION"
    ASSET_WIPED = "ASSET_WIPED"


class CheckSeverity(StrEnum):
    """What a check that does not pass means."""

    WARN = "WARN"
    ERROR = "ERROR"


class DagsterEvent(Document):
    """An entry of Dagster's event log, mirrored: what a run, step, asset or check came to (4.3).

    Its lineage stands in the envelope's ``_meta_parents``. A run's events share a trace.
    """

    kind: DagsterEventKind = Field(description="What happened.")
    occurred_at: Timestamp = Field(description="When, by the clock of whoever logged it.")
    run_id: Opt[Line] = Field(
        default=None, description="Dagster's run; left out of what was reported outside of one."
    )
    job_name: Opt[Line] = Field(default=None, description="The run's job.")
    step_key: Opt[Line] = Field(default=None, description="The run's step.")
    asset_key: Opt[Key] = Field(default=None, description="The asset, its path joined by slashes.")
    partition: Opt[Key] = Field(default=None, description="The partition's key.")
    code_version: Opt[Line] = Field(default=None, description="Of the code that materialized it.")
    data_version: Opt[Line] = Field(default=None, description="Of what was materialized.")
    check_name: Opt[Line] = Field(default=None, description="The asset's check.")
    passed: Opt[bool] = Field(default=None, description="Whether the check passed.")
    severity: Opt[CheckSeverity] = Field(
        default=None, description="What it means that the check did not pass."
    )
    error_class: Opt[Line] = Field(default=None, description="The type of what was raised.")
    error_message: Opt[Text] = Field(
        default=None, description="What was raised; cut, and without what looks like a secret."
    )
    measures: Measures = Field(
        default_factory=dict, description="The event's metadata, of it the numbers."
    )
    labels: Labels = Field(
        default_factory=dict, description="The event's metadata, of it the short texts."
    )
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class LedgerPacket(Document):
    """One immutable entry of the ledger; its message is referred to, never held (4.3)."""

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"sequenced_at": ["leaf_index"]}}
    )

    packet_id: Uuid = Field(description="Derived from source_key; the message's message_id.")
    source_key: SourceKey = Field(
        description="Producer, subject and occurrence: one packet for each."
    )
    content_hash: Sha256 = Field(description="Of the envelope's canonical JSON (RFC 8785).")
    leaf_index: Opt[Count] = Field(
        default=None, description="Place in the log, once it is sequenced."
    )
    parents: Ids = Field(description="Packets it came from: the envelope's _meta_parents.")
    missing_parents: Ids = Field(
        default_factory=list, description="Those of them that did not come in time."
    )
    trace_id: Uuid = Field(description="The envelope's: the workflow it belongs to.")
    message_type: MessageType = Field(description="The envelope's: name of the contract.")
    message_version: SemVer = Field(description="The envelope's: version of the contract.")
    producer: Name = Field(description="The envelope's: the module that emitted it.")
    emitted_at: Timestamp = Field(description="The envelope's: when it was emitted.")
    subject_id: Opt[Uuid] = Field(default=None, description="What the message is about.")
    creator: Opt[Slug] = Field(default=None, description="The creator whose partition it is of.")
    day: Opt[Day] = Field(default=None, description="The day (UTC) of that partition.")
    message_uri: Opt[Uri] = Field(default=None, description="Where the message itself is.")
    sequenced_at: Opt[Timestamp] = Field(default=None, description="When it got its place.")
    schema_version: SemVer = Field(default="1.1.0", description="Version of this contract.")

    @field_validator("sequenced_at")
    @classmethod
    def _has_a_place(cls, moment: str, info: ValidationInfo) -> str:
        if info.data.get("leaf_index", 0) is None:
            raise ValueError("must be left out where there is no leaf_index")
        return moment

    @model_validator(mode="after")
    def _is_no_ancestor_of_its_own(self) -> Self:
        demand(
            self,
            (self.packet_id not in self.parents, "parents", "must not hold packet_id"),
            (
                set(self.missing_parents) <= set(self.parents),
                "missing_parents",
                "must hold nothing that is not in parents",
            ),
        )
        return self


class Checkpoint(Document):
    """A signed statement of all that the log holds (RFC 9162; 4.3)."""

    origin: Line = Field(description="The log it is about.")
    tree_size: Count = Field(description="How many packets the log holds.")
    root_hash: Sha256 = Field(description="Of the Merkle tree over them.")
    signer: Name = Field(description="The name of the key that signed.")
    signature: Signature = Field(description="Ed25519 over origin, size and root, in base64.")
    issued_at: Timestamp = Field(description="When it was signed.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class InclusionProof(Document):
    """That a packet is in the log that a checkpoint signs (RFC 9162, 2.1.3; 4.3)."""

    packet_id: Uuid = Field(description="The packet.")
    content_hash: Sha256 = Field(description="Of the packet's message; part of the leaf.")
    tree_size: Count = Field(description="The checkpoint's.")
    leaf_index: Count = Field(description="The packet's place; less than tree_size.")
    path: Annotated[list[Sha256], Field(max_length=64)] = Field(
        description="Hashes from the leaf's neighbour up to the root."
    )
    root_hash: Sha256 = Field(description="The checkpoint's.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("leaf_index")
    @classmethod
    def _inside_the_tree(cls, index: int, info: ValidationInfo) -> int:
        if index >= info.data.get("tree_size", index + 1):
            raise ValueError("must be less than tree_size")
        return index


class KeyRotation(Document):
    """From here on another key signs the log's checkpoints; both signed that it does (4.3)."""

    origin: Line = Field(description="The log it is about.")
    old_key: Line = Field(description="The key that signed before, in the form of signed notes.")
    new_key: Line = Field(description="The key that signs from now on, in the same form.")
    tree_size: Count = Field(description="How many packets the log held.")
    note: Text = Field(description="That checkpoint, signed by both.")
    rotated_at: Timestamp = Field(description="When the new key was made.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _changes_the_key(self) -> Self:
        demand(self, (self.new_key != self.old_key, "new_key", "must not be old_key"))
        return self


class LineageLinks(Document):
    """A packet's neighbours both ways; children are derived, packets never change (4.3)."""

    packet_id: Uuid = Field(description="The packet.")
    trace_id: Uuid = Field(description="The workflow it belongs to.")
    parents: Ids = Field(description="Packets it came from.")
    children: Ids = Field(description="Packets that came from it.")
    tree_size: Count = Field(description="The size of the log that was read for it.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _is_no_neighbour_of_its_own(self) -> Self:
        demand(
            self,
            (self.packet_id not in self.parents, "parents", "must not hold packet_id"),
            (self.packet_id not in self.children, "children", "must not hold packet_id"),
        )
        return self


class InconsistencyKind(StrEnum):
    """What does not add up."""

    MISSING_PACKET = "missing_packet"
    MISSING_PARENT = "missing_parent"
    SOURCE_COLLISION = "source_collision"
    HASH_MISMATCH = "hash_mismatch"
    SCHEMA_INVALID = "schema_invalid"
    CYCLE = "cycle"
    BROKEN_SEQUENCE = "broken_sequence"


class LedgerInconsistency(Document):
    """Something in the ledger that cannot be right, told to Paradox (4.3, Expected Behavior)."""

    inconsistency_id: Uuid = Field(description="Derived from kind and packets.")
    kind: InconsistencyKind = Field(description="What does not add up.")
    severity: Severity = Field(description="How much it matters.")
    packets: Evidence = Field(description="The packets it is about.")
    source_key: Opt[SourceKey] = Field(
        default=None, description="The key that two contents have, or that has no packet."
    )
    subject_ids: Opt[Ids] = Field(
        default=None, description="The documents that rest on these packets, where that is known."
    )
    message: Text = Field(description="What does not add up, and what to do about it.")
    detected_at: Timestamp = Field(description="When it was found.")
    schema_version: SemVer = Field(default="1.1.0", description="Version of this contract.")
