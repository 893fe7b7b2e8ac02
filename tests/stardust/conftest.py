"""Ledgers for the tests: one is built a session, each test gets a copy of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.stardust.proving import Ledger, build

if TYPE_CHECKING:
    from tests.stardust.dagster_homes import Mirror


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a state store and a ledger of three days."""
    home = tmp_path_factory.mktemp("built")
    build(home)
    return home


@pytest.fixture
def ledger(built: Path, tmp_path: Path) -> Ledger:
    """A copy of that ledger, to be damaged."""
    from omniva_dagster.stardust.layout import Layout

    home = tmp_path / "home"
    shutil.copytree(built, home)
    return Ledger(Layout(home / "ledger"))


@pytest.fixture(scope="session")
def blank_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty Dagster home with an empty state store beside it."""
    from tests.stardust.dagster_homes import make_template

    return make_template(tmp_path_factory.mktemp("blank") / "home")


@pytest.fixture
def mirror(blank_mirror: Path, tmp_path: Path) -> Iterator[Mirror]:
    """A copy of it, open."""
    from tests.stardust.dagster_homes import copied

    with copied(blank_mirror, tmp_path / "mirrored") as made:
        yield made
