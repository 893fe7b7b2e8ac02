"""Runs that fail, and what people are shown."""

from __future__ import annotations

from omniva_dagster import state as db
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.resources import recovery
from omniva_dagster.state.store import Store
from tests.pipeline.eclipse.support import (
    HERE,
    HOST,
    failing_with,
    killed,
    now,
    recorded,
    rounds,
    run,
    said,
)


def test_a_run_that_failed_is_planned_for_once_whoever_tells(store: Store) -> None:
    failure = recovery.RunFailure("rendered_clips", "the disk is gone")
    plans = recovery.run_ended(store, HERE, "run 1", failure, now())
    assert len(plans) == 1
    assert recovery.run_ended(store, HERE, "run 1", failure, now()) == []
    (plan,) = recorded(store, "RetryPlan")
    assert plan["payload"]["job_id"] == recovery.run_subject(HERE)
    assert plan["payload"]["next_attempt_at"]
    with store.read() as connection:
        assert [item.attempts_made for item in db.recoveries.of_partition(connection, HERE)] == [1]
    recovery.run_ended(store, HERE, "run 2", None, now())
    with store.read() as connection:
        assert db.recoveries.of_partition(connection, HERE) == []


def test_a_run_that_was_ended_on_purpose_is_for_a_person(store: Store) -> None:
    failure = recovery.RunFailure("scraper_jobs", "omniva creators add ghost", transient=False)
    recovery.run_ended(store, HERE, "run 1", failure, now())
    (plan,) = said(store, "RetryPlan")
    assert "next_attempt_at" not in plan


def test_the_report_shows_what_waits_what_is_spent_and_what_to_do(store: Store) -> None:
    run(store, ["one | two"], failing_with(ReasonCode.CORRUPT_MEDIA, transient=False), "videos")
    run(store, ["a", "b", "c", "d"], killed)
    rounds(store)
    with store.read() as connection:
        report = recovery.recovery_report(connection)
    assert (report["waiting"], report["spent"], report["quarantined"]) == (4, 1, 1)
    table = str(report["plans"].value)
    assert f"omniva override retry {derive_id('clip', 'one | two')}" in table
    assert "one \\| two" in table
    assert "omniva run --creator ada --day 2026-03-04" in table
    assert f"editor/{HOST}" in str(report["workers"].value).replace("\\", "")
