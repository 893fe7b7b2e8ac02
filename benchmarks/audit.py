"""What Paradox's hourly audit costs over a long past: time and memory, in a process of its own.

The past is made by DuckDB straight into the ledger's Parquet files: for every video its job, its
file and analysis, and six clips with all that became of them: 70 packets with 105 edges, messages
of about the contracts' size. Into it are planted a circle, a packet that came from nowhere, one
older than its parent, two videos with one file, two clips in one slot and two near-identical clips:
the audit must find exactly these.

Run: python -m benchmarks.audit [--edges 1000000] [--folder DIR]
10 million edges need about 8 GB under the folder and under that for temporary files.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.stardust.entries import COLUMNS, arrow_schema

CREATORS, CLIPS = 200, 6
START = "2025-01-01"
VIDEOS_AT_ONCE = 10_000
# Each message of a video, and of a clip: the places of what it came from, and what it says.
# A negative place is a message of the video, counted from its end.
OF_VIDEO: tuple[tuple[str, tuple[int, ...], str], ...] = (
    (
        "ScraperJob",
        (),
        """{"job_id": uid('j', v), "target_url": 'https://c' || (v % 200) || '.example/feed',
            "requested_range": {"since": stamp(day), "until": stamp(day + INTERVAL 1 DAY)},
            "created_at": stamp(held)}""",
    ),
    ("RawCapture", (0,), """{"video_id": uid('v', v)}"""),
    (
        "VideoAsset",
        (1,),
        """{"video_id": uid('v', v), "job_id": uid('j', v),
            "sha256": md5('s' || v) || md5('t' || v), "title": 'Video number ' || v,
            "duration_seconds": 600 + v % 977 + 0.5,
            "uploaded_at": stamp(day + INTERVAL 10 HOUR), "ingested_at": stamp(held)}""",
    ),
    ("AnalysisResult", (2,), """{"video_id": uid('v', v)}"""),
)
OF_CLIP: tuple[tuple[str, tuple[int, ...], str], ...] = (
    ("ClipCandidate", (-1,), """{"start_time": 90.0 * c, "end_time": 90.0 * c + 30}"""),
    (
        "Directive",
        (0,),
        """{"directive_id": uid('d', v, c), "kind": 'promote', "video_id": uid('v', v),
            "evidence": [uid('p', v, 4 + 11 * c)], "issued_at": stamp(held)}""",
    ),
    (
        "ClipCandidate",
        (0, 1),
        """{"clip_id": uid('c', v, c), "start_time": 90.0 * c, "end_time": 90.0 * c + 30}""",
    ),
    ("EditJob", (1, 2), """{"clip_id": uid('c', v, c)}"""),
    ("OperationGraph", (3,), """{"clip_id": uid('c', v, c)}"""),
    (
        "RenderedClip",
        (3, 4),
        """{"clip_id": uid('c', v, c), "sha256": md5('r' || v || c) || md5('q' || v || c),
            "rendered_at": stamp(held)}""",
    ),
    (
        "ScheduleTask",
        (5,),
        """{"clip_id": uid('c', v, c),
            "recommended_time": stamp(held + INTERVAL 1 DAY + c * INTERVAL 3 HOUR)}""",
    ),
    ("StyledMetadata", (6,), """{"clip_id": uid('c', v, c)}"""),
    (
        "UploadJob",
        (6, 7),
        """{"clip_id": uid('c', v, c), "title": 'Clip ' || c || ' of ' || v,
            "scheduled_time": stamp(held + INTERVAL 1 DAY + c * INTERVAL 3 HOUR)}""",
    ),
    ("PublicationReceipt", (1, 8, 5), """{"clip_id": uid('c', v, c)}"""),
    ("Outcome", (9,), """{"subject_id": uid('c', v, c), "stage": 'publications'}"""),
)
PACKETS = len(OF_VIDEO) + CLIPS * len(OF_CLIP)
EDGES = sum(len(parents) for _, parents, _ in OF_VIDEO) + CLIPS * sum(
    len(parents) for _, parents, _ in OF_CLIP
)
EXPECTED = {
    "child_before_parent", "circular_lineage", "near_identical_clips", "one_slot", "same_file",
}  # fmt: skip
MACROS = """
    CREATE MACRO shaped(h) AS substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3)
        || '-a' || substr(h, 18, 3) || '-' || substr(h, 21, 12);
    CREATE MACRO uid(k, v, n := 0) AS shaped(md5(k || '/' || v || '/' || n));
    CREATE MACRO stamp(t) AS strftime(t, '%Y-%m-%dT%H:%M:%SZ');
