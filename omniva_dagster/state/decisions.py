"""The directive log, and what it pinned (DESIGN: Authority)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.decisions import Directive, DirectiveKind, OutcomeStatus
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.publishing import recall
from omniva_dagster.state.restraints import (
    AUTHORITY,
    RESTRAINING,
    SCOPES,
    Ground,
    Restraint,
    expired,
    lift,
    restrain,
    restrained,
    restraints_of,
    restraints_on,
    resumed,
    stopped,
)
from omniva_dagster.state.tables import directives, promotions

__all__ = [
    "AUTHORITY",
    "RESTRAINING",
    "SCOPES",
    "Ground",
    "Moved",
    "Promotion",
    "Restraint",
    "append",
    "expired",
    "get",
    "in_force",
    "latest",
    "lift",
    "log_of",
    "of_partition",
    "permits",
    "promote",
    "promotion",
    "promotions_of",
    "restrained",
    "restraints_of",
    "restraints_on",
    "resumed",
    "status_of",
    "stopped",
]

_PERMITS = {
    # What is in force, and what it lets happen to a clip.
    DirectiveKind.PROMOTE: frozenset({"edit"}),
    DirectiveKind.RELEASE: frozenset({"edit", "publish"}),
}
# How a subject stands by what is ordered; where and when says nothing of that.
_STATUS = {
    DirectiveKind.PROMOTE: OutcomeStatus.RUNNING,
    DirectiveKind.RELEASE: OutcomeStatus.RUNNING,
    DirectiveKind.HOLD: OutcomeStatus.SKIPPED,
    DirectiveKind.CANCEL: OutcomeStatus.CANCELLED,
    DirectiveKind.RETRY: OutcomeStatus.PENDING,
}


@dataclass(frozen=True)
class Promotion:
    """A clip: the pinned span of a video, and the packet that says so."""

    clip_id: str
    video_id: str
    candidate: ClipCandidate
    packet_id: str


@dataclass(frozen=True)
class Moved:
    """A subject's status before and after a directive, and the count of its transitions."""

    before: OutcomeStatus
    after: OutcomeStatus
    version: int


def append(
    connection: sa.Connection,
    partition: Partition,
    directive: Directive,
    packet_id: str,
    *,
    scope: str = "clip",
    name: str = "",
    grounds: Sequence[Ground] = (),
) -> Moved | None:
    """Add a directive to the log, once, and bring what is restrained up to date.

    ``scope`` is what the subject is (one of `SCOPES`), ``name`` a worker's or creator's. A hold or
    cancel joins the others on its ``grounds`` (the directive itself, if none are given); a
    promotion or release ends them all. Returns how the subject moved, if it did.
    """
    known = connection.scalar(
        sa.select(directives.c.sequence).where(directives.c.directive_id == directive.directive_id)
    )
    if known is not None:
        return None
    before, version = status_of(connection, directive.subject_id)
    if directive.kind is DirectiveKind.RETRY:
        before = OutcomeStatus.ERROR
    after = _STATUS.get(directive.kind, before)
    moved = Moved(before, after, version + 1) if after is not before else None
    restrain(connection, partition, directive, packet_id, scope, name, grounds)
    if directive.kind is DirectiveKind.CANCEL:
        # What is posted of a clip is to be taken down.
        recall(connection, directive.subject_id)
    connection.execute(
        directives.insert().values(
            directive_id=directive.directive_id,
            subject_id=directive.subject_id,
            kind=directive.kind.value,
            creator=partition.creator,
            day=partition.day,
            packet_id=packet_id,
            body=directive.model_dump_json(exclude_none=True),
            status=after.value,
            state_version=version + 1 if moved else version,
        )
    )
    return moved


def status_of(connection: sa.Connection, subject_id: str) -> tuple[OutcomeStatus, int]:
    """How a subject stands by its latest directive, and how many transitions led there."""
    row = connection.execute(
        sa.select(directives.c.status, directives.c.state_version)
        .where(directives.c.subject_id == subject_id)
        .order_by(directives.c.sequence.desc())
        .limit(1)
    ).first()
    return (OutcomeStatus(row.status), row.state_version) if row else (OutcomeStatus.PENDING, 0)


def in_force(
    connection: sa.Connection,
    subject_id: str,
    kinds: tuple[DirectiveKind, ...] = AUTHORITY,
) -> tuple[Directive, str] | None:
    """The latest directive on a subject, of those kinds, and its packet."""
    return next(iter(log_of(connection, subject_id, kinds, limit=1)), None)


def log_of(
    connection: sa.Connection,
    subject_id: str,
    kinds: tuple[DirectiveKind, ...] = AUTHORITY,
    *,
    limit: int = 50,
) -> list[tuple[Directive, str]]:
    """The latest directives on a subject, of those kinds, newest first, with packets."""
    rows = connection.execute(
        sa.select(directives.c.body, directives.c.packet_id)
        .where(
            directives.c.subject_id == subject_id,
            directives.c.kind.in_([kind.value for kind in kinds]),
        )
        .order_by(directives.c.sequence.desc())
        .limit(limit)
    )
    return [(Directive.parse(row.body), row.packet_id) for row in rows]


def get(connection: sa.Connection, directive_id: str) -> tuple[Directive, str] | None:
    """The directive of that id, and its packet."""
    row = connection.execute(
        sa.select(directives.c.body, directives.c.packet_id).where(
            directives.c.directive_id == directive_id
        )
    ).first()
    return (Directive.parse(row.body), row.packet_id) if row else None


def latest(connection: sa.Connection, limit: int) -> list[Directive]:
    """The latest directives, newest first."""
    rows = connection.scalars(
        sa.select(directives.c.body).order_by(directives.c.sequence.desc()).limit(limit)
    )
    return [Directive.parse(body) for body in rows]


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
