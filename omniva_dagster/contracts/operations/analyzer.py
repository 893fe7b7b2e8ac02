"""The analyzer: its command, what it found, why it could not (module interfaces, 5.2)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from omniva_dagster.contracts.analysis import AnalysisResult
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import Line, Name, Text, demand
from omniva_dagster.contracts.cognition.eclipse import RetryPlan
from omniva_dagster.contracts.operations.common import Among, Spelled, WorkerFailure, require
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.types import (
    Count,
    Opt,
    Positive,
    Score,
    Seconds,
    SemVer,
    Sha256,
    Timestamp,
    Uri,
    Uuid,
)
from omniva_dagster.contracts.video import ScraperJob

# A minute of fast speech has half as many characters.
MOST_WORDS = 2000

AnalysisReason = Annotated[
    ReasonCode,
    Among(
        (
            ReasonCode.TRANSCRIPT_MISSING,
            ReasonCode.MODEL_OFFLINE,
            ReasonCode.NO_AUDIO,
            ReasonCode.NO_CANDIDATES,
            ReasonCode.CORRUPT_MEDIA,
            ReasonCode.DISK_FULL,
            ReasonCode.INTERNAL,
        )
    ),
]
Language = Annotated[
    str, Spelled("^[a-z]{2,3}$", "must be a language's code in lower case, like en", 3)
]


class AsrInstructions(Document):
    """How speech is to be turned into text."""

    model: Name = Field(description="Name of the speech model.")
    language: Opt[Language] = Field(
        default=None, description="ISO 639 code; absent: the model finds out."
    )
    word_timestamps: bool = Field(description="Whether each word gets its time.")
    prompt: Opt[Text] = Field(default=None, description="Names and terms to expect.")


class AnalyzeCommand(Document):
    """Zenith's order to analyze a video (5.2, Input): from its transcript, or by listening."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["asr"]}, {"required": ["transcript_uri"]}]}
    )

    directive_id: Uuid = Field(description="The directive that orders it.")
    video_id: Uuid = Field(description="The video to analyze.")
    video_uri: Uri = Field(description="Its file, in Atlas.")
    sha256: Sha256 = Field(description="Of the file's bytes.")
    transcript_uri: Opt[Uri] = Field(
        default=None, description="A transcript that exists already, in place of asr."
    )
    asr: Opt[AsrInstructions] = Field(
        default=None, description="How to make a transcript, in place of transcript_uri."
    )
    job: ScraperJob = Field(description="The request that brought the video in.")
    raw_packet_id: Uuid = Field(description="The packet of the raw capture.")
    retry_plan: Opt[RetryPlan] = Field(default=None, description="Eclipse's plan, on a retry.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _has_one_way_to_the_words(self) -> Self:
        if self.transcript_uri is None:
            require(self, "asr")
        twice = self.asr is not None and self.transcript_uri is not None
        demand(self, (not twice, "transcript_uri", "must be left out where asr is given"))
        return self


class ModelVersion(Document):
    """A model that took part, so that its work can be repeated."""

    name: Name = Field(description="Name of the model.")
    version: Name = Field(description="Its version or digest.")
    role: Opt[Name] = Field(
        default=None, description="What it did: speech, faces, shots, embeddings, scores ..."
    )


Models = Annotated[list[ModelVersion], Field(min_length=1, max_length=32)]


class EmbeddingPointer(Document):
    """Where the embedding of a candidate is; the numbers are stored apart."""

    candidate_id: Uuid = Field(description="The span: the clip_id it has once promoted.")
    uri: Uri = Field(description="The numbers, in Atlas.")
    dimensions: Positive = Field(description="How many there are.")
    row: Opt[Count] = Field(
        default=None, description="Which row of a table it is, from 0; absent: the file is it."
    )


class AnalysisPublished(Document):
    """A video is analyzed: the result, and what repeats it (5.2, Output and Stardust reference).

    The result is in it, or has a packet of its own that it names; it is among the parents then.
    """

    result: Opt[AnalysisResult] = Field(
        default=None, description="What was found, where no packet of its own says so."
    )
    result_packet_id: Opt[Uuid] = Field(default=None, description="The packet of the result.")
    models: Models = Field(description="The models that found it.")
    embeddings: Annotated[list[EmbeddingPointer], Field(max_length=10_000)] = Field(
        description="Embeddings of the candidates, stored apart."
    )
    raw_packet_id: Uuid = Field(description="The packet of the raw capture.")
    published_at: Timestamp = Field(description="When it was published.")
    schema_version: SemVer = Field(default="1.1.0", description="Version of this contract.")


class FeatureShare(Document):
    """What a feature adds to a candidate's score."""

    name: Name = Field(description="The feature.")
    value: Score = Field(description="What was measured, 0 to 1.")
    points: Score = Field(description="What it adds to the score: its value times its weight.")
    share: Score = Field(description="Its part of all points.")
    evidence: Line = Field(description="What it rests on.")


class CutCharge(Document):
    """What the way a candidate begins, ends or rests costs it in the choice of spans."""

    name: Name = Field(description="What is wrong with the cut.")
    share: Score = Field(description="The part of its worth that is taken.")
    evidence: Line = Field(description="What shows it.")


class CandidateEvidence(Document):
    """What a candidate's score rests on (5.2, Stardust reference): words, features, cuts, models.

    One of each candidate, so that why it was chosen can be told from the ledger alone.
    """

    candidate_id: Uuid = Field(description="The span: the clip_id it has once promoted.")
    video_id: Uuid = Field(description="The video.")
    start_time: Seconds = Field(description="Seconds from the start of the video.")
    end_time: Seconds = Field(description="Seconds from the start of the video.")
    words: Annotated[str, StringConstraints(max_length=MOST_WORDS)] = Field(
        description="What is said in it; the beginning, where that is long."
    )
    words_cut: bool = Field(description="Whether more is said than stands here.")
    features: Annotated[list[FeatureShare], Field(max_length=64)] = Field(
        description="Features that apply to it, the one that adds most first."
    )
    charges: Annotated[list[CutCharge], Field(max_length=16)] = Field(
        description="What its cuts were charged with; empty: nothing."
    )
    models: Models = Field(description="The models that found it.")
    raw_packet_id: Uuid = Field(description="The packet of the raw capture.")
    generated_at: Timestamp = Field(description="When it was written down.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class AnalysisFailed(WorkerFailure):
    """A video could not be analyzed; Lattice gives its place to another (5.2, Error signaling)."""

    video_id: Uuid = Field(description="The video.")
    reason_code: AnalysisReason = Field(description="Why.")
    component: Opt[Line] = Field(
        default=None, description="The parser or model that failed, with its version."
    )
