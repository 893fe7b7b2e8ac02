"""Dagster's daemon as a process of a scenario's own, to be ended or killed at will."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.scenarios.stage import Scene
from tests.support.home import environment

LOCATION = "omniva_dagster.definitions"


@dataclass
class Daemon:
    """A daemon with its code server and its runs: one process group."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """As when the machine goes down."""
        self._signal(signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        """As by an operator, who loses patience after a while."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        self.kill()

    @property
    def runs(self) -> bool:
        """Whether it does."""
        return self.process.poll() is None

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


@contextmanager
def daemon(
    scene: Scene,
    name: str = "daemon",
    location: str = LOCATION,
    program: str = "dagster._daemon",
    **variables: str,
) -> Iterator[Daemon]:
    """A daemon on the scene's instance while inside; ``location`` is the module that it loads,
    ``program`` the one that it is."""
    path = scene.home.path / f"{name}.log"
    root = Path(__file__).parents[2]
    with path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", program, "run", "-m", location],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(scene.home.path),
                "PYTHONPATH": str(root),
                **environment(scene.home.path),
                "OMNIVA_FFMPEG": str(scene.renderer.path),
                # As fast as Dagster's own loop goes.
                "OMNIVA_CONTROL_SECONDS": "5",
                "OMNIVA_REOFFER_SECONDS": "20",
                **variables,
            },
            cwd=scene.home.path,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    started = Daemon(process, path)
    try:
        yield started
    finally:
        started.stop()
