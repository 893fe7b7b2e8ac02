"""Slots and publications: no slot twice, no clip posted twice, and what is to be taken down.

A publication is CLAIMED before it is done and PUBLISHED after. Zenith's cancel makes it WITHDRAWING
in the transaction of the directive; it is WITHDRAWN when it is gone, and stays so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from omniva_dagster.contracts.publishing import PublicationReceipt
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import promotions, publications, slots

CLAIMED, PUBLISHED = "CLAIMED", "PUBLISHED"
WITHDRAWING, WITHDRAWN = "WITHDRAWING", "WITHDRAWN"
# Out there, or perhaps so: a claim may have been cut off on either side of the act.
POSTED = (CLAIMED, PUBLISHED)
# Not to be published any more.
RECALLED = (WITHDRAWING, WITHDRAWN)


@dataclass(frozen=True)
class Publication:
    """A clip on its way to a target, or there."""

    clip_id: str
    target: str
    idempotency_key: str
    status: str
    receipt: PublicationReceipt | None
    packet_id: str

    @property
    def gone(self) -> bool:
        """Whether it was taken down."""
        return self.status == WITHDRAWN


@dataclass(frozen=True)
class Standing:
    """A creator's clip and how it stands at a target; ``status`` is empty while it is planned.

    ``packet_id`` is that of the receipt, empty where there is none.
    """

    clip_id: str
    video_id: str
    partition: Partition
    target: str = ""
    status: str = ""
    idempotency_key: str = ""
    packet_id: str = ""


def slot_of(connection: sa.Connection, clip_id: str) -> str | None:
    """The slot of a clip (a UTC timestamp), if it has one."""
    return connection.scalar(sa.select(slots.c.slot).where(slots.c.clip_id == clip_id))


def slots_from(connection: sa.Connection, creator: str, moment: str) -> list[str]:
    """A creator's booked slots on the day of ``moment`` and later."""
    return list(
        connection.scalars(
            sa.select(slots.c.slot).where(slots.c.creator == creator, slots.c.slot >= moment[:10])
        )
    )


def book(connection: sa.Connection, creator: str, slot: str, clip_id: str) -> None:
    """Give a clip a slot; an integrity error if either is taken."""
    connection.execute(slots.insert().values(clip_id=clip_id, creator=creator, slot=slot))


def holder_of_slot(connection: sa.Connection, creator: str, slot: str) -> str | None:
    """The clip in a creator's slot, if one is."""
    return connection.scalar(
        sa.select(slots.c.clip_id).where(slots.c.creator == creator, slots.c.slot == slot)
    )


def rebook(connection: sa.Connection, slot: str, clip_id: str) -> None:
    """Move a clip to another slot; an integrity error if it is taken."""
    connection.execute(slots.update().where(slots.c.clip_id == clip_id).values(slot=slot))


def unbook(connection: sa.Connection, clip_id: str) -> None:
    """Give a clip's slot up; another clip may have it."""
    connection.execute(slots.delete().where(slots.c.clip_id == clip_id))


def booked_between(
    connection: sa.Connection, creator: str, since: str, until: str
) -> list[tuple[str, str]]:
    """The clips that have a creator's slots in [since, until), each with its slot; by slot."""
    rows = connection.execute(
        sa.select(slots.c.clip_id, slots.c.slot)
        .where(slots.c.creator == creator, slots.c.slot >= since, slots.c.slot < until)
        .order_by(slots.c.slot)
    )
    return [(row.clip_id, row.slot) for row in rows]


def claim(
    connection: sa.Connection, clip_id: str, target: str, idempotency_key: str
) -> Publication:
    """Note the intent to publish before doing it; what was noted or done before stands."""
    standing = publication(connection, clip_id, target)
    if standing is not None:
        return standing
    connection.execute(
        publications.insert().values(
            clip_id=clip_id,
            target=target,
            idempotency_key=idempotency_key,
            status=CLAIMED,
            packet_id="",
            body="",
        )
    )
    return Publication(clip_id, target, idempotency_key, CLAIMED, None, "")


def settle(connection: sa.Connection, receipt: PublicationReceipt, packet_id: str) -> None:
    """Note that a claimed publication is done; one that was recalled meanwhile stays recalled."""
    here = (publications.c.clip_id == receipt.clip_id) & (publications.c.target == receipt.target)
    connection.execute(
        publications.update()
        .where(here)
        .values(packet_id=packet_id, body=receipt.model_dump_json(exclude_none=True))
    )
    connection.execute(
        publications.update().where(here, publications.c.status == CLAIMED).values(status=PUBLISHED)
    )


