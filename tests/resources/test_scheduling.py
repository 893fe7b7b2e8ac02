"""Slots: by Zenith's word, by Horizon's weights, or the earliest; every change on record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from omniva_dagster import state as db
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.operations.scheduler import QueueMutation, SchedulerFault
from omniva_dagster.contracts.publishing import DecisionSource, ScheduleTask
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.resources import scheduling
from omniva_dagster.resources.guidance import Guided
from omniva_dagster.resources.scheduling import EARLIEST, Rules, give_up, must_fit
from omniva_dagster.state.store import Store
from omniva_dagster.workers.scheduler import SlotConflictError
from tests.resources.advice import (
    NEUTRAL,
    bench,
    candidate,
    directive,
    guided,
    opened,
    promoted,
    weights,
)

RULES = Rules([9, 18], 2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path / "state.db")
    yield store
    store.close()


def clip(store: Store, start: float = 0.0) -> Record[Any]:
    """A promoted clip (its candidate stands for what was rendered)."""
    record = candidate(store, "v", start)
    promoted(store, record)
    return record


def book(store: Store, item: Record[Any], by: Guided = NEUTRAL) -> Record[ScheduleTask]:
    stage = bench(store, "schedule_tasks")
    with store.begin() as connection:
        return scheduling.schedule(stage.recorder(connection), item, 0.5, RULES, by)


def said(store: Store, message_type: str) -> list[dict[str, Any]]:
    with store.read() as connection:
        rows = connection.exec_driver_sql(
            f"SELECT body FROM packets WHERE message_type = '{message_type}' ORDER BY sequence"
        )
        return [json.loads(row.body)["payload"] for row in rows]


def evenings(store: Store) -> Guided:
    """Guidance under which 18:00 is worth more than 9:00, on every day."""
    slots = [[day, 18, 0.3, "+0.30: 9 posts beat 90%"] for day in range(7)]
    return guided(slots=slots, packets={"weights": weights(store)})


def test_without_goals_the_task_is_what_it_always_was(store: Store) -> None:
    item = clip(store)
    task = book(store, item).document
    assert (task.horizon_adjustment, task.notes) == (0.0, EARLIEST)
    assert task.final_decision_source is DecisionSource.AUTOMATION
    assert task.meta_parents == [item.packet_id]


@pytest.mark.spec("FLO-3")
@pytest.mark.spec("SCH-4")
def test_horizons_weights_choose_the_slot_and_the_change_names_its_goal_window(
    store: Store,
) -> None:
    """FLO-3: Horizon -> Scheduler. SCH-4: each change links the goal window."""
    by = evenings(store)
    task = book(store, clip(store), by).document
    assert task.recommended_time[11:13] == "18"
    assert task.horizon_adjustment == 0.3
    assert "9 posts beat 90%" in (task.notes or "")
    assert "campaign spring, goal window 2026-01-01 to 2099-01-01" in (task.notes or "")
    assert by.packet_ids[0] in (task.meta_parents or [])
    (mutation,) = said(store, "QueueMutation")
    assert mutation["goal_window"] == by.body["goal_window"]
    assert mutation["mutation"] == "scheduled"
    assert mutation["commitment_time"] == task.recommended_time


@pytest.mark.spec("SCH-1")
def test_a_slot_is_booked_by_a_command_that_holds_the_queue_as_it_is(store: Store) -> None:
    """SCH-1: ScheduleTask + queue snapshots."""
    first, second = clip(store), clip(store, 30.0)
    booked = book(store, first).document.recommended_time
    task = book(store, second).document
    command = said(store, "ScheduleCommand")[-1]
    assert command["task"]["recommended_time"] == task.recommended_time
    taken = {entry["clip_id"]: entry["slot"] for entry in command["queue"]["entries"]}
    if booked[:10] == task.recommended_time[:10]:
        assert taken == {first.subject_id: booked}
    assert command["queue"]["daily_quota"] == 2


def test_a_clip_keeps_its_slot_in_the_same_words_and_nothing_is_said_again(store: Store) -> None:
    item = clip(store)
    by = evenings(store)
    first = book(store, item, by)
    with store.read() as connection:
        packets = connection.exec_driver_sql("SELECT count(*) FROM packets").scalar()
    # New guidance does not move it, nor does the loss of it.
    assert book(store, item, NEUTRAL) == first
    assert book(store, item, by) == first
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM packets").scalar() == packets


def _ahead(days: int) -> str:
    at = datetime.now(UTC).replace(minute=30, second=0, microsecond=0) + timedelta(days=days)
    return format_timestamp(at)


@pytest.mark.spec("SCH-2")
def test_zeniths_word_moves_a_clip_and_a_cancelled_one_gives_its_slot_up(store: Store) -> None:
    """SCH-2: scheduled, rescheduled, skipped; wall-clock commitments."""
    item = clip(store)
    before = book(store, item).document.recommended_time
    directive(
        store,
        DirectiveKind.RESCHEDULE,
        item.subject_id,
        item.packet_id,
        scheduled_time=_ahead(5),
    )
    moved = book(store, item).document
    assert moved.recommended_time == _ahead(5)
    assert moved.final_decision_source is DecisionSource.OPERATOR_OVERRIDE
    directive(store, DirectiveKind.CANCEL, item.subject_id, item.packet_id)
    stage = bench(store, "schedule_tasks")
    assert give_up(stage, [item], NEUTRAL) == 1
    assert give_up(stage, [item], NEUTRAL) == 0
    with store.read() as connection:
        assert db.publishing.slot_of(connection, item.subject_id) is None
    changes = [QueueMutation.parse(change) for change in said(store, "QueueMutation")]
    assert [change.mutation.value for change in changes] == ["scheduled", "rescheduled", "skipped"]
    assert (changes[1].previous_time, changes[1].commitment_time) == (before, _ahead(5))
    assert (changes[2].previous_time, changes[2].commitment_time) == (_ahead(5), None)
    for change in changes:
        window = change.goal_window
        slot = change.commitment_time or change.previous_time or ""
        assert parse_timestamp(window.since) <= parse_timestamp(slot)
        assert parse_timestamp(slot) < parse_timestamp(window.until)


@pytest.mark.spec("SCH-3")
def test_a_slot_that_is_anothers_is_a_fault_that_invites_paradox(store: Store) -> None:
    """SCH-3: scheduler_fault on conflicting constraints, Paradox invited."""
    first, second = clip(store), clip(store, 30.0)
    slot = book(store, first).document.recommended_time
    own = book(store, second).document.recommended_time
    directive(
        store,
        DirectiveKind.RESCHEDULE,
        second.subject_id,
        second.packet_id,
        scheduled_time=slot,
    )
    stage = bench(store, "schedule_tasks")
    for _ in range(2):
        with pytest.raises(SlotConflictError, match="omniva override reschedule"):
            must_fit(stage, second)
    (fault,) = [SchedulerFault.parse(item) for item in said(store, "SchedulerFault")]
    assert fault.clip_ids == [second.subject_id, first.subject_id]
    assert fault.slot == slot
    assert fault.paradox_invited
    with store.read() as connection:
        waiting = db.inboxes.waiting(connection, db.inboxes.PARADOX)
        assert db.publishing.slot_of(connection, second.subject_id) == own
    assert [item.message_type for item in waiting] == ["SchedulerFault"]
    must_fit(stage, first)
