"""Zenith's deciding transaction: what was heard is decided, written down and answered, or nothing.

A sitting takes its turn by the row of `cycles`: two processes never decide at once. It ends with
the caller's transaction; killed before that, nothing happened, and the next one decides the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

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
from omniva_dagster.engines import zenith
from omniva_dagster.resources.aside import is_the_stores, set_aside
from omniva_dagster.resources.dossiers import NOWHERE, Place, candidate_of, dossier_of
from omniva_dagster.resources.wanting import want_cancel, want_launch
from omniva_dagster.resources.workbench import Recorder
from omniva_dagster.state import recoveries

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.inboxes import Heard
    from omniva_dagster.state.partition import Partition

PRODUCER = "zenith"
# As many words as one commitment log may hold the directives of, mostly.
_AT_ONCE = 200
_MOST = 1000
# As many words as one transaction decides on, or somewhat more.
MOST_WORDS = 2_000
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
    alerts: list[OperatorAlert] = field(default_factory=list)
    considered: list[str] = field(default_factory=list)
    # The packets that nothing could be made of.
    aside: list[str] = field(default_factory=list)
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
                self.considered += [item.packet_id for item in heard]
                self._decide_on(heard)
                db.inboxes.answered(self.connection, db.inboxes.ZENITH, heard)
            if asked is not None:
                asked = asked[_AT_ONCE:]
            if not asked and (asked is not None or len(heard) < _AT_ONCE):
                return

    def hear_out(self) -> None:
        """Decide on what waits, as much as one transaction should hold; the rest has its turn.

        Dagster ends a tick after 60 s, and others wait to write meanwhile. Behind more than that,
        what is urgent goes first: nobody's panic waits for a backlog.
        """
        if db.inboxes.count(self.connection, db.inboxes.ZENITH) > MOST_WORDS:
            self.hear(db.inboxes.urgent(self.connection, db.inboxes.ZENITH))
        self.hear(most=MOST_WORDS)

    def _decide_on(self, heard: Sequence[Heard]) -> None:
        """Decide on a batch; where a word of it breaks the hearing, on all but that one."""
        before = [len(kept) for kept in self._kept]
        try:
            with self.connection.begin_nested():
                dossier, places = dossier_of(self.connection, heard, (), self.now)
                self._places.update(places)
                origins = {item.packet_id: item.partition for item in heard}
                self._write(zenith.decide(dossier), origins)
        except Exception as error:
            if is_the_stores(error):
                raise
            for kept, length in zip(self._kept, before, strict=True):
                del kept[length:]
            if len(heard) > 1:
                self._decide_on(heard[: len(heard) // 2])
                self._decide_on(heard[len(heard) // 2 :])
                return
            self.alerts.append(set_aside(self.connection, PRODUCER, heard[0], error, self.now))
            self.aside.append(heard[0].packet_id)

    @property
    def _kept(self) -> tuple[list[Any], ...]:
        """What a hearing adds to, beside the store."""
        return (self.issued, self.verdicts, self.alerts, self._transitions)

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
        directive = self._borne_out(order.directive)
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

    def _borne_out(self, directive: Directive) -> Directive:
        """A directive without the evidence that somebody pointed to and nobody recorded."""
        there = self._there(directive.evidence)
        if not there or there == directive.evidence:
            return directive
        return directive.model_copy(update={"evidence": there})

    def _there(self, packet_ids: Sequence[str]) -> list[str]:
        known = db.conflicts.subjects_of(self.connection, packet_ids)
        return [packet_id for packet_id in packet_ids if packet_id in known]

    def note(self, verdicts: Iterable[ArbitrationVerdict], partition: Partition) -> None:
        """Record verdicts, each once."""
        for verdict in verdicts:
            if self._is_recorded(verdict, verdict.subject_id, verdict.verdict_id):
                continue
            parents = self._there([advice.packet_id for advice in verdict.advice])
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
            self.alert(notice, origins.get(notice.packet_id, NOWHERE))

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
                want_cancel(self.connection, directive, place.partition, self.now)
            return
        if directive.kind is DirectiveKind.PROMOTE:
            self._pin(record, place)
        if directive.kind in _GOES:
            for partition in db.decisions.resumed(self.connection, directive.subject_id):
                want_launch(self.connection, directive, partition, self.now)
        if directive.kind is DirectiveKind.RETRY:
            recoveries.order(self.connection, directive.subject_id)
            came = [origins[one] for one in order.packet_ids if one in origins]
            home = next((one for one in came if one.creator and one.day), place.partition)
            due = directive.not_before or self.now
            want_launch(self.connection, directive, home, due)
        # A route says where and how soon work goes that is wanted anyway.
        if directive.kind is DirectiveKind.RESCHEDULE and directive.target is None:
            want_launch(self.connection, directive, place.partition, self.now)

    def _pin(self, record: Record[Directive], place: Place) -> None:
        clip_id = record.subject_id
        if db.decisions.promotion(self.connection, clip_id) is not None:
            return
        packet = candidate_of(self.connection, clip_id)
        if packet is not None:
            self.pin(record, ClipCandidate.parse(packet.payload), packet.packet_id, place.partition)
            want_launch(self.connection, record.document, place.partition, self.now)

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

    def alert(self, notice: zenith.Notice, partition: Partition) -> None:
        """Tell a person what to look at, once."""
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
        self.alerts.append(alert)

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
