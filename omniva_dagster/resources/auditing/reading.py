"""Every packet there is, as tables of a DuckDB of the audit's own, in bounded memory.

``nodes``: a row a packet, numbered in the order of the log (``place``), those that wait in the
outbox after all others. ``edges``: a row for each parent that a packet names. ``documents``: what
packets say that Paradox compares, a column a field.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from omniva_dagster.stardust.duck import opened
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.state.tables import packet_queue, packets

if TYPE_CHECKING:
    import duckdb

    from omniva_dagster.state.store import Store

MEMORY = "1500MB"
_ATTEMPTS = 3
_AT_ONCE = 5_000
# What of each type of message is compared.
FIELDS = {
    "VideoAsset": (
        *("video_id", "job_id", "sha256", "uploaded_at", "ingested_at"),
        *("title", "duration_seconds"),
    ),
    "ScraperJob": ("job_id", "target_url", "since", "until", "created_at"),
    "ClipCandidate": ("clip_id", "start_time", "end_time"),
    "ScheduleTask": ("clip_id", "recommended_time"),
    "UploadJob": ("clip_id", "title", "scheduled_time"),
    "RenderedClip": ("clip_id", "sha256", "rendered_at"),
    "PublicationReceipt": ("clip_id",),
    "Directive": ("directive_id", "kind", "evidence", "issued_at"),
}
_INSIDE = {"since": "requested_range.since", "until": "requested_range.until"}
_NAMES = tuple(dict.fromkeys(name for names in FIELDS.values() for name in names))
_OWN = ("message_type", "producer", "subject_id", "creator", "day", "emitted_at")
# One look at each message for all of its fields.
_DOCUMENTS = f"""
    SELECT place, packet_id, {", ".join(_OWN)},
           {", ".join(f"said[{n}] AS {name}" for n, name in enumerate(_NAMES, 1))}
    FROM (
        SELECT place, packet_id, {", ".join(_OWN)}, json_extract_string(message, $paths) AS said
        FROM {{source}} WHERE message_type IN (SELECT unnest($types))
    )
"""  # noqa: S608
_SECONDS = "epoch(TRY_CAST(emitted_at AS TIMESTAMP))::BIGINT"


@contextmanager
def everything(store: Store, layout: Layout) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with all packets that are recorded by now, gone afterwards.

    Files that sealing replaces while they are read are read again, as they are then.
    """
    import duckdb

    for attempt in range(_ATTEMPTS):
        with TemporaryDirectory(prefix="omniva-audit-") as scratch:
            try:
                database = _loaded(store, layout, Path(scratch))
            except (duckdb.IOException, FileNotFoundError):
                if attempt == _ATTEMPTS - 1:
                    raise
                continue
            try:
                yield database
            finally:
                database.close()
            return


def _loaded(store: Store, layout: Layout, scratch: Path) -> duckdb.DuckDBPyConnection:
    # First what waits, then the files: what is sequenced meanwhile is in both, and taken once.
    waiting = scratch / "waiting.parquet"
    _write_waiting(store, waiting)
    files = sorted(map(str, layout.packets.glob("date=*/*.parquet")))
    database = opened(
        str(scratch / "audit.duckdb"),
        memory_limit=MEMORY,
        temp_directory=str(scratch / "spilled"),
        preserve_insertion_order="false",
    )
    database.execute("SET TimeZone = 'UTC'")
    texts = ", ".join(f"{name} VARCHAR" for name in (*_OWN, *_NAMES))
    database.execute(
        "CREATE TABLE nodes (place BIGINT, packet_id UUID, second BIGINT, event BOOLEAN)"
    )
    database.execute("CREATE TABLE edges (child BIGINT, parent UUID, missing BOOLEAN)")
    database.execute(f"CREATE TABLE documents (place BIGINT, packet_id VARCHAR, {texts})")
    if files:
        source = (
            "(SELECT *, leaf_index AS place FROM read_parquet($files, hive_partitioning=false))"
        )
        _take(database, source, {"files": files})
    (last,) = database.execute("SELECT coalesce(max(place), -1) FROM nodes").fetchone() or (-1,)
    # Numbered without gaps: what is left of them after the others were taken.
    database.execute(
        "CREATE TABLE unplaced AS SELECT w.* REPLACE ($last + row_number() OVER (ORDER BY place) "
        "AS place) FROM read_parquet($path) AS w ANTI JOIN nodes "
        "ON w.packet_id::UUID = nodes.packet_id",
        {"last": last, "path": str(waiting)},
    )
    _take(database, "unplaced", {})
    return database


def _take(database: duckdb.DuckDBPyConnection, source: str, given: dict[str, Any]) -> None:
    """Add the packets of a source to the three tables."""
    database.execute(
        f"INSERT INTO nodes SELECT place, packet_id::UUID, {_SECONDS}, "  # noqa: S608
        f"message_type = 'DagsterEvent' FROM {source}",
        given,
    )
    database.execute(
        "INSERT INTO edges SELECT place, parent::UUID, list_contains(missing_parents, parent) "  # noqa: S608
        f"FROM (SELECT place, missing_parents, unnest(parents) AS parent FROM {source})",
        given,
    )
    paths = [f"$.payload.{_INSIDE.get(name, name)}" for name in _NAMES]
    database.execute(
        "INSERT INTO documents " + _DOCUMENTS.format(source=source),
        {**given, "paths": paths, "types": list(FIELDS)},
    )


def _write_waiting(store: Store, path: Path) -> None:
    """Write the packets that wait for a place to a Parquet file, some thousand at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = pa.list_(pa.string())
    schema = pa.schema(
        [
            ("place", pa.int64()),
            *((name, pa.string()) for name in ("packet_id", *_OWN, "message")),
            *((name, texts) for name in ("parents", "missing_parents")),
        ]
    )
    query = (
        sa.select(packets)
        .join(packet_queue, packet_queue.c.sequence == packets.c.sequence)
        .order_by(packets.c.sequence)
    )
    with store.read() as connection, pq.ParquetWriter(path, schema) as writer:
        rows = connection.execution_options(yield_per=_AT_ONCE).execute(query)
        for part in rows.partitions(_AT_ONCE):
            found = [row for recorded in part if (row := _row(recorded)) is not None]
            writer.write_table(pa.Table.from_pylist(found, schema=schema))


def _row(recorded: Any) -> dict[str, Any] | None:
    """A row of the outbox as one of the ledger's; None for what is no message any more, which
    the sequencer holds back and Stardust reports."""
    try:
        parents = orjson.loads(recorded.body)["_meta_parents"]
    except (ValueError, TypeError, KeyError):
        return None
    names = ("packet_id", *_OWN)
    return {
        "place": recorded.sequence,
        "parents": list(parents),
        "missing_parents": [],
        "message": recorded.body,
        **{name: getattr(recorded, name) for name in names},
    }
