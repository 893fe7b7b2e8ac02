"""The pipeline: creators, what they published, how far each document is, what went out."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from omniva_dagster.state.tables.base import metadata

creators = Table(
    "creators",
    metadata,
    Column("slug", String(63), primary_key=True),
    Column("creator_id", String(36), nullable=False, unique=True),
    Column("platform", String(16), nullable=False),
    # Empty: only videos asked for one by one are worked on.
    Column("url", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("registered_at", String(30), nullable=False),
    # Whether the creator agrees to what is made of their videos, and on what terms.
    Column("consent", String(16), nullable=False, server_default="granted"),
    Column("licence", Text, nullable=False, server_default=""),
)

# Videos asked for one by one, and the day they were put under.
requests = Table(
    "requests",
    metadata,
    Column("creator", String(63), ForeignKey("creators.slug"), primary_key=True),
    Column("url", Text, primary_key=True),
    Column("day", String(10), nullable=False),
    Column("requested_at", String(30), nullable=False),
)

# What a source's page said about a video: a backfill reads each page once.
listings = Table(
    "listings",
    metadata,
    Column("url", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("seen_at", String(30), nullable=False),
)

# A video that Atlas holds belongs to one partition for good.
videos = Table(
    "videos",
    metadata,
    Column("video_id", String(36), primary_key=True),
    Column("creator", String(63), ForeignKey("creators.slug"), nullable=False),
    Column("day", String(10), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("listed_at", Text, nullable=False),
    Column("packet_id", String(36), nullable=False),
    UniqueConstraint("creator", "sha256"),
    Index("ix_videos_partition", "creator", "day"),
    Index("ix_videos_listed", "creator", "listed_at"),
    Index("ix_videos_sha256", "sha256"),
)

# Where the sidecars of a video's current analysis are, in Atlas.
analyses = Table(
    "analyses",
    metadata,
    Column("video_id", String(36), ForeignKey("videos.video_id"), primary_key=True),
    Column("key", Text, nullable=False),
    Column("packet_id", String(36), nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("stage", String(64), primary_key=True),
    Column("subject_id", String(36), primary_key=True),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("status", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_outcomes_partition", "creator", "day"),
    Index("ix_outcomes_status", "status", "stage"),
)

# Which spans of a video are clips: pinned, whatever a later analysis finds.
promotions = Table(
    "promotions",
    metadata,
    Column("clip_id", String(36), primary_key=True),
    Column("video_id", String(36), nullable=False, index=True),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("packet_id", String(36), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_promotions_partition", "creator", "day"),
)

# One clip in a slot, one slot for a clip.
slots = Table(
    "slots",
    metadata,
    Column("clip_id", String(36), primary_key=True),
    Column("creator", String(63), nullable=False),
    Column("slot", String(30), nullable=False),
    UniqueConstraint("creator", "slot"),
)

publications = Table(
    "publications",
    metadata,
    Column("clip_id", String(36), primary_key=True),
    Column("target", String(64), primary_key=True),
    Column("idempotency_key", String(36), nullable=False, unique=True),
    Column("status", String(16), nullable=False),
    Column("packet_id", String(36), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_publications_status", "status"),
)

# Guidance and routing as first used by a partition (DESIGN: The asset graph).
snapshots = Table(
    "snapshots",
    metadata,
    Column("creator", String(63), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("body", Text, nullable=False),
    Column("pinned_at", String(30), nullable=False),
)
