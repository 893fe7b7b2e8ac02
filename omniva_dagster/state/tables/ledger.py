"""The outbox and the ledger behind it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from omniva_dagster.state.tables.base import Sequence, metadata

# The ledger's outbox: every packet, in the transaction of what it records. Never updated.
packets = Table(
    "packets",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("packet_id", String(36), nullable=False, unique=True),
    Column("source_key", Text, nullable=False, unique=True),
    Column("content_hash", String(64), nullable=False),
    Column("message_type", String(64), nullable=False),
    Column("producer", String(64), nullable=False),
    Column("subject_id", String(36), nullable=False),
    Column("trace_id", String(36), nullable=False, index=True),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("emitted_at", String(30), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_packets_subject", "subject_id", "message_type", "sequence"),
    sqlite_autoincrement=True,
)

# Packets that have no place in the ledger yet; a row joins in the transaction of its packet, so
# that none is missed in whatever order transactions commit, and goes with its sequencing.
packet_queue = Table(
    "packet_queue",
    metadata,
    # As an own integer key, for a long queue to be read in order at no cost.
    Column("sequence", Sequence, ForeignKey("packets.sequence"), primary_key=True),
    # Why the sequencer does not take it; empty for those it will.
    Column("held", Text),
    Index(
        "ix_packet_queue_held",
        "sequence",
        sqlite_where=text("held IS NOT NULL"),
        postgresql_where=text("held IS NOT NULL"),
    ),
)

packet_parents = Table(
    "packet_parents",
    metadata,
    Column("packet_id", String(36), ForeignKey("packets.packet_id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("parent_id", String(36), ForeignKey("packets.packet_id"), nullable=False, index=True),
)

# The same source key with other content: kept for Paradox.
collisions = Table(
    "collisions",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("source_key", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("seen_at", String(30), nullable=False),
    UniqueConstraint("source_key", "content_hash"),
    sqlite_autoincrement=True,
)

# The right to write to the ledger: one row, whose token grows with every holder (fencing).
ledger_lease = Table(
    "ledger_lease",
    metadata,
    Column("name", String(16), primary_key=True),
    # The log it is about, as its checkpoints name it; empty until the first sequencing.
    Column("origin", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    # Seconds since 1970 by the database's own clock, the one that all machines share.
    Column("expires_at", BigInteger, nullable=False),
)

# The ledger's Parquet files: which leaves each holds, and the Merkle tree after the last of them.
ledger_segments = Table(
    "ledger_segments",
    metadata,
    Column("first_leaf", BigInteger, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    Column("date", String(10), nullable=False, index=True),
    Column("file", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", String(64), nullable=False),
    Column("tree_size", BigInteger, nullable=False),
    Column("frontier", Text, nullable=False),
    Column("sequenced_at", String(30), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("sealed", Integer, nullable=False),
)

# How far Dagster's event log is read: a row for every run that may have more to say, one for what
# belongs to no run, and one that says up to when changed runs have been looked for.
mirror_cursors = Table(
    "mirror_cursors",
    metadata,
    Column("name", String(255), primary_key=True),
    # Everything of the run up to this id of its log is in the outbox.
    Column("position", BigInteger, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    # The run's last change, by Dagster's run storage; how it stood when its log was last read.
    Column("updated_at", String(32), nullable=False),
    Column("seen_at", String(32), nullable=False),
    Column("read_at", String(32), nullable=False),
)
