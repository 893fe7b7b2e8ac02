"""What a creator's clips are called: the titles that were given before."""

from __future__ import annotations

import json
from dataclasses import dataclass

import sqlalchemy as sa

from omniva_dagster.state.tables import packets, slots

_JOB, _BY = "UploadJob", "upload_jobs"


@dataclass(frozen=True)
class Titled:
    """A clip's title, and the packet that gives it."""

    clip_id: str
    title: str
    packet_id: str


def titles_before(connection: sa.Connection, creator: str, clip_id: str, most: int) -> list[Titled]:
    """The titles of the creator's clips that were first prepared before this one, among those of
    the ``most`` latest slots; by clip."""
    booked = (
        sa.select(slots.c.clip_id)
        .where(slots.c.creator == creator)
        .order_by(slots.c.slot.desc())
        .limit(most)
    )
    ids = {*connection.scalars(booked), clip_id}
    prepared = connection.execute(
        sa.select(
            packets.c.subject_id,
            sa.func.min(packets.c.sequence).label("first"),
            sa.func.max(packets.c.sequence).label("last"),
        )
        .where(
            packets.c.subject_id.in_(ids),
            packets.c.message_type == _JOB,
            packets.c.producer == _BY,
        )
        .group_by(packets.c.subject_id)
    ).all()
    own = next((row.first for row in prepared if row.subject_id == clip_id), None)
    earlier = [
        row.last
        for row in prepared
        if row.subject_id != clip_id and (own is None or row.first < own)
    ]
    bodies = connection.execute(
        sa.select(packets.c.body, packets.c.subject_id, packets.c.packet_id)
        .where(packets.c.sequence.in_(earlier))
        .order_by(packets.c.subject_id)
    )
    return [
        Titled(row.subject_id, json.loads(row.body)["payload"]["title"], row.packet_id)
        for row in bodies
    ]
