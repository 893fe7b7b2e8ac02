"""What the registered tasks ask for and answer (agent contracts, payloads and results)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from omniva_dagster.contracts.agents.types import Name, Text
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import demand
from omniva_dagster.contracts.operations.common import Spelled, at_most
from omniva_dagster.contracts.types import Opt, Positive, Score, Seconds, Uri

LONGEST_VIDEO = 3600
MOST_TRENDS = 1000
Region = Annotated[
    str,
    Spelled(
        r"^[a-z][a-z0-9_-]{0,31}$", "must be a region in lower case, like us, us-ca or global", 32
    ),
]


class AssetReference(Document):
    """A file that a video may be made with, referred to and never carried inline."""

    type: Name = Field(description="What it is: image, audio, video ...")
    url: Uri = Field(description="Where it is.")


class GenerateVideoPayload(Document):
    """What a ``generate_video`` task asks for."""

    prompt: Text = Field(description="What the video is to show.")
    assets: Opt[Annotated[list[AssetReference], Field(max_length=100)]] = Field(
        default=None, description="Files to make it with."
    )
    length_seconds: Annotated[Positive, *at_most(LONGEST_VIDEO)] = Field(
        description="How long it is to be."
    )
    style: Opt[Text] = Field(default=None, description="How it is to look.")


class SafetyCheck(Document):
    """One check of a finished video."""

    name: Name = Field(description="What was checked.")
    passed: bool = Field(description="Whether it passed.")
    confidence: Score = Field(description="How sure the check is.")


class SafetyReport(Document):
    """Whether a video may be shown; it passes only if each of its checks does."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {
                    "if": {"properties": {"passed": {"const": True}}, "required": ["passed"]},
                    "then": {
                        "properties": {
                            "checks": {"items": {"properties": {"passed": {"const": True}}}}
                        }
                    },
                }
            ]
        }
    )

    passed: bool = Field(description="Whether it may be shown.")
    checks: Annotated[list[SafetyCheck], Field(max_length=100)] = Field(
        description="What was checked."
    )

    @model_validator(mode="after")
    def _passes_with_every_check(self) -> Self:
        failed = [check.name for check in self.checks if not check.passed]
        message = f"must be false: {', '.join(failed[:3])} did not pass"
        demand(self, (not (self.passed and failed), "passed", message))
        return self


class GenerateVideoResult(Document):
    """What a ``generate_video`` task answers."""

    video_url: Uri = Field(description="The video.")
    thumbnail_url: Uri = Field(description="A still of it.")
    duration_seconds: Seconds = Field(description="How long it is.")
    render_log: Uri = Field(description="What was done to make it.")
    safety_report: SafetyReport = Field(description="Whether it may be shown.")


class TrendSource(StrEnum):
    """Where trends are looked up."""

    TWITTER = "twitter"
    YOUTUBE = "youtube"
    TREND_API = "trend_api"


class FetchTrendsPayload(Document):
    """What a ``fetch_trends`` task asks for."""

    source: TrendSource = Field(description="Where to look.")
    region: Region = Field(description="For which part of the world.")
    limit: Annotated[Positive, *at_most(MOST_TRENDS)] = Field(
        description="The most trends to answer."
    )


class Trend(Document):
    """Something many talk about."""

    id: Name = Field(description="The source's id of it.")
    title: Text = Field(description="What it is.")
    score: Score = Field(description="How strong it is.")


class FetchTrendsResult(Document):
    """What a ``fetch_trends`` task answers."""

    trends: Annotated[list[Trend], Field(max_length=MOST_TRENDS)] = Field(
        description="The trends, strongest first."
    )
