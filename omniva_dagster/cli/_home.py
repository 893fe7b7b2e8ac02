"""Preparing what every command needs: the home folder, Dagster's instance, the state store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import ValidationError

from omniva_dagster.settings import Settings, settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from omniva_dagster.state.store import Store


def prepare() -> Settings:
    """The settings, with the home folder made and this process pointed at it."""
    try:
        found = settings()
    except ValidationError as error:
        faults = "; ".join(
            f"OMNIVA_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()
        )
        raise click.ClickException(f"a setting is wrong: {faults}") from error
    os.environ["OMNIVA_HOME"] = str(found.home)
    dagster_home = Path(os.environ.setdefault("DAGSTER_HOME", str(found.dagster_home)))
    dagster_home.mkdir(parents=True, exist_ok=True)
    config = dagster_home / "dagster.yaml"
    if not config.exists():
        shutil.copyfile(shipped("dagster.yaml"), config)
    return found


def shipped(name: str) -> Path:
    """A file that stands at the root of the project, or inside an installed package."""
    package = Path(__file__).parent.parent
    inside = package / name
    return inside if inside.exists() else package.parent / name


@contextmanager
def instance() -> Iterator[DagsterInstance]:
    """Dagster's instance in the home folder."""
    from dagster import DagsterInstance

    prepare()
    with DagsterInstance.get() as opened:
        yield opened


def operator() -> str:
    """Who is at the terminal, for the record: the login name, at most 64 characters."""
    import getpass

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        name = f"uid {os.getuid()}"
    return name[:64]


def store() -> Store:
    """The migrated state store."""
    from omniva_dagster.state.store import open_store

    return open_store(prepare().state_url)
