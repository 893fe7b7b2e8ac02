"""What packets say against each other: candidates by SQL, to be judged by the engine.

Each query groups by what must not be there twice, so that only documents that may contradict each
other leave the database. What was said first of a video or a request counts, and what was said
last of a clip.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from omniva_dagster.engines import paradox
from omniva_dagster.engines.paradox.times import SKEW_SECONDS

if TYPE_CHECKING:
    import duckdb

# Documents of a kind that leave the database at most.
MOST = 20_000
Row = dict[str, Any]
_ONCE = """
    CREATE TABLE {name} AS SELECT * FROM documents WHERE {which}
    QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY place {order}) = 1
"""
_TABLES = (
    ("videos", "message_type = 'VideoAsset'", "video_id", "ASC"),
    ("jobs", "message_type = 'ScraperJob'", "job_id", "ASC"),
    ("promoted", "message_type = 'ClipCandidate' AND clip_id IS NOT NULL", "clip_id", "ASC"),
    ("promotions", "message_type = 'Directive' AND kind = 'promote'", "subject_id", "ASC"),
    ("rendered", "message_type = 'RenderedClip'", "clip_id", "DESC"),
    ("uploads", "message_type = 'UploadJob'", "clip_id", "DESC"),
    (
        "orders",
        "message_type = 'Directive' AND kind IN ('promote', 'release', 'hold', 'cancel')",
        "subject_id",
        "DESC",
    ),
    # A slot is given by a task, or by an order to go out at another time.
    (
        "tasks",
        "message_type = 'ScheduleTask' OR message_type = 'Directive' AND kind = 'reschedule' "
        "AND scheduled_time IS NOT NULL",
        "subject_id",
        "DESC",
    ),
)
_SECONDS = "epoch(TRY_CAST({} AS TIMESTAMP))"
_UPLOADED = _SECONDS.format("videos.uploaded_at")
_INGESTED = _SECONDS.format("videos.ingested_at")
_DAY = _SECONDS.format("videos.day")
_VIDEOS = f"""
    SELECT videos.*, jobs.target_url AS asked FROM videos
    LEFT JOIN jobs ON jobs.job_id = videos.job_id
    WHERE videos.sha256 IN (SELECT sha256 FROM videos GROUP BY sha256 HAVING count(*) > 1)
       OR videos.video_id IN (SELECT unnest($of_clips))
       OR {_UPLOADED} > {_INGESTED} + {SKEW_SECONDS}
       OR {_UPLOADED} NOT BETWEEN {_DAY} - {SKEW_SECONDS} AND {_DAY} + 86400 + {SKEW_SECONDS}
    ORDER BY videos.place LIMIT $most
"""  # noqa: S608
_COPIES = """
    CREATE TABLE sources AS
    SELECT video_id, 'file ' || sha256 AS source FROM videos
    UNION SELECT video_id, concat_ws(' ', 'title', creator, lower(title),
                                     round(duration_seconds::DOUBLE)) FROM videos
    UNION SELECT DISTINCT video_id, 'video ' || video_id FROM promotions
"""
# Sources of which one clip begins before an earlier one has ended.
_CLIPS = """
    WITH spans AS (
        SELECT promoted.*, promotions.video_id AS of_video, sources.source,
               promoted.start_time::DOUBLE AS begins, promoted.end_time::DOUBLE AS ends
        FROM promoted JOIN promotions ON promotions.subject_id = promoted.clip_id
        JOIN sources ON sources.video_id = promotions.video_id
    ), beside AS (
        SELECT *, max(ends) OVER (PARTITION BY source ORDER BY begins, clip_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) > begins AS is_over FROM spans
    )
    SELECT DISTINCT clip_id, of_video, start_time, end_time, emitted_at, packet_id FROM beside
    WHERE source IN (SELECT source FROM beside WHERE is_over)
    ORDER BY ALL LIMIT $most
"""
_SLOTS = """
    WITH standing AS (
        SELECT tasks.*, coalesce(tasks.recommended_time, tasks.scheduled_time) AS slot,
               rendered.rendered_at AS finished,
               tasks.subject_id IN (
                   SELECT clip_id FROM documents WHERE message_type = 'PublicationReceipt'
               ) AS published
        FROM tasks LEFT JOIN rendered ON rendered.clip_id = tasks.subject_id
        WHERE tasks.subject_id NOT IN (SELECT subject_id FROM orders WHERE kind = 'cancel')
    )
    SELECT * FROM standing
    WHERE (creator, slot) IN (
            SELECT (creator, slot) FROM standing GROUP BY creator, slot HAVING count(*) > 1)
       OR NOT published AND slot < finished
    ORDER BY place LIMIT $most
"""
_UPLOADS = """
    WITH prepared AS (
        SELECT uploads.*, rendered.sha256 AS media FROM uploads
        JOIN rendered ON rendered.clip_id = uploads.clip_id
        WHERE uploads.clip_id NOT IN (SELECT subject_id FROM orders WHERE kind = 'cancel')
    )
    SELECT * FROM prepared WHERE (creator, media) IN (
        SELECT (creator, media) FROM prepared GROUP BY creator, media HAVING count(*) > 1)
    ORDER BY place LIMIT $most
