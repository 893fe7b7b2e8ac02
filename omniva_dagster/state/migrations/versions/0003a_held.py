"""Packets held back are found without reading the queue, or worse, all packets."""

import sqlalchemy as sa
from alembic import op

revision = "0003a"
down_revision = "0003"


def upgrade() -> None:
    """Create the index."""
    held = sa.text("held IS NOT NULL")
    op.create_index(
        op.f("ix_packet_queue_held"),
        "packet_queue",
        ["sequence"],
        unique=False,
        sqlite_where=held,
        postgresql_where=held,
    )
