"""The transactional store: what must be remembered, and the outbox in the same transaction.

Its modules are reached as attributes (``from omniva_dagster import state as db`` and then
``db.creators.get(...)``) and imported on first use: the database library takes a third as long to
import as Dagster does, and a code location that only shows its assets needs none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omniva_dagster.state import (
        conflicts,
        creators,
        cycles,
        decisions,
        guidance,
        health,
        inboxes,
        intents,
        launches,
        library,
        outbox,
        outcomes,
        publishing,
        recoveries,
        routing,
        snapshots,
        store,
        wordings,
    )

__all__ = [
    "conflicts",
    "creators",
    "cycles",
    "decisions",
    "guidance",
    "health",
    "inboxes",
    "intents",
    "launches",
    "library",
    "outbox",
    "outcomes",
    "publishing",
    "recoveries",
    "routing",
    "snapshots",
    "store",
    "wordings",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
