"""Whether a creator agrees to what is made of their videos, and on what terms.

It is part of a creator's registration, and the one thing that no operator's word outweighs:
withdrawn, everything of the creator stops, and what is published is taken down.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import Line, Name, Text
from omniva_dagster.contracts.types import SemVer, Slug, Timestamp, Uuid


class ConsentStatus(StrEnum):
    """What the creator said last."""

    GRANTED = "granted"
    REVOKED = "revoked"


class ConsentRecord(Document):
    """A creator agrees to what is made of their videos, or no more; Zenith acts on it (4.9)."""

    creator_id: Uuid = Field(description="The creator.")
    slug: Slug = Field(description="The creator's key in partitions and folders.")
    status: ConsentStatus = Field(description="What holds from now on.")
    licence: Text = Field(description="What the videos may be used for.")
    terms: Line = Field(description="How and when it was stated, and where that is documented.")
    stated_by: Name = Field(description="Who entered it.")
    reason: Text = Field(description="Why it was recorded, in a sentence.")
    recorded_at: Timestamp = Field(description="When it was recorded.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
