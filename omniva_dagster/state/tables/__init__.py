"""The tables. Ids and times are text, as in the contracts; JSON columns hold contract documents.

The migrations in ``migrations/versions`` create them; a test compares the two.
"""

from __future__ import annotations

from omniva_dagster.state.tables.advising import (
    backlogs,
    beats,
    conflict_members,
    conflicts,
    counters,
    engagement,
    guidance,
    recoveries,
    routes,
    scrape_windows,
    worker_health,
)
from omniva_dagster.state.tables.base import metadata
from omniva_dagster.state.tables.deciding import (
    cycles,
    directives,
    inboxes,
    intents,
    launches,
    restraints,
    stoppages,
)
from omniva_dagster.state.tables.ledger import (
    collisions,
    ledger_lease,
    ledger_segments,
    mirror_cursors,
    packet_parents,
    packet_queue,
    packets,
)
from omniva_dagster.state.tables.pipeline import (
    analyses,
    creators,
    listings,
    outcomes,
    promotions,
    publications,
    requests,
    slots,
    snapshots,
    videos,
)

# Triggers of the migrations refuse UPDATE and DELETE on these.
APPEND_ONLY = ("packets", "packet_parents", "directives")

__all__ = [
    "APPEND_ONLY",
    "analyses",
    "backlogs",
    "beats",
    "collisions",
    "conflict_members",
    "conflicts",
    "counters",
    "creators",
    "cycles",
    "directives",
    "engagement",
    "guidance",
    "inboxes",
    "intents",
    "launches",
    "ledger_lease",
    "ledger_segments",
    "listings",
    "metadata",
    "mirror_cursors",
    "outcomes",
    "packet_parents",
    "packet_queue",
    "packets",
    "promotions",
    "publications",
    "recoveries",
    "requests",
    "restraints",
    "routes",
    "scrape_windows",
    "slots",
    "snapshots",
    "stoppages",
    "videos",
    "worker_health",
]
