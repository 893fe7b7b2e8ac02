"""The rule for failures, in one place: the others go on, and nothing is half recorded."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from omniva_dagster.contracts.decisions import Outcome, OutcomeStatus
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import ScheduleTask
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.record import Record
from omniva_dagster.resources import progress
from omniva_dagster.resources.workbench import Commit, Recorder, Skip, Workbench
from omniva_dagster.state import library, outbox, outcomes
from omniva_dagster.state.partition import Partition, Subject
from omniva_dagster.state.store import Store
from tests.contracts.support import without

HERE = Partition("ada", "2026-03-04")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store(f"sqlite:///{tmp_path / 'state.db'}")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def bench(store: Store) -> Workbench:
    """A workbench for schedule_tasks."""
    return Workbench(store, HERE, "schedule_tasks", logging.getLogger("test"))


def _subject(name: str) -> Subject:
    return Subject(derive_id("clip", name), name)


def _task(clip_id: str) -> ScheduleTask:
    return ScheduleTask.parse(without("ScheduleTask", "_meta_parents", clip_id=clip_id))


def _record(recorder: Recorder, name: str) -> Record[ScheduleTask]:
    subject_id = derive_id("clip", name)
    task = _task(subject_id)
    return recorder.record(task, subject_id=subject_id, trace_id=derive_id("trace", name))


def _work(name: str) -> Commit:
    if name == "bad":
        raise WorkerError(ReasonCode.NOT_FOUND, "it is gone; leave it out")
    if name == "held":
        raise Skip(ReasonCode.NOT_RELEASED, "held")
    if name == "bug":
        raise ZeroDivisionError
    return lambda recorder: [_record(recorder, name)]


def _standing(bench: Workbench) -> dict[str, Outcome]:
    with bench.store.read() as connection:
        return {item.label: item for item in outcomes.of_partition(connection, HERE)}


@pytest.mark.parametrize("at_once", [1, 3])
def test_what_fails_is_an_outcome_and_the_others_go_on_in_order(
    bench: Workbench, at_once: int
) -> None:
    names = ["one", "bad", "two", "held", "bug", "three"]
    records = bench.each(names, _subject, _work, at_once=at_once)
    assert [record.subject_id for record in records] == [
        derive_id("clip", name) for name in ("one", "two", "three")
    ]
    found = _standing(bench)
    assert {name: found[name].status.value for name in names} == {
        "one": "DONE",
        "two": "DONE",
        "three": "DONE",
        "bad": "ERROR",
        "bug": "ERROR",
        "held": "SKIPPED",
    }
    assert found["bad"].reason_code is ReasonCode.NOT_FOUND
    assert found["bug"].reason_code is ReasonCode.INTERNAL
    assert "ZeroDivisionError" in found["bug"].message


def test_a_record_that_cannot_be_completed_leaves_nothing_behind(bench: Workbench) -> None:
    def work(name: str) -> Commit:
        def commit(recorder: Recorder) -> list[Record[ScheduleTask]]:
            _record(recorder, name)
            raise WorkerError(ReasonCode.SCHEDULER_FAULT, "no slot")

        return commit

    assert bench.each(["one"], _subject, work) == []
    with bench.store.read() as connection:
        assert outbox.latest(connection, "ScheduleTask", derive_id("clip", "one")) is None
    assert _standing(bench)["one"].reason_code is ReasonCode.SCHEDULER_FAULT


def test_trouble_with_the_store_itself_fails_the_run(bench: Workbench) -> None:
    def work(name: str) -> Commit:
        def commit(recorder: Recorder) -> list[Record[ScheduleTask]]:
            parents = [derive_id("packet", "nowhere")]
            task = _task(derive_id("clip", name))
            return [recorder.record(task, subject_id=name, trace_id=parents[0], parents=parents)]

        return commit

    with pytest.raises(outbox.MissingParentError):
        bench.each(["one"], _subject, work)


def test_what_no_longer_applies_is_dropped_and_what_is_done_stays(store: Store) -> None:
    def bench() -> Workbench:
        return Workbench(store, HERE, "schedule_tasks", logging.getLogger("test"))

    first = bench()
    first.each(["one", "bad"], _subject, _work)
    assert {item.label for item in first.finish()} == {"one", "bad"}
    later = bench()
    later.each(["two"], _subject, _work)
    assert {item.label for item in later.finish()} == {"one", "two"}
    with store.read() as connection:
        # The packets that tell of it stay.
        assert outbox.latest(connection, "Outcome", derive_id("clip", "bad")) is not None
        assert library.packet_count(connection) > 0


def test_a_failure_is_tried_again_as_a_further_attempt(bench: Workbench) -> None:
    bench.each(["bad"], _subject, _work)
    bench.each(["bad"], _subject, _work)
    assert _standing(bench)["bad"].attempt == 2
    assert _standing(bench)["bad"].status is OutcomeStatus.ERROR


def test_progress_is_told_to_whoever_listens(bench: Workbench) -> None:
    heard: list[tuple[str, str, float]] = []
    with progress.listening(lambda *told: heard.append(told)):
        bench.each(["one", "two"], _subject, _work)
    bench.each(["three"], _subject, _work)
    assert heard[0] == ("schedule_tasks", "one", 0.0)
    assert heard[-1] == ("schedule_tasks", "two", 1.0)
