"""A document's failure and its recovery: recorded with its outcome, planned for, healed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.failures import WorkerErrorEvent
from omniva_dagster.contracts.decisions import DirectiveKind, Outcome
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.engines import eclipse
from omniva_dagster.resources.recovery.workers import WORKER_OF, job_type_of, worker_of
from omniva_dagster.resources.recovery.writing import propose

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.resources.workbench import Recorder
    from omniva_dagster.state.partition import Partition, Subject
    from omniva_dagster.state.recoveries import Recovery

_LONGEST_MESSAGE = 2000


def failed(
    recorder: Recorder, subject: Subject, error: WorkerError, attempt: int, instance: str
) -> None:
    """Record a failure of the recorder's stage: the event, what is to be planned for, who is to
    blame. In the transaction of the document's outcome."""
    if error.code in eclipse.AWAITING:
        return
    connection, stage = recorder.connection, recorder.stage
    standing = db.recoveries.get(connection, stage, subject.subject_id)
    trace_id = subject.trace_id or derive_id("trace", subject.subject_id)
    outcome = db.outbox.latest(connection, "Outcome", subject.subject_id, stage)
    parents = [outcome.packet_id] if outcome else []
    if standing and standing.plan_packet_id:
        parents.append(standing.plan_packet_id)
    event = WorkerErrorEvent(
        worker=worker_of(stage),
        instance=instance,
        job_type=job_type_of(stage),
        job_id=subject.subject_id,
        reason_code=error.code,
        message=error.message[:_LONGEST_MESSAGE] or error.code.value,
        transient=error.transient,
        attempt=attempt,
        occurred_at=recorder.now,
        evidence=parents,
    )
    record = recorder.record(
        event,
        subject_id=subject.subject_id,
        trace_id=trace_id,
        parents=parents,
        video_id=subject.video_id,
    )
    keep(recorder, subject, error, record.packet_id, instance)
    _blame(recorder, error.code, record.packet_id, instance)


def keep(
    recorder: Recorder, subject: Subject, error: WorkerError, packet_id: str, instance: str
) -> None:
    """A failure becomes, or goes on as, the document's recovery at the recorder's stage."""
    connection, stage = recorder.connection, recorder.stage
    standing = db.recoveries.get(connection, stage, subject.subject_id)
    db.recoveries.put(
        connection,
        db.recoveries.Recovery(
            stage=stage,
            subject_id=subject.subject_id,
            creator=recorder.partition.creator,
            day=recorder.partition.day,
            video_id=subject.video_id,
            trace_id=subject.trace_id or derive_id("trace", subject.subject_id),
            label=subject.label,
            worker=worker_of(stage),
            instance=instance,
            reason_code=error.code.value,
            transient=error.transient,
            attempts_made=(standing.attempts_made if standing else 0) + 1,
            attempts=standing.attempts if standing else 0,
            next_attempt_at="",
            state=db.recoveries.FAILED,
            plan_packet_id=standing.plan_packet_id if standing else "",
            failure_packet_id=packet_id,
            first_failed_at=standing.first_failed_at if standing else recorder.now,
            last_failed_at=recorder.now,
        ),
    )


def succeeded(recorder: Recorder, subject: Subject, outcome: Outcome, instance: str) -> None:
    """The document is done: its recovery is over, and the worker did well.

    What was done before and is found done again says nothing about the worker.
    """
    connection, stage = recorder.connection, recorder.stage
    db.recoveries.clear(connection, stage, [subject.subject_id])
    if outcome.updated_at < recorder.now or stage not in WORKER_OF:
        return
    pools = [(WORKER_OF[stage], instance)]
    if WORKER_OF[stage] == "scraper":
        pools.append((eclipse.CREATOR_POOL, recorder.partition.creator))
    for worker, name in pools:
        standing = db.health.get(connection, worker, name)
        packet = None
        if standing and (standing.state != db.health.READY or standing.consecutive_failures):
            # The evidence of a readiness that may follow.
            packet = db.outbox.latest(connection, "Outcome", subject.subject_id, stage)
        packet_id = packet.packet_id if packet else ""
        db.health.succeeded(connection, worker, name, packet_id, recorder.now)


