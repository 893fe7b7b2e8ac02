"""Writing and reading the ledger's Parquet files, in memory that does not grow with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omniva_dagster.stardust import files
from omniva_dagster.stardust.entries import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 65_536
# Of a row group before compression: one with long messages has fewer rows.
_GROUP_BYTES = 128 << 20
_READ_ROWS = 8_192
# Looked up by value: DuckDB passes over the row groups whose filter says no.
_LOOKED_UP = ("packet_id", "trace_id", "subject_id")
_FALSE_POSITIVES = 0.01
# Few values, or the same on many rows side by side.
_REPETITIVE = [
    "trace_id",
    "message_type",
    "message_version",
    "producer",
    "subject_id",
    "creator",
    "day",
    "emitted_at",
    "sequenced_at",
    "schema_version",
]


@dataclass(frozen=True)
class Written:
    """What a file came to."""

    rows: int
    size: int
    sha256: str


def write(path: Path, batches: Iterable[pa.RecordBatch]) -> Written:
    """Write a file of entries, durably but for its name: the folder is the caller's to sync."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, writer = 0, None
    with closing(files.Output(path)) as output:
        try:
            for group in _row_groups(batches):
                table = pa.Table.from_batches(group, schema=arrow_schema())
                if writer is None:
                    # A small file's filters are sized for what it holds.
                    writer = pq.ParquetWriter(output, arrow_schema(), **_options(table.num_rows))
                writer.write_table(table, row_group_size=table.num_rows)
                rows += table.num_rows
            if writer is not None:
                writer.close()
        except BaseException:
            _abandon(writer)
            raise
        output.sync()
        return Written(rows, output.size, output.sha256)


def read(path: Path) -> Iterator[pa.RecordBatch]:
    """The entries of a file, some thousand at a time; damaged pages raise ``OSError``."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False) as file:
        yield from file.iter_batches(batch_size=_READ_ROWS, use_threads=False)


def _row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """The batches in groups of `ROW_GROUP` rows, or fewer where the rows are long."""
    group: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            piece = batch.slice(start, ROW_GROUP - rows)
            start += piece.num_rows
            group.append(piece)
            rows, size = rows + piece.num_rows, size + piece.nbytes
            if rows == ROW_GROUP or size >= _GROUP_BYTES:
                yield group
                group, rows, size = [], 0, 0
    if group:
        yield group


def _options(rows: int) -> dict[str, Any]:
    filters = {"ndv": rows, "fpp": _FALSE_POSITIVES}
    return {
        "compression": "zstd",
        "compression_level": 3,
        "use_dictionary": _REPETITIVE,
        "bloom_filter_options": {name: dict(filters) for name in _LOOKED_UP},
        "write_page_index": True,
        "write_page_checksum": True,
        "data_page_size": 256 << 10,
        "store_schema": True,
    }


def _abandon(writer: Any) -> None:
    # Closing would write a footer, once more into what just failed.
    if writer is not None:
        writer.is_open = False
