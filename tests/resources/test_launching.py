"""Dagster's launcher, but each run once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from omniva_dagster.resources.launching import OnceRunLauncher
from omniva_dagster.settings import settings
from tests.support.home import make_home

CONTEXT: Any = SimpleNamespace(dagster_run=SimpleNamespace(run_id="a run"))


@pytest.fixture
def launched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The runs that Dagster's own launcher was given; the first time, it finds no code server."""
    make_home(tmp_path, monkeypatch)
    given: list[str] = []

    def launch(_self: dg.DefaultRunLauncher, context: Any) -> None:
        given.append(context.dagster_run.run_id)
        if len(given) == 1:
            raise ConnectionError("no code server")

    monkeypatch.setattr(dg.DefaultRunLauncher, "launch_run", launch)
    yield given
    settings.cache_clear()


def test_a_run_that_could_not_be_launched_is_launched_by_whoever_tries_again(
    launched: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ConnectionError):
        OnceRunLauncher().launch_run(CONTEXT)
    OnceRunLauncher().launch_run(CONTEXT)
    OnceRunLauncher().launch_run(CONTEXT)
    assert launched == ["a run", "a run"]
    assert "run a run is launched already" in caplog.text
