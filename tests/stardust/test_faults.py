"""Whatever step of writing fails or is the last: nothing lost, nothing twice, nothing torn."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.verify import verify
from tests.stardust.faults import (
    FAILURES,
    disk_error,
    failing,
    prepared,
    sudden_end,
    work,
)
from tests.stardust.writing import Bench, ids, parquet_files

KILLS = int(os.environ.get("OMNIVA_TEST_LEDGER_KILLS", "0"))
# Every so many steps one kill, every so many times all that `verify` knows; each in soak.
STRIDE = 1 if KILLS else 8
VERIFY_EVERY = 1 if KILLS else 5


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store whose packets wait."""
    folder = tmp_path_factory.mktemp("template")
    bench = Bench.at(folder)
    prepared(bench)
    bench.store.close()
    return folder


@pytest.fixture(scope="module")
def steps(template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The steps of a run without any failure."""
    bench = Bench.open(template).copy(tmp_path_factory.mktemp("whole") / "home")
    with failing(bench, 0, sudden_end) as taken:
        work(bench)
    assert right(bench) is None
    # All kinds of steps are there to be failed.
    assert {"write", "pwrite", "fsync", "replace", "link", "exchange", "commit", "unlink"} <= set(
        taken.taken
    )
    return taken.taken


def visible(layout: Layout, recorded: list[str]) -> None:
    """What a reader finds is whole files, with the first packets of the outbox, each once."""
    assert all(path.suffix == ".parquet" for path in parquet_files(layout))
    found = ids(layout)
    assert found == recorded[: len(found)]


def right(bench: Bench, at: int = 0) -> None:
    """Everything is in the ledger once, and the ledger verifies."""
    recorded = bench.recorded()
    assert ids(bench.layout) == recorded
    assert len(recorded) == 6
    assert list(bench.layout.staging.iterdir()) == []
    if at % VERIFY_EVERY:
        return
    found = verify(bench.layout, store=bench.store, processes=1)
    assert found.consistent, found.verdict


@pytest.mark.spec("STA-2")
@pytest.mark.parametrize("failure", FAILURES)
def test_a_disk_that_fails_at_any_step_loses_nothing(
    failure: str, template: Path, steps: list[str], tmp_path: Path
) -> None:
    """STA-2: immutable packets; what was acknowledged stays."""
    unnoticed = 0
    # The two kinds of failure take turns along the steps, and back.
    first = 1 + list(FAILURES).index(failure)
    for at in range(first, len(steps) + 1, len(FAILURES)):
        bench = Bench.open(template).copy(tmp_path / str(at))
        with failing(bench, at, disk_error(FAILURES[failure])), suppress(OSError):
            work(bench)
            unnoticed += 1
        visible(bench.layout, bench.recorded())
        with failing(bench, 0, sudden_end):
            work(bench)
        right(bench, at)
        bench.store.close()
    # What comes after everything that matters may fail unnoticed.
    assert unnoticed <= 3


def _killed(folder: Path, at: int) -> None:
    bench = Bench.open(folder)
    with failing(bench, at, sudden_end):
        work(bench)


@pytest.mark.spec("STA-2")
def test_a_process_killed_at_any_step_leaves_nothing_that_the_next_does_not_put_right(
    template: Path, steps: list[str], tmp_path: Path
) -> None:
    """STA-2: immutable packets; what was acknowledged stays."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.stardust.faults", "pyarrow.parquet", "duckdb"])
    for at in range(1 + len(steps) % STRIDE, len(steps) + 1, STRIDE):
        folder = tmp_path / str(at)
        Bench.open(template).copy(folder).store.close()
        process = processes.Process(target=_killed, args=(folder, at))
        process.start()
        process.join(60)
        assert process.exitcode == 9, at
        bench = Bench.open(folder)
        visible(bench.layout, bench.recorded())
        with failing(bench, 0, sudden_end):
            work(bench)
        right(bench, at)
        bench.store.close()


_LOOP = """
import sys
from contextlib import suppress
from pathlib import Path
from tests.stardust.faults import failing, sudden_end, work
from tests.stardust.writing import Bench
bench = Bench.at(Path(sys.argv[1]))
print("ready", flush=True)
work(bench)
"""


@pytest.mark.timeout(3600)
def test_kills_at_random_moments_lose_nothing(template: Path, tmp_path: Path) -> None:
    chance = random.Random(20260304)
    bench = Bench.open(template).copy(tmp_path / "home")
    for number in range(KILLS or 2):
        bench.emit(*(f"{number}-{index}" for index in range(chance.randrange(1, 40))))
        process = subprocess.Popen(
            [sys.executable, "-c", _LOOP, str(bench.folder)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(chance.uniform(0, 0.6))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        visible(bench.layout, bench.recorded())
    work(bench)
    assert ids(bench.layout) == bench.recorded()
    assert verify(bench.layout, store=bench.store).consistent
