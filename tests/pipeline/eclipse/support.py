"""Work that fails, and what Eclipse and Zenith make of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import ScheduleTask
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.resources import recovery
from omniva_dagster.resources.workbench import Commit, Recorder, Workbench
from omniva_dagster.state.partition import Partition, Subject
from omniva_dagster.state.store import Store
from omniva_dagster.state.tables import packets
from tests.contracts.support import without

HERE = Partition("ada", "2026-03-04")


HOST = recovery.this_instance()


def now() -> str:
    return format_timestamp(datetime.now(UTC))


def bench(store: Store, stage: str = "rendered_clips", **fields: Any) -> Workbench:
    return Workbench(store, HERE, stage, logging.getLogger("test"), **fields)


def subject(name: str) -> Subject:
    return Subject(derive_id("clip", name), name, derive_id("trace", name))


def killed(_name: str = "") -> Commit:
    raise WorkerError(ReasonCode.INTERNAL, "ended by signal 9; run again", transient=True)


def failing_with(code: ReasonCode, *, transient: bool = True) -> Callable[[str], Commit]:
    def work(name: str) -> Commit:
        raise WorkerError(code, f"{name}: no", transient=transient)

    return work


def done(name: str) -> Commit:
    return lambda recorder: [task(recorder, name)]


def task(recorder: Recorder, name: str) -> Record[ScheduleTask]:
    clip_id = derive_id("clip", name)
    task = ScheduleTask.parse(without("ScheduleTask", "_meta_parents", clip_id=clip_id))
    return recorder.record(task, subject_id=clip_id, trace_id=derive_id("trace", name))


def run(
    store: Store,
    names: list[str],
    work: Callable[[str], Commit],
    stage: str = "rendered_clips",
    **fields: Any,
) -> Workbench:
    """A step of a run, from its start to its end."""
    at = bench(store, stage, **fields)
    at.each(names, subject, work)
    at.finish()
    return at


def recorded(store: Store, message_type: str) -> list[dict[str, Any]]:
    import json

    query = sa.select(packets.c.body).where(packets.c.message_type == message_type)
    with store.read() as connection:
        rows = connection.scalars(query.order_by(packets.c.sequence)).all()
    return [json.loads(body) for body in rows]


def said(store: Store, message_type: str) -> list[dict[str, Any]]:
    return [item["payload"] for item in recorded(store, message_type)]


def rounds(store: Store, at: str = "") -> list[str]:
    with store.begin() as connection:
        return recovery.eclipse_round(connection, at or now())


def direct(store: Store, subject_id: str, kind: DirectiveKind, at: str = "", **fields: Any) -> None:
    directive = Directive(
        directive_id=derive_id("directive", kind.value, subject_id, at, str(fields)),
        kind=kind,
        subject_id=subject_id,
        owner="editor",
        reason="said so",
        evidence=[derive_id("packet", "x")],
        rollback="say otherwise",
        issued_at=at or now(),
        **fields,
    )
    with store.begin() as connection:
        db.decisions.append(connection, HERE, directive, derive_id("packet", "y"), scope="worker")
