"""Slots: no double booking, within the quota, never in the past."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.workers.scheduler import Nudges, best_slot, next_slot

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


MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
MARCH = ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")


def test_without_weights_the_earliest_free_slot_is_the_best() -> None:
    choice = best_slot(MONDAY, [9, 18], 3, [], Nudges(*MARCH))
    assert (choice.slot, choice.adjustment) == ("2026-03-02T09:00:00Z", 0.0)


@pytest.mark.part("FLO-3")
def test_a_weighty_slot_is_waited_for_as_long_as_it_is_worth() -> None:
    """FLO-3: Horizon -> Scheduler."""
    weights = {(4, 18): 0.3}
    why = {(4, 18): "+0.30: 9 of 10 posts did better"}
    cheap = Nudges(*MARCH, weights=weights, why=why, delay_cost=0.05)
    choice = best_slot(MONDAY, [9, 18], 3, [], cheap)
    assert (choice.slot, choice.adjustment) == ("2026-03-06T18:00:00Z", 0.3)
    assert choice.why == (
        "better than the earliest free slot, 2026-03-02T09:00:00Z, 4 days later: "
        "+0.10 against +0.00; Friday 18:00 +0.30: 9 of 10 posts did better"
    )
    # Behind the cadence, a day costs more than the slot is worth.
    dear = Nudges(*MARCH, weights=weights, delay_cost=0.2)
    assert best_slot(MONDAY, [9, 18], 3, [], dear).slot == "2026-03-02T09:00:00Z"


def test_a_slot_outside_of_the_goal_window_has_no_weight() -> None:
    nudges = Nudges("2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z", {(4, 18): 0.9, (3, 9): 0.8})
    choice = best_slot(MONDAY, [9, 18], 3, [], nudges)
    assert (choice.slot, choice.adjustment) == ("2026-03-02T09:00:00Z", 0.0)


def test_a_cadence_spreads_clips_over_days() -> None:
    nudges = Nudges(*MARCH, delay_cost=0.05, daily_target=1.0)
    taken: list[str] = []
    for _ in range(4):
        taken.append(best_slot(MONDAY, [9, 18], 3, taken, nudges).slot)
    assert [slot[:10] for slot in taken] == [f"2026-03-0{day}" for day in (2, 3, 2, 4)]


@given(
    weights=st.dictionaries(
        st.tuples(st.integers(0, 6), st.integers(0, 23)), st.floats(-1, 1), max_size=30
    ),
    hours=st.lists(st.integers(0, 23), min_size=1, max_size=6),
    cost=st.floats(0, 1),
    clips=st.integers(1, 12),
)
def test_the_best_slot_is_free_ahead_within_the_quota_and_within_a_week(
    weights: dict[tuple[int, int], float], hours: list[int], cost: float, clips: int
) -> None:
    taken: list[str] = []
    for _ in range(clips):
        earliest = parse_timestamp(next_slot(NOW, hours, 2, taken))
        choice = best_slot(NOW, hours, 2, taken, Nudges(*MARCH, weights=weights, delay_cost=cost))
        assert choice.slot not in taken
        assert earliest <= parse_timestamp(choice.slot) < earliest + timedelta(days=7)
        assert choice == best_slot(
            NOW, hours[::-1], 2, taken[::-1], Nudges(*MARCH, weights=weights, delay_cost=cost)
        )
        taken.append(choice.slot)
    assert max(Counter(slot[:10] for slot in taken).values()) <= 2
