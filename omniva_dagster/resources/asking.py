"""What an id means, for who asks why: a clip, video, directive, packet, run, partition or scope."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id, worker_id_of
from omniva_dagster.contracts.types import DAY_PATTERN, UUID4_PATTERN
from omniva_dagster.engines.halolux import BRIEF, OWN, Matter, Question
from omniva_dagster.state import tables
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.state.store import Store

_MOST = 500
_TOLD = 1500  # of a partition: what these came from is read beside them
_SHOWN = 80
_ALIKE = 8
_BEGINNING = r"[0-9a-f]{8}[0-9a-f-]{0,27}"
_ABOUT = {"ClipCandidate": Matter.CLIP, "VideoAsset": Matter.VIDEO}


class UnknownIdError(LookupError):
    """Nothing is recorded under what was asked for."""


def question_of(layout: Layout, store: Store, sought: str) -> Question:
    """What ``sought`` means: the id of a packet, directive, clip, candidate, video, job, trace or
    run, or one that a message holds (of a receipt, an upload); ``<creator>/<day>`` for a partition,
    a creator's slug, ``worker:<name>`` or ``all``. Of the id of a packet, document, directive or
    trace its first eight characters or more are enough, as explanations cite them.

    Raises `UnknownIdError` where nothing is recorded under it, or more than one thing.
    """
    with store.read() as connection:
        found = _named(connection, sought) or _by_id(connection, _whole(connection, sought.lower()))
    found = found or _in_a_message(layout, store, sought.lower())
    if found is None:
        shown = sought if len(sought) <= _SHOWN else f"{sought[:_SHOWN]}…"
        raise UnknownIdError(
            f"nothing is recorded as {shown!r}: `omniva status`, `omniva control log` and `omniva "
            "ledger sql` show the ids of clips, directives and packets; what Dagster did last "
            "comes in with `omniva ledger sync`"
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
    # What is told of, and the spans that it is about; not each step of each clip.
    told = packets.message_type.in_([*BRIEF, "ClipCandidate"])
    rows = []
    for start in range(0, len(subjects), _MOST):
        part = sorted(subjects)[start : start + _MOST]
        about = sa.and_(packets.subject_id.in_(part), told)
        rows += _rows(connection, about, _TOLD + 1, newest=True)
    rows = sorted(
        (row for row in rows if row.creator == partition.creator), key=lambda row: row.sequence
    )
    ids = tuple(sorted(row.packet_id for row in rows[-_TOLD:]))
    subject = derive_id("partition", partition.creator, partition.day)
    trace = derive_id("trace", subject)
    return Question(Matter.PARTITION, subject, trace, ids, cut=len(rows) > _TOLD)


def _whole(connection: sa.Connection, sought: str) -> str:
    """The one id that begins so; what was sought, where that is no beginning or none does."""
    if not re.fullmatch(_BEGINNING, sought):
        return sought
    packets, directives = tables.packets.c, tables.directives.c
    found: dict[str, str] = {}
    for column, what in (
        (directives.directive_id, "directive"),
        (packets.packet_id, "packet"),
        (packets.trace_id, "trace"),
        (packets.subject_id, "document"),
    ):
        # No digit of an id comes after "f": by the columns' indexes, whatever order text has.
        between = (column >= sought, column < f"{sought}g")
        ids = connection.scalars(sa.select(column).where(*between).distinct().limit(_ALIKE))
        found |= {one: what for one in ids if one.startswith(sought)}
    if len(found) > 1:
        named = ", ".join(f"{one} ({what})" for one, what in sorted(found.items())[:_ALIKE])
        raise UnknownIdError(f"{sought!r} is the beginning of more than one id: {named}")
    return next(iter(found), sought)


def _by_id(connection: sa.Connection, sought: str) -> Question | None:
    if not re.fullmatch(UUID4_PATTERN[1:-1], sought):
        return None
    packets, directives = tables.packets.c, tables.directives.c
    ordered = connection.scalar(
        sa.select(directives.packet_id).where(directives.directive_id == sought)
    )
    own = sa.select(packets.subject_id).where(
        packets.packet_id == sought, packets.message_type.in_(OWN)
    )
    # Of an explanation, or a request for one: what it explains.
    sought = connection.scalar(own) or sought
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
    connection: sa.Connection, condition: sa.ColumnElement[bool], most: int, *, newest: bool = False
) -> list[sa.Row[tuple[str, str, str, str, str, int]]]:
    packets = tables.packets.c
    query = sa.select(
        packets.packet_id,
        packets.message_type,
        packets.subject_id,
        packets.trace_id,
        packets.creator,
        packets.sequence,
    )
    # What was asked before is not what is asked about.
    told = packets.message_type.not_in(OWN)
    place = packets.sequence.desc() if newest else packets.sequence.asc()
    ordered = query.where(condition, told).order_by(place)
    return list(connection.execute(ordered.limit(most)))
