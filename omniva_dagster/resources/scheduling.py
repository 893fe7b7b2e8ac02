"""Slots for clips: by Zenith's word, else by Horizon's weights, else the earliest free one.

A slot is booked in the transaction of its task; each change of the queue is a packet that names the
goal window it was made for (5.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.common import GoalWindow
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.editing import RenderedClip
from omniva_dagster.contracts.ids import creator_id_of
from omniva_dagster.contracts.operations.scheduler import (
    QueueEntry,
    QueueSnapshot,
    ScheduleCommand,
)
from omniva_dagster.contracts.publishing import DecisionSource, ScheduleTask
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.resources.guidance import Guided
from omniva_dagster.resources.workbench import Recorder, Workbench
from omniva_dagster.workers.scheduler import SlotConflictError

if TYPE_CHECKING:
    import sqlalchemy as sa

EARLIEST = "the earliest free slot; no campaign is set"
# Zenith's words on when a clip goes out.
_MOVES = (DirectiveKind.RESCHEDULE,)
_NOTE = 512


@dataclass(frozen=True)
class Rules:
    """Hours (UTC) at which clips go out, and the most that a creator publishes in a day."""

    hours: Sequence[int]
    daily_quota: int


@dataclass(frozen=True)
class Plan:
    """A slot for a clip: what to write down, and why."""

    slot: str
    booked: str | None
    adjustment: float = 0.0
    source: DecisionSource = DecisionSource.AUTOMATION
    notes: str = EARLIEST
    urgency: float | None = None
    parents: list[str] = field(default_factory=list)


def must_fit(bench: Workbench, clip: Record[RenderedClip]) -> None:
    """Go on only if the slot that Zenith orders for a clip is free. Otherwise the fault is on
    record for Paradox, and `SlotConflictError` (``scheduler_fault``) is raised."""
    with bench.store.begin() as connection:
        recorder = bench.recorder(connection)
        order, wanted, booked = _ordered(connection, clip.subject_id)
        if order is None or wanted is None or wanted == booked:
            return
        holder = db.publishing.holder_of_slot(connection, bench.partition.creator, wanted)
        if holder is None or holder == clip.subject_id:
            return
        error = SlotConflictError(clip.subject_id, [holder], wanted)
        before = db.outcomes.get(connection, bench.stage, clip.subject_id)
        recorder.record(
            error.fault(before.attempt if before else 1, [clip.packet_id, order[1]], bench.now),
            subject_id=clip.subject_id,
            trace_id=clip.trace_id,
            parents=[clip.packet_id, order[1]],
            occurrence=f"{order[0].directive_id}/{wanted}",
        )
    raise error


def schedule(
    recorder: Recorder,
    clip: Record[RenderedClip],
    rank: float,
    rules: Rules,
    guided: Guided,
) -> Record[ScheduleTask]:
    """Book a clip's slot and record its task; a clip keeps the slot it has, in the same words."""
    from omniva_dagster.workers.scheduler import commit

    plan = _plan(recorder, clip, rules, guided)
    task = ScheduleTask(
        clip_id=clip.subject_id,
        recommended_time=plan.slot,
        priority=rank if plan.urgency is None else plan.urgency,
        horizon_adjustment=plan.adjustment,
        final_decision_source=plan.source,
        notes=plan.notes[:_NOTE],
        meta_parents=plan.parents,
    )
    record = recorder.record(
        task,
        subject_id=clip.subject_id,
        trace_id=clip.trace_id,
        parents=plan.parents,
        video_id=clip.video_id,
    )
    if plan.slot == plan.booked:
        return record
    command = _command(recorder, task, rules, guided)
    mutation = commit(command, plan.booked, plan.notes[:_NOTE], recorder.now)
    assert mutation is not None
    if plan.booked is None:
        db.publishing.book(
            recorder.connection, recorder.partition.creator, plan.slot, clip.subject_id
        )
    else:
        db.publishing.rebook(recorder.connection, plan.slot, clip.subject_id)
    ordered = recorder.record(
        command,
        subject_id=clip.subject_id,
        trace_id=clip.trace_id,
        parents=[record.packet_id],
        occurrence=record.packet_id,
    )
    recorder.record(
        mutation,
        subject_id=clip.subject_id,
        trace_id=clip.trace_id,
        parents=[ordered.packet_id, *guided.packet_ids],
        occurrence=record.packet_id,
    )
    return record


def give_up(bench: Workbench, clips: Sequence[Record[RenderedClip]], guided: Guided) -> int:
    """Free the slots of clips that are cancelled and were not posted; how many."""
    from omniva_dagster.workers.scheduler import skipped

    freed = 0
    for clip in clips:
        with bench.store.begin() as connection:
            standing = db.decisions.in_force(connection, clip.subject_id)
            booked = db.publishing.slot_of(connection, clip.subject_id)
            cancelled = standing is not None and standing[0].kind is DirectiveKind.CANCEL
            if not (standing and cancelled and booked) or _posted(connection, clip.subject_id):
                continue
            directive, packet_id = standing
            mutation = skipped(
                clip.subject_id,
                booked,
                window_of(guided, booked),
                f"cancelled: {directive.reason}"[:_NOTE],
                [packet_id],
                bench.now,
            )
            db.publishing.unbook(connection, clip.subject_id)
            bench.recorder(connection).record(
                mutation,
                subject_id=clip.subject_id,
                trace_id=clip.trace_id,
                parents=[packet_id],
                occurrence=f"{directive.directive_id}/{booked}",
            )
            freed += 1
    return freed


