"""The advisors' memories: Paradox, Eclipse, Horizon, Lattice."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from omniva_dagster.state.tables.base import Sequence, metadata

# What a source was asked for, so that overlapping requests are found without reading history.
scrape_windows = Table(
    "scrape_windows",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("source", Text, nullable=False),
    Column("since", String(30), nullable=False),
    Column("until", String(30), nullable=False),
    Column("creator", String(63), nullable=False),
    Column("packet_id", String(36), nullable=False),
    # By its end: the nights ask for the latest days.
    Index("ix_scrape_windows_source", "source", "until"),
)

# Paradox's findings, and what each is about.
conflicts = Table(
    "conflicts",
    metadata,
    Column("conflict_id", String(36), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("action", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("packet_id", String(36), nullable=False),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("occurrences", Integer, nullable=False),
    Column("detected_at", String(30), nullable=False),
    # The audit that found it last: an audit that is run again does not count again.
    Column("audited_at", String(30), nullable=False),
    Index("ix_conflicts_partition", "creator", "day"),
)

conflict_members = Table(
    "conflict_members",
    metadata,
    Column("conflict_id", String(36), ForeignKey("conflicts.conflict_id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("subject_id", String(36), nullable=False, index=True),
)

# Documents whose work failed and is to be tried again, or is given up: one row while that lasts.
recoveries = Table(
    "recoveries",
    metadata,
    Column("stage", String(64), primary_key=True),
    Column("subject_id", String(36), primary_key=True),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("video_id", String(36), nullable=False),
    Column("trace_id", String(36), nullable=False),
    Column("label", Text, nullable=False),
    Column("worker", String(64), nullable=False),
    Column("instance", String(64), nullable=False),
    Column("reason_code", String(32), nullable=False),
    Column("transient", Integer, nullable=False),
    Column("attempts_made", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    # Empty: the attempts are spent.
    Column("next_attempt_at", String(30), nullable=False),
    # failed (no plan yet), planned, ordered or spent
    Column("state", String(16), nullable=False),
    Column("plan_packet_id", String(36), nullable=False),
    Column("failure_packet_id", String(36), nullable=False),
    Column("first_failed_at", String(30), nullable=False),
    Column("last_failed_at", String(30), nullable=False, index=True),
    Index("ix_recoveries_state", "state", "next_attempt_at"),
    Index("ix_recoveries_partition", "creator", "day"),
    Index("ix_recoveries_subject", "subject_id"),
)

# How each worker's instances do, and each creator's source (as an instance of the pool `creator`).
worker_health = Table(
    "worker_health",
    metadata,
    Column("worker", String(64), primary_key=True),
    Column("instance", String(64), primary_key=True),
    # ready, suspect, quarantined or probation, as Eclipse sees it
    Column("state", String(16), nullable=False, index=True),
    Column("consecutive_failures", Integer, nullable=False),
    Column("reason_code", String(32), nullable=False),
    Column("failed_at", String(30), nullable=False),
    Column("failure_packet_id", String(36), nullable=False),
    # The first failure of those in a row.
    Column("streak_packet_id", String(36), nullable=False),
    Column("succeeded_at", String(30), nullable=False),
    Column("success_packet_id", String(36), nullable=False),
    Column("strikes", Integer, nullable=False),
    Column("quarantine_id", String(36), nullable=False),
    Column("quarantine_packet_id", String(36), nullable=False),
    Column("quarantined_at", String(30), nullable=False),
    Column("quarantined_until", String(30), nullable=False),
)

# The work that is going on: a row for each step of a run, gone when it ends.
beats = Table(
    "beats",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("stage", String(64), primary_key=True),
    Column("worker", String(64), nullable=False),
    Column("instance", String(64), nullable=False),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("began_at", String(30), nullable=False),
    Column("beat_at", String(30), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    # When the next beat is overdue: the last one and the SLA.
    Column("overdue_at", String(30), nullable=False, index=True),
    # The documents in its hands, as JSON.
    Column("running", Text, nullable=False),
)

# How published clips did, as often as somebody counted: each observation once.
engagement = Table(
    "engagement",
    metadata,
    Column("clip_id", String(36), primary_key=True),
    Column("platform", String(16), primary_key=True),
    Column("observed_at", String(30), primary_key=True),
    Column("creator", String(63), nullable=False),
    Column("published_at", String(30), nullable=False),
    Column("packet_id", String(36), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_engagement_creator", "creator", "published_at"),
)

# Horizon's guidance by creator and the day it was made for; the newest of a day counts.
guidance = Table(
    "guidance",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("made_at", String(30), nullable=False),
    # SHA-256 of the campaign it follows from: a change of goals shows in it.
    Column("goals_digest", String(64), nullable=False),
    # Whether the newest posts showed that a trend has turned, and up to which post.
    Column("turned_at", String(30), nullable=False),
    Column("packet_id", String(36), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_guidance_creator", "creator", "day", "sequence"),
    sqlite_autoincrement=True,
)

# Numbers that only grow, each taken in the transaction of the packet that bears it.
counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# Where Lattice last advised work to go: what the next advice is compared with.
routes = Table(
    "routes",
    metadata,
    Column("subject_id", String(36), primary_key=True),
    Column("queue", String(64), nullable=False),
    Column("pool", String(64), nullable=False),
    # In thousandths.
    Column("priority", Integer, nullable=False),
    Column("routing_sequence", BigInteger, nullable=False),
    Column("packet_id", String(36), nullable=False),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("at", String(30), nullable=False),
    Index("ix_routes_sequence", "routing_sequence"),
)

# How full each queue was when Lattice last looked, and whether it was over its threshold.
backlogs = Table(
    "backlogs",
    metadata,
    Column("queue", String(64), primary_key=True),
    Column("depth", BigInteger, nullable=False),
    Column("above", Integer, nullable=False),
    Column("observed_at", String(30), nullable=False),
)
