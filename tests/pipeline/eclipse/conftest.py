"""A store for tests of Eclipse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from omniva_dagster.state.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store(f"sqlite:///{tmp_path / 'state.db'}")
    opened.migrate()
    yield opened
    opened.close()
