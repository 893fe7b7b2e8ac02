"""Explanations that nobody has to ask for: of decisions of high impact, and of crises (4.8).

A cancel, a release, and a hold on more than one document are of high impact. Each is explained once
at the time it is made; a crisis that Eclipse raises is explained as an anomaly.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.halolux import InterpretabilityBundle
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.ids import EVERYTHING, derive_id
from omniva_dagster.engines.halolux import Matter, Question
from omniva_dagster.resources import asking, explaining
from omniva_dagster.resources.explaining import Explained, Library
from omniva_dagster.state import tables

if TYPE_CHECKING:
    from pathlib import Path

    from omniva_dagster.state.partition import Partition
    from omniva_dagster.state.store import Store

_ALWAYS = (DirectiveKind.CANCEL.value, DirectiveKind.RELEASE.value)
# Looked at, and explained at a time: what is left has its turn in the next cycle.
_LATEST = 1000
_AT_ONCE = 50
_LOG = logging.getLogger("omniva.halolux")


@dataclass(frozen=True)
class _Due:
    """Something to be explained, once by its occurrence."""

    question: Question
    occurrence: str


def explain_high_impact(
    library: Library, now: str, partition: Partition | None = None
) -> list[Explained]:
    """Explain and record what is due: of a partition, or of the latest decisions and crises.

    What was explained before is not explained again.
    """
    with library.store.read() as connection:
        due = _directives(connection, partition)
        due += _crises(connection) if partition is None else []
        due = _unexplained(connection, due)
    found = []
    for one in due[:_AT_ONCE]:
        explained = explaining.explain(library, one.question)
        explaining.record(library.store, explained, now, one.occurrence)
        found.append(explained)
    return found


def settle_up(store: Store, home: Path, now: str) -> int:
    """The same after a control cycle; how many were explained. It never stands in a cycle's way:
    what can not be explained now is due again the next time."""
    from omniva_dagster.stardust.layout import Layout

    try:
        return len(explain_high_impact(Library(Layout(home / "ledger"), store), now))
    except Exception:
        _LOG.exception("what was decided is not explained yet")
        return 0


def _directives(connection: sa.Connection, partition: Partition | None) -> list[_Due]:
    log = tables.directives.c
    query = sa.select(
        log.directive_id, log.subject_id, log.kind, log.packet_id, tables.packets.c.trace_id
    ).join(tables.packets, tables.packets.c.packet_id == log.packet_id)
    if partition is not None:
        query = query.where(log.creator == partition.creator, log.day == partition.day)
    rows = connection.execute(query.order_by(log.sequence.desc()).limit(_LATEST)).all()
    wide = _wide(connection, [row.subject_id for row in rows if row.kind == "hold"])
    return [
        _Due(
            asking.of_directive(
                row.directive_id,
                row.subject_id,
                row.trace_id,
                row.packet_id,
            ),
            row.directive_id,
        )
        for row in reversed(rows)
        if row.kind in _ALWAYS or row.subject_id in wide
    ]


def _wide(connection: sa.Connection, subjects: Sequence[str]) -> set[str]:
    """Of held subjects, those that are more than a document."""
    found = db.decisions.restraints_on(connection, set(subjects)) if subjects else []
    return {one.subject_id for one in found if one.scope in ("all", "worker", "creator", "video")}


def _crises(connection: sa.Connection) -> list[_Due]:
    packets = tables.packets.c
    rows = connection.execute(
        sa.select(packets.packet_id, packets.trace_id)
        .where(packets.subject_id == EVERYTHING, packets.message_type == "CrisisEscalation")
        .order_by(packets.sequence.desc())
        .limit(_AT_ONCE)
    )
    return [
        _Due(Question(Matter.PACKET, EVERYTHING, row.trace_id, (row.packet_id,)), row.packet_id)
        for row in rows
    ]


def _unexplained(connection: sa.Connection, due: list[_Due]) -> list[_Due]:
    kind = InterpretabilityBundle.__name__
    ids = {
        derive_id(
            "packet",
            "/".join([explaining.PRODUCER, kind, one.question.subject_id, one.occurrence]),
        ): one
        for one in due
    }
    packets = tables.packets.c
    known = set(connection.scalars(sa.select(packets.packet_id).where(packets.packet_id.in_(ids))))
    return [one for packet_id, one in ids.items() if packet_id not in known]
