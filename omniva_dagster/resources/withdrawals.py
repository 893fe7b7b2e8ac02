"""Withdrawing what Zenith cancelled after it was posted: the rollback of publications (4.9, 5.4).

The cancel marks a publication in its own transaction; this carries it out, however often it is
called and by however many at once. A hold on all work or on the uploader does not stop it: what a
creator takes back goes down whatever else is the matter.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.decisions import DirectiveKind, OutcomeStatus
from omniva_dagster.contracts.ids import creator_id_of, derive_id
from omniva_dagster.contracts.operations.uploader import PublicationWithdrawn
from omniva_dagster.contracts.publishing import UploadJob
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.resources.workbench import Recorder
from omniva_dagster.state.partition import Subject
from omniva_dagster.workers.uploader import Publisher, Recall

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.contracts.decisions import Directive
    from omniva_dagster.state.publishing import Publication, Standing
    from omniva_dagster.state.store import Store

STAGE = "withdrawals"


@dataclass(frozen=True)
class Taken:
    """What came of one recalled publication: the document of its withdrawal, or why not."""

    standing: Standing
    label: str
    document: PublicationWithdrawn | None
    fault: str = ""


def withdraw_due(
    store: Store,
    publisher: Publisher,
    log: logging.Logger,
    *,
    creator: str = "",
    clip_id: str = "",
    heard: Callable[[str, float], None] | None = None,
) -> list[Taken]:
    """Withdraw all that is recalled (of a creator, or of one clip), each by itself.

    What fails is recorded with its reason, stays recalled, and is tried again by the next call.
    ``heard`` is told what is at work, and how much of all is done.
    """
    with store.read() as connection:
        due = db.publishing.recalled(connection, creator=creator, clip_id=clip_id)
    taken = []
    for number, standing in enumerate(due):
        one = _Withdrawing(store, publisher, log, standing)
        if heard is not None:
            heard(one.subject.label, number / len(due))
        done = one.carry_out()
        taken += [done] if done is not None else []
    if heard is not None and due:
        heard("", 1.0)
    return taken


class _Withdrawing:
    """One publication on its way down."""

    def __init__(
        self, store: Store, publisher: Publisher, log: logging.Logger, standing: Standing
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._log = log
        self._standing = standing
        with store.read() as connection:
            upload = db.outbox.latest(connection, UploadJob.__name__, standing.clip_id)
        title = upload.payload["title"] if upload else f"clip {standing.clip_id}"
        trace_id = derive_id("trace", standing.video_id)
        self.subject = Subject(standing.clip_id, title, trace_id, standing.video_id)

    def carry_out(self) -> Taken | None:
        """Withdraw it; None if the cancel was lifted meanwhile."""
        standing = self._standing
        # The lock is the directive, read right before acting.
        with self._store.begin() as connection:
            cancel = _cancel_of(connection, standing)
            if cancel is None:
                db.publishing.keep(connection, standing.clip_id, standing.target)
                return None
            self._note(connection, OutcomeStatus.RUNNING)
            publication = db.publishing.publication(connection, standing.clip_id, standing.target)
        directive, packet_id = cancel
        try:
            document = self._withdraw(directive, publication)
        except WorkerError as error:
            self._log.warning("%s: %s (%s)", self.subject.label, error.message, error.code.value)
            with self._store.begin() as connection:
                self._note(connection, OutcomeStatus.ERROR, error.code, error.message)
            return Taken(standing, self.subject.label, None, error.message)
        with self._store.begin() as connection:
            self._record(connection, document, packet_id)
        return Taken(standing, self.subject.label, document)

    def _withdraw(
        self, directive: Directive, publication: Publication | None
    ) -> PublicationWithdrawn:
        standing = self._standing
        if standing.target != self._publisher.target:
            raise WorkerError(
                ReasonCode.UNREACHABLE,
                f"it is published to {standing.target}, and only {self._publisher.target} is "
                f"configured; take it down on {standing.target} by hand",
            )
        recall = Recall(
            creator=standing.partition.creator,
            clip_id=standing.clip_id,
            idempotency_key=standing.idempotency_key,
            directive_id=directive.directive_id,
            reason=directive.reason,
            receipt=publication.receipt if publication else None,
        )
        return self._publisher.withdraw(recall, _now())

    def _record(
        self, connection: sa.Connection, document: PublicationWithdrawn, cancelled_by: str
    ) -> None:
        standing = self._standing
        publication = db.publishing.publication(connection, standing.clip_id, standing.target)
        receipt = [publication.packet_id] if publication and publication.packet_id else []
        Recorder(connection, STAGE, standing.partition, _now()).record(
            document,
            subject_id=standing.clip_id,
            trace_id=self.subject.trace_id,
            parents=[cancelled_by, *receipt],
            video_id=standing.video_id,
            occurrence=standing.idempotency_key,
        )
        db.publishing.withdrawn(connection, standing.clip_id, standing.target)
        self._note(connection, OutcomeStatus.DONE)

    def _note(
        self,
        connection: sa.Connection,
        status: OutcomeStatus,
        reason: ReasonCode | None = None,
        message: str = "",
    ) -> None:
        partition = self._standing.partition
        db.outcomes.note(
            connection, partition, STAGE, self.subject, status, _now(), reason, message
        )


def _cancel_of(connection: sa.Connection, standing: Standing) -> tuple[Directive, str] | None:
    """The cancel in force on a clip, its video or its creator, the narrowest first."""
    for subject_id in (
        standing.clip_id,
        standing.video_id,
        creator_id_of(standing.partition.creator),
    ):
        found = db.decisions.in_force(connection, subject_id)
        if found is not None and found[0].kind is DirectiveKind.CANCEL:
            return found
    return None


def _now() -> str:
    return format_timestamp(datetime.now(UTC))
