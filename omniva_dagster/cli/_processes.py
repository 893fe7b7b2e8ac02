"""Runs of processes that are gone: Dagster would show them as running, and count them, for ever."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

PROCESS_TAG = "omniva/process"


def this_process() -> str:
    """Host, process id and start time: an id that is used again is not taken for this one."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def fail_runs_of_dead_processes(instance: DagsterInstance) -> list[str]:
    """Mark runs whose command line was killed as failed, so that they free their place.

    Only runs of this host can be judged. Returns the ids of the runs.
    """
    from dagster import DagsterRunStatus, RunsFilter

    under_way = RunsFilter(statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.STARTING])
    failed = []
    for run in instance.get_runs(under_way):
        host, _, process = run.tags.get(PROCESS_TAG, "").partition(":")
        if host != socket.gethostname() or _alive(process):
            continue
        instance.report_run_failed(run, "its process is gone; run the partition again to resume")
        failed.append(run.run_id)
    return failed


def _alive(process: str) -> bool:
    pid, _, started = process.partition(":")
    return pid.isdigit() and started != "" and _started(int(pid)) == started


def _started(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty if there is no such process."""
    with suppress(OSError, IndexError):
        # The name in parentheses may hold anything, blanks included.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    with suppress(OSError):
        os.kill(pid, 0)
        return "unknown"
    return ""
