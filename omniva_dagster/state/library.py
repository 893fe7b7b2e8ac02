"""Which videos Atlas holds, and what sources said about those it does not."""

from __future__ import annotations

import sqlalchemy as sa

from omniva_dagster.contracts.video import VideoAsset
from omniva_dagster.state.outbox import by_id
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import analyses, listings, packets, videos


def add_video(
    connection: sa.Connection,
    partition: Partition,
    video: VideoAsset,
    packet_id: str,
    listed_at: str,
) -> None:
    """Note that Atlas holds a video, under its partition, for good, and where it was listed."""
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
                listed_at=listed_at,
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


def newest_videos(connection: sa.Connection, creator: str, most: int = 20) -> list[VideoAsset]:
    """A creator's videos of the latest days, newest first."""
    rows = connection.execute(
        sa.select(videos.c.packet_id)
        .where(videos.c.creator == creator)
        .order_by(videos.c.day.desc(), videos.c.video_id)
        .limit(most)
    )
    found = (by_id(connection, row.packet_id) for row in rows)
    return [VideoAsset.parse(packet.payload) for packet in found if packet]


def listed_as(connection: sa.Connection, creator: str, url: str) -> str | None:
    """The id of the creator's video that was listed at a URL, if Atlas holds it."""
    return connection.scalar(
        sa.select(videos.c.video_id).where(videos.c.creator == creator, videos.c.listed_at == url)
    )


def holder_of(connection: sa.Connection, creator: str, sha256: str) -> str | None:
    """The id of the creator's video with these bytes."""
    return connection.scalar(
        sa.select(videos.c.video_id).where(videos.c.creator == creator, videos.c.sha256 == sha256)
    )


def video(connection: sa.Connection, video_id: str) -> tuple[VideoAsset, str] | None:
    """A video that Atlas holds, with its packet."""
    packet_id = connection.scalar(
        sa.select(videos.c.packet_id).where(videos.c.video_id == video_id)
    )
    packet = by_id(connection, packet_id) if packet_id else None
    return (VideoAsset.parse(packet.payload), packet.packet_id) if packet else None


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


def set_analysis(connection: sa.Connection, video_id: str, key: str, packet_id: str) -> None:
    """Note where the sidecars of a video's current analysis are."""
    values = {"key": key, "packet_id": packet_id}
    here = analyses.c.video_id == video_id
    if not connection.execute(analyses.update().where(here).values(**values)).rowcount:
        connection.execute(analyses.insert().values(video_id=video_id, **values))


def analysis_key(connection: sa.Connection, video_id: str) -> str | None:
    """The Atlas key of the folder with a video's sidecars."""
    return connection.scalar(sa.select(analyses.c.key).where(analyses.c.video_id == video_id))


def packet_count(connection: sa.Connection) -> int:
    """How many packets the outbox holds."""
    return int(connection.scalar(sa.select(sa.func.count()).select_from(packets)) or 0)
