"""The spine: creators, videos, outcomes, decisions, publications and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "collisions",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_collisions")),
        sa.UniqueConstraint("source_key", "content_hash", name=op.f("uq_collisions_source_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "creators",
        sa.Column("slug", sa.String(length=63), nullable=False),
        sa.Column("creator_id", sa.String(length=36), nullable=False),
        sa.Column("platform", sa.String(length=16), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("registered_at", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_creators")),
        sa.UniqueConstraint("creator_id", name=op.f("uq_creators_creator_id")),
    )
    op.create_table(
        "directives",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("directive_id", sa.String(length=36), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_directives")),
        sa.UniqueConstraint("directive_id", name=op.f("uq_directives_directive_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_directives_partition", "directives", ["creator", "day"], unique=False)
    op.create_index("ix_directives_subject", "directives", ["subject_id", "sequence"], unique=False)
    op.create_table(
        "listings",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_listings")),
    )
    op.create_table(
        "outcomes",
        sa.Column("stage", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stage", "subject_id", name=op.f("pk_outcomes")),
    )
    op.create_index("ix_outcomes_partition", "outcomes", ["creator", "day"], unique=False)
    op.create_table(
        "packets",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("message_type", sa.String(length=64), nullable=False),
        sa.Column("producer", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("trace_id", sa.String(length=36), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("emitted_at", sa.String(length=30), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_packets")),
        sa.UniqueConstraint("packet_id", name=op.f("uq_packets_packet_id")),
        sa.UniqueConstraint("source_key", name=op.f("uq_packets_source_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_packets_subject", "packets", ["subject_id", "message_type", "sequence"], unique=False
    )
    op.create_index(op.f("ix_packets_trace_id"), "packets", ["trace_id"], unique=False)
    op.create_table(
        "promotions",
        sa.Column("clip_id", sa.String(length=36), nullable=False),
        sa.Column("video_id", sa.String(length=36), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("clip_id", name=op.f("pk_promotions")),
    )
    op.create_index("ix_promotions_partition", "promotions", ["creator", "day"], unique=False)
    op.create_index(op.f("ix_promotions_video_id"), "promotions", ["video_id"], unique=False)
    op.create_table(
        "publications",
        sa.Column("clip_id", sa.String(length=36), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("idempotency_key", sa.String(length=36), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("clip_id", "target", name=op.f("pk_publications")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_publications_idempotency_key")),
    )
    op.create_table(
        "slots",
        sa.Column("clip_id", sa.String(length=36), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("slot", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("clip_id", name=op.f("pk_slots")),
        sa.UniqueConstraint("creator", "slot", name=op.f("uq_slots_creator")),
    )
    op.create_table(
        "snapshots",
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("pinned_at", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("creator", "day", "kind", name=op.f("pk_snapshots")),
    )
    op.create_table(
        "packet_parents",
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["packet_id"], ["packets.packet_id"], name=op.f("fk_packet_parents_packet_id")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["packets.packet_id"], name=op.f("fk_packet_parents_parent_id")
        ),
        sa.PrimaryKeyConstraint("packet_id", "position", name=op.f("pk_packet_parents")),
    )
    op.create_index(
        op.f("ix_packet_parents_parent_id"), "packet_parents", ["parent_id"], unique=False
    )
    op.create_table(
        "requests",
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("requested_at", sa.String(length=30), nullable=False),
        sa.ForeignKeyConstraint(["creator"], ["creators.slug"], name=op.f("fk_requests_creator")),
        sa.PrimaryKeyConstraint("creator", "url", name=op.f("pk_requests")),
    )
    op.create_table(
        "videos",
        sa.Column("video_id", sa.String(length=36), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("listed_at", sa.Text(), nullable=False),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["creator"], ["creators.slug"], name=op.f("fk_videos_creator")),
        sa.PrimaryKeyConstraint("video_id", name=op.f("pk_videos")),
        sa.UniqueConstraint("creator", "sha256", name=op.f("uq_videos_creator")),
    )
    op.create_index("ix_videos_listed", "videos", ["creator", "listed_at"], unique=False)
    op.create_index("ix_videos_partition", "videos", ["creator", "day"], unique=False)
    op.create_table(
        "analyses",
        sa.Column("video_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["video_id"], ["videos.video_id"], name=op.f("fk_analyses_video_id")
        ),
        sa.PrimaryKeyConstraint("video_id", name=op.f("pk_analyses")),
    )
