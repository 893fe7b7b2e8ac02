"""Heartbeats of a step at work: as long as they come, its worker is alive (ECL-6)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.failures import Heartbeat
from omniva_dagster.contracts.ids import derive_id, worker_id_of
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.engines import eclipse
from omniva_dagster.resources.recovery.workers import name_of, worker_of
from omniva_dagster.resources.recovery.writing import NOWHERE

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.health import Beat
    from omniva_dagster.state.partition import Partition, Subject
    from omniva_dagster.state.store import Store

_JOIN_SECONDS = 5.0


class Pulse:
    """Beats from a thread of its own while a step works: at the start, with every document, and
    every 15 seconds; the row goes when the step ends, however it ends, unless it is killed.

    A thread, for work that says nothing for a while (loading a model, one long request) is alive
    all the same; what is stuck is found by its time limit.
    """

    def __init__(
        self,
        store: Store,
        run_id: str,
        stage: str,
        instance: str,
        partition: Partition,
        seconds: float = eclipse.BEAT_SECONDS,
    ) -> None:
        self._store = store
        self._run_id = run_id
        self._stage = stage
        self._instance = instance
        self._partition = partition
        self._seconds = seconds
        self._began_at = _now()
        self._sequence = 0
        self._running: dict[str, tuple[str, str, str, str]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, daemon=True, name="pulse")

    def __enter__(self) -> Pulse:
        with self._store.begin() as connection:
            if db.health.meet(connection, worker_of(self._stage), self._instance, _now()):
                record_beat(connection, self._next())
            self.beat(connection)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join(_JOIN_SECONDS)
        try:
            with self._store.begin() as connection:
                db.health.ended(connection, self._run_id, self._stage)
        except db.outbox.STORE_ERRORS:
            # What the step itself raised says more; a row left behind is found overdue.
            if error is None:
                raise

    def take(self, connection: sa.Connection, subject: Subject) -> None:
        """A document is worked on from now on; in the transaction that says so."""
        with self._lock:
            self._running[subject.subject_id] = (
                _now(),
                subject.trace_id,
                subject.video_id,
                subject.label,
            )
        self.beat(connection)

    def put_down(self, subject: Subject) -> None:
        """A document is no longer worked on."""
        with self._lock:
            self._running.pop(subject.subject_id, None)

    def beat(self, connection: sa.Connection) -> None:
        """A sign of life."""
        db.health.beat(connection, self._next())

    def _keep_beating(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                with self._store.begin() as connection:
                    self.beat(connection)
            except db.outbox.STORE_ERRORS:
                # The work meets the same trouble, and fails for it.
                continue

    def _next(self) -> Beat:
        now = _now()
        with self._lock:
            self._sequence += 1
            return db.health.Beat(
                self._run_id,
                self._stage,
                worker_of(self._stage),
                self._instance,
                self._partition,
                self._began_at,
                now,
                self._sequence,
                eclipse.later(now, eclipse.BEAT_SLA_SECONDS),
                dict(self._running),
            )


def record_beat(connection: sa.Connection, beat: Beat) -> str:
    """The packet of a beat: of an instance's first, and of the last before a gap."""
    subject_id = worker_id_of(name_of(beat.worker, beat.instance))
    document = Heartbeat(
        worker=beat.worker,
        instance=beat.instance,
        sequence=beat.sequence,
        sent_at=beat.beat_at,
        sla_seconds=eclipse.BEAT_SLA_SECONDS,
        running=sorted(beat.running)[:1000],
    )
    packet = db.outbox.emit(
        connection,
        db.outbox.Emission(
            document,
            beat.worker,
            subject_id,
            derive_id("trace", subject_id),
            (),
            NOWHERE,
            beat.beat_at,
        ),
    )
    return packet.packet_id


def _now() -> str:
    return format_timestamp(datetime.now(UTC))
