"""Finding one packet among all: bloom filters leave few row groups to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omniva_dagster.stardust.duck import opened
from omniva_dagster.stardust.entries import arrow_schema, leaf_data_of_columns
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout, leaves_of

_ATTEMPTS = 3


@dataclass(frozen=True)
class Found:
    """A row: the leaf's data (canonical JSON of the entry) and the message."""

    leaf: bytes
    message: str


def find_row(layout: Layout, packet_id: str) -> Found | None:
    """The packet of that id; None if it is in no file.

    Raises `LedgerError` where the files can't be read or hold the id twice.
    """
    import duckdb
    import pyarrow as pa

    for attempt in range(_ATTEMPTS):
        try:
            return _found(_files(layout), packet_id)
        except (duckdb.IOException, OSError) as error:
            # Sealing puts other files in the place of a day's.
            if attempt == _ATTEMPTS - 1:
                raise LedgerError(f"the ledger can't be read: {error}") from None
        except (duckdb.Error, pa.ArrowException, UnicodeError) as error:
            raise LedgerError(f"a file is damaged, run `omniva ledger verify`: {error}") from None
    return None


def _found(files: list[str], packet_id: str) -> Found | None:

    if not files:
        return None
    columns = ", ".join(arrow_schema().names)
    query = (
        f"SELECT {columns} FROM read_parquet($files, hive_partitioning = false) "  # noqa: S608
        "WHERE packet_id = $id LIMIT 2"
    )
    with opened() as database:
        rows: Any = database.sql(query, params={"files": files, "id": packet_id}).to_arrow_table()
    if rows.num_rows > 1:
        raise LedgerError(f"packet {packet_id} is there twice: run `omniva ledger verify`")
    for batch in rows.cast(arrow_schema()).to_batches():
        for leaf, message in zip(
            leaf_data_of_columns(batch), batch["message"].to_pylist(), strict=True
        ):
            return Found(leaf, message)
    return None


def _files(layout: Layout) -> list[str]:
    return [
        str(path)
        for date in reversed(layout.dates())
        for path in sorted(layout.day(date).iterdir())
        if leaves_of(path.name)
    ]
