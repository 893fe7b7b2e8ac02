"""Finding packets among all by their ids: bloom filters leave few row groups to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from omniva_dagster.stardust.duck import for_lookups, opened
from omniva_dagster.stardust.entries import COLUMNS, leaf_data
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.index import NAME, PARENT, split
from omniva_dagster.stardust.layout import Layout, leaves_of

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
_DAMAGED = "a file is damaged, run `omniva ledger verify`"
_ATTEMPTS = 3
_AT_ONCE = 500  # ids in one query
_FEW = 12
_FETCHED = 1_000
SCAN_MEMORY = "2GB"
_CHILDREN = """
    SELECT packet_id FROM (
        SELECT packet_id, leaf_index, unnest(parents) AS parent
        FROM read_parquet($files, hive_partitioning = false)
        WHERE trace_id NOT IN (SELECT unnest($besides::VARCHAR[]))
    ) SEMI JOIN (SELECT unnest($parents::VARCHAR[]) AS parent) USING (parent)
    GROUP BY packet_id ORDER BY min(leaf_index) LIMIT $most
"""


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
        self._layout = layout
        self.files = ledger_files(layout)

    def by(
        self, column: str, values: Iterable[str], columns: str, most: int = 0
    ) -> Iterator[tuple[Any, ...]]:
        """The rows with one of these values: fast by ``packet_id`` and ``trace_id``.

        In no order, or the first ``most`` of the log for each few hundred values. To be read to
        the end before anything else is asked.
        """
        first = f" ORDER BY leaf_index LIMIT {most}" if most else ""
        wanted = sorted(set(values))
        # For one value DuckDB passes over the pages of a row group, for a list it reads them all.
        for part in parts(wanted, 1 if len(wanted) <= _FEW else _AT_ONCE):
            condition = f"{column} IN ({', '.join(map(_quoted, part))})"
            yield from self.where(columns, condition + first)

    def where(self, columns: str, condition: str, **given: Any) -> Iterator[tuple[Any, ...]]:
        """The rows for which a condition holds."""
        return _selected(self._database, self.files, columns, condition, given)

    def scanned(
        self, columns: str, condition: str, paths: list[str], **given: Any
    ) -> list[tuple[Any, ...]]:
        """The same of files every row of which has to be read: with all cores."""
        with opened(memory_limit=SCAN_MEMORY, temp_directory="") as database:
            return list(_selected(database, paths, columns, condition, given))

    def children(
        self, parents: list[str], besides: list[str], most: int, *, thorough: bool
    ) -> list[str]:
        """Packets that may have come from these, in other traces than ``besides``.

        At most ``most`` from the index and from what is not in it; ``thorough`` reads everything.
        """
        found, rest = self._indexed(PARENT, parents, most, thorough=thorough)
        if not rest or not parents:
            return found
        with opened(memory_limit=SCAN_MEMORY, temp_directory="") as database:
            given = {"files": rest, "parents": parents, "besides": besides, "most": most}
            return found + [child for (child,) in database.execute(_CHILDREN, given).fetchall()]

    def named(self, name: str, most: int, *, thorough: bool) -> tuple[list[str], list[str]]:
        """Packets whose document may have that id of its own, and the files in no index."""
        return self._indexed(NAME, [name], most, thorough=thorough)

    def _indexed(
        self, kind: str, keys: list[str], most: int, *, thorough: bool
    ) -> tuple[list[str], list[str]]:
        import duckdb

        indexes, without = ([], self.files) if thorough else split(self._layout, self.files)
        found: dict[str, None] = {}
        for part in parts(sorted(set(keys))):
            condition = f"kind = '{kind}' AND key IN ({', '.join(map(_quoted, part))}) LIMIT {most}"
            rows = _selected(self._database, indexes, "packet_id", condition, {})
            try:
                found |= {packet_id: None for (packet_id,) in rows}
            except duckdb.IOException:
                raise
            except duckdb.Error:
                return [], self.files  # a damaged index is none
        return list(found), without


def find_row(layout: Layout, packet_id: str) -> Found | None:
    """The packet of that id; None if it is in no file.

    Raises `LedgerError` where the files can't be read or hold the id twice.
    """

    def found(rows: Rows) -> Found | None:
        them = list(rows.where(", ".join(COLUMNS), "packet_id = $id LIMIT 2", id=packet_id))
        if len(them) > 1:
            raise LedgerError(f"packet {packet_id} is there twice: run `omniva ledger verify`")
        for row in them:
            entry = dict(zip(COLUMNS, row, strict=True))
            try:
                return Found(leaf_data(entry), str(entry["message"]))
            except TypeError as error:
                raise LedgerError(f"{_DAMAGED}: {error}") from None
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
            raise LedgerError(f"{_DAMAGED}: {error}") from None
    raise AssertionError


def ledger_files(layout: Layout) -> list[str]:
    """The paths of the Parquet files, the newest day first."""
    return [
        str(path)
        for date in reversed(layout.dates())
        for path in sorted(layout.day(date).iterdir())
        if leaves_of(path.name)
    ]


def parts(values: Sequence[str], most: int = _AT_ONCE) -> Iterator[Sequence[str]]:
    """The values, as many at a time as go into a query."""
    return (values[start : start + most] for start in range(0, len(values), most))


def _selected(
    database: duckdb.DuckDBPyConnection,
    files: list[str],
    columns: str,
    condition: str,
    given: dict[str, Any],
) -> Iterator[tuple[Any, ...]]:
    if not files:
        return
    query = (
        f"SELECT {columns} FROM read_parquet($files, hive_partitioning = false) "  # noqa: S608
        f"WHERE {condition}"
    )
    rows = database.execute(query, {"files": files, **given})
    while some := rows.fetchmany(_FETCHED):
        yield from some


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
