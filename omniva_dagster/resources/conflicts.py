"""Paradox at work: reads what documents are compared with, records what is found, asks Zenith.

Nothing here changes a document: a finding is a packet, and the hold that may follow is Zenith's,
decided in the same transaction, so that the next step finds it in force (PAR-8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.paradox import (
    AtlasCollision,
    ConflictEscalation,
    ConflictResolution,
    ConflictTrigger,
    RecommendedAction,
    ResolutionStatus,
)
from omniva_dagster.contracts.cognition.stardust import LedgerInconsistency
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.operations.scheduler import SchedulerFault
from omniva_dagster.contracts.record import Record
from omniva_dagster.engines import paradox
from omniva_dagster.resources.aside import is_the_stores, set_aside
from omniva_dagster.resources.comparing import facts_of
from omniva_dagster.state.partition import Partition, Subject

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.resources.atlas import CollisionError
    from omniva_dagster.resources.workbench import Recorder, Workbench
    from omniva_dagster.state.inboxes import Heard

PRODUCER = "paradox"
_HEARD: dict[str, type[paradox.Said]] = {
    "AtlasCollision": AtlasCollision,
    "LedgerInconsistency": LedgerInconsistency,
    "SchedulerFault": SchedulerFault,
}


@dataclass(frozen=True)
class Reported:
    """A conflict with the packet of its report, and whether the report is new."""

    conflict: ConflictResolution
    packet_id: str
    new: bool


@dataclass(frozen=True)
class Standing:
    """A document that Paradox would not have go on, and what was decided about it."""

    conflict: ConflictResolution
    subject_id: str
    # held, released or undecided
    state: str


def find_conflicts(
    connection: sa.Connection,
    partition: Partition,
    stage: str,
    records: Sequence[Record[Any]],
    now: str,
) -> list[ConflictResolution]:
    """What contradicts documents of a stage, among themselves and with what is there besides.

    Reads by the keys of these documents alone. Stages that Paradox has no word on have none.
    """
    facts = facts_of(connection, partition, stage, records, now)
    subjects = {record.subject_id for record in records}
    return [found for found in paradox.find(facts) if subjects.intersection(found.affected_ids)]


def settle_stage(bench: Workbench, records: Sequence[Record[Any]]) -> list[ConflictResolution]:
    """Find what contradicts documents just recorded, and have Zenith decide on it at once."""
    if not records:
        return []
    with bench.store.begin() as connection:
        recorder = bench.recorder(connection)
        found = find_conflicts(connection, bench.partition, bench.stage, records, recorder.now)
        return settle(recorder, found)


def settle(
    recorder: Recorder, found: Sequence[ConflictResolution], trace_id: str = ""
) -> list[ConflictResolution]:
    """Record conflicts and have Zenith decide on those that are new, on the same transaction."""
    reported = record(recorder.connection, recorder.partition, found, recorder.now, trace_id)
    attend(recorder.connection, recorder.now, [item.packet_id for item in reported if item.new])
    return [item.conflict for item in reported]


def record(
    connection: sa.Connection,
    partition: Partition,
    found: Sequence[ConflictResolution],
    now: str,
    trace_id: str = "",
) -> list[Reported]:
    """Write down conflicts, each once for all: what was reported before is that report."""
    reported: list[Reported] = []
    if not found:
        return reported
    # Two runs may find the same contradiction, from either side, at once.
    db.cycles.turn(connection, db.inboxes.ZENITH)
    for conflict in found:
        known = db.conflicts.get(connection, conflict.conflict_id)
        if known is not None and known.action != db.conflicts.OVER:
            standing = db.conflicts.report(connection, known)
            reported.append(Reported(standing, known.packet_id, new=False))
            continue
        times = known.occurrences + 1 if known else 1
        packet_id = _emit(connection, partition, conflict, times, now, trace_id)
        if known is None:
            db.conflicts.note(connection, partition, conflict, packet_id)
        else:
            action = conflict.recommended_action.value
            db.conflicts.renew(connection, conflict.conflict_id, action, packet_id, now)
        reported.append(Reported(conflict, packet_id, new=True))
    return reported


def over(connection: sa.Connection, known: Sequence[db.conflicts.Known], now: str) -> list[str]:
    """Report that conflicts are no more, for Zenith to lift what it holds for them; the packets."""
    packets = []
    for item in known:
        before = db.conflicts.report(connection, item)
        gone = before.model_copy(
            update={
                "recommended_action": RecommendedAction.IGNORE,
                "status": ResolutionStatus.DONE,
                "severity": Severity.INFO,
                "message": f"no more: {before.message}"[:2000],
                "evidence": [*before.evidence[:999], item.packet_id],
                "detected_at": now,
            }
        )
        packet_id = _emit(connection, item.partition, gone, item.occurrences + 1, now, "")
        db.conflicts.renew(connection, item.conflict_id, db.conflicts.OVER, packet_id, now)
        packets.append(packet_id)
    return packets


def lapsed(
    connection: sa.Connection, subjects: Sequence[str], rule: str, found: Sequence[str]
) -> list[db.conflicts.Known]:
    """Conflicts of a rule about these documents that ask for a hold and were not found again."""
    return [
        known
        for known in db.conflicts.about(connection, subjects)
        if known.action != db.conflicts.OVER
        and known.conflict_id not in found
        and rule_of(db.conflicts.report(connection, known)) == rule
    ]


def rule_of(conflict: ConflictResolution) -> str:
    """The rule that found a conflict."""
    return conflict.found_by.partition("/")[2].partition("@")[0]


def attend(connection: sa.Connection, now: str, packet_ids: Sequence[str]) -> None:
    """Have Zenith decide on these packets at once."""
    if packet_ids:
        from omniva_dagster.resources.desk import ZenithDesk

        ZenithDesk().attend(connection, now, list(packet_ids))


def paradox_round(
    connection: sa.Connection, now: str, packet_ids: Sequence[str] | None = None
) -> list[str]:
    """Hear what waits for Paradox (or these packets of it) and answer; the new reports' packets."""
    heard = db.inboxes.waiting(connection, db.inboxes.PARADOX, packet_ids=packet_ids)
    answered: list[str] = []
    for item in heard:
        try:
            with connection.begin_nested():
                found = paradox.hear([_message(connection, item)], _trigger(item), now)
                reported = record(connection, item.partition, found, now, item.trace_id)
        except Exception as error:
            if is_the_stores(error):
                raise
            set_aside(connection, PRODUCER, item, error, now)
            continue
        answered += [one.packet_id for one in reported if one.new]
    db.inboxes.answered(connection, db.inboxes.PARADOX, heard)
    return answered


