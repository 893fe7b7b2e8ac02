"""A disk that fails, and a process that ends, at the n-th step of writing.

Steps are the system calls of `files` and the commits of the state store. fsync is counted but not
done: the tests end processes, not machines, and hundreds of runs would wait for the disk.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from omniva_dagster.stardust import compaction, files
from omniva_dagster.stardust.sealing import seal
from omniva_dagster.stardust.sequencer import sequence
from tests.stardust.writing import FIRST_DAY, SECOND_DAY, Bench

WRITES = ("write", "pwrite")
STEPS = (*WRITES, "fsync", "ftruncate", "replace", "link", "unlink", "mkdir", "rmdir")


class Steps:
    """Counts steps, and at the n-th calls ``fail`` with the name of it."""

    def __init__(self, at: int, fail: Callable[[str], None]) -> None:
        self.at = at
        self.taken: list[str] = []
        self._fail = fail

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in STEPS:
            return real

        def step(*arguments: Any) -> Any:
            if self.now(name) and name in WRITES:
                # What fits is written: a file that is torn.
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2], *arguments[2:])
            self.due(name)
            return None if name == "fsync" else real(*arguments)

        return step

    def now(self, name: str) -> bool:
        """Take a step; whether it is the one."""
        self.taken.append(name)
        return len(self.taken) == self.at

    def due(self, name: str) -> None:
        """Fail if the last step was the one."""
        if len(self.taken) == self.at:
            self._fail(name)


def disk_error(number: int) -> Callable[[str], None]:
    """The failure of a disk."""

    def fail(name: str) -> None:
        raise OSError(number, f"{os.strerror(number)} (injected into {name})")

    return fail


def sudden_end(_name: str) -> None:
    """The end of the process, without any tidying up: what kill -9 does."""
    os._exit(9)


FAILURES = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC}


@contextmanager
def failing(bench: Bench, at: int, fail: Callable[[str], None]) -> Iterator[Steps]:
    """Let the n-th step of writing fail; 0 for none."""
    steps = Steps(at, fail)
    real = files._renameat2

    def exchange(*arguments: Any) -> None:
        steps.now("exchange")
        steps.due("exchange")
        real(*arguments)

    def commit(_connection: sa.Connection) -> None:
        steps.now("commit")
        steps.due("commit")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "os", steps)
        patch.setattr(files, "_renameat2", exchange)
        # Three files are enough to be joined.
        patch.setattr(compaction, "FACTOR", 3)
        sa.event.listen(bench.store.engine, "commit", commit)
        with bench.store.read() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA synchronous=OFF")
            connection.exec_driver_sql("BEGIN")
        try:
            yield steps
        finally:
            sa.event.remove(bench.store.engine, "commit", commit)


def prepared(bench: Bench) -> None:
    """Five packets in the queue."""
    bench.emit(*"abcde")


def work(bench: Bench) -> None:
    """Two days of a ledger: appended in several files, joined, published, sealed."""
    sequence(bench.store, bench.layout, now=FIRST_DAY, batch=2)
    bench.emit("f")
    sequence(bench.store, bench.layout, now=SECOND_DAY, batch=2)
    seal(bench.store, bench.layout, before=SECOND_DAY.date(), now=SECOND_DAY)
