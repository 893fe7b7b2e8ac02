"""What an id means, for who asks why: a clip, video, directive, packet, run, partition or scope."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id, worker_id_of
from omniva_dagster.contracts.types import DAY_PATTERN, UUID4_PATTERN
from omniva_dagster.engines.halolux import Matter, Question
from omniva_dagster.state import tables
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.state.store import Store

_MOST = 500
_ABOUT = {"ClipCandidate": Matter.CLIP, "VideoAsset": Matter.VIDEO}


class UnknownIdError(LookupError):
    """Nothing is recorded under what was asked for."""


def question_of(layout: Layout, store: Store, sought: str) -> Question:
    """What ``sought`` means: the id of a packet, directive, clip, candidate, video, job, trace or
    run, or one that a message holds (of a receipt, an upload); ``<creator>/<day>`` for a partition,
    a creator's slug, ``worker:<name>`` or ``all``.

    Raises `UnknownIdError` where nothing is recorded under it.
    """
    with store.read() as connection:
        found = _named(connection, sought) or _by_id(connection, sought)
    found = found or _in_a_message(layout, store, sought)
    if found is None:
        raise UnknownIdError(
            f"nothing is recorded as {sought!r}: `omniva status`, `omniva control log` and `omniva "
            "ledger sql` show the ids of clips, directives and packets"
        )
    return found


def of_directive(directive_id: str, subject_id: str, trace_id: str, packet_id: str) -> Question:
    """Why a directive was given."""
    return Question(Matter.DIRECTIVE, subject_id, trace_id, (packet_id,), directive_id)


def of_clip(clip_id: str, trace_id: str) -> Question:
    """Why a clip is as it is."""
    return Question(Matter.CLIP, clip_id, trace_id)


def _named(connection: sa.Connection, sought: str) -> Question | None:
    if sought == "all":
        return _scope(connection, EVERYTHING)
    if sought.startswith("worker:"):
        return _scope(connection, worker_id_of(sought.removeprefix("worker:")))
    slug, _, day = sought.partition("/")
    known = connection.scalar(
        sa.select(tables.creators.c.slug).where(tables.creators.c.slug == slug)
    )
    if known is None:
        return None
    if not day:
        return _scope(connection, creator_id_of(slug))
    if not re.fullmatch(DAY_PATTERN[1:-1], day):
        return None
    return _of_partition(connection, Partition(slug, day))


def _scope(connection: sa.Connection, subject_id: str) -> Question | None:
    rows = _rows(connection, tables.packets.c.subject_id == subject_id, 1)
    trace = derive_id("trace", subject_id)
    return Question(Matter.SUBJECT, subject_id, trace) if rows else None


def _of_partition(connection: sa.Connection, partition: Partition) -> Question | None:
    """All that the documents of a partition came to, by the subjects of its outcomes."""
    subjects = {one.subject_id for one in db.outcomes.of_partition(connection, partition)}
    subjects |= {video.video_id for video, _ in db.library.videos_of(connection, partition)}
    if not subjects:
        return None
    packets = tables.packets.c
    rows = _rows(connection, packets.subject_id.in_(sorted(subjects)[:_MOST]), 4 * _MOST)
    ids = tuple(sorted(row.packet_id for row in rows if row.creator == partition.creator))
    subject = derive_id("partition", partition.creator, partition.day)
    return Question(Matter.PARTITION, subject, derive_id("trace", subject), ids[: 2 * _MOST])


def _by_id(connection: sa.Connection, sought: str) -> Question | None:
    if not re.fullmatch(UUID4_PATTERN[1:-1], sought):
        return None
    packets, directives = tables.packets.c, tables.directives.c
    ordered = connection.scalar(
        sa.select(directives.packet_id).where(directives.directive_id == sought)
    )
    for row in _rows(connection, packets.packet_id == (ordered or sought), 1):
        if row.message_type == "Directive":
            return of_directive(
                _directive_id(connection, row.packet_id),
                row.subject_id,
                row.trace_id,
                row.packet_id,
            )
        return Question(Matter.PACKET, row.packet_id, row.trace_id, (row.packet_id,))
    rows = _rows(connection, packets.subject_id == sought, _MOST)
    for message_type, matter in _ABOUT.items():
        for row in rows:
            if row.message_type == message_type:
                return Question(matter, sought, row.trace_id)
    if rows:
        return Question(Matter.SUBJECT, sought, rows[0].trace_id)
    run = derive_id("trace", "dagster_run", sought)
    for matter, trace in ((Matter.TRACE, sought), (Matter.RUN, run)):
        rows = _rows(connection, packets.trace_id == trace, 1)
        if rows:
            video = _video_of(connection, trace) if matter is Matter.TRACE else ""
            return (
                Question(Matter.VIDEO, video, trace) if video else Question(matter, sought, trace)
            )
    return None


def _in_a_message(layout: Layout, store: Store, sought: str) -> Question | None:
    """A thing that only a message names, by Stardust's index."""
    from omniva_dagster.stardust.errors import LedgerError
    from omniva_dagster.stardust.lineage import lineage
    from omniva_dagster.stardust.views import Sources

    if not re.fullmatch(UUID4_PATTERN[1:-1], sought) or not layout.packets.is_dir():
        return None
    try:
        found = lineage(Sources.at(layout.root), sought, up=True, depth=0)
    except LedgerError:
        return None
    ids = sorted(found.nodes)
    with store.read() as connection:
        for node in found.nodes.values():
            if node.subject_id and (known := _by_id(connection, node.subject_id)):
                return known
    trace = next(iter(found.nodes.values())).trace_id
    return Question(Matter.PACKET, sought, trace, tuple(ids))


def _video_of(connection: sa.Connection, trace_id: str) -> str:
    rows = connection.execute(
        sa.select(tables.packets.c.subject_id)
        .where(tables.packets.c.trace_id == trace_id)
        .where(tables.packets.c.message_type == "VideoAsset")
        .limit(1)
    )
    return str(next((row.subject_id for row in rows), ""))


def _directive_id(connection: sa.Connection, packet_id: str) -> str:
    packet = db.outbox.by_id(connection, packet_id)
    assert packet is not None
    return str(packet.payload["directive_id"])


def _rows(
    connection: sa.Connection, condition: sa.ColumnElement[bool], most: int
) -> list[sa.Row[tuple[str, str, str, str, str]]]:
    packets = tables.packets.c
    query = sa.select(
        packets.packet_id,
        packets.message_type,
        packets.subject_id,
        packets.trace_id,
        packets.creator,
    )
    return list(connection.execute(query.where(condition).order_by(packets.sequence).limit(most)))
