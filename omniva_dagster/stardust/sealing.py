"""Sealing a day: one file, sorted for look-ups, in the place of those it was written in.

Nothing that is hashed changes: the rows are the same, only their order in the file differs. Each
leaf is checked against the log on its way, so a damaged row can't take the place of a good one.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from omniva_dagster.stardust import compaction, files, indexing, lease, parquet, segments
from omniva_dagster.stardust.duck import opened
from omniva_dagster.stardust.entries import COLUMNS, arrow_schema, leaf_data_of_columns
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.hashes import level_name
from omniva_dagster.stardust.layout import Layout, file_name
from omniva_dagster.stardust.lease import TERM_SECONDS, Lease
from omniva_dagster.stardust.merkle import HASH_SIZE, leaf_hash
from omniva_dagster.stardust.recovery import publish, recover
from omniva_dagster.stardust.segments import Segment

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from omniva_dagster.state.store import Store

_MEMORY = "1GB"
_BATCH_ROWS = 16_384


@dataclass(frozen=True)
class SealedDay:
    """A day that has become one file: its name, rows and bytes, and how many files it was."""

    date: str
    file: str
    rows: int
    size: int
    files_before: int


def seal(
    store: Store, layout: Layout, *, before: date, now: datetime, wait: float = 0.0
) -> list[SealedDay]:
    """Seal every day before ``before`` and not after ``now`` that isn't one sorted file yet.

    A day that gets more packets afterwards (a clock that was set back) is sealed again by the next
    call. Raises `LedgerBusyError` if another writer holds the ledger for longer than ``wait``
    seconds, and `LedgerError` if a row is not what was logged; the day then stays as it is.
    """
    until = min(before, now.date() + timedelta(days=1)).isoformat()
    sealed = []
    with lease.held(store, layout, wait) as right:
        keys = recover(store, layout, right)
        with store.read() as connection:
            dates = segments.unsealed_dates(connection, until)
        for day in dates:
            with store.read() as connection:
                old = segments.of_date(connection, day)
            new = _sorted(store, layout, right, old)
            # A forger who changes a row may have changed the log with it.
            for segment in old:
                compaction.checked(layout, segment)
            compaction.rewrite(store, right, old, new)
            publish(store, layout, right, keys)
            sealed.append(SealedDay(day, new.file, new.count, new.size, len(old)))
    # With the ledger free again: it takes a while, and nothing depends on it.
    indexing.complete(store, layout)
    return sealed


def _sorted(store: Store, layout: Layout, right: Lease, old: Sequence[Segment]) -> Segment:
    """A staged file with a day's entries, sorted by trace and place."""
    first, count = old[0].first_leaf, sum(segment.count for segment in old)
    name = file_name(first, count, sealed=True)
    keep = _heartbeat(store, right)
    rows = _as_logged(layout, first, count, _by_trace(layout, old))
    written = parquet.write(
        layout.staging / f"{right.token}-{name}", (keep(batch) for batch in rows)
    )
    files.sync_folder(layout.staging)
    return compaction.covering(old, written, right.token, sealed=True)


def _by_trace(layout: Layout, old: Sequence[Segment]) -> Iterator[pa.RecordBatch]:
    import duckdb
    import pyarrow as pa

    paths = [str(layout.day(segment.date) / segment.file) for segment in old]
    for path in paths:
        if not Path(path).is_file():
            raise LedgerError(f"{path} is missing: restore it from a copy of the folder")
    scratch = layout.staging / "sorting"
    files.make_folder(scratch)
    try:
        with _sorter(str(scratch)) as sorter:
            query = (
                f"SELECT {', '.join(COLUMNS)} FROM read_parquet($1, hive_partitioning = false) "  # noqa: S608
                "ORDER BY trace_id, leaf_index"
            )
            for batch in sorter.sql(query, params=[paths]).to_arrow_reader(_BATCH_ROWS):
                yield pa.RecordBatch.from_arrays(
                    [
                        column.cast(field.type)
                        for column, field in zip(batch.columns, arrow_schema(), strict=True)
                    ],
                    schema=arrow_schema(),
                )
    except duckdb.Error as error:
        # More often than a full disk, it is a file that was changed: then that is said.
        for segment in old:
            compaction.checked(layout, segment)
        raise LedgerError(
            f"the packets of {old[0].date} can't be sorted ({error}); the day stays as it is. Is "
            f"there room under {scratch}?"
        ) from error
    finally:
        files.remove_folder(scratch)


def _sorter(scratch: str) -> duckdb.DuckDBPyConnection:
    return opened(memory_limit=_MEMORY, threads=1, temp_directory=scratch)


def _as_logged(
    layout: Layout, first: int, count: int, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """The batches, once each of their rows is found to be the leaf that the log has, each once."""
    seen = bytearray(count)
    path = layout.log / level_name(0)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as log:
        for batch in batches:
            places = batch.column("leaf_index").to_pylist()
            for index, leaf in zip(places, leaf_data_of_columns(batch), strict=True):
                start = index * HASH_SIZE
                known = first <= index < first + count and not seen[index - first]
                if not known or log[start : start + HASH_SIZE] != leaf_hash(leaf):
                    raise LedgerError(
                        f"leaf {index} is not what was logged, so its day is not sealed: run "
                        "`omniva ledger verify`, and restore the file from a copy"
                    )
                seen[index - first] = 1
            yield batch
    if not all(seen):
        raise LedgerError(
            f"leaf {first + seen.index(0)} is missing, so its day is not sealed: run `omniva "
            "ledger verify`, and restore the file from a copy"
        )


def _heartbeat(store: Store, right: Lease) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    """Passes batches on and renews the lease now and then."""
    due = time.monotonic() + TERM_SECONDS / 4

    def passed(batch: pa.RecordBatch) -> pa.RecordBatch:
        nonlocal due
        if time.monotonic() > due:
            with store.begin() as connection:
                right.renew(connection)
            due = time.monotonic() + TERM_SECONDS / 4
        return batch

    return passed
