"""What Paradox compares with and what it found: windows asked for, conflicts and their members."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from omniva_dagster.contracts.cognition.paradox import ConflictResolution
from omniva_dagster.state.outbox import by_id
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import (
    conflict_members,
    conflicts,
    packets,
    publications,
    scrape_windows,
    videos,
)

_AT_ONCE = 500
# What stands for an action once a conflict is no more.
OVER = "over"


@dataclass(frozen=True)
class ScrapeWindow:
    """What a job asked a source for; ``since`` is inside, ``until`` is not."""

    job_id: str
    source: str
    since: str
    until: str
    creator: str
    packet_id: str


@dataclass(frozen=True)
class Known:
    """A conflict that was recorded before, with the packet of its report."""

    conflict_id: str
    packet_id: str
    partition: Partition
    # block, quarantine, ignore; `OVER` where it is no more
    action: str
    occurrences: int
    detected_at: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class HeldVideo:
    """A video that Atlas holds."""

    video_id: str
    partition: Partition
    sha256: str
    packet_id: str


def windows_over(
    connection: sa.Connection, sources: Iterable[str], since: str, until: str
) -> list[ScrapeWindow]:
    """What these sources were asked for within a time, by job."""
    query = (
        sa.select(scrape_windows)
        .where(
            scrape_windows.c.source.in_(sorted(set(sources))),
            scrape_windows.c.until > since,
            scrape_windows.c.since < until,
        )
        .order_by(scrape_windows.c.job_id)
    )
    return [ScrapeWindow(**row._mapping) for row in connection.execute(query)]


def put_window(connection: sa.Connection, window: ScrapeWindow) -> None:
    """Note what a job asks for, once. The same creator's earlier job for the same is replaced: its
    address has moved."""
    table = scrape_windows
    connection.execute(
        table.delete().where(
            table.c.source == window.source,
            table.c.until == window.until,
            table.c.since == window.since,
            table.c.creator == window.creator,
        )
    )
    known = sa.select(table.c.job_id).where(table.c.job_id == window.job_id)
    if connection.execute(known).first() is None:
        connection.execute(table.insert().values(**vars(window)))


def videos_like(connection: sa.Connection, video_id: str, sha256: str) -> list[HeldVideo]:
    """What Atlas holds under this id, and what has these bytes under any."""
    query = sa.select(
        videos.c.video_id, videos.c.creator, videos.c.day, videos.c.sha256, videos.c.packet_id
    )
    same = [query.where(videos.c.video_id == video_id)]
    if sha256:
        same.append(query.where(videos.c.sha256 == sha256))
    found = {
        row.video_id: HeldVideo(
            row.video_id, Partition(row.creator, row.day), row.sha256, row.packet_id
        )
        for each in same
        for row in connection.execute(each)
    }
    return [found[name] for name in sorted(found)]


def emitted_at(connection: sa.Connection, packet_ids: Sequence[str]) -> dict[str, str]:
    """When packets were emitted."""
    return {name: at for name, (at, _) in _about(connection, packet_ids).items()}


def subjects_of(connection: sa.Connection, packet_ids: Sequence[str]) -> dict[str, str]:
    """What packets are about; those that are not there are left out."""
    return {name: subject for name, (_, subject) in _about(connection, packet_ids).items()}


def partition_of(connection: sa.Connection, packet_id: str) -> Partition | None:
    """Where a packet belongs, if it is in the outbox."""
    query = sa.select(packets.c.creator, packets.c.day).where(packets.c.packet_id == packet_id)
    row = connection.execute(query).first()
    return Partition(row.creator, row.day) if row else None


def published(connection: sa.Connection, clip_ids: Sequence[str]) -> set[str]:
    """Which of the clips are out, or on their way, at some target."""
    found: set[str] = set()
    for start in range(0, len(clip_ids), _AT_ONCE):
        some = list(clip_ids[start : start + _AT_ONCE])
        query = sa.select(publications.c.clip_id).where(publications.c.clip_id.in_(some))
        found.update(connection.scalars(query))
    return found


def note(
    connection: sa.Connection,
    partition: Partition,
    conflict: ConflictResolution,
    packet_id: str,
) -> None:
    """Remember a conflict that was recorded, with what it is about."""
    connection.execute(
        conflicts.insert().values(
            conflict_id=conflict.conflict_id,
            kind=conflict.kind.value,
            action=conflict.recommended_action.value,
            severity=conflict.severity.value,
            packet_id=packet_id,
            creator=partition.creator,
            day=partition.day,
            occurrences=1,
            detected_at=conflict.detected_at,
            audited_at="",
        )
    )
    connection.execute(
        conflict_members.insert(),
        [
            {"conflict_id": conflict.conflict_id, "position": position, "subject_id": subject}
            for position, subject in enumerate(conflict.affected_ids)
        ],
    )


def renew(
    connection: sa.Connection, conflict_id: str, action: str, packet_id: str, at: str
) -> None:
    """A conflict is over (`OVER`), or there again: the packet that says so, and when."""
    connection.execute(
        conflicts.update()
        .where(conflicts.c.conflict_id == conflict_id)
        .values(
            action=action,
            packet_id=packet_id,
            detected_at=at,
            occurrences=conflicts.c.occurrences + 1,
        )
    )


def found_again(connection: sa.Connection, conflict_id: str, audit: str) -> int:
    """Count that an audit found a conflict, once an audit; how often it was found by now."""
    connection.execute(
        conflicts.update()
        .where(conflicts.c.conflict_id == conflict_id, conflicts.c.audited_at != audit)
        .values(occurrences=conflicts.c.occurrences + 1, audited_at=audit)
    )
    query = sa.select(conflicts.c.occurrences).where(conflicts.c.conflict_id == conflict_id)
    return int(connection.scalar(query) or 0)


def first_found(connection: sa.Connection, conflict_id: str, audit: str) -> None:
    """Note that an audit was the first to find a conflict: it does not count twice."""
    connection.execute(
        conflicts.update()
        .where(conflicts.c.conflict_id == conflict_id, conflicts.c.audited_at == "")
        .values(audited_at=audit)
    )


def get(connection: sa.Connection, conflict_id: str) -> Known | None:
    """A conflict that was recorded before."""
    query = sa.select(conflicts).where(conflicts.c.conflict_id == conflict_id)
    found = _known(connection, query)
    return found[0] if found else None


def of_partition(connection: sa.Connection, partition: Partition) -> list[Known]:
    """The conflicts found in a partition, by id."""
    return _known(
        connection,
        sa.select(conflicts).where(
            conflicts.c.creator == partition.creator, conflicts.c.day == partition.day
        ),
    )


def holding(connection: sa.Connection) -> list[Known]:
    """The conflicts that ask for a hold and are not over, by id."""
    asking = conflicts.c.action.in_(["block", "quarantine"])
    return _known(connection, sa.select(conflicts).where(asking))


def about(connection: sa.Connection, subject_ids: Sequence[str]) -> list[Known]:
    """The conflicts that any of these documents is in, by id."""
    names: set[str] = set()
    for start in range(0, len(subject_ids), _AT_ONCE):
        some = list(subject_ids[start : start + _AT_ONCE])
        query = sa.select(conflict_members.c.conflict_id)
        names.update(connection.scalars(query.where(conflict_members.c.subject_id.in_(some))))
    listed = sorted(names)
    return [
        known
        for start in range(0, len(listed), _AT_ONCE)
        for known in _known(
            connection,
            sa.select(conflicts).where(
                conflicts.c.conflict_id.in_(listed[start : start + _AT_ONCE])
            ),
        )
    ]


def report(connection: sa.Connection, known: Known) -> ConflictResolution:
    """A recorded conflict as it was reported."""
    packet = by_id(connection, known.packet_id)
    assert packet is not None
    return ConflictResolution.parse(packet.payload)


def _known(connection: sa.Connection, query: sa.Select[tuple[str, ...]]) -> list[Known]:
    rows = connection.execute(query.order_by(conflicts.c.conflict_id)).all()
    members: dict[str, list[str]] = {row.conflict_id: [] for row in rows}
    if members:
        found = connection.execute(
            sa.select(conflict_members.c.conflict_id, conflict_members.c.subject_id)
            .where(conflict_members.c.conflict_id.in_(list(members)))
            .order_by(conflict_members.c.conflict_id, conflict_members.c.position)
        )
        for row in found:
            members[row.conflict_id].append(row.subject_id)
    return [
        Known(
            row.conflict_id,
            row.packet_id,
            Partition(row.creator, row.day),
            row.action,
            row.occurrences,
            row.detected_at,
            tuple(members[row.conflict_id]),
        )
        for row in rows
    ]


def _about(connection: sa.Connection, packet_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for start in range(0, len(packet_ids), _AT_ONCE):
        some = list(packet_ids[start : start + _AT_ONCE])
        query = sa.select(packets.c.packet_id, packets.c.emitted_at, packets.c.subject_id)
        for row in connection.execute(query.where(packets.c.packet_id.in_(some))):
            found[row.packet_id] = (row.emitted_at, row.subject_id)
    return found
