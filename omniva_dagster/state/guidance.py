"""What Horizon learns from and what it said: engagement as observed, guidance by creator, day."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from omniva_dagster.contracts.cognition.horizon import EngagementRecord
from omniva_dagster.state.publishing import PUBLISHED
from omniva_dagster.state.tables import engagement, guidance, promotions, publications, slots

_AT_ONCE = 500


@dataclass(frozen=True)
class Observation:
    """How a clip did when somebody counted, and the packet that says so."""

    record: EngagementRecord
    packet_id: str


@dataclass(frozen=True)
class Published:
    """A clip that went out, its slot, and the packet of its receipt."""

    clip_id: str
    slot: str
    packet_id: str


@dataclass(frozen=True)
class Recorded:
    """Guidance as it was recorded for a creator and day."""

    creator: str
    day: str
    made_at: str
    goals_digest: str
    turned_at: str
    packet_id: str
    body: dict[str, Any]


def observe(
    connection: sa.Connection, creator: str, record: EngagementRecord, packet_id: str
) -> None:
    """Note an observation that is not there yet."""
    connection.execute(
        engagement.insert().values(
            clip_id=record.clip_id,
            platform=record.platform.value,
            observed_at=record.observed_at,
            creator=creator,
            published_at=record.published_at,
            packet_id=packet_id,
            body=record.model_dump_json(exclude_none=True),
        )
    )


def observed(connection: sa.Connection, record: EngagementRecord) -> EngagementRecord | None:
    """What is noted of the same clip, platform and moment."""
    body = connection.scalar(
        sa.select(engagement.c.body).where(
            engagement.c.clip_id == record.clip_id,
            engagement.c.platform == record.platform.value,
            engagement.c.observed_at == record.observed_at,
        )
    )
    return EngagementRecord.parse(body) if body else None


def history(
    connection: sa.Connection, creator: str, since: str, limit: int = 20_000
) -> list[Observation]:
    """Observations of a creator's clips that went out since, the newest clips' if there are more
    than ``limit``; oldest first, and of a clip in the order in which they were made."""
    rows = connection.execute(
        sa.select(engagement.c.body, engagement.c.packet_id)
        .where(engagement.c.creator == creator, engagement.c.published_at >= since)
        .order_by(
            engagement.c.published_at.desc(),
            engagement.c.clip_id.desc(),
            engagement.c.observed_at.desc(),
        )
        .limit(limit)
    ).all()
    return [Observation(EngagementRecord.parse(row.body), row.packet_id) for row in reversed(rows)]


def published(connection: sa.Connection, creator: str, since: str, until: str) -> list[Published]:
    """A creator's clips whose slots lie in a span of time and that went out; by slot."""
    rows = connection.execute(
        sa.select(slots.c.clip_id, slots.c.slot, sa.func.min(publications.c.packet_id).label("at"))
        .join(publications, publications.c.clip_id == slots.c.clip_id)
        .where(
            slots.c.creator == creator,
            slots.c.slot >= since,
            slots.c.slot < until,
            publications.c.status == PUBLISHED,
        )
        .group_by(slots.c.clip_id, slots.c.slot)
        .order_by(slots.c.slot)
    )
    return [Published(row.clip_id, row.slot, row.at) for row in rows]


def creators_of(connection: sa.Connection, clip_ids: Iterable[str]) -> dict[str, str]:
    """Whose each of these clips is, of those that were given a slot."""
    wanted = sorted(set(clip_ids))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows = connection.execute(
            sa.select(slots.c.clip_id, slots.c.creator).where(
                slots.c.clip_id.in_(wanted[start : start + _AT_ONCE])
            )
        )
        found.update({row.clip_id: row.creator for row in rows})
    return found


def tags_of(connection: sa.Connection, clip_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What each of these clips is about, of those that are ours."""
    wanted = sorted(set(clip_ids))
    found: dict[str, tuple[str, ...]] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows = connection.execute(
            sa.select(promotions.c.clip_id, promotions.c.body).where(
                promotions.c.clip_id.in_(wanted[start : start + _AT_ONCE])
            )
        )
        found.update({row.clip_id: tuple(json.loads(row.body)["semantic_tags"]) for row in rows})
    return found


def receipts_of(connection: sa.Connection, clip_ids: Iterable[str]) -> dict[str, str]:
    """The packets of the receipts of these clips, of those that went out."""
    wanted = sorted(set(clip_ids))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows = connection.execute(
            sa.select(publications.c.clip_id, publications.c.packet_id)
            .where(
                publications.c.clip_id.in_(wanted[start : start + _AT_ONCE]),
                publications.c.packet_id != "",
            )
            .order_by(publications.c.target)
        )
        for row in rows:
            found.setdefault(row.clip_id, row.packet_id)
    return found


def put(connection: sa.Connection, recorded: Recorded) -> None:
    """Add guidance; the newest of a creator's day is the one that counts."""
    connection.execute(
        guidance.insert().values(
            creator=recorded.creator,
            day=recorded.day,
            made_at=recorded.made_at,
            goals_digest=recorded.goals_digest,
            turned_at=recorded.turned_at,
            packet_id=recorded.packet_id,
            body=json.dumps(recorded.body, sort_keys=True),
        )
    )


def latest(connection: sa.Connection, creator: str, until: str, since: str = "") -> Recorded | None:
    """The newest guidance of a creator for a day up to ``until`` (and not before ``since``)."""
    row = connection.execute(
        sa.select(guidance)
        .where(guidance.c.creator == creator, guidance.c.day <= until, guidance.c.day >= since)
        .order_by(guidance.c.day.desc(), guidance.c.sequence.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return Recorded(
        row.creator,
        row.day,
        row.made_at,
        row.goals_digest,
        row.turned_at,
        row.packet_id,
        json.loads(row.body),
    )
