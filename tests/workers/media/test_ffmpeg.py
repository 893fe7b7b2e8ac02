"""Running ffmpeg: whoever watches a run can end it, whatever the run does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from omniva_dagster.workers.media.ffmpeg import run_ffmpeg

QUIET = "exec sleep 300"
STOPPED = "kill -STOP $$"
PAUSED = "echo out_time_us=2000000; exec sleep 300"


class NoLongerWantedError(Exception):
    """What the watcher of these tests ends a run with."""


def _program(folder: Path, does: str) -> str:
    path = folder / "ffmpeg"
    path.write_text(f"#!/bin/sh\necho $$ > {folder}/pid\n{does}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("does", [QUIET, STOPPED, PAUSED])
def test_whoever_watches_can_end_a_run_that_says_nothing(tmp_path: Path, does: str) -> None:
    heard: list[float] = []

    def watch(fraction: float) -> None:
        heard.append(fraction)
        if len(heard) == 3:
            raise NoLongerWantedError

    with pytest.raises(NoLongerWantedError):
        run_ffmpeg([], ffmpeg=_program(tmp_path, does), timeout=120, duration=4, on_progress=watch)
    # How far it had come is what it said last.
    assert heard == ([0.5] * 3 if does == PAUSED else [0.0] * 3)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGCONT)


@pytest.mark.media
def test_progress_grows_from_nothing_to_all(tmp_path: Path) -> None:
    heard: list[float] = []
    source = ["-f", "lavfi", "-i", "testsrc2=s=640x360:d=4"]
    run_ffmpeg([*source, "-f", "null", "-"], timeout=120, duration=4, on_progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] > 0.9
