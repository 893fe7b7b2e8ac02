"""How each document stands at each step (DESIGN: When a document fails)."""

from __future__ import annotations

import sqlalchemy as sa

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.decisions import Outcome, OutcomeStatus
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.state.outbox import Emission, emit
from omniva_dagster.state.partition import Partition, Subject
from omniva_dagster.state.tables import outcomes

_OVER = {OutcomeStatus.DONE, OutcomeStatus.ERROR, OutcomeStatus.SKIPPED, OutcomeStatus.CANCELLED}


def note(
    connection: sa.Connection,
    partition: Partition,
    stage: str,
    subject: Subject,
    status: OutcomeStatus,
    at: str,
    reason: ReasonCode | None = None,
    message: str = "",
) -> Outcome:
    """Record how a document stands at a step. A finished step is a packet too.

    A step that starts again after it failed or was cut off is a further attempt; one that is done
    and found done again is not.
    """
    before = get(connection, stage, subject.subject_id)
    outcome = Outcome(
        subject_id=subject.subject_id,
        stage=stage,
        status=status,
        **given(reason_code=reason),
        message=message,
        label=subject.label,
        attempt=_attempt(before, status),
        updated_at=at,
    )
    if status in _OVER:
        trace_id = subject.trace_id or derive_id("trace", subject.subject_id)
        emission = Emission(outcome, stage, subject.subject_id, trace_id, (), partition, at)
        # Found done again, it is the outcome that it was.
        outcome = Outcome.parse(emit(connection, emission).payload)
    values = {
        "creator": partition.creator,
        "day": partition.day,
        "status": status.value,
        "body": outcome.model_dump_json(exclude_none=True),
    }
    here = (outcomes.c.stage == stage) & (outcomes.c.subject_id == subject.subject_id)
    update = outcomes.update().where(here).values(**values)
    if connection.execute(update).rowcount:
        return outcome
    try:
        with connection.begin_nested():
            connection.execute(
                outcomes.insert().values(stage=stage, subject_id=subject.subject_id, **values)
            )
    except sa.exc.IntegrityError:
        # Another run of the partition met the document at the same time.
        connection.execute(update)
    return outcome


def get(connection: sa.Connection, stage: str, subject_id: str) -> Outcome | None:
    """How a document stands at a step, if it ever came there."""
    body = connection.scalar(
        sa.select(outcomes.c.body).where(
            outcomes.c.stage == stage, outcomes.c.subject_id == subject_id
        )
    )
    return Outcome.parse(body) if body else None


def of_partition(connection: sa.Connection, partition: Partition, stage: str = "") -> list[Outcome]:
    """All outcomes of a partition (of one step), in a stable order."""
    query = sa.select(outcomes.c.body).where(
        outcomes.c.creator == partition.creator, outcomes.c.day == partition.day
    )
    if stage:
        query = query.where(outcomes.c.stage == stage)
    query = query.order_by(outcomes.c.stage, outcomes.c.subject_id)
    return [Outcome.parse(body) for body in connection.scalars(query)]


def drop(connection: sa.Connection, stage: str, subject_ids: list[str]) -> None:
    """Forget steps that no longer apply; their packets stay."""
    connection.execute(
        outcomes.delete().where(outcomes.c.stage == stage, outcomes.c.subject_id.in_(subject_ids))
    )


def _attempt(before: Outcome | None, status: OutcomeStatus) -> int:
    if before is None:
        return 1
    starts = status in (OutcomeStatus.RUNNING, OutcomeStatus.PENDING)
    return before.attempt + 1 if starts and before.status != OutcomeStatus.DONE else before.attempt
