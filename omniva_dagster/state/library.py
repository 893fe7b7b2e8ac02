"""Which videos Atlas holds, and what sources said about those it does not."""

from __future__ import annotations

import sqlalchemy as sa

from omniva_dagster.contracts.video import VideoAsset
from omniva_dagster.state.outbox import by_id
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import listings, packets, videos


def add_video(
    connection: sa.Connection, partition: Partition, video: VideoAsset, packet_id: str
) -> None:
    """Note that Atlas holds a video, under its partition, for good."""
    known = connection.scalar(
        sa.select(videos.c.video_id).where(videos.c.video_id == video.video_id)
    )
    if known is None:
        connection.execute(
            videos.insert().values(
                video_id=video.video_id,
                creator=partition.creator,
                day=partition.day,
                sha256=video.sha256,
                source_url=video.source_url,
                packet_id=packet_id,
            )
        )


def videos_of(connection: sa.Connection, partition: Partition) -> list[tuple[VideoAsset, str]]:
    """The videos of a partition with their packets, by id."""
    rows = connection.execute(
        sa.select(videos.c.packet_id)
        .where(videos.c.creator == partition.creator, videos.c.day == partition.day)
        .order_by(videos.c.video_id)
    )
    found = []
    for row in rows:
        packet = by_id(connection, row.packet_id)
        assert packet is not None
        found.append((VideoAsset.parse(packet.payload), row.packet_id))
    return found


def holder_of(connection: sa.Connection, creator: str, sha256: str) -> str | None:
    """The id of the creator's video with these bytes."""
    return connection.scalar(
        sa.select(videos.c.video_id).where(videos.c.creator == creator, videos.c.sha256 == sha256)
    )


def has_video(connection: sa.Connection, video_id: str) -> Partition | None:
    """The partition that holds a video, if Atlas has it."""
    row = connection.execute(
        sa.select(videos.c.creator, videos.c.day).where(videos.c.video_id == video_id)
    ).first()
    return Partition(row.creator, row.day) if row else None


def listing(connection: sa.Connection, url: str) -> str | None:
    """What a page said when it was last read, as JSON text."""
    return connection.scalar(sa.select(listings.c.body).where(listings.c.url == url))


def put_listing(connection: sa.Connection, url: str, body: str, at: str) -> None:
    """Remember what a page said."""
    connection.execute(listings.delete().where(listings.c.url == url))
    connection.execute(listings.insert().values(url=url, body=body, seen_at=at))


def packet_count(connection: sa.Connection) -> int:
    """How many packets the outbox holds."""
    return int(connection.scalar(sa.select(sa.func.count()).select_from(packets)) or 0)
