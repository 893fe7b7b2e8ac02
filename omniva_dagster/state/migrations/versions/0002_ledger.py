"""The ledger: its queue, lease and segments; what is recorded can only be added to."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# As they were called when this was written: a migration does not follow later names.
APPEND_ONLY = ("packets", "packet_parents", "directives")
_REFUSAL = "is append-only: what is recorded is never changed or removed"


def upgrade() -> None:
    """Create the tables, queue what is already recorded, and protect it."""
    op.create_table(
        "packet_queue",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("held", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sequence"], ["packets.sequence"], name=op.f("fk_packet_queue_sequence")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_packet_queue")),
    )
    op.create_table(
        "ledger_lease",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_ledger_lease")),
    )
    op.create_table(
        "ledger_segments",
        sa.Column("first_leaf", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.String(length=10), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.Text(), nullable=False),
        sa.Column("sequenced_at", sa.String(length=30), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("first_leaf", name=op.f("pk_ledger_segments")),
    )
    op.create_index(op.f("ix_ledger_segments_date"), "ledger_segments", ["date"], unique=False)
    op.create_index(op.f("ix_ledger_segments_state"), "ledger_segments", ["state"], unique=False)
    op.execute("INSERT INTO ledger_lease VALUES ('ledger', '', '', 0, 0)")
    op.execute("INSERT INTO packet_queue (sequence) SELECT sequence FROM packets")
    if op.get_bind().dialect.name == "postgresql":
        _protect_on_postgresql()
    else:
        _protect_on_sqlite()


def _protect_on_sqlite() -> None:
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} {_REFUSAL}'); END"
            )


def _protect_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION '% {_REFUSAL}', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
