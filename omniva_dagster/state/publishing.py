"""Slots and publications: no slot twice, no clip posted twice."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from omniva_dagster.contracts.publishing import PublicationReceipt
from omniva_dagster.state.tables import publications, slots

CLAIMED, PUBLISHED = "CLAIMED", "PUBLISHED"


@dataclass(frozen=True)
class Publication:
    """A clip on its way to a target, or there."""

    clip_id: str
    target: str
    idempotency_key: str
    status: str
    receipt: PublicationReceipt | None
    packet_id: str


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
    """Note that a claimed publication is done."""
    connection.execute(
        publications.update()
        .where(publications.c.clip_id == receipt.clip_id, publications.c.target == receipt.target)
        .values(
            status=PUBLISHED,
            packet_id=packet_id,
            body=receipt.model_dump_json(exclude_none=True),
        )
    )


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