def inconsistent(connection: sa.Connection, told: Sequence[str], now: str) -> None:
    """Have Paradox and Zenith answer at once what Stardust found: its packets."""
    if told:
        attend(connection, now, [*told, *paradox_round(connection, now, told)])


def collided(recorder: Recorder, subject: Subject, error: CollisionError) -> None:
    """Tell Paradox that Atlas refused a file, and have it answered at once (PAR-5)."""
    # The same two files once, whatever is tried again.
    about = derive_id("collision", error.uri, error.held_sha256, error.offered_sha256)
    if db.outbox.latest(recorder.connection, AtlasCollision.__name__, about) is not None:
        return
    collision = AtlasCollision(
        uri=error.uri,
        held_sha256=error.held_sha256,
        offered_sha256=error.offered_sha256,
        offered_by=recorder.stage,
        subject_id=subject.subject_id,
        occurred_at=recorder.now,
    )
    told = recorder.record(
        collision,
        subject_id=about,
        trace_id=subject.trace_id or derive_id("trace", subject.subject_id),
        video_id=subject.video_id,
    )
    answers = paradox_round(recorder.connection, recorder.now, [told.packet_id])
    attend(recorder.connection, recorder.now, answers)


def found_by_audit(
    connection: sa.Connection, found: Sequence[ConflictResolution], audit: str, now: str
) -> tuple[list[Reported], int]:
    """Record what an audit found, and call Eclipse to what lasts with nothing decided on it.

    ``audit`` names the audit: one that is run again counts once. Also how many calls there were.
    """
    nowhere = Partition("", "")
    reported, calls = [], 0
    for conflict in found:
        (item,) = record(connection, _where(connection, conflict) or nowhere, [conflict], now)
        reported.append(item)
        if item.new:
            db.conflicts.first_found(connection, conflict.conflict_id, audit)
            continue
        times = db.conflicts.found_again(connection, conflict.conflict_id, audit)
        if any(one.state == "undecided" for one in standing(connection, item, now)):
            calls += _call(connection, item, times, now)
    return reported, calls


