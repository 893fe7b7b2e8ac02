"""The directive log, and what it pinned (DESIGN: Authority)."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import directives, promotions

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


def append(
    connection: sa.Connection, partition: Partition, directive: Directive, packet_id: str
) -> None:
    """Add a directive to the log, once."""
    known = connection.scalar(
        sa.select(directives.c.sequence).where(directives.c.directive_id == directive.directive_id)
    )
    if known is None:
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


def in_force(connection: sa.Connection, subject_id: str) -> tuple[Directive, str] | None:
    """The latest directive on a subject and its packet."""
    row = connection.execute(
        sa.select(directives.c.body, directives.c.packet_id)
        .where(directives.c.subject_id == subject_id)
        .order_by(directives.c.sequence.desc())
        .limit(1)
    ).first()
    return (Directive.parse(row.body), row.packet_id) if row else None


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
