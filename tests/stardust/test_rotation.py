"""Replacing the key: whatever happens on the way, the log says that it was replaced."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from omniva_dagster.stardust.keys import Keyring, rotate
from omniva_dagster.stardust.repair import repair
from omniva_dagster.stardust.rotation import record_rotations, rotate_key
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.stardust.verify import verify
from tests.stardust.faults import failing, sudden_end
from tests.stardust.writing import FIRST_DAY, SECOND_DAY, Bench, rows


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of two packets."""
    bench = Bench.at(tmp_path_factory.mktemp("template"))
    bench.emit(*"ab")
    sequence(bench.store, bench.layout, now=FIRST_DAY)
    bench.store.close()
    return bench.folder


def told(bench: Bench) -> list[str]:
    """The keys that packets of the ledger say took another's place."""
    return [
        json.loads(row["message"])["payload"]["new_key"]
        for row in rows(bench.layout)
        if row["message_type"] == "KeyRotation"
    ]


def introduced(bench: Bench) -> list[str]:
    """The keys that took another's place."""
    return [str(key) for key in Keyring.read(bench.layout.keys).publics[1:]]


def _killed(folder: Path, at: int) -> None:
    bench = Bench.open(folder)
    with failing(bench, at, sudden_end):
        rotate_key(bench.store, bench.layout, now=FIRST_DAY)


@pytest.mark.spec("STA-2")
def test_a_rotation_killed_at_any_step_is_told_once_by_the_next_sequencing(
    template: Path, tmp_path: Path
) -> None:
    whole = Bench.open(template).copy(tmp_path / "whole")
    with failing(whole, 0, sudden_end) as steps:
        rotate_key(whole.store, whole.layout, now=FIRST_DAY)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.stardust.faults", "pyarrow.parquet", "duckdb"])
    replaced = 0
    for at in range(1, len(steps.taken) + 1):
        Bench.open(template).copy(tmp_path / str(at)).store.close()
        process = processes.Process(target=_killed, args=(tmp_path / str(at), at))
        process.start()
        process.join(60)
        assert process.exitcode == 9, at
        bench = Bench.open(tmp_path / str(at))
        for _ in range(2):
            sequence(bench.store, bench.layout, now=SECOND_DAY)
        assert told(bench) == introduced(bench), at
        replaced += len(told(bench))
        found = verify(bench.layout, store=bench.store, processes=1)
        assert found.consistent, (at, found.verdict)
        bench.store.close()
    # Some were killed before there was a new key, some after.
    assert 0 < replaced < len(steps.taken)


def test_a_repair_tells_of_a_rotation_too(template: Path, tmp_path: Path) -> None:
    bench = Bench.open(template).copy(tmp_path / "home")
    origin = Keyring.read(bench.layout.keys).publics[0].name
    rotate(bench.layout.keys, origin, 2)
    before = len(bench.recorded())
    repair(bench.store, bench.layout, now=SECOND_DAY)
    assert len(bench.recorded()) == before + 1
    sequence(bench.store, bench.layout, now=SECOND_DAY)
    assert told(bench) == introduced(bench)


def test_several_rotations_are_told_each_once(template: Path, tmp_path: Path) -> None:
    bench = Bench.open(template).copy(tmp_path / "home")
    made = [
        rotate_key(bench.store, bench.layout, now=moment).new_key
        for moment in (FIRST_DAY, SECOND_DAY)
    ]
    assert record_rotations(bench.store, bench.layout, SECOND_DAY) == 0
    sequence(bench.store, bench.layout, now=SECOND_DAY)
    assert told(bench) == made == introduced(bench)
