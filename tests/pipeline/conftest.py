"""Homes, footage and a channel for tests of the whole graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from omniva_dagster.settings import settings
from tests.support.footage import talking_head
from tests.support.home import Home, make_home


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A talking head with human speech, 22 s."""
    return talking_head(tmp_path_factory.mktemp("footage") / "talk.mp4")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A fresh home."""
    yield make_home(tmp_path / "home", monkeypatch)
    settings.cache_clear()