def set_aside(connection: sa.Connection, stage: str, subject: Subject, reason: ReasonCode) -> None:
    """The document needs no work, so nothing is to be tried again; what is only held back waits."""
    if reason not in eclipse.AWAITING:
        db.recoveries.clear(connection, stage, [subject.subject_id])


def plan_stage(connection: sa.Connection, partition: Partition, stage: str, now: str) -> list[str]:
    """Plan for all that failed at a stage of a partition; the packets of the plans."""
    return plan_failures(connection, db.recoveries.unplanned(connection, partition, stage), now)


def plan_failures(
    connection: sa.Connection,
    recoveries: Iterable[Recovery],
    now: str,
    *,
    not_before: str = "",
) -> list[str]:
    """A retry plan for each recovery, recorded and remembered; the packets of the plans."""
    return [_plan(connection, item, now, not_before) for item in recoveries]


def not_due(connection: sa.Connection, stage: str, subject_id: str, now: str) -> str:
    """Why a run of Zenith's leaves a failed document alone; empty where it is to be tried.

    An operator's word (a retry ordered since the last failure) gives spent attempts one more.
    """
    standing = db.recoveries.get(connection, stage, subject_id)
    if standing is None or standing.state == db.recoveries.FAILED:
        return ""
    if standing.state == db.recoveries.SPENT:
        asked = db.decisions.in_force(connection, subject_id, (DirectiveKind.RETRY,))
        if asked is not None and asked[0].issued_at >= standing.last_failed_at:
            return ""
        return f"its attempts are spent; `omniva override retry {subject_id}` tries once more"
    if standing.next_attempt_at > now:
        return f"its next attempt is due at {standing.next_attempt_at}"
    return ""


def _plan(connection: sa.Connection, item: Recovery, now: str, not_before: str) -> str:
    plan = eclipse.plan_retry(
        eclipse.Failure(
            stage=item.stage,
            worker=item.worker,
            job_type=job_type_of(item.stage),
            job_id=item.subject_id,
            reason_code=ReasonCode(item.reason_code),
            transient=item.transient,
            attempts_made=item.attempts_made,
            first_failed_at=item.first_failed_at,
            last_failed_at=item.last_failed_at,
            packet_id=item.failure_packet_id,
            not_before=not_before or _isolated_until(connection, item),
        ),
        now,
    )
    packet_id = propose(
        connection,
        plan,
        now,
        subject_id=item.subject_id,
        trace_id=item.trace_id,
        partition=item.partition,
    )
    due = plan.next_attempt_at or ""
    db.recoveries.plan(connection, item, packet_id, plan.attempts, due)
    return packet_id


def _isolated_until(connection: sa.Connection, item: Recovery) -> str:
    """The end of the quarantines that the work would run into; empty without any."""
    subjects = [(item.worker, item.instance), (eclipse.CREATOR_POOL, item.creator)]
    found = [db.health.get(connection, *subject) for subject in subjects]
    isolated = [one.quarantined_until for one in found if one and one.state == "quarantined"]
    return max(isolated, default="")


def _blame(recorder: Recorder, code: ReasonCode, packet_id: str, instance: str) -> None:
    stage = recorder.stage
    blame = eclipse.policy_of(code).blame
    if stage not in WORKER_OF or blame is eclipse.Blame.DOCUMENT:
        return
    worker, name = WORKER_OF[stage], instance
    if blame is eclipse.Blame.CREATOR:
        worker, name = eclipse.CREATOR_POOL, recorder.partition.creator
    db.health.failed(recorder.connection, worker, name, code.value, packet_id, recorder.now)
