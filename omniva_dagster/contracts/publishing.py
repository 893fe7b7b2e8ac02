"""When and how a clip goes out (module interfaces, 3.5, 3.6 and 5.4)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.types import Opt, SemVer, Sha256, Timestamp, Uri, Uuid


class DecisionSource(StrEnum):
    """Who owns the ultimate call on a slot."""

    ZENITH = "zenith"
    OPERATOR_OVERRIDE = "operator_override"
    AUTOMATION = "automation"


class PrivacyStatus(StrEnum):
    """Who may see a publication."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    PRIVATE = "private"


class PublicationStatus(StrEnum):
    """What the platform said (5.4)."""

    SCHEDULED = "SCHEDULED"
    LIVE = "LIVE"


class ScheduleTask(Document):
    """The slot a clip is to go out in (3.6)."""

    clip_id: Uuid = Field(description="The promoted clip.")
    recommended_time: Timestamp = Field(description="When to publish.")
    priority: Annotated[float, Field(ge=0, le=1)] = Field(description="Order among clips.")
    horizon_adjustment: Annotated[float, Field(ge=-1, le=1)] = Field(
        description="Offset from Horizon's relative weighting."
    )
    final_decision_source: DecisionSource = Field(description="Who owns the ultimate call.")
    notes: Opt[Annotated[str, StringConstraints(max_length=512)]] = Field(
        default=None, description="Why this slot."
    )
    meta_parents: Opt[list[Uuid]] = Field(
        default=None, alias="_meta_parents", description="Packets this was made from."
    )


class UploadJob(Document):
    """What to publish, in the words the platform gets (3.5)."""

    clip_id: Uuid = Field(description="The promoted clip.")
    title: Annotated[str, StringConstraints(max_length=120)] = Field(description="One line.")
    description: Annotated[str, StringConstraints(max_length=5000)] = Field(
        description="Text under the clip."
    )
    keywords: Annotated[list[str], Field(max_length=15)] = Field(description="Tags, best first.")
    scheduled_time: Timestamp = Field(description="When it is to be live.")
    privacy_status: PrivacyStatus = Field(description="Who may see it.")
    yt_video_id: Opt[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{11}$")]] = Field(
        default=None, description="Set once YouTube has answered."
    )
    distribution_targets: Opt[list[str]] = Field(
        default=None, description="Secondary platforms for syndication."
    )


class PublicationReceipt(Document):
    """Proof that a clip went out, once (5.4)."""

    receipt_id: Uuid = Field(description="Derived from clip and target.")
    clip_id: Uuid = Field(description="The clip published.")
    directive_id: Uuid = Field(description="The release it was published under.")
    target: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="Where to: outbox, youtube ..."
    )
    status: PublicationStatus = Field(description="What the platform said.")
    location: Uri = Field(description="Where it can be seen.")
    yt_video_id: Opt[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{11}$")]] = Field(
        default=None, description="YouTube's id."
    )
    scheduled_time: Timestamp = Field(description="The slot it was published for.")
    published_at: Timestamp = Field(description="When the platform took it.")
    media_sha256: Sha256 = Field(description="Of the file that was published.")
    idempotency_key: Uuid = Field(description="One per clip and target, whatever is retried.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
