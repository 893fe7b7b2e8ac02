"""The analyzer: its command, what it found, why it could not (module interfaces, 5.2)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from omniva_dagster.contracts.analysis import AnalysisResult
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import Line, Name, Text, demand
from omniva_dagster.contracts.cognition.eclipse import RetryPlan
from omniva_dagster.contracts.operations.common import Among, Spelled, WorkerFailure, require
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.types import Opt, Positive, SemVer, Sha256, Timestamp, Uri, Uuid
from omniva_dagster.contracts.video import ScraperJob

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


class EmbeddingPointer(Document):
    """Where the embedding of a candidate is; the numbers are stored apart."""

    candidate_id: Uuid = Field(description="The span: the clip_id it has once promoted.")
    uri: Uri = Field(description="The numbers, in Atlas.")
    dimensions: Positive = Field(description="How many there are.")


class AnalysisPublished(Document):
    """A video is analyzed: the result, and what repeats it (5.2, Output and Stardust reference)."""

    result: AnalysisResult = Field(description="What was found.")
    models: Annotated[list[ModelVersion], Field(min_length=1, max_length=32)] = Field(
        description="The models that found it."
    )
    embeddings: Annotated[list[EmbeddingPointer], Field(max_length=10_000)] = Field(
        description="Embeddings of the candidates, stored apart."
    )
    raw_packet_id: Uuid = Field(description="The packet of the raw capture.")
    published_at: Timestamp = Field(description="When it was published.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class AnalysisFailed(WorkerFailure):
    """A video could not be analyzed; Lattice gives its place to another (5.2, Error signaling)."""

    video_id: Uuid = Field(description="The video.")
    reason_code: AnalysisReason = Field(description="Why.")
    component: Opt[Line] = Field(
        default=None, description="The parser or model that failed, with its version."
    )
