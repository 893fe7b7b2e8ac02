"""How a run of all tests is spread over processes, and which requirement each test shows."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.support.sharing import Shared, is_worker

REPORT_VARIABLE = "OMNIVA_CONFORMANCE"
SPEC = "spec"
# Seconds that a test of each kind or folder takes, roughly; one that takes far more says so.
KINDS = {"media": 1.0}
FOLDERS = {"e2e": 30.0, "scenarios": 15.0, "pipeline": 8.0, "stardust": 1.0, "state": 1.0}
# A worker has a core: libraries that each take all of them would wait for each other.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


class SpecRecorder:
    """Writes ``{spec id: [[node id, outcome] ...]}`` at the end of the session."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ids: dict[str, set[str]] = {}
        self._outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # The report has them, for under `-n` the items are in other processes. That of a process
        # which died in a test has none, but those before it had.
        shown = {str(value) for name, value in report.user_properties if name == SPEC}
        self._ids.setdefault(report.nodeid, set()).update(shown)
        # A teardown that passes must not hide a call that was skipped or failed.
        if report.outcome != "passed" or report.when == "call":
            self._outcomes[report.nodeid] = report.outcome

    def pytest_sessionfinish(self) -> None:
        by_id: defaultdict[str, list[list[str]]] = defaultdict(list)
        for node in sorted(self._ids):
            for name in self._ids[node]:
                by_id[name].append([node, self._outcomes.get(node, "not run")])
        self._path.write_text(json.dumps(by_id, indent=1, sort_keys=True))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: a worker a core. More than eight would wait for the longest file anyway."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(8, cores or 1)


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A background job's: Dagster would have the processes that it starts ignore SIGTERM too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    path = os.environ.get(REPORT_VARIABLE)
    if is_worker(config):
        for name in ONE_THREAD:
            os.environ.setdefault(name, "1")
    elif path:
        config.pluginmanager.register(SpecRecorder(Path(path)), "spec-recorder")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        ids = {str(name) for mark in item.iter_markers(SPEC) for name in mark.args}
        item.user_properties += [(SPEC, name) for name in sorted(ids)]
    if is_worker(config):
        items[:] = longest_files_first(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Dagster keeps an instance in a context variable, also one that ended with another test."""
    base = sys.modules.get("dagster._core.storage.defs_state.base")
    storage = base._current_storage.get() if base else None
    if base and storage is not None:
        try:
            _ = storage._instance
        except Exception:  # its reference is dead
            base._current_storage.set(None)


def longest_files_first(items: list[pytest.Item]) -> list[pytest.Item]:
    """A file is one worker's: one that takes a minute must not be the last to start."""
    costs: Counter[Path] = Counter()
    for item in items:
        costs[item.path] += cost(item)
    return sorted(items, key=lambda item: -costs[item.path])


def cost(item: pytest.Item) -> float:
    """Seconds that a test takes, roughly."""
    told = item.get_closest_marker("takes")
    if told:
        return float(told.args[0])
    kinds = [seconds for mark, seconds in KINDS.items() if item.get_closest_marker(mark)]
    return max([*kinds, FOLDERS.get(item.path.parent.name, 0.0), 0.05])


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """Folders that are made once for all workers of a run."""
    return Shared.of_run(request.config, tmp_path_factory)
