"""The uploader: its command, the confirmation, failures (module interfaces, 5.4)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import Evidence, Name, Text, demand, when
from omniva_dagster.contracts.cognition.eclipse import RetryPlan
from omniva_dagster.contracts.operations.common import Among, SecretRefs, WorkerFailure
from omniva_dagster.contracts.publishing import PublicationReceipt, UploadJob
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.types import Opt, SemVer, Sha256, Timestamp, Uri, Uuid

UploadReason = Annotated[
    ReasonCode,
    Among(
        (
            ReasonCode.QUOTA_EXCEEDED,
            ReasonCode.CONTENT_VIOLATION,
            ReasonCode.AUTH_FAILED,
            ReasonCode.NETWORK_TIMEOUT,
            ReasonCode.RATE_LIMITED,
            ReasonCode.UNREACHABLE,
            ReasonCode.NOT_RELEASED,
            ReasonCode.NOT_RENDERED,
            ReasonCode.TOO_LARGE,
            ReasonCode.DISK_FULL,
            ReasonCode.COLLISION,
            ReasonCode.INTERNAL,
        )
    ),
]
ASKS_ZENITH = (ReasonCode.QUOTA_EXCEEDED, ReasonCode.CONTENT_VIOLATION)


class UploadCommand(Document):
    """Zenith's order to publish: the job and what the worker needs beside it (5.4, Input)."""

    directive_id: Uuid = Field(description="The release it follows from.")
    job: UploadJob = Field(description="What to publish, in the words the platform gets.")
    target: Name = Field(description="Where to: outbox, youtube ...")
    media_uri: Uri = Field(description="The clip, in Atlas.")
    media_sha256: Sha256 = Field(description="Of the clip's bytes.")
    chorus_packet_id: Uuid = Field(description="The packet of Chorus's styled metadata.")
    credential_refs: SecretRefs = Field(
        description="Where tokens are resolved when it runs; empty where none is needed."
    )
    idempotency_key: Uuid = Field(description="One per clip and target, whatever is retried.")
    retry_plan: Opt[RetryPlan] = Field(default=None, description="Eclipse's plan, on a retry.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class PublicationConfirmed(Document):
    """A platform took a clip (5.4, Output): SCHEDULED or LIVE, its id, and the slot it keeps."""

    receipt: PublicationReceipt = Field(description="Status, the platform's id, and place.")
    slot: Timestamp = Field(description="The final slot, as the platform holds it.")
    asset_uri: Uri = Field(description="The clip that was submitted, in Atlas.")
    chorus_packet_id: Uuid = Field(description="The packet of Chorus's styled metadata.")
    confirmed_at: Timestamp = Field(description="When the platform confirmed it.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _has_youtubes_id(self) -> Self:
        on_youtube = self.receipt.target == "youtube"
        message = "must agree with its target: youtube gives a yt_video_id"
        demand(self, (not on_youtube or self.receipt.yt_video_id is not None, "receipt", message))
        return self


class PublicationWithdrawn(Document):
    """A publication was taken down: the rollback of what had gone out (4.9); its receipt stays."""

    withdrawal_id: Uuid = Field(description="Derived from the idempotency key.")
    clip_id: Uuid = Field(description="The clip.")
    target: Name = Field(description="Where it was: outbox, youtube ...")
    directive_id: Uuid = Field(description="The cancel it was withdrawn under.")
    receipt_id: Opt[Uuid] = Field(
        default=None, description="Of the publication; absent where nothing had gone out yet."
    )
    location: Opt[Uri] = Field(default=None, description="Where it could be seen.")
    kept_at: Uri = Field(description="Where the receipt and this document are kept.")
    reason: Text = Field(description="Why, as the directive says.")
    withdrawn_at: Timestamp = Field(description="When it was gone.")
    idempotency_key: Uuid = Field(description="Of the publication: it is not published again.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class UploadFailed(WorkerFailure):
    """A clip could not be published; HaloLux gets the evidence (5.4, Error signaling)."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                when(
                    "reason_code",
                    code.value,
                    {"properties": {"direction_requested": {"const": True}}},
                )
                for code in ASKS_ZENITH
            ]
        }
    )

    clip_id: Uuid = Field(description="The clip.")
    target: Name = Field(description="Where it should have gone.")
    reason_code: UploadReason = Field(description="Why.")
    direction_requested: bool = Field(description="Whether Zenith is asked if to retry.")
    retry_after: Opt[Timestamp] = Field(
        default=None, description="When the platform would take it again, if it says so."
    )
    evidence: Evidence = Field(description="Packets that show it: the platform's answer ...")

    @model_validator(mode="after")
    def _asks_zenith(self) -> Self:
        asks = self.reason_code not in ASKS_ZENITH or self.direction_requested
        message = f"must be true: whether to retry after {self.reason_code} is Zenith's to say"
        demand(self, (asks, "direction_requested", message))
        return self
