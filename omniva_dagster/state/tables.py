"""The tables. Ids and times are text, as in the contracts; JSON columns hold contract documents.

The migrations in ``migrations/versions`` create them; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# SQLite counts up only an INTEGER primary key.
_Sequence = BigInteger().with_variant(Integer, "sqlite")

creators = Table(
    "creators",
    metadata,
    Column("slug", String(63), primary_key=True),
    Column("creator_id", String(36), nullable=False, unique=True),
    Column("platform", String(16), nullable=False),
    # Empty: only videos asked for one by one are worked on.
    Column("url", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("registered_at", String(30), nullable=False),
    # Whether the creator agrees to what is made of their videos, and on what terms.
    Column("consent", String(16), nullable=False, server_default="granted"),
    Column("licence", Text, nullable=False, server_default=""),
)

# Videos asked for one by one, and the day they were put under.
requests = Table(
    "requests",
    metadata,
    Column("creator", String(63), ForeignKey("creators.slug"), primary_key=True),
    Column("url", Text, primary_key=True),
    Column("day", String(10), nullable=False),
    Column("requested_at", String(30), nullable=False),
)

# What a source's page said about a video: a backfill reads each page once.
listings = Table(
    "listings",
    metadata,
    Column("url", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("seen_at", String(30), nullable=False),
)

# A video that Atlas holds belongs to one partition for good.
videos = Table(
    "videos",
    metadata,
    Column("video_id", String(36), primary_key=True),
    Column("creator", String(63), ForeignKey("creators.slug"), nullable=False),
    Column("day", String(10), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("listed_at", Text, nullable=False),
    Column("packet_id", String(36), nullable=False),
    UniqueConstraint("creator", "sha256"),
    Index("ix_videos_partition", "creator", "day"),
    Index("ix_videos_listed", "creator", "listed_at"),
)

# Where the sidecars of a video's current analysis are, in Atlas.
analyses = Table(
    "analyses",
    metadata,
    Column("video_id", String(36), ForeignKey("videos.video_id"), primary_key=True),
    Column("key", Text, nullable=False),
    Column("packet_id", String(36), nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("stage", String(64), primary_key=True),
    Column("subject_id", String(36), primary_key=True),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("status", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_outcomes_partition", "creator", "day"),
)

# Append-only; the latest on a subject is in force.
directives = Table(
    "directives",
    metadata,
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    Column("directive_id", String(36), nullable=False, unique=True),
    Column("subject_id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("packet_id", String(36), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_directives_subject", "subject_id", "sequence"),
    Index("ix_directives_partition", "creator", "day"),
    sqlite_autoincrement=True,
)

# Which spans of a video are clips: pinned, whatever a later analysis finds.
promotions = Table(
    "promotions",
    metadata,
    Column("clip_id", String(36), primary_key=True),
    Column("video_id", String(36), nullable=False, index=True),
    Column("creator", String(63), nullable=False),
    Column("day", String(10), nullable=False),
    Column("packet_id", String(36), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_promotions_partition", "creator", "day"),
)

# One clip in a slot, one slot for a clip.
slots = Table(
    "slots",
    metadata,
    Column("clip_id", String(36), primary_key=True),
    Column("creator", String(63), nullable=False),
    Column("slot", String(30), nullable=False),
    UniqueConstraint("creator", "slot"),
)

publications = Table(
    "publications",
    metadata,
    Column("clip_id", String(36), primary_key=True),
    Column("target", String(64), primary_key=True),
    Column("idempotency_key", String(36), nullable=False, unique=True),
    Column("status", String(16), nullable=False),
    Column("packet_id", String(36), nullable=False),
    Column("body", Text, nullable=False),
)

# Guidance and routing as first used by a partition (DESIGN: The asset graph).
snapshots = Table(
    "snapshots",
    metadata,
    Column("creator", String(63), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("body", Text, nullable=False),
    Column("pinned_at", String(30), nullable=False),
)

# The ledger's outbox: every packet, in the transaction of what it records. Never updated.
packets = Table(
    "packets",
    metadata,
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
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
    Column("sequence", _Sequence, ForeignKey("packets.sequence"), primary_key=True),
    # Why the sequencer does not take it; empty for those it will.
    Column("held", Text),
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
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
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

# Packets that an engine has yet to hear; a row joins in the transaction of its packet and goes in
# the transaction of what the engine made of it.
inboxes = Table(
    "inboxes",
    metadata,
    Column("consumer", String(16), primary_key=True),
    Column("sequence", _Sequence, ForeignKey("packets.sequence"), primary_key=True),
    # Does not wait for the next control cycle.
    Column("urgent", Integer, nullable=False),
)

# The holds and cancels in force, by what they are about: what the log of directives comes to.
restraints = Table(
    "restraints",
    metadata,
    Column("subject_id", String(36), primary_key=True),
    # all, worker, creator, video or clip
    Column("scope", String(16), nullable=False, index=True),
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
    Index("ix_scrape_windows_source", "source", "since"),
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
    Column("worker", String(64), nullable=False),
    Column("reason_code", String(32), nullable=False),
    Column("attempts_made", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    # Empty: the attempts are spent.
    Column("next_attempt_at", String(30), nullable=False),
    # planned, ordered or spent
    Column("state", String(16), nullable=False),
    Column("plan_packet_id", String(36), nullable=False),
    Column("failure_packet_id", String(36), nullable=False),
    Column("first_failed_at", String(30), nullable=False),
    Index("ix_recoveries_state", "state", "next_attempt_at"),
    Index("ix_recoveries_partition", "creator", "day"),
)

# How each worker's instances do: a row each, brought up to date with every attempt and beat.
worker_health = Table(
    "worker_health",
    metadata,
    Column("worker", String(64), primary_key=True),
    Column("instance", String(64), primary_key=True),
    Column("consecutive_failures", Integer, nullable=False),
    Column("failed_at", String(30), nullable=False),
    Column("succeeded_at", String(30), nullable=False),
    Column("failure_packet_id", String(36), nullable=False),
    Column("success_packet_id", String(36), nullable=False),
    Column("beat_at", String(30), nullable=False),
    Column("beat_sequence", BigInteger, nullable=False),
    Column("sla_seconds", Integer, nullable=False),
    Column("running", Integer, nullable=False),
    # ready, suspect or quarantined, as Eclipse sees it
    Column("state", String(16), nullable=False, index=True),
)

# Triggers of the migrations refuse UPDATE and DELETE on these.
APPEND_ONLY = ("packets", "packet_parents", "directives")
