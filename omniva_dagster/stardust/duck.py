"""DuckDB as the ledger opens it: nothing is installed, and nothing is drawn into an output."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_LOOKUP_MEMORY = "1GB"


def opened(
    path: str = ":memory:", **config: str | bool | int | float | list[str]
) -> duckdb.DuckDBPyConnection:
    """A connection to the database at ``path``, with further settings by name."""
    import duckdb

    database = duckdb.connect(
        path,
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            **config,
        },
    )
    # After two seconds it would be drawn into standard output, whoever reads that.
    database.execute("SET enable_progress_bar = false")
    return database


@contextmanager
def for_lookups() -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor of a database that this process keeps for reading a few rows of Parquet.

    Opening one costs more than the look-up itself. Any thread may have one of its own.
    """
    with _kept(os.getpid()).cursor() as cursor:
        yield cursor


@cache  # a parent's must not be closed by a forked child
def _kept(_process: int) -> duckdb.DuckDBPyConnection:
    database = opened(memory_limit=_LOOKUP_MEMORY, temp_directory="", threads=1)
    database.execute("SET GLOBAL parquet_metadata_cache = true")
    database.execute("SET GLOBAL enable_external_file_cache = false")
    return database
