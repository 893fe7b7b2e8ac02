"""Whether the process of a run is still there: Dagster would count a killed one's run for ever.

A run of the command line says in a tag which process it is. One that a daemon launched says so in
its log, and the row of its launch on which host. Only runs of this host can be judged.
"""

from __future__ import annotations

import json
import os
import re
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from omniva_dagster import state as db

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun

    from omniva_dagster.state.store import Store

PROCESS_TAG = "omniva/process"
# Where the code server is that started the run's process.
_SERVER_TAG = ".dagster/grpc_info"
# What Dagster's run worker says of itself first, in `dagster api execute_run` and in code servers.
_WORKER = re.compile(r"^Started process for run \(pid: (\d+)\)")
_HERE = ("localhost", "127.0.0.1", "::1")
# How coarse the kernel's times are, and clocks that are set, in seconds.
_SLACK = 5.0


def this_process() -> str:
    """Host, process id and start time: an id that is used again is not taken for this one."""
    return f"{this_host()}:{os.getpid()}:{_started(os.getpid())}"


def this_host() -> str:
    """The name by which runs of this host are known."""
    return socket.gethostname()


def fail_runs_of_dead_processes(instance: DagsterInstance, store: Store) -> list[str]:
    """Mark runs whose process was killed as failed, so that they free their place.

    Returns the ids of the runs.
    """
    from dagster import DagsterRunStatus, RunsFilter

    under_way = RunsFilter(statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.STARTING])
    failed = []
    for run in instance.get_runs(under_way):
        if not is_gone(instance, store, run):
            continue
        # What it was seen as may be what it was before its process came to a good end.
        now = instance.get_run_by_id(run.run_id)
        if now is not None and not now.is_finished:
            instance.report_run_failed(
                run, "its process is gone; run the partition again to resume"
            )
            failed.append(run.run_id)
    return failed


def is_gone(instance: DagsterInstance, store: Store, run: DagsterRun) -> bool:
    """Whether the run's process was on this host and is no more."""
    if PROCESS_TAG in run.tags:
        host, _, process = run.tags[PROCESS_TAG].partition(":")
        pid, _, started = process.partition(":")
        return host == this_host() and not (pid.isdigit() and _started(int(pid)) == started != "")
    with store.read() as connection:
        host = db.launches.host_of(connection, run.run_id)
    if host != this_host() or not _served_here(run):
        return False
    worker = _worker(instance, run.run_id)
    return worker is not None and not _was_there(*worker)


def _served_here(run: DagsterRun) -> bool:
    with suppress(ValueError, AttributeError):
        server = json.loads(run.tags.get(_SERVER_TAG, ""))
        return server.get("host") in _HERE
    return False


def _worker(instance: DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """Process id of the run's worker and when it said so, in seconds since 1970."""
    from dagster import DagsterEventType

    told = instance.get_records_for_run(
        run_id, of_type=DagsterEventType.ENGINE_EVENT, ascending=False
    ).records
    for record in told:
        event = record.event_log_entry.dagster_event
        if event and (found := _WORKER.match(event.message or "")):
            return int(found[1]), record.event_log_entry.timestamp
    return None


def _was_there(pid: int, moment: float) -> bool:
    """Whether the process of that id began before a moment, and so is not another."""
    ticks = _started(pid)
    if not ticks.isdigit():
        return ticks != ""
    with suppress(OSError, StopIteration):
        with Path("/proc/stat").open(encoding="ascii") as kernel:
            booted = next(float(line.split()[1]) for line in kernel if line.startswith("btime"))
        return booted + int(ticks) / os.sysconf("SC_CLK_TCK") <= moment + _SLACK
    return True


def _started(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty if there is no such process."""
    with suppress(OSError, IndexError):
        # The name in parentheses may hold anything, blanks included.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # One that nobody has asked after yet has ended all the same.
        return "" if fields[0] == "Z" else fields[19]
    with suppress(OSError):
        os.kill(pid, 0)
        return "unknown"
    return ""
