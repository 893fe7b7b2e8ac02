"""Zenith's dossier, put together by look-ups through indexes: what is open, never what was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, worker_id_of
from omniva_dagster.contracts.operations.dashboard import Worker
from omniva_dagster.contracts.types import UUID4_PATTERN
from omniva_dagster.engines import zenith
from omniva_dagster.state import tables
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    from omniva_dagster.state.inboxes import Heard
    from omniva_dagster.state.restraints import Restraint

NOWHERE = Partition("", "")
_POOLS = {worker_id_of(pool.value): pool.value for pool in Worker}
# Who is to act on something, where no word says it.
_OWNERS = {"all": "orchestrator", "creator": "scraper", "video": "analyzer", "clip": "uploader"}
_GOES = (DirectiveKind.PROMOTE, DirectiveKind.RELEASE)
# How many of the directives that let a subject go are read for what they decided against.
_RECENT = 200
# As `engines.zenith.ordering` names a ground; what an operator wrote behind it names none.
_OVERRULED = re.compile(rf"[a-z]+: [a-z]+ on ({UUID4_PATTERN[1:-1]}) \(")
_REROUTES = (DirectiveKind.REROUTE, DirectiveKind.RELEASE)


@dataclass(frozen=True)
class Place:
    """What a subject is, and where it stands in the pipeline."""

    scope: str
    name: str = ""
    partition: Partition = NOWHERE
    video_id: str = ""
    pinnable: bool = False


def words_of(connection: sa.Connection, heard: Sequence[Heard]) -> tuple[zenith.Word, ...]:
    """What was heard, for the engine."""
    return tuple(
        zenith.Word(
            item.packet_id,
            item.message_type,
            item.sequence,
            item.payload,
            _held_on(connection, _named_grounds(item)),
        )
        for item in heard
    )


def posted_of(
    connection: sa.Connection, heard: Sequence[Heard]
) -> dict[str, tuple[zenith.Posted, ...]]:
    """The clips of the creators whose consent is withdrawn, by creator's id."""
    found = {}
    for item in heard:
        if item.message_type == "ConsentRecord" and item.payload["status"] != "granted":
            slug = item.payload["slug"]
            found[item.payload["creator_id"]] = tuple(_posted(connection, slug))
    return found


def place_of(connection: sa.Connection, subject_id: str, fallback: Partition = NOWHERE) -> Place:
    """What a subject is: everything, a worker, a creator, a video, a clip or another document."""
    if subject_id == EVERYTHING:
        return Place("all")
    clip = connection.execute(
        sa.select(tables.promotions).where(tables.promotions.c.clip_id == subject_id)
    ).first()
    if clip is not None:
        return Place("clip", "", Partition(clip.creator, clip.day), clip.video_id, pinnable=True)
    video = db.library.has_video(connection, subject_id)
    if video is not None:
        return Place("video", "", video, subject_id)
    slug = connection.scalar(
        sa.select(tables.creators.c.slug).where(tables.creators.c.creator_id == subject_id)
    )
    if slug is not None:
        return Place("creator", slug, Partition(slug, ""))
    worker = _POOLS.get(subject_id) or _instance(connection, subject_id)
    if worker is not None:
        return Place("worker", worker)
    held = db.decisions.restraints_on(connection, [subject_id])
    if held:
        return Place(held[0].scope, held[0].name, held[0].partition)
    return _document(connection, subject_id, fallback)


def standing_of(
    connection: sa.Connection, subject_id: str, place: Place, *, now: str = ""
) -> zenith.Standing:
    """How a subject stands by the log, and by what holds it or what it belongs to."""
    latest = db.decisions.in_force(connection, subject_id)
    # A subject may have been held any number of times since it was let go last.
    freed = [one for one, _ in db.decisions.log_of(connection, subject_id, _GOES, limit=_RECENT)]
    grounds = db.decisions.restraints_on(connection, [subject_id])
    wider = {EVERYTHING, creator_id_of(place.partition.creator), place.video_id} - {subject_id, ""}
    if place.scope in ("all", "worker", "creator"):
        wider = set()
    enclosing = [
        item
        for item in db.decisions.restraints_on(connection, wider)
        if not item.until or item.until > now
    ]
    reroute = db.decisions.in_force(connection, subject_id, _REROUTES)
    return zenith.Standing(
        subject_id=subject_id,
        scope=place.scope,
        name=place.name,
        video_id=place.video_id,
        owner=place.name[:64] if place.scope == "worker" else _OWNERS[place.scope],
        latest=latest[0] if latest else None,
        permit=freed[0] if freed else None,
        reroute=reroute[0] if reroute else None,
        grounds=tuple(map(_ground, grounds)),
        enclosing=tuple(map(_ground, enclosing)),
        overruled=_overruled(freed),
        pinnable=place.pinnable,
    )