def standing(connection: sa.Connection, item: Reported, now: str) -> list[Standing]:
    """What was decided about each document that a conflict asks to hold."""
    return [
        Standing(item.conflict, subject, state_of(connection, subject, item.conflict, now))
        for subject in paradox.to_hold(item.conflict)
    ]


def state_of(
    connection: sa.Connection, subject_id: str, conflict: ConflictResolution, now: str
) -> str:
    """Whether a document is held, was released after the conflict was found, or neither."""
    if db.decisions.restrained(connection, [subject_id], now) is not None:
        return "held"
    order = db.decisions.in_force(connection, subject_id)
    freed = (DirectiveKind.RELEASE, DirectiveKind.PROMOTE)
    if order is not None and order[0].kind in freed and order[0].issued_at >= conflict.detected_at:
        return "released"
    return "undecided"


def _call(connection: sa.Connection, item: Reported, times: int, now: str) -> int:
    call = paradox.escalation(item.conflict, times, item.packet_id, now)
    known = db.outbox.latest(connection, ConflictEscalation.__name__, item.conflict.conflict_id)
    if call is None or known is not None:
        return 0
    about = item.conflict.conflict_id
    where = _where(connection, item.conflict) or Partition("", "")
    trace = derive_id("trace", about)
    emission = db.outbox.Emission(call, PRODUCER, about, trace, (item.packet_id,), where, now)
    db.outbox.emit(connection, emission)
    return 1


def _emit(
    connection: sa.Connection,
    partition: Partition,
    conflict: ConflictResolution,
    times: int,
    now: str,
    trace_id: str,
) -> str:
    shown = [*conflict.evidence, *_reports(connection, conflict.prior_conflicts)]
    # A parent has to be there; an audit may point to what only the ledger's files hold.
    there = db.conflicts.subjects_of(connection, shown)
    emission = db.outbox.Emission(
        conflict,
        PRODUCER,
        conflict.conflict_id,
        trace_id or derive_id("trace", conflict.conflict_id),
        tuple(packet for packet in shown if packet in there),
        partition,
        now,
        f"{conflict.conflict_id}/{times}",
    )
    return db.outbox.emit(connection, emission).packet_id


def _reports(connection: sa.Connection, conflict_ids: Sequence[str]) -> list[str]:
    known = (db.conflicts.get(connection, conflict_id) for conflict_id in conflict_ids)
    return [item.packet_id for item in known if item is not None]


def _message(connection: sa.Connection, item: Heard) -> paradox.Message:
    document = _HEARD[item.message_type].parse(item.payload)
    packets = document.packets if isinstance(document, LedgerInconsistency) else []
    return paradox.Message(document, item.packet_id, db.conflicts.subjects_of(connection, packets))


def _trigger(item: Heard) -> ConflictTrigger:
    return {
        "AtlasCollision": ConflictTrigger.COLLISION,
        "SchedulerFault": ConflictTrigger.SCHEDULING,
    }.get(item.message_type, ConflictTrigger.AUDIT)


def _where(connection: sa.Connection, conflict: ConflictResolution) -> Partition | None:
    return db.conflicts.partition_of(connection, conflict.evidence[-1])
