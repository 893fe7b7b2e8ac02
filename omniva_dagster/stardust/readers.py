"""Processes that check files: one for each core on a large ledger, and one for a suspicious file.

A file whose digest is wrong may have been made to crash or exhaust its reader: that happens to a
process of its own, with a limit on memory and time, and is told as a finding.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from threading import Timer
from typing import IO

from omniva_dagster.stardust.findings import RESTORE, Finding
from omniva_dagster.stardust.rows import FileReport, FileTask, check_file

_INLINE_LEAVES = 200_000  # below, starting a process costs more than it saves
_SUSPICIOUS_SECONDS = 60.0
_SUSPICIOUS_BYTES = 6 << 30
# The reader imports what this process would, from wherever this process would.
_SERVE = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from omniva_dagster.stardust.readers import serve; serve(int(sys.argv[2]))"
)


def check_files(tasks: list[FileTask], processes: int | None = None) -> Iterator[FileReport]:
    """Check files, in the order of ``tasks``; by several processes where that is faster."""
    wanted = processes or min(len(tasks), os.cpu_count() or 1)
    leaves = sum(task.end_leaf - task.first_leaf for task in tasks)
    if wanted < 2 or (processes is None and leaves < _INLINE_LEAVES):
        yield from map(check_file, tasks)
        return
    with ThreadPoolExecutor(wanted) as pool:
        shares = [tasks[start::wanted] for start in range(wanted)]
        answers = list(pool.map(lambda share: list(_ask(share, 0, None)), shares))
    found = {report.place: report for share in answers for report in share}
    yield from (found[task.place] for task in tasks)


def name_what_changed(task: FileTask) -> FileReport:
    """Read the rows of a file whose digest is wrong, in a process with limits."""
    return next(iter(_ask([task], _SUSPICIOUS_BYTES, _SUSPICIOUS_SECONDS)))


def serve(most_bytes: int) -> None:
    """The reader's side: tasks as lines of JSON on stdin, reports on stdout."""
    if most_bytes:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    for line in sys.stdin:
        report = check_file(FileTask(**json.loads(line)))
        print(json.dumps(asdict(report)), flush=True)


def _ask(tasks: list[FileTask], most_bytes: int, seconds: float | None) -> Iterable[FileReport]:
    command = [sys.executable, "-c", _SERVE, json.dumps(sys.path), str(most_bytes)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as reader:
        assert reader.stdin
        assert reader.stdout
        for task in tasks:
            timer = Timer(seconds, reader.kill) if seconds else None
            if timer:
                timer.start()
            try:
                yield _answer(task, reader.stdin, reader.stdout)
            finally:
                if timer:
                    timer.cancel()


def _answer(task: FileTask, to_reader: IO[str], from_reader: IO[str]) -> FileReport:
    try:
        to_reader.write(json.dumps(asdict(task)) + "\n")
        to_reader.flush()
        said = json.loads(from_reader.readline())
    except (OSError, ValueError):
        problem = "can't be read: its reader crashed or did not come to an end"
        return FileReport(task.place, [Finding(task.place, problem, RESTORE)])
    for kind in ("findings", "unlogged"):
        said[kind] = [Finding(**finding) for finding in said[kind]]
    return FileReport(**said)
