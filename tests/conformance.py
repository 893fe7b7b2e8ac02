"""Which requirement of docs/spec/CHECKLIST.md works: ``python -m tests.conformance``.

Runs the tests that carry ``@pytest.mark.spec``, prints a table, and exits 1 when a requirement that
worked before (docs/spec/conformance.json) fails or has no test any more, when a test carries an id
that is not in the checklist, or when pytest could not collect. Arguments it does not know go to
pytest; the run is then a partial one, in which a requirement may go unseen.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.conftest import REPORT_VARIABLE

ROOT = Path(__file__).parents[1]
CHECKLIST = ROOT / "docs/spec/CHECKLIST.md"
WORKED_BEFORE = ROOT / "docs/spec/conformance.json"
_REQUIREMENT = re.compile(r"^- ([A-Z]{3}-[0-9]+) (.+)$", re.MULTILINE)
_PYTEST_RAN = (0, 1, 5)  # all passed, some failed, none found
_STYLES = {"works": "green", "fails": "bold red", "not yet": "dim"}

Outcomes = dict[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class Finding:
    """One requirement, the tests that show it, and how it stands."""

    id: str
    requirement: str
    tests: list[tuple[str, str]]

    @property
    def state(self) -> str:
        outcomes = {outcome for _, outcome in self.tests}
        if "failed" in outcomes:
            return "fails"
        return "works" if "passed" in outcomes else "not yet"


def requirements(checklist: str) -> dict[str, str]:
    """Requirement by id, in the order of the page."""
    return dict(_REQUIREMENT.findall(checklist))


def findings(required: dict[str, str], outcomes: Outcomes) -> list[Finding]:
    """Every requirement with its tests."""
    return [Finding(name, text, outcomes.get(name, [])) for name, text in required.items()]


def complaints(
    found: Sequence[Finding], outcomes: Outcomes, before: Sequence[str], *, partial: bool
) -> list[str]:
    """What must stop a merge."""
    states = {finding.id: finding for finding in found}
    said = [
        f"{name} is not in the checklist, but {tests[0][0]} carries it"
        for name, tests in sorted(outcomes.items())
        if name not in states
    ]
    for name in before:
        if name not in states:
            said.append(f"{name} worked before and is not in the checklist any more")
        elif states[name].state == "fails":
            failing = [node for node, outcome in states[name].tests if outcome == "failed"]
            said.append(f"{name} worked before and fails: {failing[0]}")
        elif states[name].state == "not yet" and not partial:
            said.append(f"{name} worked before and no test shows it any more")
    return said


def remembered(found: Sequence[Finding], before: Sequence[str], *, partial: bool) -> list[str]:
    """The ids to commit; a partial run only adds to those it has not seen."""
    unseen = {finding.id for finding in found if not finding.tests} if partial else set()
    works = {finding.id for finding in found if finding.state == "works"}
    kept = works | (unseen & set(before))
    return [finding.id for finding in found if finding.id in kept]


def run_pytest(arguments: Sequence[str]) -> tuple[Outcomes, int]:
    """Outcomes by requirement, and pytest's exit status."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-m", "spec", "-n", "auto", *arguments],
            cwd=ROOT,
            env={**os.environ, REPORT_VARIABLE: str(report)},
            check=False,
        )
        raw = json.loads(report.read_text()) if report.exists() else {}
    return {name: [(node, outcome) for node, outcome in tests] for name, tests in raw.items()}, (
        done.returncode
    )


def table(found: Sequence[Finding]) -> Table:
    """The findings, for people."""
    drawn = Table(title="docs/spec/CHECKLIST.md", title_justify="left")
    for heading in ("id", "requirement", "tests", "state"):
        drawn.add_column(heading, no_wrap=heading in {"id", "state"})
    for finding in found:
        style = _STYLES[finding.state]
        tests = _described(finding.tests)
        drawn.add_row(
            finding.id, escape(finding.requirement), tests, f"[{style}]{finding.state}[/]"
        )
    return drawn


def _described(tests: Sequence[tuple[str, str]]) -> str:
    files: dict[str, int] = {}
    for node, _ in tests:
        name = node.split("::")[0].removeprefix("tests/")
        files[name] = files.get(name, 0) + 1
    return "\n".join(f"{count:4} in {name}" for name, count in files.items())


def _total(found: Sequence[Finding]) -> str:
    counts = {state: sum(each.state == state for each in found) for state in _STYLES}
    return f"{len(found)} requirements: " + ", ".join(
        f"{count} {state}" for state, count in counts.items()
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, compare; the exit status."""
    parser = argparse.ArgumentParser(prog="tests.conformance", description=__doc__)
    parser.add_argument("--update", action="store_true", help="commit to what works now")
    options, arguments = parser.parse_known_args(argv)
    outcomes, status = run_pytest(arguments)
    found = findings(requirements(CHECKLIST.read_text()), outcomes)
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table(found))
    console.print(_total(found))
    if status not in _PYTEST_RAN:
        console.print(f"[bold red]pytest could not run (exit status {status})")
        return 1
    before = json.loads(WORKED_BEFORE.read_text()) if WORKED_BEFORE.exists() else []
    if options.update:
        before = remembered(found, before, partial=bool(arguments))
        WORKED_BEFORE.write_text(json.dumps(before, indent=1) + "\n")
    said = complaints(found, outcomes, before, partial=bool(arguments))
    for each in said:
        console.print(each, style="bold red", markup=False)
    return 1 if said else 0


if __name__ == "__main__":
    raise SystemExit(main())
