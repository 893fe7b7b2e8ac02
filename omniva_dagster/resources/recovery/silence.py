"""Workers that say nothing any more, and work that takes longer than it may (ECL-1, ECL-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.failures import HealthDeviation, TimeoutAlert
from omniva_dagster.contracts.decisions import OutcomeStatus
from omniva_dagster.contracts.ids import derive_id, worker_id_of
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.engines import eclipse
from omniva_dagster.resources.recovery.failing import keep
from omniva_dagster.resources.recovery.pulse import record_beat
from omniva_dagster.resources.recovery.workers import job_type_of, name_of
from omniva_dagster.resources.recovery.writing import NOWHERE
from omniva_dagster.state.partition import Partition, Subject

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.health import Beat


def notice_silence(connection: sa.Connection, now: str) -> None:
    """For each step whose beat is overdue: its worker died. What it had in its hands failed."""
    for beat in db.health.silent(connection, now):
        deviation = _deviation(connection, beat, now)
        for subject in _in_hands(connection, beat):
            _lost(connection, beat, subject, deviation, now)
        db.health.failed(
            connection, beat.worker, beat.instance, ReasonCode.INTERNAL.value, deviation, now
        )
        db.health.ended(connection, beat.run_id, beat.stage)


def notice_timeouts(connection: sa.Connection, now: str) -> None:
    """For each document that a living worker has had for longer than it may: one alert."""
    for beat in db.health.working(connection):
        limit = eclipse.JOB_SECONDS.get(beat.stage, eclipse.USUAL_JOB_SECONDS)
        for subject_id, (since, trace_id, _video, _label) in sorted(beat.running.items()):
            elapsed = eclipse.seconds_between(since, now)
            told = db.outbox.latest(connection, "TimeoutAlert", subject_id, beat.worker)
            if elapsed >= limit and (told is None or told.payload["observed_at"] < since):
                _alert(connection, beat, (subject_id, trace_id), (limit, elapsed), now)


def _in_hands(connection: sa.Connection, beat: Beat) -> list[Subject]:
    """What it was at, without what was finished since its last beat."""
    found = []
    for subject_id, (_, trace_id, video_id, label) in sorted(beat.running.items()):
        outcome = db.outcomes.get(connection, beat.stage, subject_id)
        if outcome is None or outcome.status is OutcomeStatus.RUNNING:
            found.append(Subject(subject_id, label, trace_id, video_id))
    return found


def _deviation(connection: sa.Connection, beat: Beat, now: str) -> str:
    last = record_beat(connection, beat)
    document = HealthDeviation(
        worker=beat.worker,
        instance=beat.instance,
        metric="heartbeat_gap_seconds",
        observed=eclipse.seconds_between(beat.beat_at, now),
        expected=eclipse.BEAT_SECONDS,
        tolerance=eclipse.BEAT_SLA_SECONDS - eclipse.BEAT_SECONDS,
        severity=Severity.CRITICAL if beat.running else Severity.WARNING,
        observed_at=now,
    )
    subject_id = worker_id_of(name_of(beat.worker, beat.instance))
    trace_id = derive_id("trace", subject_id)
    return _tell(connection, document, beat.worker, (subject_id, trace_id), (last,), NOWHERE, now)


def _lost(
    connection: sa.Connection, beat: Beat, subject: Subject, deviation: str, now: str
) -> None:
    from omniva_dagster.resources.workbench import Recorder

    gap = eclipse.seconds_between(beat.beat_at, now)
    whose = (subject.subject_id, subject.trace_id)
    limit = (eclipse.BEAT_SLA_SECONDS, gap)
    packet_id = _alert(connection, beat, whose, limit, now, (deviation,))
    error = WorkerError(
        ReasonCode.INTERNAL,
        f"its worker {name_of(beat.worker, beat.instance)} fell silent {gap:.0f} s ago",
        transient=True,
    )
    recorder = Recorder(connection, beat.stage, beat.partition, now)
    keep(recorder, subject, error, packet_id, beat.instance)


def _alert(
    connection: sa.Connection,
    beat: Beat,
    whose: tuple[str, str],
    limit: tuple[float, float],
    now: str,
    parents: tuple[str, ...] = (),
) -> str:
    subject_id, trace_id = whose
    document = TimeoutAlert(
        worker=beat.worker,
        job_type=job_type_of(beat.stage),
        job_id=subject_id,
        limit_seconds=limit[0],
        elapsed_seconds=max(limit),
        observed_at=now,
    )
    trace_id = trace_id or derive_id("trace", subject_id)
    whose = (subject_id, trace_id)
    return _tell(connection, document, beat.worker, whose, parents, beat.partition, now)


def _tell(
    connection: sa.Connection,
    document: Document,
    producer: str,
    whose: tuple[str, str],
    parents: tuple[str, ...],
    partition: Partition,
    now: str,
) -> str:
    emission = db.outbox.Emission(document, producer, *whose, parents, partition, now)
    return db.outbox.emit(connection, emission).packet_id
