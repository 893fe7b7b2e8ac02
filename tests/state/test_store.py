"""The store: migrations, transactions, and several processes at once."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.state import outbox, publishing
from omniva_dagster.state.store import Store
from omniva_dagster.state.tables import metadata
from tests.state.support import CLIP, emission, task


@pytest.mark.spec("DAG-7")
def test_migrations_create_exactly_the_declared_tables(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(store: Store) -> None:
    store.migrate()
    with store.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM creators")) == 1


def test_an_exception_rolls_all_of_a_transaction_back(store: Store) -> None:
    def emit_and_fail() -> None:
        with store.begin() as connection:
            outbox.emit(connection, emission())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        emit_and_fail()
    with store.read() as connection:
        assert outbox.latest(connection, "ScheduleTask", CLIP) is None


_TASKS = "SELECT count(*) FROM packets WHERE message_type = 'ScheduleTask'"


def _emit_many(url: str, worker: int, start: object) -> None:
    store = Store(url)
    start.wait()  # type: ignore[attr-defined]
    for number in range(50):
        with store.begin() as connection:
            # The same from every worker, and one of its own.
            shared = emission(occurrence=f"shared-{number}")
            own = emission(occurrence=f"own-{worker}-{number}")
            outbox.emit(connection, shared)
            outbox.emit(connection, own)


@pytest.mark.spec("CON-11")
def test_processes_that_record_the_same_at_once_record_it_once(
    store: Store, store_url: str
) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(4)
    workers = [
        context.Process(target=_emit_many, args=(store_url, number, start)) for number in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    with store.read() as connection:
        assert connection.scalar(sa.text(_TASKS)) == 50 + 4 * 50


def _book(url: str, clip_id: str, slot: str, start: object) -> None:
    store = Store(url)
    start.wait()  # type: ignore[attr-defined]
    with store.begin() as connection:
        publishing.book(connection, "ada", slot, clip_id)


def test_two_processes_cannot_book_one_slot(store: Store, store_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    clips = [derive_id("clip", name) for name in ("one", "two")]
    workers = [
        context.Process(target=_book, args=(store_url, clip, "2026-03-04T09:00:00Z", start))
        for clip in clips
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(worker.exitcode or 0 for worker in workers) == [0, 1]
    with store.read() as connection:
        assert publishing.slots_from(connection, "ada", "2026-03-04") == ["2026-03-04T09:00:00Z"]


def test_a_database_of_a_path_that_does_not_exist_is_made(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'new' / 'deep' / 'state.db'}")
    store.migrate()
    with store.begin() as connection:
        outbox.emit(connection, emission(document=task()))
    store.close()