"""


ROWS = f"""
    WITH videos AS (
        SELECT v, 0 AS c, TIMESTAMP '{START}' + (v // {CREATORS}) * INTERVAL 1 DAY AS day,
               day + INTERVAL 1 DAY + INTERVAL 6 HOUR AS held
        FROM range($first, $after) AS r(v)
    ), clips AS (
        SELECT videos.* REPLACE (k.c AS c) FROM videos, range({CLIPS}) AS k(c)
    )
    SELECT $columns FROM ($united) ORDER BY leaf_index
"""  # noqa: S608


def generate(folder: Path, videos: int) -> None:
    """The ledger's files, and an empty state store beside them."""
    from omniva_dagster.stardust.duck import opened
    from omniva_dagster.state.store import Store

    Store(f"sqlite:///{folder / 'state.db'}").migrate()
    day = folder / "ledger/packets/date=2026-11-01"
    day.mkdir(parents=True)
    database = opened(memory_limit="2GB", temp_directory=str(folder), threads=1)
    database.execute(MACROS)
    for first in range(0, videos, VIDEOS_AT_ONCE):
        after = min(videos, first + VIDEOS_AT_ONCE)
        places = f"{first * PACKETS:012d}-{after * PACKETS:012d}"
        database.execute(
            f"COPY ({_rows(first, after)}) TO '{day / places}.parquet' "
            "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 65536)"
        )
    plant(day, videos)


def _rows(first: int, after: int) -> str:
    parts = [
        _message("videos", place, *one, place=str(place)) for place, one in enumerate(OF_VIDEO)
    ]
    parts += [
        _message("clips", place, *one, place=f"({len(OF_VIDEO)} + {len(OF_CLIP)} * c + {place})")
        for place, one in enumerate(OF_CLIP)
    ]
    values = {
        "$first": str(first),
        "$after": str(after),
        "$columns": ", ".join(COLUMNS),
        "$united": " UNION ALL ".join(parts),
    }
    query = ROWS
    for name, value in values.items():
        query = query.replace(name, value)
    return query


def _message(
    table: str, number: int, kind: str, parents: tuple[int, ...], says: str, *, place: str
) -> str:
    of_clip = table == "clips"
    before = [
        str(len(OF_VIDEO) + one)
        if one < 0
        else f"({len(OF_VIDEO)} + {len(OF_CLIP)} * c + {one})"
        if of_clip
        else str(one)
        for one in parents
    ]
    named = ", ".join(f"uid('p', v, {one})" for one in before)
    subject = "uid('c', v, c)" if of_clip else "uid('j', v)" if number == 0 else "uid('v', v)"
    salted = " || ".join(f"md5('{n}' || v || '/' || c)" for n in range(12))
    return f"""
        SELECT v * {PACKETS} + {place} AS leaf_index, uid('p', v, {place}) AS packet_id,
               uid('t', v) AS trace_id, 'k/' || v || '/' || {place} AS source_key,
               '{kind}' AS message_type, '1.0.0' AS message_version, 'bench' AS producer,
               {subject} AS subject_id, 'creator-' || (v % {CREATORS}) AS creator,
               strftime(day, '%Y-%m-%d') AS day,
               stamp(held + {place} * INTERVAL 1 SECOND) AS emitted_at,
               stamp(held) AS sequenced_at, [{named}]::VARCHAR[] AS parents,
               []::VARCHAR[] AS missing_parents, md5('h' || v) AS content_hash,
               '1.1.0' AS schema_version,
               to_json({{"_meta_parents": [{named}]::VARCHAR[], "message_type": '{kind}',
                   "payload": {says}, "notes": {salted}}})::VARCHAR AS message
        FROM {table}
    """  # noqa: S608


def plant(day: Path, videos: int) -> None:
    """What the audit is to find."""
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq

    ask = duckdb.connect()
    ask.execute(MACROS)

    def uid(key: str, n: int = 0) -> str:
        return str(ask.execute(f"SELECT uid('{key}', 0, {n})").fetchall()[0][0])

    held = datetime.fromisoformat(START).replace(tzinfo=UTC) + timedelta(hours=30)

    def stamp(**later: int) -> str:
        return (held + timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%SZ")

    (file,) = ask.execute("SELECT md5('s0') || md5('t0')").fetchall()[0]
    a, b, c, d = (derive_id("planted", n) for n in range(4))
    copy, twin, booked = (derive_id("planted", name) for name in ("copy", "twin", "booked"))
    order = {"directive_id": d, "kind": "promote", "video_id": uid("v"), "evidence": [d]}
    span = {"clip_id": twin, "start_time": 1.5, "end_time": 31.0}
    asset = {
        "video_id": copy, "sha256": file, "title": "Another name", "duration_seconds": 5.0,
        "ingested_at": stamp(days=9), "uploaded_at": stamp(hours=-20), "job_id": d,
    }  # fmt: skip
    planted: list[tuple[str, str, str, list[str], str, dict[str, Any]]] = [
        (a, "TelemetrySample", a, [b], stamp(days=1), {}),
        (b, "TelemetrySample", b, [a], stamp(days=1), {}),
        (c, "TelemetrySample", c, [uid("p", 3)], stamp(days=-1), {}),
        (d, "TelemetrySample", d, [derive_id("nowhere")], stamp(days=1), {}),
        (derive_id("p", 1), "VideoAsset", copy, [], stamp(days=9), asset),
        (derive_id("p", 2), "Directive", twin, [], stamp(days=2), order),
        (derive_id("p", 3), "ClipCandidate", twin, [], stamp(days=2), span),
        (derive_id("p", 4), "ScheduleTask", booked, [], stamp(days=2),
         {"clip_id": booked, "recommended_time": stamp(days=1, hours=3)}),
    ]  # fmt: skip
    leaf = videos * PACKETS
    rows = [
        {
            **dict.fromkeys(COLUMNS, "x"),
            "leaf_index": leaf + number,
            "packet_id": packet_id,
            "message_type": kind,
            "subject_id": subject,
            "creator": "creator-0",
            "day": START,
            "emitted_at": emitted_at,
            "parents": parents,
            "missing_parents": [],
            "message": json.dumps({"payload": payload}),
        }
        for number, (packet_id, kind, subject, parents, emitted_at, payload) in enumerate(planted)
    ]
    name = f"{leaf:012d}-{leaf + len(rows):012d}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=arrow_schema()), day / name)


def audited(folder: Path, name: str) -> dict[str, Any]:
    """One audit: what it found, and what it took."""
    from omniva_dagster.resources.auditing.run import audit
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.state.store import Store

    store = Store(f"sqlite:///{folder / 'state.db'}")
    began, cpu = time.perf_counter(), time.process_time()
    done = audit(store, Layout(folder / "ledger"), name=name, now="2026-11-01T12:00:00Z")
    return {
        "packets": done.packets,
        "edges": done.edges,
        "wall": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rules": {item.conflict.found_by.split("/")[1].split("@")[0] for item in done.reported},
        "new": done.new,
        "inconsistencies": done.inconsistencies,
    }


def main() -> None:
    """Make a past, audit it twice, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--edges", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    videos = max(1, given.edges // EDGES)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="omniva-audit-bench-", dir=given.folder) as scratch:
        folder = Path(scratch)
        os.environ["TMPDIR"] = scratch
        with context.Pool(1) as pool:
            pool.apply(generate, (folder, videos))
        print(
            f"{'audit':8} {'packets':>11} {'edges':>11} {'wall s':>8} {'CPU s':>8} {'MB':>7}  found"
        )
        for name in ("first", "again"):
            with context.Pool(1) as pool:
                took = pool.apply(audited, (folder, name))
            assert took["rules"] == EXPECTED, took["rules"] ^ EXPECTED
            assert took["new"] == (len(EXPECTED) if name == "first" else 0), took
            assert took["inconsistencies"] == (name == "first"), took
            print(
                f"{name:8} {took['packets']:11,} {took['edges']:11,} {took['wall']:8.1f} "
                f"{took['cpu']:8.1f} {took['peak_mb']:7.0f}  {took['new']} new conflicts"
            )


if __name__ == "__main__":
    main()
