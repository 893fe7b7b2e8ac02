"""The directive log, and what it pinned (DESIGN: Authority)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import directives, promotions, restraints

# Kinds that say whether work may be done; the others say when and where.
AUTHORITY = (
    DirectiveKind.PROMOTE,
    DirectiveKind.RELEASE,
    DirectiveKind.HOLD,
    DirectiveKind.CANCEL,
)
RESTRAINING = (DirectiveKind.HOLD, DirectiveKind.CANCEL)
# What a restraint is about, the widest first.
SCOPES = ("all", "worker", "creator", "video", "clip")
_PERMITS = {
    # What is in force, and what it lets happen to a clip.
    DirectiveKind.PROMOTE: frozenset({"edit"}),
    DirectiveKind.RELEASE: frozenset({"edit", "publish"}),
}


@dataclass(frozen=True)
class Promotion:
    """A clip: the pinned span of a video, and the packet that says so."""

    clip_id: str
    video_id: str
    candidate: ClipCandidate
    packet_id: str


@dataclass(frozen=True)
class Restraint:
    """A hold or cancel in force."""

    subject_id: str
    scope: str
    name: str
    kind: DirectiveKind
    directive_id: str
    packet_id: str
    partition: Partition
    reason: str
    since: str
    until: str


def append(
    connection: sa.Connection,
    partition: Partition,
    directive: Directive,
    packet_id: str,
    *,
    scope: str = "clip",
    name: str = "",
) -> None:
    """Add a directive to the log, once, and bring what is restrained up to date.

    ``scope`` is what the subject is (one of `SCOPES`), ``name`` a worker's or creator's.
    """
    known = connection.scalar(
        sa.select(directives.c.sequence).where(directives.c.directive_id == directive.directive_id)
    )
    if known is None:
        _restrain(connection, partition, directive, packet_id, scope, name)
        connection.execute(
            directives.insert().values(
                directive_id=directive.directive_id,
                subject_id=directive.subject_id,
                kind=directive.kind.value,
                creator=partition.creator,
                day=partition.day,
                packet_id=packet_id,
                body=directive.model_dump_json(exclude_none=True),
            )
        )


def in_force(
    connection: sa.Connection,
    subject_id: str,
    kinds: tuple[DirectiveKind, ...] = AUTHORITY,
) -> tuple[Directive, str] | None:
    """The latest directive on a subject, of those kinds, and its packet."""
    row = connection.execute(
        sa.select(directives.c.body, directives.c.packet_id)
        .where(
            directives.c.subject_id == subject_id,
            directives.c.kind.in_([kind.value for kind in kinds]),
        )
        .order_by(directives.c.sequence.desc())
        .limit(1)
    ).first()
    return (Directive.parse(row.body), row.packet_id) if row else None


def restrained(connection: sa.Connection, subject_ids: Iterable[str], now: str) -> Restraint | None:
    """The widest hold or cancel in force on any of these subjects."""
    rows = connection.execute(
        sa.select(restraints).where(restraints.c.subject_id.in_(sorted(set(subject_ids))))
    )
    found = [item for item in map(_restraint, rows) if not item.until or item.until > now]
    return min(found, key=lambda item: (SCOPES.index(item.scope), item.subject_id), default=None)


def restraints_of(
    connection: sa.Connection, *, scope: str = "", partition: Partition | None = None
) -> list[Restraint]:
    """Holds and cancels in force, of a scope or a partition, oldest first."""
    query = sa.select(restraints).order_by(restraints.c.since, restraints.c.subject_id)
    if scope:
        query = query.where(restraints.c.scope == scope)
    if partition is not None:
        query = query.where(
            restraints.c.creator == partition.creator, restraints.c.day == partition.day
        )
    return [_restraint(row) for row in connection.execute(query)]


def _restrain(
    connection: sa.Connection,
    partition: Partition,
    directive: Directive,
    packet_id: str,
    scope: str,
    name: str,
) -> None:
    if directive.kind not in AUTHORITY:
        return
    connection.execute(restraints.delete().where(restraints.c.subject_id == directive.subject_id))
    if directive.kind in RESTRAINING:
        connection.execute(
            restraints.insert().values(
                subject_id=directive.subject_id,
                scope=scope,
                name=name,
                kind=directive.kind.value,
                directive_id=directive.directive_id,
                packet_id=packet_id,
                creator=partition.creator,
                day=partition.day,
                reason=directive.reason,
                since=directive.issued_at,
                until=directive.until or "",
            )
        )


def _restraint(row: sa.Row[Any]) -> Restraint:
    return Restraint(
        row.subject_id,
        row.scope,
        row.name,
        DirectiveKind(row.kind),
        row.directive_id,
        row.packet_id,
        Partition(row.creator, row.day),
        row.reason,
        row.since,
        row.until,
    )


def permits(directive: Directive | None, act: str) -> bool:
    """Whether the directive in force lets an effect (``edit`` or ``publish``) happen."""
    return directive is not None and act in _PERMITS.get(directive.kind, frozenset())


def of_partition(connection: sa.Connection, partition: Partition) -> list[tuple[Directive, str]]:
    """The log of a partition, oldest first, with packets."""
    rows = connection.execute(
        sa.select(directives.c.body, directives.c.packet_id)
        .where(directives.c.creator == partition.creator, directives.c.day == partition.day)
        .order_by(directives.c.sequence)
    )
    return [(Directive.parse(row.body), row.packet_id) for row in rows]


def promote(
    connection: sa.Connection,
    partition: Partition,
    video_id: str,
    candidate: ClipCandidate,
    packet_id: str,
) -> None:
    """Pin a span of a video as a clip, once."""
    assert candidate.clip_id
    known = connection.scalar(
        sa.select(promotions.c.clip_id).where(promotions.c.clip_id == candidate.clip_id)
    )
    if known is None:
        connection.execute(
            promotions.insert().values(
                clip_id=candidate.clip_id,
                video_id=video_id,
                creator=partition.creator,
                day=partition.day,
                packet_id=packet_id,
                body=candidate.model_dump_json(exclude_none=True),
            )
        )


def promotions_of(connection: sa.Connection, video_id: str) -> list[Promotion]:
    """The clips of a video by start time."""
    rows = connection.execute(sa.select(promotions).where(promotions.c.video_id == video_id))
    found = [
        Promotion(row.clip_id, row.video_id, ClipCandidate.parse(row.body), row.packet_id)
        for row in rows
    ]
    return sorted(found, key=lambda promotion: promotion.candidate.start_time)


def promotion(connection: sa.Connection, clip_id: str) -> Promotion | None:
    """The clip of that id."""
    row = connection.execute(sa.select(promotions).where(promotions.c.clip_id == clip_id)).first()
    if row is None:
        return None
    return Promotion(row.clip_id, row.video_id, ClipCandidate.parse(row.body), row.packet_id)
