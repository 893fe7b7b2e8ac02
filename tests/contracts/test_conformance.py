"""The conformance report: what counts as working, and what stops a merge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import conformance
from tests.conformance import complaints, findings, remembered, requirements
from tests.contracts.support import ROOT

REQUIRED = {"AAA-1": "one", "AAA-2": "two", "AAA-3": "three"}


def test_the_checklist_is_read_whole() -> None:
    text = conformance.CHECKLIST.read_text()
    read = requirements(text)
    assert len(read) == sum(line.startswith("- ") for line in text.splitlines())
    assert read["STA-2"] == "immutable packets, hash-addressable ids"


def test_a_requirement_works_when_a_test_passed_and_none_failed() -> None:
    outcomes = {
        "AAA-1": [("a", "passed"), ("b", "skipped")],
        "AAA-2": [("a", "passed"), ("c", "failed")],
        "AAA-3": [("d", "skipped"), ("e", "not run")],
    }
    assert [each.state for each in findings(REQUIRED, outcomes)] == ["works", "fails", "not yet"]


def test_what_worked_before_must_work_and_still_have_its_test() -> None:
    outcomes = {"AAA-1": [("a", "failed")]}
    found = findings(REQUIRED, outcomes)
    before = ["AAA-1", "AAA-2", "ZZZ-1"]
    assert complaints(found, outcomes, before, partial=False) == [
        "AAA-1 worked before and fails: a",
        "AAA-2 worked before and no test shows it any more",
        "ZZZ-1 worked before and is not in the checklist any more",
    ]
    assert complaints(found, outcomes, [], partial=False) == []


def test_a_partial_run_may_leave_a_requirement_unseen_but_not_failing() -> None:
    outcomes = {"AAA-1": [("a", "failed")]}
    found = findings(REQUIRED, outcomes)
    assert complaints(found, outcomes, ["AAA-1", "AAA-2"], partial=True) == [
        "AAA-1 worked before and fails: a"
    ]
    assert remembered(found, ["AAA-1", "AAA-2"], partial=True) == ["AAA-2"]
    assert remembered(found, ["AAA-1", "AAA-2"], partial=False) == []


def test_an_id_that_is_not_in_the_checklist_is_an_error() -> None:
    outcomes = {"ZZZ-9": [("tests/test_x.py::test_y", "passed")]}
    assert complaints(findings(REQUIRED, outcomes), outcomes, [], partial=True) == [
        "ZZZ-9 is not in the checklist, but tests/test_x.py::test_y carries it"
    ]


@pytest.fixture(scope="module", params=["-n0", "-n2"])
def recorded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[list[str]]]:
    """What the plugin writes about a file of tests of every outcome, by one process and by two."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "test_sample.py").write_text(
        "import pytest\n"
        "pytestmark = pytest.mark.spec('A-1')\n"
        "@pytest.fixture\n"
        "def broken():\n    yield\n    raise OSError\n"
        "@pytest.mark.spec('A-2', 'A-3')\n"
        "def test_passes(): pass\n"
        "def test_fails(): assert 0\n"
        "@pytest.mark.skip\n"
        "def test_skipped(): pass\n"
        "def test_fails_afterwards(broken): pass\n"
    )
    report = folder / "report.json"
    environment = {**os.environ, "OMNIVA_CONFORMANCE": str(report), "PYTHONPATH": str(ROOT)}
    plugin = ("-p", "tests.conftest", "-p", "no:cacheprovider", "--rootdir", str(folder))
    spread = (request.param, "-c", os.devnull, str(folder))
    command = [sys.executable, "-m", "pytest", "-q", *plugin, *spread]
    subprocess.run(command, env=environment, cwd=folder, check=False, capture_output=True)
    found: dict[str, list[list[str]]] = json.loads(report.read_text())
    return found


def test_the_plugin_records_each_requirement_with_its_tests_and_outcomes(
    recorded: dict[str, list[list[str]]],
) -> None:
    by_test = {node.rpartition("::")[2]: outcome for node, outcome in recorded["A-1"]}
    assert by_test == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_skipped": "skipped",
        "test_fails_afterwards": "failed",
    }
    assert [outcome for _, outcome in recorded["A-2"]] == ["passed"]
    assert recorded["A-3"] == recorded["A-2"]


def test_nothing_is_recorded_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text("def test_passes(): pass\n")
    environment = {key: value for key, value in os.environ.items() if key != "OMNIVA_CONFORMANCE"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-c", os.devnull]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", str(tmp_path)],
        env={**environment, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0
    assert [path.name for path in tmp_path.glob("*.json")] == []
