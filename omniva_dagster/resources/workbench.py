"""What surrounds the work on a partition's documents: outcomes, packets, one transaction each.

`Workbench.each` is the pipeline's rule for failures in one place: every document is worked on by
itself; what fails is recorded with a reason and the others go on; what succeeds is recorded with
its packets, its effects on state and its outcome in a single transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from omniva_dagster import state as db
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.decisions import Outcome, OutcomeStatus
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, worker_id_of
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.resources import conflicts, progress, proof, recovery
from omniva_dagster.resources.atlas import CollisionError
from omniva_dagster.resources.recovery import WORKER_OF
from omniva_dagster.state.partition import Partition, Subject

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.store import Store

# How often long work looks whether it is still wanted.
_LOOK_EVERY_SECONDS = 2.0

D = TypeVar("D", bound=Document)
S = TypeVar("S")

# What a document's work comes to: given the transaction, record it.
Commit = Callable[["Recorder"], Sequence[Record[Any]]]


class Skip(Exception):  # noqa: N818 - it is not an error
    """The document needs no work at this step, for a reason people should see."""

    def __init__(self, reason: ReasonCode, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Recorder:
    """A transaction in which documents of one stage and partition are recorded."""

    connection: sa.Connection
    stage: str
    partition: Partition
    now: str

    def record(
        self,
        document: D,
        *,
        subject_id: str,
        trace_id: str,
        parents: Iterable[str] = (),
        video_id: str = "",
        producer: str = "",
        occurrence: str = "",
    ) -> Record[D]:
        """Write the document's packet; the record of what stands in the ledger."""
        packet = db.outbox.emit(
            self.connection,
            db.outbox.Emission(
                document,
                producer or self.stage,
                subject_id,
                trace_id,
                tuple(parents),
                self.partition,
                self.now,
                occurrence,
            ),
        )
        standing = type(document).parse(packet.payload)
        return Record(standing, subject_id, trace_id, packet.packet_id, video_id)


