"""The whole pipeline with state and Dagster's own storage on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from omniva_dagster.assets import publications
from omniva_dagster.cli._home import prepare
from omniva_dagster.demo.channel import ChannelVideo, serve_channel, write_channel
from omniva_dagster.settings import settings
from omniva_dagster.state.store import open_store
from tests.support.footage import talking_head
from tests.support.home import DAY, Home, make_home
from tests.support.postgres import running_postgres

pytestmark = [pytest.mark.media, pytest.mark.e2e]

_STORAGE = """
telemetry: {{enabled: false}}
storage:
  postgres:
    postgres_url: "{url}"
"""


@pytest.fixture
def postgres() -> Iterator[str]:
    """A server with a database for Dagster beside Omniva's."""
    with running_postgres() as url:
        admin = sa.create_engine(
            sa.make_url(url).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT"
        )
        with admin.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE dagster")
        admin.dispose()
        yield url
        open_store.cache_clear()


@pytest.mark.spec("DAG-7")
def test_the_pipeline_runs_on_postgresql(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DAG-7: SQLite by default, PostgreSQL through dagster-postgres."""
    home: Home = make_home(tmp_path / "home", monkeypatch)
    monkeypatch.setenv("OMNIVA_DATABASE_URL", postgres)
    (home.path / "dagster").mkdir()
    dagster_url = postgres.removesuffix("/postgres") + "/dagster"
    (home.path / "dagster" / "dagster.yaml").write_text(_STORAGE.format(url=dagster_url))
    folder = tmp_path / "channel"
    folder.mkdir()
    talking_head(folder / "talk.mp4", seconds=18)
    write_channel(folder, "Ada", [ChannelVideo("talk", "talk.mp4", "Talk", f"{DAY}T10:00:00Z")])
    with serve_channel(folder) as channel:
        home.add("ada", channel.feed_url)
        first = home.run()
        again = home.run()
    assert len(first["clips"]) == 1
    assert again == first
    with dg.DagsterInstance.get() as instance:
        assert "Postgres" in type(instance.event_log_storage).__name__
        assert instance.get_materialized_partitions(publications.key) == {f"ada|{DAY}"}
    with open_store(prepare().state_url).read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM publications")) == 1
    assert not (home.path / "state.db").exists()
    settings.cache_clear()
