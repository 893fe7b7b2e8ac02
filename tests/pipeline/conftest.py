"""Homes, footage and a channel for tests of the whole graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from omniva_dagster.settings import settings
from tests.support.footage import talking_head
from tests.support.home import Home, make_home
from tests.support.sharing import Shared


@pytest.fixture(scope="session")
def footage(shared: Shared) -> Path:
    """A talking head with human speech, 22 s."""
    return shared.file("pipeline/talk.mp4", talking_head)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A fresh home."""
    yield make_home(tmp_path / "home", monkeypatch, prepared=True)
    settings.cache_clear()
