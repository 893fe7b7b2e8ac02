"""A document that fails: its plan, its attempts, its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.decisions import DirectiveKind, OutcomeStatus
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.engines import eclipse
from omniva_dagster.resources import recovery
from omniva_dagster.resources.workbench import Commit, Skip
from omniva_dagster.state.recoveries import Recovery
from omniva_dagster.state.store import Store
from tests.pipeline.eclipse.support import (
    HOST,
    bench,
    direct,
    done,
    failing_with,
    killed,
    now,
    recorded,
    rounds,
    run,
    said,
    subject,
)


def standing(store: Store, name: str, stage: str = "rendered_clips") -> Recovery | None:
    with store.read() as connection:
        return db.recoveries.get(connection, stage, derive_id("clip", name))


def turned_back(store: Store, seconds: float) -> None:
    """As if all that failed and was planned had been that long ago."""
    with store.begin() as connection:
        for item in db.recoveries.open_ones(connection):
            moved = {
                name: eclipse.later(getattr(item, name), -seconds)
                for name in ("first_failed_at", "last_failed_at", "next_attempt_at")
                if getattr(item, name)
            }
            db.recoveries.put(connection, replace(item, **moved))


@pytest.mark.spec("ECL-2")
def test_a_failed_document_has_a_plan_when_its_step_ends(store: Store) -> None:
    """ECL-2: retry plans per job with backoff."""
    run(store, ["three"], done)
    run(store, ["one", "two"], killed)
    plans = {plan["job_id"]: plan for plan in said(store, "RetryPlan")}
    assert set(plans) == {derive_id("clip", "one"), derive_id("clip", "two")}
    assert all(plan["next_attempt_at"] > plan["issued_at"] for plan in plans.values())
    assert all(plan["backoff"]["multiplier"] > 1 for plan in plans.values())
    (event, *_) = recorded(store, "WorkerErrorEvent")
    assert plans[event["payload"]["job_id"]]["evidence"] == [event["message_id"]]
    assert event["payload"]["instance"] == HOST
    found = standing(store, "one")
    assert found is not None
    assert found.state == db.recoveries.PLANNED


def test_an_event_comes_from_its_outcome_and_a_further_one_from_the_plan_too(store: Store) -> None:
    run(store, ["one"], killed)
    run(store, ["one"], killed)
    first, second = recorded(store, "WorkerErrorEvent")
    plan, _ = recorded(store, "RetryPlan")
    outcomes = [item["message_id"] for item in recorded(store, "Outcome")]
    assert first["_meta_parents"] == outcomes[:1]
    assert second["_meta_parents"] == [outcomes[1], plan["message_id"]]


@pytest.mark.part("SCR-4")
@pytest.mark.parametrize(
    "code", [ReasonCode.NETWORK_TIMEOUT, ReasonCode.RATE_LIMITED, ReasonCode.AUTH_FAILED]
)
def test_a_scrapers_failure_keeps_its_reason_and_eclipse_hears_when_tries_end(
    store: Store, code: ReasonCode
) -> None:
    """SCR-4: ERROR with network_timeout, rate_limited, auth_failed; Eclipse alerted when retries
    end."""
    transient = code is not ReasonCode.AUTH_FAILED
    for _ in range(9):
        run(store, ["one"], failing_with(code, transient=transient), "videos")
    with store.read() as connection:
        outcome = db.outcomes.get(connection, "videos", derive_id("clip", "one"))
    assert outcome is not None
    assert (outcome.status, outcome.reason_code) == (OutcomeStatus.ERROR, code)
    last = said(store, "RetryPlan")[-1]
    assert "next_attempt_at" not in last
    assert "operator_review" in last["remediation"]
    assert last["reason_code"] == code.value


def test_what_would_fail_alike_is_spent_at_once(store: Store) -> None:
    run(store, ["one"], failing_with(ReasonCode.BAD_COMMAND, transient=False))
    found = standing(store, "one")
    assert found is not None
    assert (found.state, found.attempts, found.next_attempt_at) == ("spent", 1, "")


def test_a_success_ends_the_recovery_and_the_failures_in_a_row(store: Store) -> None:
    run(store, ["one", "two"], killed)
    run(store, ["one"], done)
    assert standing(store, "one") is None
    with store.read() as connection:
        health = db.health.get(connection, "editor", HOST)
    assert health is not None
    assert health.consecutive_failures == 0
    assert health.success_packet_id


def test_what_was_done_before_says_nothing_about_the_worker(store: Store) -> None:
    run(store, ["one"], done)
    with store.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE outcomes SET body = replace(body, '2026-', '2025-') WHERE status = 'DONE'"
        )
    with store.read() as connection:
        old = db.outcomes.get(connection, "rendered_clips", derive_id("clip", "one"))
    run(store, ["two"], killed)
    assert old is not None
    with store.begin() as connection:
        at = bench(store)
        recovery.succeeded(at.recorder(connection), subject("one"), old, HOST)
        health = db.health.get(connection, "editor", HOST)
    assert health is not None
    assert health.consecutive_failures == 1


def test_what_no_longer_applies_is_not_recovered(store: Store) -> None:
    run(store, ["one"], killed)
    run(store, ["two"], done)
    assert standing(store, "one") is None


@pytest.mark.parametrize(
    ("reason", "waits"), [(ReasonCode.DUPLICATE, False), (ReasonCode.NOT_RELEASED, True)]
)
def test_what_needs_no_work_is_not_tried_again_and_what_is_held_is(
    store: Store, reason: ReasonCode, waits: bool
) -> None:
    def skipping(_name: str) -> Commit:
        raise Skip(reason, "not now")

    run(store, ["one"], killed)
    run(store, ["one"], skipping)
    assert (standing(store, "one") is not None) == waits


def test_a_failure_and_its_event_are_there_together_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(*_arguments: Any) -> None:
        raise sa.exc.OperationalError("killed", {}, Exception())

    monkeypatch.setattr(db.recoveries, "put", dying)
    with pytest.raises(sa.exc.OperationalError):
        run(store, ["one"], killed)
    assert recorded(store, "WorkerErrorEvent") == []
    assert said(store, "Outcome") == []


def test_a_step_cut_off_before_its_end_is_planned_for_by_the_next_round(store: Store) -> None:
    bench(store).each(["one"], subject, killed)
    assert said(store, "RetryPlan") == []
    assert rounds(store)
    found = standing(store, "one")
    assert found is not None
    assert found.state == db.recoveries.PLANNED


def test_a_run_of_zeniths_leaves_a_document_alone_until_it_is_due(store: Store) -> None:
    tried: list[str] = []

    def work(name: str) -> Commit:
        tried.append(name)
        return done(name)

    run(store, ["one"], killed)
    before = len(recorded(store, "Outcome"))
    run(store, ["one", "two"], work, paced=True)
    assert tried == ["two"]
    assert len(recorded(store, "Outcome")) == before + 1
    with store.read() as connection:
        outcome = db.outcomes.get(connection, "rendered_clips", derive_id("clip", "one"))
    assert outcome is not None
    assert outcome.status is OutcomeStatus.ERROR
    turned_back(store, 3600)
    run(store, ["one", "two"], work, paced=True)
    assert tried == ["two", "one", "two"]


def test_a_person_has_everything_tried_that_failed(store: Store) -> None:
    run(store, ["one"], failing_with(ReasonCode.CORRUPT_MEDIA, transient=False))
    run(store, ["one"], done)
    assert standing(store, "one") is None


def test_spent_attempts_wait_for_an_operators_word(store: Store) -> None:
    run(store, ["one"], failing_with(ReasonCode.CORRUPT_MEDIA, transient=False))
    clip_id = derive_id("clip", "one")
    with store.read() as connection:
        said_so = recovery.not_due(connection, "rendered_clips", clip_id, now())
    assert f"omniva override retry {clip_id}" in said_so
    run(store, ["one"], done, paced=True)
    assert standing(store, "one") is not None
    direct(store, clip_id, DirectiveKind.RETRY)
    run(store, ["one"], done, paced=True)
    assert standing(store, "one") is None


@pytest.mark.part("CON-11")
def test_a_retried_job_has_its_effect_once(store: Store) -> None:
    """CON-11: retries never duplicate side effects (4 and 7: idempotent modules)."""
    effects: set[str] = set()
    calls: list[str] = []

    def interrupted(name: str) -> Commit:
        calls.append(name)
        effects.add(name)
        if len(calls) == 1:
            return killed()
        return done(name)

    run(store, ["one"], interrupted)
    for _ in range(2):
        turned_back(store, 3600)
        run(store, ["one"], interrupted, paced=True)
    assert len(calls) == 3
    assert effects == {"one"}
    assert len(recorded(store, "ScheduleTask")) == 1
    assert [item["status"] for item in said(store, "Outcome")] == ["ERROR", "DONE"]
