"""Records which requirement each test shows, for ``python -m tests.conformance``."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

REPORT_VARIABLE = "OMNIVA_CONFORMANCE"


class SpecRecorder:
    """Writes ``{spec id: [[node id, outcome] ...]}`` at the end of the session."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ids: dict[str, list[str]] = {}
        self._outcomes: dict[str, str] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            ids = [str(name) for mark in item.iter_markers("spec") for name in mark.args]
            if ids:
                self._ids[item.nodeid] = sorted(set(ids))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # A teardown that passes must not hide a call that was skipped or failed.
        if report.outcome != "passed" or report.when == "call":
            self._outcomes[report.nodeid] = report.outcome

    def pytest_sessionfinish(self) -> None:
        by_id: defaultdict[str, list[list[str]]] = defaultdict(list)
        for node, ids in self._ids.items():
            for name in ids:
                by_id[name].append([node, self._outcomes.get(node, "not run")])
        self._path.write_text(json.dumps(by_id, indent=1, sort_keys=True))


def pytest_configure(config: pytest.Config) -> None:
    path = os.environ.get(REPORT_VARIABLE)
    if path:
        config.pluginmanager.register(SpecRecorder(Path(path)), "spec-recorder")
