"""How much is in a ledger, of what, and how it stands."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from omniva_dagster.stardust.checkpoints import kept_sizes, latest_checkpoint
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout, leaves_of
from omniva_dagster.stardust.notes import NoteError
from omniva_dagster.stardust.views import Sources, connect

if TYPE_CHECKING:
    import duckdb

    from omniva_dagster.state.store import Store

_TYPES = """
    SELECT message_type, count(*), min(emitted_at), max(emitted_at), count(DISTINCT producer)
    FROM packets GROUP BY message_type ORDER BY count(*) DESC, message_type
"""
_WHOLE = """
    SELECT count(*), count(DISTINCT trace_id), coalesce(sum(len(parents)), 0),
           coalesce(sum(len(missing_parents)), 0)
    FROM packets
"""


@dataclass(frozen=True)
class TypeStats:
    """The packets of one message type."""

    message_type: str
    packets: int
    first: str
    last: str
    producers: int


@dataclass
class LedgerStats:
    """A ledger in numbers; ``waiting`` and ``held`` are unknown without the state store."""

    origin: str = ""
    packets: int = 0
    signed: int = 0
    checkpoints: int = 0
    traces: int = 0
    edges: int = 0
    missing_parents: int = 0
    days: int = 0
    sealed_days: int = 0
    files: int = 0
    bytes: int = 0
    first_day: str = ""
    last_day: str = ""
    waiting: int | None = None
    held: int | None = None
    types: list[TypeStats] = field(default_factory=list)

    def dump(self) -> dict[str, Any]:
        """For JSON; what is unknown is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def stats(sources: Sources, store: Store | None = None) -> LedgerStats:
    """Count what is there. Raises `LedgerError` where a file can't be read."""
    import duckdb

    result = LedgerStats()
    _count_files(sources.layout, result)
    try:
        checkpoint = latest_checkpoint(sources.layout.checkpoints)
    except NoteError as error:
        raise LedgerError(f"checkpoints/latest.txt {error}: run `omniva ledger verify`") from None
    if checkpoint is not None:
        result.origin, result.signed = checkpoint.origin, checkpoint.size
    result.checkpoints = len(kept_sizes(sources.layout.checkpoints))
    try:
        with connect(sources) as database:
            _count_packets(database, result)
    except (duckdb.Error, OSError) as error:
        raise LedgerError(
            f"the ledger can't be read ({error}): run `omniva ledger verify`"
        ) from None
    if store is not None:
        result.waiting, result.held = _queue(store)
    return result


def _count_files(layout: Layout, result: LedgerStats) -> None:
    dates = layout.dates()
    result.days = len(dates)
    result.first_day, result.last_day = (dates[0], dates[-1]) if dates else ("", "")
    for date in dates:
        files = [path for path in layout.day(date).iterdir() if leaves_of(path.name)]
        result.files += len(files)
        result.bytes += sum(path.stat().st_size for path in files)
        result.sealed_days += len(files) == 1 and files[0].name.endswith(".sealed.parquet")


def _count_packets(database: duckdb.DuckDBPyConnection, result: LedgerStats) -> None:
    (whole,) = database.execute(_WHOLE).fetchall()
    result.packets, result.traces, result.edges, result.missing_parents = map(int, whole)
    result.types = [TypeStats(*row) for row in database.execute(_TYPES).fetchall()]


def _queue(store: Store) -> tuple[int, int]:
    import sqlalchemy as sa

    from omniva_dagster.state.tables import packet_queue

    held = sa.func.count(packet_queue.c.held)
    with store.read() as connection:
        waiting, stuck = connection.execute(sa.select(sa.func.count(), held)).one()
    return waiting - stuck, stuck