@dataclass(frozen=True)
class Workbench:
    """One stage at work on one partition, in a run, on a host.

    A ``paced`` run is one of Zenith's: it leaves failed documents alone until their next attempt is
    due. Whoever starts a run by hand has everything tried that failed.
    """

    store: Store
    partition: Partition
    stage: str
    log: logging.Logger
    run_id: str = field(default_factory=lambda: str(uuid4()))
    paced: bool = False
    instance: str = field(default_factory=recovery.this_instance)
    _met: set[str] = field(default_factory=set)

    @property
    def now(self) -> str:
        """The time, as contracts write it."""
        return format_timestamp(datetime.now(UTC))

    @property
    def reroutes(self) -> dict[str, str]:
        """The backup ways that Zenith ordered: from what, to what."""
        with self.store.read() as connection:
            return recovery.reroutes_in_force(connection, self.now)

    def recorder(self, connection: sa.Connection) -> Recorder:
        """For recording on a transaction of the caller's."""
        return Recorder(connection, self.stage, self.partition, self.now)

    def each(
        self,
        items: Sequence[S],
        subject_of: Callable[[S], Subject],
        work: Callable[[S], Commit],
        *,
        at_once: int = 1,
    ) -> list[Record[Any]]:
        """Work on every item by itself; the records of those that came right, in their order.

        ``work`` does the effects (idempotent) and returns what records them. ``at_once`` is for
        work that waits for other processes.
        """
        if not items:
            return []
        finished = 0

        def one(item: S, pulse: recovery.Pulse | None) -> Sequence[Record[Any]]:
            nonlocal finished
            subject = subject_of(item)
            progress.report(self.stage, subject.label, finished / len(items))
            records = self._one(item, subject, work, pulse)
            finished += 1
            progress.report(self.stage, subject.label, finished / len(items))
            return records

        with self._attended() as pulse:
            if at_once == 1 or len(items) < 2:
                return [record for item in items for record in one(item, pulse)]
            with ThreadPoolExecutor(at_once, thread_name_prefix=self.stage) as pool:
                done = [pool.submit(one, item, pulse) for item in items]
                try:
                    return [record for future in done for record in future.result()]
                except BaseException:
                    for future in done:
                        future.cancel()
                    raise

    def finish(self) -> list[Outcome]:
        """Drop what no longer applies (not met this time, and not done), and have what failed
        planned for; all outcomes there are."""
        with self.store.begin() as connection:
            standing = db.outcomes.of_partition(connection, self.partition, self.stage)
            stale = [
                outcome.subject_id
                for outcome in standing
                if outcome.subject_id not in self._met and outcome.status != OutcomeStatus.DONE
            ]
            if stale:
                db.outcomes.drop(connection, self.stage, stale)
                db.recoveries.clear(connection, self.stage, stale)
            recovery.plan_stage(connection, self.partition, self.stage, self.now)
        return [outcome for outcome in standing if outcome.subject_id not in stale]

    def fail(self, subject: Subject, error: WorkerError) -> None:
        """Record that a document failed, and tell Eclipse."""
        if self._due(subject):
            self._fail(subject, error)

    def watch(self, subject: Subject) -> Callable[[float], None]:
        """What long work on a document tells how far it has come; it is stopped when it is held.

        The work is to let the exception through, and leave nothing behind.
        """
        last = time.monotonic()

        def heard(fraction: float) -> None:
            nonlocal last
            progress.report(self.stage, subject.label, fraction)
            if time.monotonic() - last >= _LOOK_EVERY_SECONDS:
                self.must_be_free(subject)
                last = time.monotonic()

        return heard

    def must_be_free(self, subject: Subject) -> None:
        """Go on only if nothing holds a document back: neither it, its video, its creator, the
        worker, nor all work. Raises `Skip`."""
        with self.store.read() as connection:
            held = self._held(connection, subject)
        if held is not None:
            raise self._stopped_by(held)

    def must_permit(self, subject: Subject, act: str) -> None:
        """Go on only if the directive in force on a clip lets ``act`` (edit or publish) happen,
        and nothing holds it back; both as of one moment. Raises `Skip`."""
        with self.store.read() as connection:
            held = self._held(connection, subject)
            standing = db.decisions.in_force(connection, subject.subject_id)
            lacking = proof.unproven(connection, *standing) if standing else []
        if held is not None:
            raise self._stopped_by(held)
        if standing is None or not db.decisions.permits(standing[0], act):
            said = f"Zenith's {standing[0].kind.value} is in force" if standing else "no directive"
            why = f": {standing[0].reason}" if standing else ""
            raise Skip(ReasonCode.NOT_RELEASED, f"{said}{why}; it needs one that lets it {act}")
        if lacking:
            with self.store.begin() as connection:
                unproven = {subject.subject_id: lacking}
                proof.hold_unproven(connection, self.partition, unproven, self.now)
            why = proof.says(f"Zenith's {standing[0].kind.value}", lacking)
            raise Skip(ReasonCode.NOT_RELEASED, why)

    def _held(self, connection: sa.Connection, subject: Subject) -> db.decisions.Restraint | None:
        scopes = [EVERYTHING, subject.subject_id, subject.video_id]
        scopes.append(creator_id_of(self.partition.creator))
        if self.stage in WORKER_OF:
            worker = WORKER_OF[self.stage]
            scopes += [worker_id_of(worker), worker_id_of(f"{worker}/{self.instance}")]
        return db.decisions.restrained(connection, scopes, self.now)

    def _stopped_by(self, held: db.decisions.Restraint) -> Skip:
        with self.store.begin() as connection:
            # The release of it launches this partition again.
            db.decisions.stopped(connection, held.subject_id, self.partition)
        what = f"all {held.name} work" if held.scope == "worker" else held.scope
        return Skip(
            ReasonCode.NOT_RELEASED,
            f"Zenith's {held.kind.value} on this {what} is in force: {held.reason}; to lift it: "
            f"{held.lifted_by}",
        )

    def _one(
        self,
        item: S,
        subject: Subject,
        work: Callable[[S], Commit],
        pulse: recovery.Pulse | None,
    ) -> Sequence[Record[Any]]:
        if not self._due(subject):
            return []
        self._begin(subject, pulse)
        try:
            self.must_be_free(subject)
            commit = work(item)
            with self.store.begin() as connection:
                recorder = self.recorder(connection)
                records = commit(recorder)
                outcome = self._note(connection, subject, OutcomeStatus.DONE)
                recovery.succeeded(recorder, subject, outcome, self.instance)
            return records
        except Skip as skip:
            self.log.info("%s: %s", subject.label, skip.message)
            with self.store.begin() as connection:
                self._note(connection, subject, OutcomeStatus.SKIPPED, skip.reason, skip.message)
                recovery.set_aside(connection, self.stage, subject, skip.reason)
        except WorkerError as error:
            self._fail(subject, error)
        except db.outbox.STORE_ERRORS:
            raise  # the store itself is in trouble: that is the run's failure, not the document's
        except Exception as error:
            self.log.exception("%s: unexpected", subject.label)
            message = f"{type(error).__name__}: {error}; this is a defect: see the run's log"
            self._fail(subject, WorkerError(ReasonCode.INTERNAL, message))
        finally:
            if pulse is not None:
                pulse.put_down(subject)
        return []

    @contextmanager
    def _attended(self) -> Iterator[recovery.Pulse | None]:
        """Heartbeats while the stage works, and an ear for its warnings."""
        if self.stage not in WORKER_OF:
            yield None
            return
        where = (self.run_id, self.stage, self.instance, self.partition)
        with recovery.Pulse(self.store, *where) as pulse, recovery.LogWatch(self.store, *where):
            yield pulse

    def _due(self, subject: Subject) -> bool:
        if not self.paced:
            return True
        with self.store.read() as connection:
            waits = recovery.not_due(connection, self.stage, subject.subject_id, self.now)
        if waits:
            # How it stands is how it stood: nothing was tried.
            self._met.add(subject.subject_id)
            self.log.info("%s: %s", subject.label, waits)
        return not waits

    def _begin(self, subject: Subject, pulse: recovery.Pulse | None) -> None:
        with self.store.begin() as connection:
            self._note(connection, subject, OutcomeStatus.RUNNING)
            if pulse is not None:
                pulse.take(connection, subject)

    def _fail(self, subject: Subject, error: WorkerError) -> None:
        self.log.warning("%s: %s (%s)", subject.label, error.message, error.code.value)
        with self.store.begin() as connection:
            outcome = self._note(
                connection, subject, OutcomeStatus.ERROR, error.code, error.message
            )
            recorder = self.recorder(connection)
            recovery.failed(recorder, subject, error, outcome.attempt, self.instance)
            if isinstance(error, CollisionError):
                conflicts.collided(recorder, subject, error)

    def _note(
        self,
        connection: sa.Connection,
        subject: Subject,
        status: OutcomeStatus,
        reason: ReasonCode | None = None,
        message: str = "",
    ) -> Outcome:
        self._met.add(subject.subject_id)
        return db.outcomes.note(
            connection, self.partition, self.stage, subject, status, self.now, reason, message
        )