def window_of(guided: Guided, slot: str) -> GoalWindow:
    """The goal window that a slot is booked for; without a campaign, the slot's own day."""
    if guided.goal_window is not None:
        return guided.goal_window
    day = parse_timestamp(f"{slot[:10]}T00:00:00Z")
    return GoalWindow(since=format_timestamp(day), until=format_timestamp(day + timedelta(days=1)))


def _plan(recorder: Recorder, clip: Record[RenderedClip], rules: Rules, guided: Guided) -> Plan:
    connection, clip_id = recorder.connection, clip.subject_id
    order, wanted, booked = _ordered(connection, clip_id)
    parents = [clip.packet_id, *([order[1]] if order else [])]
    urgency = order[0].priority if order else None
    if order is not None and wanted is not None and not _posted(connection, clip_id):
        return Plan(
            wanted,
            booked,
            source=DecisionSource.OPERATOR_OVERRIDE,
            notes=f"rescheduled: {order[0].reason}",
            urgency=urgency,
            parents=parents,
        )
    if booked is not None:
        return _kept(connection, clip_id, booked, urgency, parents)
    return _chosen(recorder, rules, guided, urgency, parents)


def _kept(
    connection: sa.Connection,
    clip_id: str,
    booked: str,
    urgency: float | None,
    parents: list[str],
) -> Plan:
    """The slot that a clip has, with what was said when it got it."""
    last = db.outbox.latest(connection, ScheduleTask.__name__, clip_id, "schedule_tasks")
    said = ScheduleTask.parse(last.payload) if last else None
    if said is None or said.recommended_time != booked:
        return Plan(booked, booked, urgency=urgency, parents=parents)
    guides = [one for one in said.meta_parents or [] if one not in parents]
    known = [one for one in guides if _is_guidance(connection, one)]
    return Plan(
        booked,
        booked,
        said.horizon_adjustment,
        said.final_decision_source,
        said.notes or EARLIEST,
        urgency,
        [*parents, *known],
    )


def _is_guidance(connection: sa.Connection, packet_id: str) -> bool:
    packet = db.outbox.by_id(connection, packet_id)
    return packet is not None and packet.message_type == "SchedulingWeights"


def _chosen(
    recorder: Recorder,
    rules: Rules,
    guided: Guided,
    urgency: float | None,
    parents: list[str],
) -> Plan:
    from omniva_dagster.workers.scheduler import best_slot, next_slot

    now = parse_timestamp(recorder.now)
    taken = db.publishing.slots_from(recorder.connection, recorder.partition.creator, recorder.now)
    nudges = guided.nudges()
    if nudges is None:
        slot = next_slot(now, rules.hours, rules.daily_quota, taken)
        return Plan(slot, None, urgency=urgency, parents=parents)
    choice = best_slot(now, rules.hours, rules.daily_quota, taken, nudges)
    window = guided.body["goal_window"]
    return Plan(
        choice.slot,
        None,
        choice.adjustment,
        notes=f"{choice.why}; campaign {guided.body['campaign']}, goal window "
        f"{window['since'][:10]} to {window['until'][:10]}",
        urgency=urgency,
        parents=[*parents, guided.body["packets"]["weights"]],
    )


def _command(
    recorder: Recorder, task: ScheduleTask, rules: Rules, guided: Guided
) -> ScheduleCommand:
    """The order to book, with the slots around it that are taken."""
    connection, creator = recorder.connection, recorder.partition.creator
    standing = db.decisions.in_force(connection, task.clip_id)
    assert standing is not None, "only promoted clips are scheduled"
    midnight = parse_timestamp(f"{task.recommended_time[:10]}T00:00:00Z")
    day = (format_timestamp(midnight), format_timestamp(midnight + timedelta(days=1)))
    entries = [
        QueueEntry(clip_id=clip_id, creator_id=creator_id_of(creator), slot=slot)
        for clip_id, slot in db.publishing.booked_between(connection, creator, *day)
    ]
    return ScheduleCommand(
        directive_id=standing[0].directive_id,
        task=task,
        queue=QueueSnapshot(taken_at=recorder.now, daily_quota=rules.daily_quota, entries=entries),
        goal_window=window_of(guided, task.recommended_time),
    )


def _ordered(
    connection: sa.Connection, clip_id: str
) -> tuple[tuple[Directive, str] | None, str | None, str | None]:
    """Zenith's word on when a clip goes out, the slot it names, and the slot that the clip has."""
    order = db.decisions.in_force(connection, clip_id, _MOVES)
    booked = db.publishing.slot_of(connection, clip_id)
    return order, order[0].scheduled_time if order else None, booked


def _posted(connection: sa.Connection, clip_id: str) -> bool:
    return bool(db.guidance.receipts_of(connection, [clip_id]))
