"""What surrounds the work on a partition's documents: outcomes, packets, one transaction each.

`Workbench.each` is the pipeline's rule for failures in one place: every document is worked on by
itself; what fails is recorded with a reason and the others go on; what succeeds is recorded with
its packets, its effects on state and its outcome in a single transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from omniva_dagster import state as db
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.decisions import Outcome, OutcomeStatus
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, worker_id_of
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.resources import progress
from omniva_dagster.state.partition import Partition, Subject

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.store import Store

# Which worker pool does the work of an asset (module interfaces, section 5).
WORKER_OF = {
    "scraper_jobs": "scraper",
    "videos": "scraper",
    "analysis_results": "analyzer",
    "edit_jobs": "editor",
    "rendered_clips": "editor",
    "schedule_tasks": "scheduler",
    "upload_jobs": "uploader",
    "publications": "uploader",
}
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
    """One stage at work on one partition."""

    store: Store
    partition: Partition
    stage: str
    log: logging.Logger
    _met: set[str] = field(default_factory=set)

    @property
    def now(self) -> str:
        """The time, as contracts write it."""
        return format_timestamp(datetime.now(UTC))

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
        finished = 0

        def one(item: S) -> Sequence[Record[Any]]:
            nonlocal finished
            subject = subject_of(item)
            progress.report(self.stage, subject.label, finished / len(items))
            records = self._one(item, subject, work)
            finished += 1
            progress.report(self.stage, subject.label, finished / len(items))
            return records

        if at_once == 1 or len(items) < 2:
            return [record for item in items for record in one(item)]
        with ThreadPoolExecutor(at_once, thread_name_prefix=self.stage) as pool:
            done = [pool.submit(one, item) for item in items]
            try:
                return [record for future in done for record in future.result()]
            except BaseException:
                for future in done:
                    future.cancel()
                raise

    def finish(self) -> list[Outcome]:
        """Drop what no longer applies (not met this time, and not done); all outcomes there are."""
        with self.store.begin() as connection:
            standing = db.outcomes.of_partition(connection, self.partition, self.stage)
            stale = [
                outcome.subject_id
                for outcome in standing
                if outcome.subject_id not in self._met and outcome.status != OutcomeStatus.DONE
            ]
            if stale:
                db.outcomes.drop(connection, self.stage, stale)
        return [outcome for outcome in standing if outcome.subject_id not in stale]

    def fail(self, subject: Subject, error: WorkerError) -> None:
        """Record that a document failed."""
        self.log.warning("%s: %s (%s)", subject.label, error.message, error.code.value)
        self._note(subject, OutcomeStatus.ERROR, error.code, error.message)

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
        scopes = [EVERYTHING, subject.subject_id, subject.video_id]
        scopes.append(creator_id_of(self.partition.creator))
        if self.stage in WORKER_OF:
            scopes.append(worker_id_of(WORKER_OF[self.stage]))
        with self.store.read() as connection:
            held = db.decisions.restrained(connection, scopes, self.now)
        if held is not None:
            what = f"all {held.name} work" if held.scope == "worker" else held.scope
            raise Skip(
                ReasonCode.NOT_RELEASED,
                f"Zenith's {held.kind.value} on this {what} is in force: {held.reason}",
            )

    def _one(self, item: S, subject: Subject, work: Callable[[S], Commit]) -> Sequence[Record[Any]]:
        self._note(subject, OutcomeStatus.RUNNING)
        try:
            self.must_be_free(subject)
            commit = work(item)
            with self.store.begin() as connection:
                records = commit(self.recorder(connection))
                self._note(subject, OutcomeStatus.DONE, connection=connection)
            return records
        except Skip as skip:
            self.log.info("%s: %s", subject.label, skip.message)
            self._note(subject, OutcomeStatus.SKIPPED, skip.reason, skip.message)
        except WorkerError as error:
            self.fail(subject, error)
        except db.outbox.STORE_ERRORS:
            raise  # the store itself is in trouble: that is the run's failure, not the document's
        except Exception as error:
            self.log.exception("%s: unexpected", subject.label)
            message = f"{type(error).__name__}: {error}; this is a defect: see the run's log"
            self._note(subject, OutcomeStatus.ERROR, ReasonCode.INTERNAL, message)
        return []

    def _note(
        self,
        subject: Subject,
        status: OutcomeStatus,
        reason: ReasonCode | None = None,
        message: str = "",
        connection: sa.Connection | None = None,
    ) -> None:
        self._met.add(subject.subject_id)
        arguments = (self.partition, self.stage, subject, status, self.now, reason, message)
        if connection is not None:
            db.outcomes.note(connection, *arguments)
            return
        with self.store.begin() as own:
            db.outcomes.note(own, *arguments)
