"""Eclipse: what is to be tried again, and how the workers do."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "recoveries",
        sa.Column("stage", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("reason_code", sa.String(length=32), nullable=False),
        sa.Column("attempts_made", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.String(length=30), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("plan_packet_id", sa.String(length=36), nullable=False),
        sa.Column("failure_packet_id", sa.String(length=36), nullable=False),
        sa.Column("first_failed_at", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("stage", "subject_id", name=op.f("pk_recoveries")),
    )
    op.create_index("ix_recoveries_partition", "recoveries", ["creator", "day"], unique=False)
    op.create_index("ix_recoveries_state", "recoveries", ["state", "next_attempt_at"], unique=False)
    op.create_table(
        "worker_health",
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("instance", sa.String(length=64), nullable=False),
        sa.Column("consecutive_failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", sa.String(length=30), nullable=False),
        sa.Column("succeeded_at", sa.String(length=30), nullable=False),
        sa.Column("failure_packet_id", sa.String(length=36), nullable=False),
        sa.Column("success_packet_id", sa.String(length=36), nullable=False),
        sa.Column("beat_at", sa.String(length=30), nullable=False),
        sa.Column("beat_sequence", sa.BigInteger(), nullable=False),
        sa.Column("sla_seconds", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("worker", "instance", name=op.f("pk_worker_health")),
    )
    op.create_index(op.f("ix_worker_health_state"), "worker_health", ["state"], unique=False)
