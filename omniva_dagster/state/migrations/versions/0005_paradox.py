"""Paradox: what sources were asked for, and the conflicts found."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "conflicts",
        sa.Column("conflict_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("occurrences", sa.Integer(), nullable=False),
        sa.Column("detected_at", sa.String(length=30), nullable=False),
        sa.Column("audited_at", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("conflict_id", name=op.f("pk_conflicts")),
    )
    op.create_index("ix_conflicts_partition", "conflicts", ["creator", "day"], unique=False)
    op.create_table(
        "scrape_windows",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since", sa.String(length=30), nullable=False),
        sa.Column("until", sa.String(length=30), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_scrape_windows")),
    )
    op.create_index("ix_scrape_windows_source", "scrape_windows", ["source", "until"], unique=False)
    op.create_table(
        "conflict_members",
        sa.Column("conflict_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["conflict_id"], ["conflicts.conflict_id"], name=op.f("fk_conflict_members_conflict_id")
        ),
        sa.PrimaryKeyConstraint("conflict_id", "position", name=op.f("pk_conflict_members")),
    )
    op.create_index(
        op.f("ix_conflict_members_subject_id"), "conflict_members", ["subject_id"], unique=False
    )
    op.create_index("ix_videos_sha256", "videos", ["sha256"], unique=False)
