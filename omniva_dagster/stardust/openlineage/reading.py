"""Dagster's mirrored events out of the ledger's files, run by run, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import chain, groupby, islice
from operator import attrgetter, itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orjson

from omniva_dagster.contracts.cognition.stardust import DagsterEvent
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.stardust.duck import opened
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout, leaves_of

if TYPE_CHECKING:
    import duckdb

_TYPE = DagsterEvent.__name__
_ATTEMPTS = 3
_BATCH = 2_000
_MEMORY = "512MB"
_MINE = f"""
    CREATE TEMP TABLE mine AS
    SELECT leaf_index, packet_id, trace_id, parents, content_hash, message
    FROM read_parquet($files, hive_partitioning = false) WHERE message_type = '{_TYPE}'
"""  # noqa: S608
# All of a run that anything new is told of: an event without the run's others says little.
_TOUCHED = f"""
    AND trace_id IN (SELECT trace_id FROM read_parquet($recent, hive_partitioning = false)
    WHERE message_type = '{_TYPE}')
"""  # noqa: S608
_OF_TRACE = " AND trace_id = $trace"
# Each event, and after it the materializations it came from. Rows, no lists: joins and sorting go
# to the disk when they don't fit in memory, aggregates of whole messages would not.
_RUNS = f"""
    WITH edges AS (
        SELECT leaf_index AS child, trace_id, unnest(parents) AS parent FROM mine
    ),
    made AS (
        SELECT packet_id, leaf_index, content_hash, message
        FROM read_parquet($files, hive_partitioning = false)
        WHERE message_type = '{_TYPE}' AND packet_id IN (SELECT parent FROM edges)
        AND json_extract_string(message, '$.payload.kind') = 'ASSET_MATERIALIZATION'
    ),
    told AS (
        SELECT trace_id, leaf_index AS child, -1 AS leaf_index, packet_id, content_hash, message
        FROM mine
        UNION ALL
        SELECT edges.trace_id, edges.child, made.leaf_index, made.packet_id, made.content_hash,
            made.message
        FROM edges JOIN made ON made.packet_id = edges.parent
    ),
    runs AS (SELECT trace_id, min(leaf_index) AS first FROM mine GROUP BY trace_id)
    SELECT child, leaf_index, packet_id, trace_id, content_hash, message
    FROM told JOIN runs USING (trace_id) ORDER BY runs.first, child, leaf_index
"""  # noqa: S608


@dataclass(frozen=True)
class Mirrored:
    """An event of Dagster's as the ledger has it; ``inputs`` are the materializations it used."""

    packet_id: str
    trace_id: str
    leaf_index: int
    event: DagsterEvent
    inputs: tuple[DagsterEvent, ...] = ()


def runs_of(
    layout: Layout, *, since: date | None = None, trace_id: str = ""
) -> Iterator[list[Mirrored]]:
    """The events of a run at a time, runs in the order in which the log first tells of them.

    ``since`` leaves out runs that nothing was told of from that day (of sequencing, UTC) on;
    ``trace_id`` leaves out all others. Raises `LedgerError` where the files can't be read or don't
    hold what they should.
    """
    with _working() as database:
        rows = _rows(database, layout, since, trace_id)
        events = (_mirrored(list(told)) for _, told in groupby(rows, key=itemgetter("child")))
        for _, run in groupby(events, key=attrgetter("trace_id")):
            yield list(run)


def _rows(
    database: duckdb.DuckDBPyConnection, layout: Layout, since: date | None, trace_id: str
) -> Iterator[dict[str, Any]]:
    import duckdb
    import pyarrow as pa

    try:
        first, others = _begun(database, layout, since, trace_id)
        for batch in chain(first, others):
            yield from batch.to_pylist()
    except (duckdb.IOException, OSError) as error:
        raise LedgerError(f"the ledger can't be read: {error}") from None
    except (duckdb.Error, pa.ArrowException, UnicodeError) as error:
        raise LedgerError(f"a file is damaged, run `omniva ledger verify`: {error}") from None


def _begun(
    database: duckdb.DuckDBPyConnection, layout: Layout, since: date | None, trace_id: str
) -> tuple[list[Any], Any]:
    """The first batch and those to come: when it is there, all files have been read and sorted."""
    import duckdb

    for attempt in range(_ATTEMPTS):
        try:
            reader = _asked(database, layout, since, trace_id)
            return list(islice(reader, 1)), reader
        except (duckdb.IOException, FileNotFoundError):
            # Sealing puts other files in the place of a day's.
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _asked(
    database: duckdb.DuckDBPyConnection, layout: Layout, since: date | None, trace_id: str
) -> Iterator[Any]:
    files = _files(layout)
    asked: dict[str, Any] = {"files": [str(path) for path in files]}
    query = _MINE
    if since is not None:
        recent = [str(path) for path in files if path.parent.name >= f"date={since}"]
        if not recent:
            return iter(())
        query, asked["recent"] = query + _TOUCHED, recent
    if trace_id:
        query, asked["trace"] = query + _OF_TRACE, trace_id
    if not files:
        return iter(())
    database.execute("DROP TABLE IF EXISTS mine")
    database.execute(query, asked)
    answer: Any = database.sql(_RUNS, params={"files": asked["files"]})
    return iter(answer.to_arrow_reader(_BATCH))


@contextmanager
def _working() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that puts on disk what does not fit in its memory."""
    with (
        TemporaryDirectory(prefix="omniva-export-") as scratch,
        opened(memory_limit=_MEMORY, temp_directory=scratch) as database,
    ):
        yield database


def _files(layout: Layout) -> list[Path]:
    return [
        path
        for day in layout.dates()
        for path in sorted(layout.day(day).iterdir())
        if leaves_of(path.name)
    ]


def _mirrored(told: list[dict[str, Any]]) -> Mirrored:
    own, *used = told
    return Mirrored(
        own["packet_id"],
        own["trace_id"],
        own["child"],
        _event(own, own["child"]),
        tuple(_event(row, row["leaf_index"]) for row in used),
    )


def _event(row: dict[str, Any], leaf: int) -> DagsterEvent:
    if sha256(row["message"].encode()).hexdigest() != row["content_hash"]:
        raise LedgerError(f"leaf {leaf}: not the message it was: run `omniva ledger verify`")
    try:
        return DagsterEvent.parse(orjson.loads(row["message"])["payload"])
    except (ContractError, ValueError, KeyError, TypeError) as error:
        raise LedgerError(
            f"leaf {leaf}: not a DagsterEvent that this version can read: {error}; "
            "run `omniva ledger verify`, or a newer omniva"
        ) from None
