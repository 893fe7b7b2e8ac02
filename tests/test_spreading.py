"""Tests spread over processes: nothing costly is made twice, and what takes long starts first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sharing import Shared

ROOT = Path(__file__).parents[1]
SAMPLE = """
import os, pathlib, pytest
def make(path):
    with open(pathlib.Path(__file__).with_name("made"), "a") as log:
        log.write(f"{os.getpid()}\\n")
    path.write_text("whole")
@pytest.mark.parametrize("number", range(3))
def test_sees(shared, number):
    assert shared.file("a/b.txt", make).read_text() == "whole"
"""
MARKS = {"cheap": "", "video": "@pytest.mark.media", "long": "@pytest.mark.takes(50)"}


def run_pytest(folder: Path, *arguments: str) -> str:
    """What a run of pytest over a folder of tests said; it has to pass."""
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  media: x\n  takes: x\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    spread = ["--dist", "loadfile", "--no-loadscope-reorder", "--basetemp", str(folder / "tmp")]
    done = subprocess.run(
        [*command, *spread, "--rootdir", str(folder), *arguments, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_what_is_shared_is_made_once_a_run(workers: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"test_{name}.py").write_text(SAMPLE)
    assert "6 passed" in run_pytest(tmp_path, workers)
    assert len((tmp_path / "made").read_text().split()) == 1


def test_the_file_that_takes_longest_starts_first(tmp_path: Path) -> None:
    for name, mark in MARKS.items():
        body = f"import pytest\n{mark}\ndef test_it(): pass\n"
        (tmp_path / f"test_{name}.py").write_text(body)
    said = run_pytest(tmp_path, "-n1", "-v")
    order = [line.split("::")[0] for line in said.splitlines() if " PASSED " in line]
    assert [line.rpartition("test_")[2] for line in order] == ["long.py", "video.py", "cheap.py"]


def test_what_a_killed_process_was_making_is_made_anew(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, pathlib\n"
        "from tests.support.sharing import Shared\n"
        "def make(path):\n"
        "    path.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "Shared(pathlib.Path(sys.argv[1])).file('a/b.txt', make)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, timeout=300)
    assert killed.returncode == -signal.SIGKILL
    assert list(tmp_path.rglob("b.txt"))
    shared = Shared(tmp_path)
    assert shared.file("a/b.txt", lambda path: path.write_text("whole")).read_text() == "whole"
    assert shared.file("a/b.txt", lambda path: path.write_text("again")).read_text() == "whole"
