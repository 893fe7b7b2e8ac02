"""Several processes at once: producers, sequencers, readers."""

from __future__ import annotations

import errno
import multiprocessing
import threading
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from omniva_dagster.stardust import compaction, files
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.sealing import seal
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.stardust.verify import verify
from omniva_dagster.state import outbox
from omniva_dagster.state.store import Store
from omniva_dagster.state.tables import packet_queue
from tests.stardust.faults import disk_error, failing, sudden_end
from tests.stardust.writing import FIRST_DAY, SECOND_DAY, Bench, ids, parquet_files
from tests.state.support import emission
from tests.support.postgres import running_postgres

PRODUCERS, SEQUENCERS, EACH = 4, 2, 30


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'state.db'}"
        return
    with running_postgres() as served:
        yield served


def _produce(url: str, worker: int, go: Event) -> None:
    bench = Bench(Path(), Store(url))
    go.wait()
    for number in range(EACH // 2):
        bench.emit(f"{worker}-{number}", f"{worker}-{number}-child")
    bench.store.close()


def _sequence(url: str, root: Path, go: Event, stop: Event) -> None:
    store = Store(url)
    go.wait()
    moment = FIRST_DAY
    while True:
        last = stop.is_set()
        sequence(store, Layout(root), now=moment, batch=7, wait=30)
        moment += timedelta(seconds=1)
        if last:
            break
    store.close()


@pytest.mark.spec("STA-2")
def test_what_many_record_while_several_sequence_is_there_once(url: str, tmp_path: Path) -> None:
    """STA-2: a packet is never lost, repeated or moved."""
    bench = Bench(tmp_path, Store(url))
    bench.store.migrate()
    context = multiprocessing.get_context("spawn")
    go, stop = context.Event(), context.Event()
    producers = [
        context.Process(target=_produce, args=(url, worker, go)) for worker in range(PRODUCERS)
    ]
    sequencers = [
        context.Process(target=_sequence, args=(url, bench.layout.root, go, stop))
        for _ in range(SEQUENCERS)
    ]
    for process in [*producers, *sequencers]:
        process.start()
    go.set()
    for process in producers:
        process.join(120)
    stop.set()
    for process in sequencers:
        process.join(120)
    assert [process.exitcode for process in [*producers, *sequencers]] == [0] * 6
    found = ids(bench.layout)
    assert sorted(found) == sorted(bench.recorded())
    assert len(found) == PRODUCERS * EACH
    checked = verify(bench.layout, store=bench.store, processes=1)
    assert checked.consistent, checked.verdict
    bench.store.close()


def test_a_packet_that_commits_late_is_sequenced_late_and_not_lost(tmp_path: Path) -> None:
    with running_postgres() as url:
        bench, slow = Bench(tmp_path, Store(url)), Store(url)
        bench.store.migrate()
        with slow.begin() as connection:
            late = outbox.emit(connection, emission(occurrence="late")).packet_id
            (early,) = bench.emit("early")
            sequence(bench.store, bench.layout, now=FIRST_DAY)
        assert ids(bench.layout) == [early]
        sequence(bench.store, bench.layout, now=FIRST_DAY)
        assert ids(bench.layout) == [early, late]
        with bench.store.read() as connection:
            assert connection.execute(sa.select(packet_queue)).all() == []
        slow.close()
        bench.store.close()


def listed(folder: Path) -> list[int]:
    """The leaves that a reader of a day finds; it lists again if the files have just moved."""
    while True:
        try:
            tables = [pq.read_table(path, columns=["leaf_index"]) for path in folder.iterdir()]
        except FileNotFoundError:
            continue
        return sorted(int(leaf) for table in tables for leaf in table["leaf_index"].to_pylist())


def test_a_reader_never_sees_a_row_twice_or_a_gap_while_files_are_joined_and_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench.at(tmp_path)
    monkeypatch.setattr(compaction, "FACTOR", 2)
    bench.emit("first")
    sequence(bench.store, bench.layout, now=FIRST_DAY)
    folder, stop, wrong = bench.layout.day("2026-03-04"), threading.Event(), list[list[int]]()
    seen = list[int]()

    def read() -> None:
        while not stop.is_set():
            found = listed(folder)
            seen.append(len(found))
            if found != list(range(len(found))):
                wrong.append(found)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(20):
        bench.emit(str(number))
        sequence(bench.store, bench.layout, now=FIRST_DAY)
    seal(bench.store, bench.layout, before=SECOND_DAY.date(), now=SECOND_DAY)
    stop.set()
    reader.join()
    assert wrong == []
    assert seen == sorted(seen)
    assert len(set(seen)) > 3


def test_where_folders_can_not_be_swapped_a_failure_in_between_is_put_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_libc_renameat2", lambda: None)

    def started(name: str) -> Bench:
        """A large file of the day, which stays, and three packets, whose files will be joined."""
        bench = Bench.at(tmp_path / name)
        bench.emit(*(str(number) for number in range(16)))
        sequence(bench.store, bench.layout, now=FIRST_DAY)
        bench.emit(*"abc")
        return bench

    whole = started("whole")
    with failing(whole, 0, sudden_end) as steps:
        sequence(whole.store, whole.layout, now=FIRST_DAY, batch=1)
    swap = steps.taken.index("exchange")
    renames = [at + 1 for at, name in enumerate(steps.taken) if name == "replace" and at > swap][:2]
    for at in [swap + 1, *renames]:
        bench = started(str(at))
        with pytest.raises(OSError, match="injected"), failing(bench, at, disk_error(errno.EIO)):
            sequence(bench.store, bench.layout, now=FIRST_DAY, batch=1)
        sequence(bench.store, bench.layout, now=FIRST_DAY)
        assert ids(bench.layout) == bench.recorded()
        assert verify(bench.layout, store=bench.store, processes=1).consistent
        assert len(list(parquet_files(bench.layout))) == 2
