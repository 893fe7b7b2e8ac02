"""Getting videos in: the scrape job and the asset it brings (module interfaces, 3.1 and 5.1)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.types import (
    MAX_NUMBER,
    Count,
    Opt,
    Seconds,
    SemVer,
    Sha256,
    Timestamp,
    Uri,
    Uuid,
    parse_timestamp,
)


class Platform(StrEnum):
    """Origin network of a video."""

    TIKTOK = "tiktok"
    INSTAGRAM = "instagram"
    YOUTUBE = "youtube"
    OTHER = "other"


class ScrapeStatus(StrEnum):
    """Where a scrape request stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"


class TimeRange(Document):
    """A half-open span of upload times: ``since`` is inside, ``until`` is not."""

    since: Timestamp = Field(description="The first moment asked for.")
    until: Timestamp = Field(description="The first moment not asked for.")

    @field_validator("until")
    @classmethod
    def _after_since(cls, until: str, info: ValidationInfo) -> str:
        since = info.data.get("since")
        if since and parse_timestamp(since) >= parse_timestamp(until):
            raise ValueError("must be later than since")
        return until


class ScraperJob(Document):
    """A request to bring in what a source published within a range (3.1)."""

    job_id: Uuid = Field(description="Stable identifier of the scrape request.")
    creator_id: Uuid = Field(description="The creator on whose behalf the source is scraped.")
    platform: Platform = Field(description="Network the media come from.")
    target_url: Uri = Field(description="Channel, playlist, feed or video to scrape.")
    requested_range: TimeRange = Field(description="Upload times asked for.")
    status: ScrapeStatus = Field(description="Where the request stands.")
    created_at: Timestamp = Field(description="When the request was first made.")
    updated_at: Timestamp = Field(description="When its status last changed.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("updated_at")
    @classmethod
    def _not_before_it_was_made(cls, updated_at: str, info: ValidationInfo) -> str:
        created_at = info.data.get("created_at")
        if created_at and parse_timestamp(created_at) > parse_timestamp(updated_at):
            raise ValueError("must not be before created_at")
        return updated_at


class RawCapture(Document):
    """A file as it came from its source, before its metadata were put in order (5.1)."""

    video_id: Uuid = Field(description="Derived from platform and platform_id.")
    job_id: Uuid = Field(description="The scrape request that brought it in.")
    source_url: Uri = Field(description="The page it was found on.")
    media_uri: Uri = Field(description="The file, in Atlas.")
    metadata_uri: Uri = Field(description="The raw metadata as the extractor gave it, in Atlas.")
    sha256: Sha256 = Field(description="Of the file's bytes.")
    size_bytes: Count = Field(description="Of the file.")
    ingested_at: Timestamp = Field(description="When Atlas first held it.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class VideoAsset(Document):
    """A video that Atlas holds, with its metadata in one form whatever the platform (5.1)."""

    video_id: Uuid = Field(description="Derived from platform and platform_id.")
    job_id: Uuid = Field(description="The scrape request that brought it in.")
    creator_id: Uuid = Field(description="The registered creator it is worked on for.")
    platform: Platform = Field(description="Network it came from.")
    platform_id: Annotated[str, StringConstraints(min_length=1, max_length=512)] = Field(
        description="The platform's own id, or the page's URL where ids are not unique."
    )
    source_url: Uri = Field(description="The page it was found on.")
    title: Annotated[str, StringConstraints(max_length=500)] = Field(
        description="As published, control characters removed."
    )
    description: Annotated[str, StringConstraints(max_length=20000)] = Field(
        default="", description="As published, control characters removed."
    )
    uploader: Annotated[str, StringConstraints(max_length=500)] = Field(
        default="", description="The name the platform shows."
    )
    tags: list[str] = Field(default_factory=list, description="As published.")
    uploaded_at: Opt[Timestamp] = Field(default=None, description="When it was published.")
    duration_seconds: Seconds = Field(description="Measured on the file, not as declared.")
    width: Count = Field(description="Pixels as displayed, rotation applied.")
    height: Count = Field(description="Pixels as displayed, rotation applied.")
    frame_rate: Annotated[float, Field(ge=0, le=MAX_NUMBER)] = Field(
        description="Average frames per second."
    )
    has_audio: bool = Field(description="Whether there is at least one audio stream.")
    media_uri: Uri = Field(description="The file, in Atlas.")
    metadata_uri: Uri = Field(description="The raw metadata as the extractor gave it, in Atlas.")
    sha256: Sha256 = Field(description="Of the file's bytes.")
    size_bytes: Count = Field(description="Of the file.")
    view_count: Opt[Count] = Field(default=None, description="When the page was read.")
    like_count: Opt[Count] = Field(default=None, description="When the page was read.")
    ingested_at: Timestamp = Field(description="When Atlas first held it.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
