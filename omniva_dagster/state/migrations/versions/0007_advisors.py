"""Advisors: how clips did, what follows from it, where work should go, and how much of it waits."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, and the index that finds what is not done."""
    op.create_index("ix_outcomes_status", "outcomes", ["status", "stage"], unique=False)
    op.create_table(
        "engagement",
        sa.Column("clip_id", sa.String(length=36), nullable=False),
        sa.Column("platform", sa.String(length=16), nullable=False),
        sa.Column("observed_at", sa.String(length=30), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("published_at", sa.String(length=30), nullable=False),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("clip_id", "platform", "observed_at", name=op.f("pk_engagement")),
    )
    op.create_index(
        "ix_engagement_creator", "engagement", ["creator", "published_at"], unique=False
    )
    op.create_table(
        "guidance",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("made_at", sa.String(length=30), nullable=False),
        sa.Column("goals_digest", sa.String(length=64), nullable=False),
        sa.Column("turned_at", sa.String(length=30), nullable=False),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_guidance")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_guidance_creator", "guidance", ["creator", "day", "sequence"], unique=False)
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "routes",
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("queue", sa.String(length=64), nullable=False),
        sa.Column("pool", sa.String(length=64), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("routing_sequence", sa.BigInteger(), nullable=False),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("at", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_routes")),
    )
    op.create_index("ix_routes_sequence", "routes", ["routing_sequence"], unique=False)
    op.create_table(
        "backlogs",
        sa.Column("queue", sa.String(length=64), nullable=False),
        sa.Column("depth", sa.BigInteger(), nullable=False),
        sa.Column("above", sa.Integer(), nullable=False),
        sa.Column("observed_at", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_backlogs")),
    )
