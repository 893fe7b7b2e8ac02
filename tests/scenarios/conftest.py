"""The stage that all scenarios of a process share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios.stage import Scene, Stage, built
from tests.support.footage import talking_head
from tests.support.sharing import Shared


def _two_talks(folder: Path) -> None:
    talking_head(folder / "one.mp4", start=0, seconds=18)
    talking_head(folder / "two.mp4", start=20, seconds=19)


@pytest.fixture(scope="session")
def stage(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two homes made once: planned, and published."""
    footage = shared.folder("scenario-footage", _two_talks)
    with built(tmp_path_factory.mktemp("stage"), footage) as made:
        yield made


@pytest.fixture
def scene(stage: Stage) -> Iterator[Callable[[str], Scene]]:
    """``scene("planned")``: that home, at its place; checked for order when the scenario ends."""
    played: list[Scene] = []

    def begin(name: str) -> Scene:
        played.append(stage.scene(name))
        return played[-1]

    yield begin
    for one in played[-1:]:
        one.is_clean()
