"""Slots: no double booking, within the quota, never in the past."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.workers.scheduler import next_slot

NOW = datetime(2026, 3, 4, 11, 59, 59, tzinfo=UTC)


def test_the_earliest_free_slot_is_taken() -> None:
    assert next_slot(NOW, [9, 12, 15], 3, []) == "2026-03-04T12:00:00Z"
    assert next_slot(NOW, [9, 12, 15], 3, ["2026-03-04T12:00:00Z"]) == "2026-03-04T15:00:00Z"


def test_a_day_over_its_quota_is_passed_over() -> None:
    taken = ["2026-03-04T09:00:00Z", "2026-03-04T12:00:00Z"]
    assert next_slot(NOW, [9, 12, 15], 2, taken) == "2026-03-05T09:00:00Z"


def test_a_year_that_is_full_says_what_to_raise() -> None:
    days = (datetime(2026, 3, 4, 9, tzinfo=UTC) + timedelta(days=day) for day in range(370))
    taken = [format_timestamp(day) for day in days]
    with pytest.raises(WorkerError) as caught:
        next_slot(NOW, [9], 1, taken)
    assert caught.value.code is ReasonCode.SCHEDULER_FAULT
    assert "OMNIVA_DAILY_QUOTA" in caught.value.message


@given(
    hours=st.lists(st.integers(0, 23), min_size=1, max_size=6),
    quota=st.integers(1, 5),
    clips=st.integers(1, 30),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
)
def test_no_slot_twice_none_in_the_past_none_over_the_quota(
    hours: list[int], quota: int, clips: int, now: datetime
) -> None:
    taken: list[str] = []
    for _ in range(clips):
        taken.append(next_slot(now, hours, quota, taken))
    assert len(set(taken)) == clips
    assert all(parse_timestamp(slot) > now for slot in taken)
    assert max(Counter(slot[:10] for slot in taken).values()) <= quota
    assert taken == sorted(taken)
