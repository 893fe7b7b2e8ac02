"""DuckDB as the ledger opens it: nothing is installed, and nothing is drawn into an output."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


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
