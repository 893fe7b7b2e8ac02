"""Decisions: what engines have to hear, what is restrained, what is wanted of Dagster."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003a"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "cycles",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=30), nullable=False),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cycles")),
    )
    op.create_table(
        "intents",
        sa.Column("intent_id", sa.String(length=36), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("directive_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("not_before", sa.String(length=30), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("offered_at", sa.String(length=30), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("intent_id", name=op.f("pk_intents")),
    )
    op.create_index("ix_intents_partition", "intents", ["creator", "day"], unique=False)
    op.create_index("ix_intents_state", "intents", ["state", "not_before"], unique=False)
    op.create_table(
        "restraints",
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("ground", sa.String(length=36), nullable=False),
        sa.Column("ground_packet_id", sa.String(length=36), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("directive_id", sa.String(length=36), nullable=False),
        sa.Column("packet_id", sa.String(length=36), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.String(length=30), nullable=False),
        sa.Column("until", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "ground", name=op.f("pk_restraints")),
    )
    op.create_index("ix_restraints_scope", "restraints", ["scope", "since"], unique=False)
    op.create_index("ix_restraints_ground", "restraints", ["ground"], unique=False)
    op.create_index("ix_restraints_until", "restraints", ["until"], unique=False)
    op.create_index("ix_restraints_partition", "restraints", ["creator", "day"], unique=False)
    op.create_table(
        "stoppages",
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("creator", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "creator", "day", name=op.f("pk_stoppages")),
    )
    op.create_table(
        "inboxes",
        sa.Column("consumer", sa.String(length=16), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("urgent", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sequence"], ["packets.sequence"], name=op.f("fk_inboxes_sequence")
        ),
        sa.PrimaryKeyConstraint("consumer", "sequence", name=op.f("pk_inboxes")),
    )
    op.add_column(
        "creators",
        sa.Column("consent", sa.String(length=16), server_default="granted", nullable=False),
    )
    op.add_column("creators", sa.Column("licence", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "directives",
        sa.Column("status", sa.String(length=16), server_default="PENDING", nullable=False),
    )
    op.add_column(
        "directives",
        sa.Column("state_version", sa.Integer(), server_default="0", nullable=False),
    )
    op.create_index("ix_publications_status", "publications", ["status"], unique=False)
