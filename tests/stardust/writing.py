"""A state store with packets in its queue, and the ledger's folder beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import sqlalchemy as sa

from omniva_dagster.stardust.layout import Layout
from omniva_dagster.state import outbox
from omniva_dagster.state.store import Store
from omniva_dagster.state.tables import packets
from tests.state.support import emission

FIRST_DAY = datetime(2026, 3, 4, 10, tzinfo=UTC)
SECOND_DAY = datetime(2026, 3, 5, 10, tzinfo=UTC)


@dataclass
class Bench:
    """A store and a ledger in one folder."""

    folder: Path
    store: Store

    @classmethod
    def at(cls, folder: Path) -> Bench:
        folder.mkdir(parents=True, exist_ok=True)
        bench = cls.open(folder)
        bench.store.migrate()
        return bench

    @classmethod
    def open(cls, folder: Path) -> Bench:
        """One that is there already."""
        return cls(folder, Store(f"sqlite:///{folder / 'state.db'}"))

    @property
    def layout(self) -> Layout:
        return Layout(self.folder / "ledger")

    def emit(self, *occurrences: str, **changes: Any) -> list[str]:
        """A packet for each, the child of the one before it; its ids."""
        ids: list[str] = []
        for occurrence in occurrences:
            with self.store.begin() as connection:
                made = emission(occurrence=occurrence, **{"parents": tuple(ids[-1:]), **changes})
                ids.append(outbox.emit(connection, made).packet_id)
        return ids

    def recorded(self) -> list[str]:
        """All packet ids of the outbox, in its order."""
        with self.store.read() as connection:
            query = sa.select(packets.c.packet_id).order_by(packets.c.sequence)
            return list(connection.scalars(query))

    def copy(self, folder: Path) -> Bench:
        """The same, elsewhere."""
        self.store.close()
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Bench.open(folder)


def rows(layout: Layout) -> list[dict[str, Any]]:
    """What an analyst finds in the folder, in the order of the log."""
    found = [row for path in parquet_files(layout) for row in pq.read_table(path).to_pylist()]
    return sorted(found, key=lambda row: int(row["leaf_index"]))


def parquet_files(layout: Layout) -> Iterator[Path]:
    """Every file under ``packets/``."""
    if layout.packets.is_dir():
        yield from sorted(path for path in layout.packets.rglob("*") if path.is_file())


def ids(layout: Layout) -> list[str]:
    """The packets of the ledger, in its order, which must be without gap or repetition."""
    found = rows(layout)
    assert [row["leaf_index"] for row in found] == list(range(len(found)))
    return [row["packet_id"] for row in found]
