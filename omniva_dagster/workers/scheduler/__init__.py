"""The scheduler: one slot for a clip, one clip in a slot (module interfaces, 5.5)."""

from omniva_dagster.workers.scheduler.queue import SlotConflictError, commit, skipped
from omniva_dagster.workers.scheduler.slots import (
    HORIZON_DAYS,
    REACH_DAYS,
    Choice,
    Nudges,
    best_slot,
    next_slot,
)

__all__ = [
    "HORIZON_DAYS",
    "REACH_DAYS",
    "Choice",
    "Nudges",
    "SlotConflictError",
    "best_slot",
    "commit",
    "next_slot",
    "skipped",
]
