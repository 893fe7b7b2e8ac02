"""What costs seconds to make is made once a run, by whichever of its processes asks first."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def is_worker(config: pytest.Config) -> bool:
    """Whether this is one of several processes that share the tests of a run (``-n``)."""
    return hasattr(config, "workerinput")


class Shared:
    """Folders that all processes of one run of pytest (the workers of ``-n``) have in common."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @classmethod
    def of_run(cls, config: pytest.Config, factory: pytest.TempPathFactory) -> Shared:
        """Beside the temporary folders of the run's workers; inside that of a run without any."""
        base = factory.getbasetemp()
        root = (base.parent if is_worker(config) else base) / "shared"
        root.mkdir(exist_ok=True)
        return cls(root)

    def folder(self, name: str, make: Callable[[Path], object]) -> Path:
        """The folder ``name``, filled by ``make`` if no process of the run has done so.

        Whoever asks meanwhile waits. ``make`` works in a folder that is renamed once it is whole: a
        process that is killed leaves nothing that another would take for finished. What is inside
        is everybody's: look at it, copy it, don't change it.
        """
        made = self._root / name
        with _locked(self._root / f"{name}.lock"):
            if not made.exists():
                unfinished = self._root / f"{name}.unfinished"
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                make(unfinished)
                unfinished.rename(made)
        return made

    def file(self, name: str, make: Callable[[Path], object]) -> Path:
        """One file, filled by ``make``; ``name`` is a path of folder and file."""
        folder, _, last = name.partition("/")
        return self.folder(folder, lambda unfinished: make(unfinished / last)) / last


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        # Given back by the system when its holder dies.
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
