"""How often and when what failed is tried again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.cognition.common import JobType
from omniva_dagster.contracts.cognition.eclipse import Remediation
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.engines import eclipse
from omniva_dagster.engines.eclipse import Failure
from tests.engines.eclipse.support import NOW, packet


def failure(**changes: Any) -> Failure:
    base = Failure(
        stage="rendered_clips",
        worker="editor",
        job_type=JobType.EDIT_JOB,
        job_id=derive_id("clip", "c"),
        reason_code=ReasonCode.INTERNAL,
        transient=True,
        attempts_made=1,
        first_failed_at=NOW,
        last_failed_at=NOW,
        packet_id=packet("failure"),
    )
    return replace(base, **changes)


@pytest.mark.part("ECL-2")
def test_waits_grow_without_jitter_until_the_attempts_are_spent() -> None:
    """ECL-2: retry plans per job with backoff."""
    plans = [
        eclipse.plan_retry(failure(attempts_made=made, reason_code=ReasonCode.NETWORK_TIMEOUT), NOW)
        for made in range(1, 7)
    ]
    waits = [
        eclipse.seconds_between(NOW, plan.next_attempt_at) if plan.next_attempt_at else None
        for plan in plans
    ]
    assert waits == [30, 60, 120, 240, None, None]
    assert all(plan.job_id == derive_id("clip", "c") for plan in plans)
    assert plans[0].backoff.jitter.value == "none"
    assert Remediation.OPERATOR_REVIEW in plans[-1].remediation


@pytest.mark.parametrize(
    "reason", [ReasonCode.BAD_COMMAND, ReasonCode.CORRUPT_MEDIA, ReasonCode.NOT_FOUND]
)
def test_what_would_fail_alike_is_not_tried_again(reason: ReasonCode) -> None:
    plan = eclipse.plan_retry(failure(reason_code=reason, transient=False), NOW)
    assert plan.next_attempt_at is None
    assert plan.attempts == plan.attempts_made == 1
    assert plan.remediation == [Remediation.OPERATOR_REVIEW]


def test_the_workers_word_decides_whether_another_try_is_worth_it() -> None:
    for_good = failure(reason_code=ReasonCode.UNREACHABLE, transient=False)
    assert eclipse.plan_retry(for_good, NOW).next_attempt_at is None
    assert eclipse.plan_retry(replace(for_good, transient=True), NOW).next_attempt_at


def test_a_budget_of_time_ends_the_attempts_whatever_is_left() -> None:
    late = failure(
        reason_code=ReasonCode.NETWORK_TIMEOUT,
        attempts_made=2,
        first_failed_at="2026-03-03T00:00:00Z",
    )
    plan = eclipse.plan_retry(late, NOW)
    assert plan.next_attempt_at is None
    assert plan.attempts > plan.attempts_made


def test_no_attempt_is_planned_into_an_isolation() -> None:
    until = eclipse.later(NOW, 3600)
    plan = eclipse.plan_retry(failure(not_before=until), NOW)
    assert plan.next_attempt_at == until


@pytest.mark.spec("ECL-10")
@given(st.sampled_from(list(ReasonCode)), st.booleans(), st.integers(1, 9))
def test_every_spent_plan_says_what_would_heal(
    reason: ReasonCode, transient: bool, made: int
) -> None:
    """ECL-10: remediation metadata (restart_required, cache_flush ...)."""
    plan = eclipse.plan_retry(
        failure(reason_code=reason, transient=transient, attempts_made=made), NOW
    )
    assert plan == eclipse.plan_retry(
        failure(reason_code=reason, transient=transient, attempts_made=made), NOW
    )
    assert plan.evidence == [packet("failure")]
    if plan.next_attempt_at is None:
        assert Remediation.OPERATOR_REVIEW in plan.remediation
    else:
        assert plan.next_attempt_at > NOW
    if reason is ReasonCode.INTERNAL:
        wanted = [Remediation.RESTART_REQUIRED, Remediation.CACHE_FLUSH]
        assert plan.remediation[:2] == wanted
