"""A bounded number of places for heavy work, shared by all processes that name the same folder.

A place is a locked file: whoever dies gives it back, however they die.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError

_LOOK_AGAIN_SECONDS = 0.1


@contextmanager
def slot(folder: Path, count: int, *, timeout: float) -> Iterator[int]:
    """Hold one of ``count`` places while the block runs; its number.

    Waits for one up to ``timeout`` seconds. Raises `WorkerError` ``render_timeout`` (transient)
    when none came free.
    """
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout
    while (taken := _taken(folder, count)) is None:
        if time.monotonic() >= deadline:
            raise WorkerError(
                ReasonCode.RENDER_TIMEOUT,
                f"none of the {count} render places came free within {timeout:.0f} s; "
                "run it again when fewer renders run",
                transient=True,
            )
        time.sleep(_LOOK_AGAIN_SECONDS)
    number, lock = taken
    try:
        yield number
    finally:
        lock.close()


def _taken(folder: Path, count: int) -> tuple[int, IO[str]] | None:
    for number in range(count):
        # The files stay: unlinking one that another is about to lock would make two of it.
        lock = (folder / f"slot-{number}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return number, lock
    return None
