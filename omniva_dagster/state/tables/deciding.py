"""Zenith: what it hears, what it ordered, what is restrained, what it wants of Dagster."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from omniva_dagster.state.tables.base import Sequence, metadata

# Packets that an engine has yet to hear; a row joins in the transaction of its packet and goes in
# the transaction of what the engine made of it.
inboxes = Table(
    "inboxes",
    metadata,
    Column("consumer", String(16), primary_key=True),
    Column("sequence", Sequence, ForeignKey("packets.sequence"), primary_key=True),
    # Does not wait for the next control cycle.
    Column("urgent", Integer, nullable=False),
)

# Append-only; the latest on a subject is in force.
directives = Table(
    "directives",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("directive_id", String(36), nullable=False, unique=True),
    Column("subject_id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("packet_id", String(36), nullable=False),
    Column("body", Text, nullable=False),
    # How the subject stands by it, and its how-manieth transition that is.
    Column("status", String(16), nullable=False, server_default="PENDING"),
    Column("state_version", Integer, nullable=False, server_default="0"),
    Index("ix_directives_subject", "subject_id", "sequence"),
    Index("ix_directives_partition", "creator", "day"),
    sqlite_autoincrement=True,
)

# The holds and cancels in force: what the log of directives comes to. A subject may be held on
# several grounds at once, each of which is lifted by itself.
restraints = Table(
    "restraints",
    metadata,
    Column("subject_id", String(36), primary_key=True),
    # The document that gave rise to it: an instruction, a conflict, a signal, a request ...
    Column("ground", String(36), primary_key=True),
    Column("ground_packet_id", String(36), nullable=False),
    # The rule of Zenith's precedence it stands under.
    Column("rule", String(32), nullable=False),
    # all, worker, creator, video or clip
    Column("scope", String(16), nullable=False),
    # The worker's name or the creator's slug, for people.
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("directive_id", String(36), nullable=False),
    Column("packet_id", String(36), nullable=False),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", String(30), nullable=False),
    # Empty: until it is lifted.
    Column("until", String(30), nullable=False),
    Index("ix_restraints_scope", "scope", "since"),
    Index("ix_restraints_ground", "ground"),
    Index("ix_restraints_until", "until"),
    Index("ix_restraints_partition", "creator", "day"),
)

# Partitions whose work a hold on something stopped: the release of it launches them again.
stoppages = Table(
    "stoppages",
    metadata,
    Column("subject_id", String(36), primary_key=True),
    Column("creator", String(63), primary_key=True),
    Column("day", String(10), primary_key=True),
)

# What Zenith wants of Dagster: runs to launch and to cancel, each once.
intents = Table(
    "intents",
    metadata,
    Column("intent_id", String(36), primary_key=True),
    Column("action", String(16), nullable=False),
    Column("job", String(64), nullable=False),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("directive_id", String(36), nullable=False),
    Column("body", Text, nullable=False),
    Column("not_before", String(30), nullable=False),
    # open, offered, done or void
    Column("state", String(16), nullable=False),
    Column("offered_at", String(30), nullable=False),
    # The run to cancel, or the one that the launch became: the first to claim it.
    Column("run_id", String(64), nullable=False),
    Index("ix_intents_state", "state", "not_before"),
    Index("ix_intents_partition", "creator", "day"),
)

# How far an engine's own cycle has come: one row an engine.
cycles = Table(
    "cycles",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("at", String(30), nullable=False),
    # The last packet that the cycle recorded.
    Column("packet_id", String(36), nullable=False),
)

# Runs that a daemon has launched; the row is written before the process is started.
launches = Table(
    "launches",
    metadata,
    Column("run_id", String(36), primary_key=True),
    # Of the daemon.
    Column("host", String(255), nullable=False),
    Column("at", String(30), nullable=False),
)
