"""The store on SQLite and on a real PostgreSQL (from a wheel)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from omniva_dagster.contracts.video import Platform
from omniva_dagster.state import creators
from omniva_dagster.state.store import Store
from tests.state.support import NOW
from tests.support.postgres import running_postgres


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL of the session's own on a free loopback port."""
    with running_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    url: str = request.getfixturevalue("postgres_url")
    emptied = Store(url)
    with emptied.engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    emptied.close()
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A migrated store with the creator ``ada``."""
    opened = Store(store_url)
    opened.migrate()
    with opened.begin() as connection:
        creators.register(connection, "ada", "http://a.example/feed", Platform.OTHER, NOW)
    yield opened
    opened.close()
