"""Making the index: what sealed files can't be asked by their order.

A file of ``index/`` holds, for every packet of the sealed file of that name, the parents that are
not of its trace on its day, and the ids that its document has of its own (a directive's, a run's).
It follows from that file alone and is made after it, with the ledger free again: a process that
ends on the way leaves it to the next sealing, and until then all packets of the day are read
instead. `verify` passes over it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from omniva_dagster.stardust import files, segments
from omniva_dagster.stardust.duck import opened
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.index import index_files, index_name, own_names
from omniva_dagster.stardust.layout import Layout

if TYPE_CHECKING:
    import duckdb

    from omniva_dagster.state.store import Store

_MEMORY = "1GB"
_LONGEST = 200  # characters of a name
_ABANDONED_SECONDS = 86_400
_PARENTS = """
    SELECT key, 'parent' AS kind, packet_id
    FROM (SELECT unnest(parents) AS key, trace_id, packet_id FROM sealed) AS child
    ANTI JOIN sealed AS known ON known.packet_id = child.key AND known.trace_id = child.trace_id
"""
# One reading for all message types: each field that is an id of some, then those of its own.
_NAMES = """
    SELECT DISTINCT key, 'name' AS kind, packet_id FROM (
        SELECT packet_id, trace_id, subject_id, message_type,
               unnest(json_extract_string(message, $paths)) AS key, unnest($names) AS name
        FROM sealed
    ) SEMI JOIN own USING (message_type, name)
    WHERE key NOT IN (packet_id, trace_id, coalesce(subject_id, ''))
          AND length(key) BETWEEN 1 AND $longest
"""


def complete(store: Store, layout: Layout, *, anew: bool = False) -> int:
    """Index the sealed files that have no index, or all if ``anew``; how many there were.

    Needs no lease: whoever does it writes the same. Raises `LedgerError` for a file that can't be
    read, and ``OSError`` where the disk fails; what was there stays.
    """
    with store.read() as connection:
        every = segments.between(connection, 0, 1 << 62)
    sealed = {index_name(one.file): one.path(layout) for one in every if one.sealed}
    present = {path.name for path in index_files(layout)}
    _tidy(layout)
    for name in sorted(present - sealed.keys()):
        files.remove(layout.index / name)
    wanted = [name for name in sorted(sealed) if anew or name not in present]
    for name in wanted:
        _write(sealed[name], layout.index / name)
    return len(wanted)


def _tidy(layout: Layout) -> None:
    """Remove what processes that were killed left half written."""
    for path in layout.index.glob(".*.tmp"):
        if path.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
            files.remove(path)


def _write(sealed: Path, target: Path) -> None:
    import duckdb

    files.make_folder(target.parent)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with (
            TemporaryDirectory(prefix="omniva-index-") as scratch,
            # One thread: the same rows give the same bytes.
            opened(memory_limit=_MEMORY, threads=1, temp_directory=scratch) as database,
        ):
            _collect(database, sealed)
            database.execute(
                "COPY (SELECT key, kind, packet_id FROM found ORDER BY ALL) TO "  # noqa: S608
                f"{_literal(str(unfinished))} (FORMAT parquet, COMPRESSION zstd, "
                "ROW_GROUP_SIZE 16384)"
            )
        files.sync(unfinished)
        files.rename(unfinished, target)
        files.sync_folder(target.parent)
    except duckdb.Error as error:
        raise LedgerError(f"{sealed} can't be indexed: {error}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _collect(database: duckdb.DuckDBPyConnection, sealed: Path) -> None:
    source = f"read_parquet({_literal(str(sealed))}, hive_partitioning = false)"
    database.execute(f"CREATE VIEW sealed AS SELECT * FROM {source}")  # noqa: S608
    database.execute("CREATE TABLE found (key VARCHAR, kind VARCHAR, packet_id VARCHAR)")
    database.execute(f"INSERT INTO found {_PARENTS}")
    types = database.execute("SELECT DISTINCT message_type FROM sealed").fetchall()
    own = [(message_type, name) for (message_type,) in types for name in own_names(message_type)]
    names = sorted({name for _, name in own})
    database.execute("CREATE TABLE own (message_type VARCHAR, name VARCHAR)")
    if own:
        database.executemany("INSERT INTO own VALUES (?, ?)", own)
    paths = [f"$.payload.{name}" for name in names]
    given = {"paths": paths, "names": names, "longest": _LONGEST}
    database.execute(f"INSERT INTO found {_NAMES}", given)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
