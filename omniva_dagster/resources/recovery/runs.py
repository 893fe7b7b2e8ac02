"""Runs that end: an asset that raised runs no check, so Eclipse hears of it from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.failures import WorkerErrorEvent
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.resources.recovery.failing import keep, plan_stage
from omniva_dagster.resources.recovery.workers import job_type_of, worker_of
from omniva_dagster.state.partition import Partition, Subject

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.store import Store

# The stage that a run as a whole is.
PIPELINE = "clip_pipeline"
_LONGEST_MESSAGE = 2000


@dataclass(frozen=True)
class RunFailure:
    """Why a run ended: the asset that raised (empty if none did), what it said, and whether the
    same run may succeed later."""

    asset: str
    message: str
    transient: bool = True


def run_subject(partition: Partition) -> str:
    """What the failure of a partition's run is about."""
    return derive_id("run", PIPELINE, partition.creator, partition.day)


def run_ended(
    store: Store, partition: Partition, run_id: str, failure: RunFailure | None, now: str
) -> list[str]:
    """A run of the clip pipeline ended; the packets of what is planned, if it failed.

    Told twice of one run, once by whoever ran it and once by the sensor, it counts once.
    """
    subject_id = run_subject(partition)
    with store.begin() as connection:
        db.health.ended(connection, run_id)
        if failure is None:
            db.recoveries.clear(connection, PIPELINE, [subject_id])
            return []
        known = db.outbox.latest(connection, "WorkerErrorEvent", subject_id, PIPELINE)
        if known is not None and known.payload["instance"] == _instance(run_id):
            return []
        _record(connection, partition, run_id, failure, now)
        return plan_stage(connection, partition, PIPELINE, now)


def _record(
    connection: sa.Connection, partition: Partition, run_id: str, failure: RunFailure, now: str
) -> None:
    from omniva_dagster.resources.workbench import Recorder

    subject_id = run_subject(partition)
    label = f"the run of {partition.creator}, {partition.day}"
    subject = Subject(subject_id, label, derive_id("trace", subject_id))
    standing = db.recoveries.get(connection, PIPELINE, subject_id)
    parents = [standing.plan_packet_id] if standing and standing.plan_packet_id else []
    recorder = Recorder(connection, PIPELINE, partition, now)
    where = f"{failure.asset}: " if failure.asset else ""
    message = f"{where}{failure.message}"[:_LONGEST_MESSAGE] or "the run failed"
    event = WorkerErrorEvent(
        worker=worker_of(failure.asset) if failure.asset else "dagster",
        instance=_instance(run_id),
        job_type=job_type_of(failure.asset),
        job_id=subject_id,
        reason_code=ReasonCode.INTERNAL,
        message=message,
        transient=failure.transient,
        attempt=(standing.attempts_made if standing else 0) + 1,
        occurred_at=now,
        evidence=parents,
    )
    record = recorder.record(
        event,
        subject_id=subject_id,
        trace_id=subject.trace_id,
        parents=parents,
        occurrence=run_id,
    )
    error = WorkerError(ReasonCode.INTERNAL, message, transient=failure.transient)
    keep(recorder, subject, error, record.packet_id, event.instance)


def _instance(run_id: str) -> str:
    return f"run {run_id}"[:64]
