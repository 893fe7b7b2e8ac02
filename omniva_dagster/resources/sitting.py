"""Zenith's deciding transaction: what was heard is decided, written down and answered, or nothing.

A sitting takes its turn by the row of `cycles`: two processes never decide at once. It ends with
the caller's transaction; killed before that, nothing happened, and the next one decides the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from omniva_dagster import state as db
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.base import Document, given
from omniva_dagster.contracts.cognition.zenith import (
    ArbitrationVerdict,
    CommitmentLog,
    StateTransition,
)
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.operations.dashboard import OperatorAlert
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.engines import zenith
from omniva_dagster.resources.dossiers import NOWHERE, Place, candidate_of, dossier_of
from omniva_dagster.resources.workbench import Recorder
from omniva_dagster.state import intents, recoveries

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.partition import Partition

PRODUCER = "zenith"
JOB = "clip_pipeline"
# As many words as one commitment log may hold the directives of, mostly.
_AT_ONCE = 200
_MOST = 1000
# Work that is to start within this time of other work of the same partition is that work.
_TOGETHER = timedelta(seconds=60)
_GOES = (DirectiveKind.PROMOTE, DirectiveKind.RELEASE)
D = TypeVar("D", bound=Document)


@dataclass
class Sitting:
    """One turn of Zenith's, on a transaction of the caller's."""

    connection: sa.Connection
    now: str
    number: int = 0
    issued: list[Record[Directive]] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    considered: list[str] = field(default_factory=list)
    _transitions: list[StateTransition] = field(default_factory=list)
    _places: dict[str, Place] = field(default_factory=dict)

    def open(self) -> Sitting:
        """Take the turn; whoever else decides waits until this transaction is over."""
        self.number = db.cycles.begin(self.connection, PRODUCER, self.now)
        return self

    def hear(self, packet_ids: Sequence[str] | None = None, *, most: int = 1_000_000) -> None:
        """Decide on what waits in the inbox (of ``packet_ids`` alone if given), and answer it.

        After ``most`` words, or somewhat more, the rest waits for the next time.
        """
        asked = sorted(set(packet_ids)) if packet_ids is not None else None
        before = len(self.considered)
        while len(self.considered) - before < most:
            batch = asked[:_AT_ONCE] if asked is not None else None
            heard = db.inboxes.waiting(
                self.connection, db.inboxes.ZENITH, packet_ids=batch, limit=_AT_ONCE
            )
            if heard:
                dossier, places = dossier_of(self.connection, heard, (), self.now)
                self._places.update(places)
                self.considered += [item.packet_id for item in heard]
                origins = {item.packet_id: item.partition for item in heard}
                self._write(zenith.decide(dossier), origins)
                db.inboxes.answered(self.connection, db.inboxes.ZENITH, heard)
            if asked is not None:
                asked = asked[_AT_ONCE:]
            if not asked and (asked is not None or len(heard) < _AT_ONCE):
                return

    def expire(self) -> None:
        """Lift the holds whose time is over."""
        over = db.decisions.expired(self.connection, self.now)
        if over:
            subjects = sorted({item.subject_id for item in over})
            dossier, places = dossier_of(self.connection, (), subjects, self.now)
            self._places.update(places)
            self.considered += [item.ground_packet_id for item in over]
            self._write(zenith.decide(dossier), {})

    def issue(self, order: zenith.Order, partition: Partition) -> Record[Directive]:
        """Write a directive into the log, with its packet and what it changes."""
        directive = order.directive
        record = self._record(
            directive,
            directive.subject_id,
            derive_id("trace", directive.video_id or directive.subject_id),
            directive.evidence,
            partition,
            directive.directive_id,
            directive.video_id or "",
        )
        moved = db.decisions.append(
            self.connection,
            partition,
            record.document,
            record.packet_id,
            scope=order.scope,
            name=order.name,
            grounds=[
                db.decisions.Ground(
                    one.ground, one.packet_id, one.rule, one.kind, one.reason, one.until
                )
                for one in order.joins
            ],
        )
        if moved is not None:
            self._transitions.append(
                StateTransition(
                    subject_id=directive.subject_id,
                    directive_id=directive.directive_id,
                    from_status=moved.before,
                    to_status=moved.after,
                    owner=directive.owner,
                    state_version=moved.version,
                    occurred_at=self.now,
                )
            )
        self.issued.append(record)
        return record

    def note(self, verdicts: Iterable[ArbitrationVerdict], partition: Partition) -> None:
        """Record verdicts, each once."""
        for verdict in verdicts:
            if self._is_recorded(verdict, verdict.subject_id, verdict.verdict_id):
                continue
            parents = [advice.packet_id for advice in verdict.advice]
            self._record(
                verdict,
                verdict.subject_id,
                derive_id("trace", verdict.subject_id),
                parents,
                self._places.get(verdict.subject_id, Place("", "", partition)).partition,
                verdict.verdict_id,
            )
            self.verdicts.append(verdict.verdict_id)

    def close(self) -> list[Record[Directive]]:
        """Account for what was decided, if anything was; the directives."""
        for part, start in enumerate(range(0, max(len(self.issued), 1), _MOST)):
            chunk = self.issued[start : start + _MOST]
            if chunk or self.verdicts or self.alerts:
                self._commit(part, chunk)
        return self.issued

    def _write(self, decision: zenith.Decision, origins: dict[str, Partition]) -> None:
        for lift in decision.lifts:
            db.decisions.lift(self.connection, lift.subject_id, lift.grounds)
        for order in decision.orders:
            place = self._places[order.directive.subject_id]
            record = self.issue(order, place.partition)
            self._follow(order, record, place, origins)
        self.note(decision.verdicts, NOWHERE)
        for notice in decision.notices:
            self._alert(notice, origins.get(notice.packet_id, NOWHERE))

    def _follow(
        self,
        order: zenith.Order,
        record: Record[Directive],
        place: Place,
        origins: dict[str, Partition],
    ) -> None:
        """What a directive asks of Dagster, and what it pins."""
        directive = record.document
        if directive.kind in db.decisions.RESTRAINING:
            if order.scope in ("all", "creator"):
                self._cancel_runs(directive, place.partition)
            return
        if directive.kind is DirectiveKind.PROMOTE:
            self._pin(record, place)
        if directive.kind in _GOES:
            for partition in db.decisions.resumed(self.connection, directive.subject_id):
                self.launch(directive, partition)
        if directive.kind is DirectiveKind.RETRY:
            recoveries.order(self.connection, directive.subject_id)
            came = [origins[one] for one in order.packet_ids if one in origins]
            home = next((one for one in came if one.creator and one.day), place.partition)
            self.launch(directive, home, directive.not_before or self.now)
        # A route says where and how soon work goes that is wanted anyway.
        if directive.kind is DirectiveKind.RESCHEDULE and directive.target is None:
            self.launch(directive, place.partition)

    def launch(self, directive: Directive, partition: Partition, due: str = "") -> None:
        """Want a run of a partition, unless one that will do is wanted already."""
        if not (partition.creator and partition.day):
            return
        due = due or self.now
        latest = format_timestamp(parse_timestamp(due) + _TOGETHER)
        if intents.launches(self.connection, partition, due, latest):
            return
        intent_id = derive_id(
            "intent", "launch", directive.directive_id, partition.creator, partition.day
        )
        tags = {
            intents.TAG: intent_id,
            "omniva/directive": directive.directive_id,
            "omniva/creator": partition.creator,
            "omniva/day": partition.day,
        }
        intents.want(
            self.connection,
            intents.Intent(
                intent_id, intents.LAUNCH, JOB, partition, directive.directive_id, due, tags
            ),
        )

    def _cancel_runs(self, directive: Directive, partition: Partition) -> None:
        intent_id = derive_id("intent", "cancel", directive.directive_id)
        tags = {intents.SUBJECT: directive.subject_id}
        intents.want(
            self.connection,
            intents.Intent(
                intent_id, intents.CANCEL, JOB, partition, directive.directive_id, self.now, tags
            ),
        )

    def _pin(self, record: Record[Directive], place: Place) -> None:
        clip_id = record.subject_id
        if db.decisions.promotion(self.connection, clip_id) is not None:
            return
        packet = candidate_of(self.connection, clip_id)
        if packet is not None:
            self.pin(record, ClipCandidate.parse(packet.payload), packet.packet_id, place.partition)
            self.launch(record.document, place.partition)

    def pin(
        self,
        record: Record[Directive],
        candidate: ClipCandidate,
        packet_id: str,
        partition: Partition,
    ) -> None:
        """Make a candidate a clip, in the ledger and in state."""
        clip = candidate.model_copy(update={"clip_id": record.subject_id})
        promoted = self._record(
            clip,
            record.subject_id,
            record.trace_id,
            [packet_id, record.packet_id],
            partition,
            "",
            record.video_id,
        )
        db.decisions.promote(self.connection, partition, record.video_id, clip, promoted.packet_id)

    def _alert(self, notice: zenith.Notice, partition: Partition) -> None:
        alert_id = derive_id("alert", notice.occurrence, notice.subject_id)
        alert = OperatorAlert.parse(
            {
                "alert_id": alert_id,
                "severity": notice.severity.value,
                "source": PRODUCER,
                "title": notice.title,
                "message": notice.message,
                "review_required": True,
                "subject_ids": [notice.subject_id],
                "evidence": [notice.packet_id],
                "raised_at": self.now,
                **given(reason_code=notice.reason_code or None),
            }
        )
        if self._is_recorded(alert, alert_id, alert_id):
            return
        self._record(
            alert,
            alert_id,
            derive_id("trace", notice.subject_id),
            [notice.packet_id],
            partition,
            alert_id,
        )
        self.alerts.append(alert_id)

    def _commit(self, part: int, chunk: list[Record[Directive]]) -> None:
        ids = [record.document.directive_id for record in chunk]
        cycle_id = derive_id("cycle", self.number, part)
        log = CommitmentLog(
            cycle_id=cycle_id,
            cycle=self.number,
            directives=ids,
            transitions=[one for one in self._transitions if one.directive_id in set(ids)],
            verdicts=self.verdicts[:_MOST] if part == 0 else [],
            considered=list(dict.fromkeys(self.considered))[:_MOST],
            committed_at=self.now,
        )
        parents = [record.packet_id for record in chunk] or self.considered[:_MOST]
        trace = derive_id("trace", cycle_id)
        record = self._record(log, cycle_id, trace, parents, NOWHERE, cycle_id)
        db.cycles.recorded(self.connection, PRODUCER, record.packet_id)

    def _is_recorded(self, document: Document, subject_id: str, occurrence: str) -> bool:
        """Whether the same was said before, at another time: that stands."""
        known = (PRODUCER, type(document).__name__, subject_id, occurrence)
        return db.outbox.by_key(self.connection, *known) is not None

    def _record(
        self,
        document: D,
        subject_id: str,
        trace_id: str,
        parents: Sequence[str],
        partition: Partition,
        occurrence: str,
        video_id: str = "",
    ) -> Record[D]:
        recorder = Recorder(self.connection, PRODUCER, partition, self.now)
        return recorder.record(
            document,
            subject_id=subject_id,
            trace_id=trace_id,
            parents=parents,
            video_id=video_id,
            occurrence=occurrence,
        )
