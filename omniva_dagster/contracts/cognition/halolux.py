"""HaloLux: why something was decided, in sentences that each cite a packet (4.8)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    Evidence,
    Line,
    Name,
    Text,
)
from omniva_dagster.contracts.types import Opt, Score, SemVer, Sha256, Timestamp, Uuid


class ExplanationOccasion(StrEnum):
    """Why something is explained (4.8, Trigger Conditions)."""

    OPERATOR_REQUEST = "operator_request"
    AUDIT = "audit"
    ANOMALY = "anomaly"
    HIGH_IMPACT = "high_impact"


class ExplanationRequest(Document):
    """Somebody asks why (4.8, Inputs)."""

    request_id: Uuid = Field(description="The request.")
    trace_id: Uuid = Field(description="The workflow to explain.")
    occasion: ExplanationOccasion = Field(description="Why it is asked.")
    question: Opt[Text] = Field(
        default=None, description="In the asker's words; absent: how did this come to be?"
    )
    directive_id: Opt[Uuid] = Field(default=None, description="The decision, where one is meant.")
    requested_by: Name = Field(description="Who asks: an operator or a module.")
    requested_at: Timestamp = Field(description="When.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class Sentence(Document):
    """A statement with the packets that bear it out."""

    text: Text = Field(description="What is stated.")
    packets: Evidence = Field(description="Packets that say so.")


class ReasoningStep(Document):
    """One step from evidence to decision."""

    module: Name = Field(description="The engine, worker or operator that took it.")
    conclusion: Text = Field(description="What it concluded.")
    because: Text = Field(description="From what, by which rule.")
    packets: Evidence = Field(description="Packets it rests on.")


class DiscardedAlternative(Document):
    """What could have been decided instead."""

    alternative: Text = Field(description="What it was.")
    advised_by: Name = Field(description="The module that was for it.")
    reason: Text = Field(description="Why it was not chosen.")
    packets: Evidence = Field(description="Packets of the advice.")


class MissingEvidence(Document):
    """Something that should be in the ledger and is not."""

    what: Line = Field(description="What is missing.")
    expected_from: Name = Field(description="The module that should have published it.")
    consequence: Text = Field(description="What cannot be said without it.")


_SOMETHING_MISSING: JsonDict = {"properties": {"missing_evidence": {"minItems": 1}}}
_INCOMPLETE: JsonDict = {"properties": {"completeness": {"exclusiveMaximum": 1}}}
_COMPLETE: JsonDict = {"properties": {"completeness": {"minimum": 1}}}


class InterpretabilityBundle(Document):
    """An explanation: a narrative, and the reasoning it tells, as data (4.8, Outputs)."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [{"if": _SOMETHING_MISSING, "then": _INCOMPLETE, "else": _COMPLETE}]
        }
    )

    bundle_id: Uuid = Field(description="Derived from the trace, the question and ledger_hash.")
    trace_id: Uuid = Field(description="The workflow explained.")
    directive_id: Opt[Uuid] = Field(default=None, description="The decision explained.")
    narrative: Annotated[list[Sentence], Field(max_length=500)] = Field(
        description="Sentences in reading order; empty when the ledger holds nothing."
    )
    reasoning_chain: Annotated[list[ReasoningStep], Field(max_length=500)] = Field(
        description="From evidence to decision, in order."
    )
    alternatives: Annotated[list[DiscardedAlternative], Field(max_length=100)] = Field(
        description="What was decided against."
    )
    missing_evidence: Annotated[list[MissingEvidence], Field(max_length=100)] = Field(
        description="What should be there and is not."
    )
    completeness: Score = Field(
        description="Share of the expected evidence that was found; 1 exactly when none is missing."
    )
    ledger_hash: Sha256 = Field(
        description="Of the trace's packets: same hash and question, same bundle."
    )
    narrator_version: Name = Field(description="Version of the rules that wrote it.")
    generated_at: Timestamp = Field(description="When it was made.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("completeness")
    @classmethod
    def _scores_what_is_missing(cls, score: float, info: ValidationInfo) -> float:
        missing = info.data.get("missing_evidence")
        if missing and score == 1:
            raise ValueError("must be less than 1 where evidence is missing")
        if missing == [] and score < 1:
            raise ValueError("must be 1 where no evidence is missing")
        return score