def recall(connection: sa.Connection, clip_id: str) -> bool:
    """Note that what is posted of a clip is to be taken down; whether anything is.

    In the transaction of the cancel that it follows from.
    """
    recalled = connection.execute(
        publications.update()
        .where(publications.c.clip_id == clip_id, publications.c.status.in_(POSTED))
        .values(status=WITHDRAWING)
    ).rowcount
    return bool(recalled)


def keep(connection: sa.Connection, clip_id: str, target: str) -> None:
    """The cancel was lifted before it was carried out: the publication stands as before."""
    connection.execute(
        publications.update()
        .where(
            publications.c.clip_id == clip_id,
            publications.c.target == target,
            publications.c.status == WITHDRAWING,
        )
        .values(status=sa.case((publications.c.body == "", CLAIMED), else_=PUBLISHED))
    )


def withdrawn(connection: sa.Connection, clip_id: str, target: str) -> None:
    """Note that a recalled publication is gone. Its receipt stays."""
    connection.execute(
        publications.update()
        .where(publications.c.clip_id == clip_id, publications.c.target == target)
        .values(status=WITHDRAWN)
    )


def is_withdrawn(connection: sa.Connection, clip_id: str) -> bool:
    """Whether a clip was taken down somewhere: it is not posted there again."""
    query = sa.select(publications.c.target).where(
        publications.c.clip_id == clip_id, publications.c.status == WITHDRAWN
    )
    return connection.execute(query).first() is not None


def recalled(
    connection: sa.Connection, *, creator: str = "", clip_id: str = "", limit: int = 1000
) -> list[Standing]:
    """What is to be taken down (of a creator, or of one clip), in a stable order."""
    query = (
        _standings(promotions.join(publications, publications.c.clip_id == promotions.c.clip_id))
        .where(publications.c.status == WITHDRAWING)
        .order_by(publications.c.clip_id, publications.c.target)
        .limit(limit)
    )
    if creator:
        query = query.where(promotions.c.creator == creator)
    if clip_id:
        query = query.where(publications.c.clip_id == clip_id)
    return [_standing(row) for row in connection.execute(query)]


def clips_of(connection: sa.Connection, creator: str) -> list[Standing]:
    """All clips of a creator, planned and posted, by day."""
    query = (
        _standings(
            promotions.outerjoin(publications, publications.c.clip_id == promotions.c.clip_id)
        )
        .where(promotions.c.creator == creator)
        .order_by(promotions.c.day, promotions.c.clip_id, publications.c.target)
    )
    return [_standing(row) for row in connection.execute(query)]


def receipts_of(
    connection: sa.Connection, partition: Partition
) -> list[tuple[PublicationReceipt, str, str]]:
    """What of a partition is published and stands: receipt, its packet and the video, by clip."""
    rows = connection.execute(
        sa.select(publications.c.body, publications.c.packet_id, promotions.c.video_id)
        .join(promotions, promotions.c.clip_id == publications.c.clip_id)
        .where(
            promotions.c.creator == partition.creator,
            promotions.c.day == partition.day,
            publications.c.status == PUBLISHED,
        )
        .order_by(publications.c.clip_id, publications.c.target)
    )
    return [(PublicationReceipt.parse(row.body), row.packet_id, row.video_id) for row in rows]


def posted_of(connection: sa.Connection, creator: str) -> list[Standing]:
    """The clips of a creator that are out there, or perhaps so, by day."""
    return [item for item in clips_of(connection, creator) if item.status in POSTED]


def publication(connection: sa.Connection, clip_id: str, target: str) -> Publication | None:
    """How a clip stands at a target."""
    row = connection.execute(
        sa.select(publications).where(
            publications.c.clip_id == clip_id, publications.c.target == target
        )
    ).first()
    if row is None:
        return None
    receipt = PublicationReceipt.parse(row.body) if row.body else None
    return Publication(
        row.clip_id, row.target, row.idempotency_key, row.status, receipt, row.packet_id
    )


def _standings(source: sa.FromClause) -> sa.Select[Any]:
    return sa.select(
        promotions.c.clip_id,
        promotions.c.video_id,
        promotions.c.creator,
        promotions.c.day,
        publications.c.target,
        publications.c.status,
        publications.c.idempotency_key,
        publications.c.packet_id,
    ).select_from(source)


def _standing(row: sa.Row[Any]) -> Standing:
    clip_id, video_id, creator, day, *there = row
    return Standing(clip_id, video_id, Partition(creator, day), *(text or "" for text in there))
