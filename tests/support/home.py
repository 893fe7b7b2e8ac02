"""An OMNIVA_HOME of a test's own, and the command line in it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from omniva_dagster.settings import settings
from omniva_dagster.state.store import Store, open_store

DAY = "2026-03-04"


@dataclass
class Home:
    """A home folder, and ways to act in it and look at it."""

    path: Path

    def omniva(self, *arguments: str) -> Result:
        """Run a command in this process."""
        from omniva_dagster.cli import cli

        settings.cache_clear()
        return CliRunner().invoke(cli, list(arguments))

    def run(self, creator: str = "ada", day: str = DAY) -> dict[str, Any]:
        """`omniva run --json`; what it reported."""
        result = self.omniva("run", "--creator", creator, "--day", day, "--json")
        assert result.exit_code in (0, 3), result.output
        report: dict[str, Any] = json.loads(result.stdout)
        return report

    def add(self, slug: str, url: str) -> None:
        """Register a creator."""
        result = self.omniva("creators", "add", slug, "--url", url)
        assert result.exit_code == 0, result.output

    @property
    def store(self) -> Store:
        """The state store."""
        return open_store(f"sqlite:///{self.path / 'state.db'}")

    def count(self, table: str) -> int:
        """Rows of a table."""
        with self.store.read() as connection:
            found = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
        return int(found or 0)

    def recorded(self) -> int:
        """Packets of the work itself: every run adds those of Dagster's events about it."""
        query = "SELECT count(*) FROM packets WHERE producer != 'dagster'"
        with self.store.read() as connection:
            return int(connection.exec_driver_sql(query).scalar() or 0)

    def files(self) -> dict[str, int]:
        """Files that people and later steps see, with the time each was last changed."""
        roots = [self.path / name for name in ("outbox", "atlas/objects")]
        return {
            str(path.relative_to(self.path)): path.stat().st_mtime_ns
            for root in roots
            for path in root.rglob("*")
            if path.is_file()
        }


def environment(path: Path) -> dict[str, str]:
    """The variables that point a process to a home, with the small bundled model."""
    return {
        "OMNIVA_HOME": str(path),
        "DAGSTER_HOME": str(path / "dagster"),
        "OMNIVA_ALLOW_PRIVATE_HOSTS": "true",
        "OMNIVA_WHISPER_MODEL": "bundled:tiny.en",
        "OMNIVA_FFMPEG": "",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }


@cache
def _dagster_storage() -> tempfile.TemporaryDirectory[str]:
    """Dagster's databases before anything was written to them."""
    import dagster as dg

    folder = tempfile.TemporaryDirectory(prefix="omniva-dagster-")
    shutil.copyfile(Path(__file__).parents[2] / "dagster.yaml", Path(folder.name) / "dagster.yaml")
    with dg.DagsterInstance.from_config(folder.name) as instance:
        # Each is made when it is first asked for.
        _ = instance.run_storage, instance.event_log_storage, instance.schedule_storage
    return folder


def make_home(path: Path, patch: pytest.MonkeyPatch, *, prepared: bool = False) -> Home:
    """A fresh home that this process points to.

    It is empty, as a user finds it; ``prepared`` has Dagster's databases, which take half a second
    to make and no time to copy.
    """
    for name in [name for name in os.environ if name.startswith("OMNIVA_")]:
        patch.delenv(name)
    for name, value in environment(path).items():
        patch.setenv(name, value)
    path.mkdir(parents=True, exist_ok=True)
    if prepared:
        shutil.copytree(_dagster_storage().name, path / "dagster")
    patch.chdir(path)
    settings.cache_clear()
    return Home(path)