def candidate_of(connection: sa.Connection, subject_id: str) -> db.outbox.Packet | None:
    """The packet of a judged candidate."""
    return db.outbox.latest(connection, ClipCandidate.__name__, subject_id, "clip_candidates")


def _ground(item: Restraint) -> zenith.Ground:
    return zenith.Ground(
        item.ground,
        item.ground_packet_id,
        item.rule,
        item.kind,
        item.reason,
        item.directive_id,
        item.until,
    )


def _overruled(log: Iterable[Directive]) -> frozenset[str]:
    """The ids of the grounds that directives name as decided against."""
    found = (_OVERRULED.match(text) for one in log for text in one.overrode)
    return frozenset(match[1] for match in found if match)


def _named_grounds(item: Heard) -> list[str]:
    """The grounds that a word lifts wherever they stand."""
    if item.message_type == "ReadinessSignal":
        return list(item.payload["lifts"])
    if item.message_type == "ConsentRecord" and item.payload["status"] == "granted":
        return [item.payload["creator_id"]]
    return []


def _held_on(connection: sa.Connection, grounds: Sequence[str]) -> tuple[str, ...]:
    found = db.decisions.restraints_on(connection, grounds=grounds) if grounds else []
    return tuple(sorted({item.subject_id for item in found}))


def _posted(connection: sa.Connection, slug: str) -> list[zenith.Posted]:
    return [
        zenith.Posted(clip.clip_id, clip.packet_id, out=bool(clip.status))
        for clip in db.publishing.clips_of(connection, slug)
        if clip.status != db.publishing.WITHDRAWN
    ]


def _instance(connection: sa.Connection, subject_id: str) -> str | None:
    rows = connection.execute(
        sa.select(tables.worker_health.c.worker, tables.worker_health.c.instance)
    )
    names = (f"{row.worker}/{row.instance}" for row in rows)
    return next((name for name in names if worker_id_of(name) == subject_id), None)


def _document(connection: sa.Connection, subject_id: str, fallback: Partition) -> Place:
    candidate = candidate_of(connection, subject_id)
    parent = candidate.parents[0] if candidate and candidate.parents else ""
    analysis = db.outbox.by_id(connection, parent) if parent else None
    row = connection.execute(
        sa.select(tables.packets.c.creator, tables.packets.c.day)
        .where(tables.packets.c.subject_id == subject_id)
        .order_by(tables.packets.c.message_type, tables.packets.c.sequence)
        .limit(1)
    ).first()
    partition = Partition(row.creator, row.day) if row else fallback
    video_id = analysis.subject_id if analysis else ""
    return Place("clip", "", partition, video_id, pinnable=candidate is not None)


def dossier_of(
    connection: sa.Connection,
    heard: Sequence[Heard],
    waiting: Sequence[str],
    now: str,
) -> tuple[zenith.Dossier, Mapping[str, Place]]:
    """All that bears on what was heard, and on ``waiting``: subjects whose hold may be over."""
    words = words_of(connection, heard)
    posted = posted_of(connection, heard)
    came_from = {item.packet_id: item.partition for item in heard}
    spoken: dict[str, zenith.Wish] = {}
    for word in words:
        for wish in zenith.wishes_of(word, posted)[0]:
            if wish.scope or wish.subject_id not in spoken:
                spoken[wish.subject_id] = wish
    places = {}
    for subject_id in sorted({*spoken, *waiting}):
        about = spoken.get(subject_id)
        if about is not None and about.scope:
            home = Partition(about.name, "") if about.scope == "creator" else NOWHERE
            places[subject_id] = Place(about.scope, about.name, home)
        else:
            fallback = came_from[about.packet_id] if about else NOWHERE
            places[subject_id] = place_of(connection, subject_id, fallback)
    standings = {
        subject_id: standing_of(connection, subject_id, place, now=now)
        for subject_id, place in places.items()
    }
    dossier = zenith.Dossier(now=now, words=words, posted=posted, standings=standings)
    return dossier, places
