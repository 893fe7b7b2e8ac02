"""A retry plan for each failed document: when, how often, and what to heal before (ECL-2)."""

from __future__ import annotations

from dataclasses import dataclass

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.cognition.common import JobType
from omniva_dagster.contracts.cognition.eclipse import Remediation, RetryPlan
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.engines.eclipse.policy import Policy, policy_of
from omniva_dagster.engines.eclipse.times import later


@dataclass(frozen=True)
class Failure:
    """A document whose work failed, as it stands: its latest failure, and how often before."""

    stage: str
    worker: str
    job_type: JobType
    job_id: str
    reason_code: ReasonCode
    # The worker's own word on whether the same call may succeed later.
    transient: bool
    attempts_made: int
    first_failed_at: str
    last_failed_at: str
    packet_id: str
    # Its worker or creator is isolated until then.
    not_before: str = ""


def plan_retry(failure: Failure, now: str) -> RetryPlan:
    """When the document is to be tried again; never, where another try would fail alike.

    Waits are counted from the failure, without jitter: the same failure gives the same plan. A
    plan without ``next_attempt_at`` is spent, and asks for an operator's review.
    """
    policy = policy_of(failure.reason_code)
    retried = failure.transient or policy.transient
    allowed = max(policy.attempts if retried else 1, failure.attempts_made)
    due = _due(failure, policy, allowed)
    remediation = list(policy.remediation)
    if due is None and Remediation.OPERATOR_REVIEW not in remediation:
        remediation.append(Remediation.OPERATOR_REVIEW)
    return RetryPlan(
        plan_id=derive_id(
            "retry_plan", failure.stage, failure.job_id, failure.packet_id, failure.not_before
        ),
        job_type=failure.job_type,
        job_id=failure.job_id,
        reason_code=failure.reason_code,
        attempts_made=failure.attempts_made,
        attempts=allowed,
        backoff=policy.backoff,
        budget_seconds=policy.budget,
        remediation=remediation,
        evidence=[failure.packet_id],
        issued_at=now,
        **given(next_attempt_at=due),
    )


def _due(failure: Failure, policy: Policy, allowed: int) -> str | None:
    if failure.attempts_made >= allowed:
        return None
    waits = failure.attempts_made - 1
    wait = min(policy.initial * policy.multiplier**waits, policy.longest)
    due = later(failure.last_failed_at, wait)
    over = later(failure.first_failed_at, policy.budget)
    return max(due, failure.not_before) if due <= over else None
