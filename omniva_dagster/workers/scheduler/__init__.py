"""The scheduler: one slot for a clip, one clip in a slot (module interfaces, 5.5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.types import format_timestamp

HORIZON_DAYS = 366


def next_slot(now: datetime, hours: Sequence[int], daily_quota: int, taken: Collection[str]) -> str:
    """The earliest free slot after ``now`` (a UTC timestamp), within the daily quota.

    ``taken`` are the creator's booked slots. Raises `WorkerError` ``scheduler_fault`` when a year
    ahead is full.
    """
    booked = set(taken)
    by_day = Counter(slot[:10] for slot in booked)
    for moment in _slots(now, hours):
        slot = format_timestamp(moment)
        if slot not in booked and by_day[slot[:10]] < daily_quota:
            return slot
    raise WorkerError(
        ReasonCode.SCHEDULER_FAULT,
        f"no free slot within {HORIZON_DAYS} days; raise OMNIVA_DAILY_QUOTA "
        "or add hours to OMNIVA_SLOT_HOURS",
    )


def _slots(now: datetime, hours: Sequence[int]) -> Iterator[datetime]:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(HORIZON_DAYS):
        for hour in sorted(set(hours)):
            moment = midnight + timedelta(days=day, hours=hour)
            if moment > now:
                yield moment
