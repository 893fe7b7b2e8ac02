"""The scraper: its command, what it brought, why it could not (module interfaces, 5.1)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from omniva_dagster.contracts.analysis import AnalysisResult
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import demand
from omniva_dagster.contracts.cognition.eclipse import RetryPlan
from omniva_dagster.contracts.operations.common import Among, SecretRef, Uris, WorkerFailure
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.types import Opt, SemVer, Timestamp, Uri, Uuid
from omniva_dagster.contracts.video import ScraperJob, VideoAsset

ScrapeReason = Annotated[
    ReasonCode,
    Among(
        (
            ReasonCode.NETWORK_TIMEOUT,
            ReasonCode.RATE_LIMITED,
            ReasonCode.AUTH_FAILED,
            ReasonCode.UNREACHABLE,
            ReasonCode.NOT_FOUND,
            ReasonCode.NO_VIDEO,
            ReasonCode.SCHEME_REFUSED,
            ReasonCode.ADDRESS_REFUSED,
            ReasonCode.TOO_LARGE,
            ReasonCode.TOO_LONG,
            ReasonCode.DUPLICATE,
            ReasonCode.DATE_UNKNOWN,
            ReasonCode.CORRUPT_MEDIA,
            ReasonCode.DISK_FULL,
            ReasonCode.COLLISION,
            ReasonCode.INTERNAL,
        )
    ),
]


class ScrapeCommand(Document):
    """Zenith's order to scrape: the job and what the worker needs beside it (5.1, Input)."""

    directive_id: Uuid = Field(description="The directive that orders it.")
    job: ScraperJob = Field(description="What to bring in.")
    retry_plan: Opt[RetryPlan] = Field(default=None, description="Eclipse's plan, on a retry.")
    credential_ref: Opt[SecretRef] = Field(
        default=None, description="Where the platform's credentials are; never a token."
    )
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _plans_for_this_job(self) -> Self:
        plan = self.retry_plan
        fits = plan is None or plan.job_id == self.job.job_id
        demand(self, (fits, "retry_plan", "must agree with job: it plans for another job_id"))
        return self


class VideoAssetCreated(Document):
    """A video is held, and may be analyzed (5.1, Output: ``video_asset_created``)."""

    job_id: Uuid = Field(description="The scrape request that brought it in.")
    storage_uris: Uris = Field(description="Its files in Atlas, the video first.")
    video: VideoAsset = Field(description="Its metadata in one form.")
    seed_analysis: AnalysisResult = Field(
        description="A stub to begin from: nothing transcribed, no candidates yet."
    )
    raw_packet_id: Uuid = Field(description="The packet of the raw capture.")
    metadata_packet_id: Uuid = Field(description="The packet of the normalized metadata.")
    created_at: Timestamp = Field(description="When it was held.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _is_about_one_video(self) -> Self:
        video, seed = self.video, self.seed_analysis
        two_packets = self.raw_packet_id != self.metadata_packet_id
        demand(
            self,
            (self.job_id == video.job_id, "job_id", "must agree with video: it has another job_id"),
            (
                video.media_uri in self.storage_uris,
                "storage_uris",
                "must agree with video: its media_uri is not among them",
            ),
            (
                seed.video_id == video.video_id,
                "seed_analysis",
                "must agree with video: it has another video_id",
            ),
            (
                not seed.clip_candidates,
                "seed_analysis",
                "must agree with its purpose: a stub has no candidates yet",
            ),
            (
                two_packets,
                "metadata_packet_id",
                "must agree with raw_packet_id: each asset has two packets, not one",
            ),
        )
        return self


class ScrapeFailed(WorkerFailure):
    """A scrape, or one video of it, could not be done (5.1, Error signaling)."""

    job_id: Uuid = Field(description="The scrape request.")
    source_url: Opt[Uri] = Field(
        default=None, description="The page that failed; absent when the whole job did."
    )
    reason_code: ScrapeReason = Field(description="Why.")
