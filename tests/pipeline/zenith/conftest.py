"""A store for tests of Zenith's loop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from omniva_dagster import state as db
from omniva_dagster.contracts.video import Platform
from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.state.store import Store
from tests.engines.zenith_words import NOW
from tests.pipeline.zenith.support import emission, seen


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A migrated store with a creator, whose registration is heard."""
    opened = Store(f"sqlite:///{tmp_path / 'state.db'}")
    opened.migrate()
    with opened.begin() as connection:
        db.creators.register(connection, "ada", "http://a.example/feed", Platform.OTHER, NOW)
        db.outbox.emit(connection, emission(seen(), "videos"))
        ZenithDesk().attend(connection, NOW)
    yield opened
    opened.close()