"""
_ORDERS = """
    WITH authority AS (
        SELECT *, kind IN ('hold', 'cancel') AS restrains FROM documents
        WHERE message_type = 'Directive' AND kind IN ('promote', 'release', 'hold', 'cancel')
    )
    SELECT * FROM authority WHERE (subject_id, evidence) IN (
        SELECT (subject_id, evidence) FROM authority
        GROUP BY subject_id, evidence HAVING count(DISTINCT restrains) > 1)
    ORDER BY place LIMIT $most
"""
_ADDRESSES = "SELECT DISTINCT creator, target_url FROM jobs WHERE target_url IS NOT NULL"
_JOBS = "SELECT * FROM jobs WHERE target_url IN (SELECT unnest($urls)) ORDER BY place LIMIT $most"


def candidates(
    database: duckdb.DuckDBPyConnection,
    rank: Callable[[str], str | None],
    was_requested: Callable[[str, str, str], bool],
) -> dict[str, Any]:
    """What may contradict each other, as the fields of Paradox's facts.

    ``rank`` says who followed a source first (None: that creator is archived, and asks no more),
    ``was_requested`` whether a creator's job for a day and an address was for one video.
    """
    for name, which, key, order in _TABLES:
        database.execute(_ONCE.format(name=name, which=which, key=key, order=order))
    database.execute(_COPIES)
    clips = _rows(database, _CLIPS)
    videos = _rows(database, _VIDEOS, of_clips=sorted({row["of_video"] for row in clips}))
    return {
        "videos": tuple(
            _video(row, was_requested(row["creator"] or "", row["day"] or "", row["asked"] or ""))
            for row in videos
        ),
        "clips": tuple(map(_clip, clips)),
        "slots": tuple(map(_slot, _rows(database, _SLOTS))),
        "uploads": tuple(map(_upload, _rows(database, _UPLOADS))),
        "orders": tuple(map(_order, _rows(database, _ORDERS))),
        "windows": _windows(database, rank),
    }


def _windows(
    database: duckdb.DuckDBPyConnection, rank: Callable[[str], str | None]
) -> tuple[paradox.Window, ...]:
    """Jobs about sources that several creators ask: how an address is written, SQL can't tell."""
    creators: dict[str, set[str]] = {}
    addresses: dict[str, list[str]] = {}
    for creator, url in database.execute(_ADDRESSES).fetchall():
        if creator and rank(creator) is not None:
            source = paradox.source_of(url)
            creators.setdefault(source, set()).add(creator)
            addresses.setdefault(source, []).append(url)
    urls = [url for source, who in creators.items() if len(who) > 1 for url in addresses[source]]
    if not urls:
        return ()
    rows = _rows(database, _JOBS, urls=sorted(set(urls)))
    return tuple(
        paradox.Window(
            row["job_id"],
            paradox.source_of(row["target_url"]),
            row["creator"],
            row["since"],
            row["until"],
            row["created_at"] or row["emitted_at"],
            row["packet_id"],
            standing,
        )
        for row in rows
        if row["creator"] and (standing := rank(row["creator"])) is not None
    )


def _video(row: Row, requested: bool) -> paradox.VideoFact:
    return paradox.VideoFact(
        subject_id=row["video_id"],
        video_id=row["video_id"],
        creator=row["creator"] or "",
        day=row["day"] or row["ingested_at"][:10],
        ingested_at=row["ingested_at"],
        packet_id=row["packet_id"],
        sha256=row["sha256"] or "",
        uploaded_at=row["uploaded_at"],
        # What has no day of its own is under no wrong one.
        requested=requested or not row["day"],
        title=row["title"] or "",
        duration=float(row["duration_seconds"] or 0),
    )


def _clip(row: Row) -> paradox.ClipFact:
    return paradox.ClipFact(
        row["clip_id"],
        row["of_video"],
        float(row["start_time"]),
        float(row["end_time"]),
        row["emitted_at"],
        row["packet_id"],
    )


def _slot(row: Row) -> paradox.SlotFact:
    return paradox.SlotFact(
        row["subject_id"],
        row["creator"] or "",
        row["slot"],
        row["emitted_at"],
        row["packet_id"],
        row["finished"],
        bool(row["published"]),
    )


def _upload(row: Row) -> paradox.UploadFact:
    return paradox.UploadFact(
        row["clip_id"],
        row["creator"] or "",
        row["title"] or "",
        row["emitted_at"],
        row["packet_id"],
        row["media"] or "",
    )


def _order(row: Row) -> paradox.Order:
    return paradox.Order(
        row["directive_id"],
        row["subject_id"],
        bool(row["restrains"]),
        tuple(orjson.loads(row["evidence"] or "[]")),
        row["issued_at"] or row["emitted_at"],
        row["packet_id"],
    )


def _rows(database: duckdb.DuckDBPyConnection, query: str, **given: Any) -> list[Row]:
    limits = {"most": MOST} if "$most" in query else {}
    cursor = database.execute(query, {**given, **limits})
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
