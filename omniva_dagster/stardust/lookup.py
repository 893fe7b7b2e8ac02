"""Finding packets among all by their ids: bloom filters leave few row groups to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from omniva_dagster.stardust.duck import for_lookups
from omniva_dagster.stardust.entries import COLUMNS, leaf_data
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout, leaves_of

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
_ATTEMPTS = 3
_AT_ONCE = 500  # ids in one query


@dataclass(frozen=True)
class Found:
    """A row: the leaf's data (canonical JSON of the entry) and the message."""

    leaf: bytes
    message: str


class Rows:
    """The rows of a ledger's files, as they are listed now.

    Columns and conditions are SQL of the caller's own; values go in as parameters.
    """

    def __init__(self, database: duckdb.DuckDBPyConnection, layout: Layout) -> None:
        self._database = database
        self.files = ledger_files(layout)

    def by(self, column: str, values: Iterable[str], columns: str) -> Iterator[tuple[Any, ...]]:
        """The rows with one of these values, which is fast for `packet_id` and `trace_id`."""
        for part in parts(sorted(set(values))):
            yield from self.where(
                columns, f"{column} IN ({', '.join(map(quoted, part))})"
            )

    def where(self, columns: str, condition: str, **given: Any) -> list[tuple[Any, ...]]:
        """The rows for which a condition holds, in no order."""
        if not self.files:
            return []
        query = (
            f"SELECT {columns} FROM read_parquet($files, hive_partitioning = false) "  # noqa: S608
            f"WHERE {condition}"
        )
        return self._database.execute(query, {"files": self.files, **given}).fetchall()


def find_row(layout: Layout, packet_id: str) -> Found | None:
    """The packet of that id; None if it is in no file.

    Raises `LedgerError` where the files can't be read or hold the id twice.
    """

    def found(rows: Rows) -> Found | None:
        them = rows.where(", ".join(COLUMNS), "packet_id = $id LIMIT 2", id=packet_id)
        if len(them) > 1:
            raise LedgerError(f"packet {packet_id} is there twice: run `omniva ledger verify`")
        for row in them:
            entry = dict(zip(COLUMNS, row, strict=True))
            return Found(leaf_data(entry), entry["message"])
        return None

    return reading(layout, found)


def reading(layout: Layout, act: Callable[[Rows], T]) -> T:
    """What ``act`` makes of the ledger's rows; done again where sealing replaced the files.

    Raises `LedgerError` where they can't be read.
    """
    import duckdb

    for attempt in range(_ATTEMPTS):
        try:
            with for_lookups() as database:
                return act(Rows(database, layout))
        except (duckdb.IOException, OSError) as error:
            # Sealing puts other files in the place of a day's.
            if attempt == _ATTEMPTS - 1:
                raise LedgerError(f"the ledger can't be read: {error}") from None
        except (duckdb.Error, UnicodeError) as error:
            raise LedgerError(f"a file is damaged, run `omniva ledger verify`: {error}") from None
    raise AssertionError


def ledger_files(layout: Layout) -> list[str]:
    """The paths of the Parquet files, the newest day first."""
    return [
        str(path)
        for date in reversed(layout.dates())
        for path in sorted(layout.day(date).iterdir())
        if leaves_of(path.name)
    ]


def parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """The values, as many at a time as go into a query."""
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


def quoted(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"
