"""Zenith's look back for Horizon: which of the slots it gave operators moved (4.5, Inputs)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.common import GoalWindow
from omniva_dagster.contracts.cognition.zenith import CycleReflection
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.ids import creator_id_of, derive_id
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.resources.workbench import Recorder

if TYPE_CHECKING:
    from omniva_dagster.contracts.record import Record

PRODUCER = "zenith"
DAYS = 14
_MOVES = (DirectiveKind.RESCHEDULE,)
_MOST = 100
_LINE = 200


def reflect(recorder: Recorder, creator: str) -> Record[CycleReflection] | None:
    """What became of a creator's slots of the last fortnight; None where none was moved."""
    connection = recorder.connection
    end = parse_timestamp(recorder.now)
    since = format_timestamp(end - timedelta(days=DAYS))
    booked = db.publishing.booked_between(connection, creator, since, recorder.now)
    moved = [
        (clip_id, found[0])
        for clip_id, _ in booked
        if (found := db.decisions.in_force(connection, clip_id, _MOVES))
        and found[0].scheduled_time is not None
    ][:_MOST]
    last = db.cycles.last(connection, PRODUCER)
    if not moved or last is None or not last.packet_id:
        return None
    document = CycleReflection(
        goal_window=GoalWindow(since=since, until=recorder.now),
        cycles=last.number,
        went_well=[f"{len(booked) - len(moved)} of {len(booked)} slots were kept as given"],
        went_badly=list(
            dict.fromkeys(
                f"moved to {directive.scheduled_time}: {directive.reason}"[:_LINE]
                for _, directive in moved
            )
        ),
        overridden=[directive.directive_id for _, directive in moved],
        evidence=[last.packet_id],
        generated_at=recorder.now,
    )
    return recorder.record(
        document,
        subject_id=creator_id_of(creator),
        trace_id=derive_id("trace", PRODUCER, creator),
        parents=document.evidence,
        producer=PRODUCER,
        occurrence=recorder.now,
    )
