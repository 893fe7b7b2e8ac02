"""Eclipse: what is to be tried again, how the workers do, and what they are at."""

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
        sa.Column("video_id", sa.String(length=36), nullable=False),
        sa.Column("trace_id", sa.String(length=36), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("instance", sa.String(length=64), nullable=False),
        sa.Column("reason_code", sa.String(length=32), nullable=False),
        sa.Column("transient", sa.Integer(), nullable=False),
        sa.Column("attempts_made", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.String(length=30), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("plan_packet_id", sa.String(length=36), nullable=False),
        sa.Column("failure_packet_id", sa.String(length=36), nullable=False),
        sa.Column("first_failed_at", sa.String(length=30), nullable=False),
        sa.Column("last_failed_at", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("stage", "subject_id", name=op.f("pk_recoveries")),
    )
    op.create_index("ix_recoveries_partition", "recoveries", ["creator", "day"], unique=False)
    op.create_index("ix_recoveries_state", "recoveries", ["state", "next_attempt_at"], unique=False)
    op.create_index("ix_recoveries_subject", "recoveries", ["subject_id"], unique=False)
    op.create_index(
        op.f("ix_recoveries_last_failed_at"), "recoveries", ["last_failed_at"], unique=False
    )
    op.create_table(
        "worker_health",
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("instance", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("consecutive_failures", sa.Integer(), nullable=False),
        sa.Column("reason_code", sa.String(length=32), nullable=False),
        sa.Column("failed_at", sa.String(length=30), nullable=False),
        sa.Column("failure_packet_id", sa.String(length=36), nullable=False),
        sa.Column("streak_packet_id", sa.String(length=36), nullable=False),
        sa.Column("succeeded_at", sa.String(length=30), nullable=False),
        sa.Column("success_packet_id", sa.String(length=36), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("quarantine_id", sa.String(length=36), nullable=False),
        sa.Column("quarantine_packet_id", sa.String(length=36), nullable=False),
        sa.Column("quarantined_at", sa.String(length=30), nullable=False),
        sa.Column("quarantined_until", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("worker", "instance", name=op.f("pk_worker_health")),
    )
    op.create_index(op.f("ix_worker_health_state"), "worker_health", ["state"], unique=False)
    op.create_table(
        "beats",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.String(length=64), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("instance", sa.String(length=64), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("began_at", sa.String(length=30), nullable=False),
        sa.Column("beat_at", sa.String(length=30), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("overdue_at", sa.String(length=30), nullable=False),
        sa.Column("running", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "stage", name=op.f("pk_beats")),
    )
    op.create_index(op.f("ix_beats_overdue_at"), "beats", ["overdue_at"], unique=False)
