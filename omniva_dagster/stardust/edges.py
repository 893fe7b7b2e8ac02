"""Checking what rows can't say of themselves: ids that occur twice, and parents that don't exist.

A parent comes before its child in the log, because a packet is written only after its parents are;
so a log that passes holds no cycle either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from omniva_dagster.stardust.duck import opened
from omniva_dagster.stardust.findings import FORGED, RESTORE, Finding

if TYPE_CHECKING:
    import duckdb

_MEMORY = "1GB"
SHOWN = 20  # findings of a kind
_TWICE = """
    SELECT id::VARCHAR, min(leaf), max(leaf) FROM ids GROUP BY id HAVING count(*) > 1
    ORDER BY 2 LIMIT $shown
"""
_ORPHANS = """
    SELECT child, parent::VARCHAR, ids.leaf FROM edges LEFT JOIN ids ON ids.id = edges.parent
    WHERE ids.leaf IS NULL OR ids.leaf >= child ORDER BY child, parent LIMIT $shown
"""


def check_edges(files: Sequence[Path]) -> Iterator[Finding]:
    """Ids that occur twice and parents that are not there, in bounded memory.

    Call it only on files whose rows are right: it reads them with a reader that trusts them.
    """
    if not files:
        return
    with (
        TemporaryDirectory(prefix="omniva-verify-") as scratch,
        scratch_database(scratch) as database,
    ):
        _load(database, [str(path) for path in files])
        for packet_id, first, second in _rows(database, _TWICE):
            problem = f"has the id that leaf {first} has too"
            yield Finding("packets", problem, FORGED, leaf=second, packet_id=packet_id)
        for child, parent, leaf in _rows(database, _ORPHANS):
            where = "is in no file" if leaf is None else f"comes only later, as leaf {leaf}"
            problem = f"its parent {parent} {where}, and is not among missing_parents"
            yield Finding("packets", problem, RESTORE, leaf=child, field="parents")


def scratch_database(scratch: str) -> duckdb.DuckDBPyConnection:
    """A DuckDB of a verification's own, which spills to the folder ``scratch``."""
    return opened(
        str(Path(scratch) / "edges.duckdb"),
        memory_limit=_MEMORY,
        temp_directory=scratch,
        preserve_insertion_order="false",
    )


def _load(database: duckdb.DuckDBPyConnection, paths: list[str]) -> None:
    source = "read_parquet($paths, hive_partitioning = false)"
    database.execute(
        f"CREATE TABLE ids AS SELECT packet_id::UUID AS id, leaf_index AS leaf FROM {source}",  # noqa: S608
        {"paths": paths},
    )
    database.execute(
        f"CREATE TABLE edges AS SELECT leaf_index AS child, unnest(list_filter(parents, "  # noqa: S608
        f"lambda one: NOT list_contains(missing_parents, one)))::UUID AS parent FROM {source}",
        {"paths": paths},
    )


def _rows(database: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return database.execute(query, {"shown": SHOWN}).fetchall()
