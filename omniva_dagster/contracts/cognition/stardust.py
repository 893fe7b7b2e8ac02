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
    Number,
    Opt,
    SemVer,
    Sha256,
    Timestamp,
    Uri,
    Uuid,
)

SourceKey = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
MessageType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
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
    message_uri: Opt[Uri] = Field(default=None, description="Where the message itself is.")
    sequenced_at: Opt[Timestamp] = Field(default=None, description="When it got its place.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

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
    content_hash: Sha256 = Field(description="Of the packet's message: the leaf.")
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
    message: Text = Field(description="What does not add up, and what to do about it.")
    detected_at: Timestamp = Field(description="When it was found.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
