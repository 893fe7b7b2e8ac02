"""`omniva dev` as people use it: the webserver, the daemon, and a run launched from the UI."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from omniva_dagster.assets import CLIP_PIPELINE
from omniva_dagster.demo.channel import ChannelVideo, serve_channel, write_channel
from omniva_dagster.settings import settings
from tests.support.footage import talking_head
from tests.support.home import DAY, Home, environment, make_home

pytestmark = [pytest.mark.media, pytest.mark.e2e, pytest.mark.timeout(1500)]

IN_BACKGROUND = "trap '' INT; exec \"$@\""
_LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
# What the engines keep beside the pipeline.
BESIDE = {
    "eclipse_recovery",
    "horizon_guidance",
    "lattice_routing",
    "paradox_audit",
    "withdrawals",
}
_STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
_ASSETS = """
{ assetNodes { assetKey { path } groupName owners { ... on TeamAssetOwner { team } }
  description kinds partitionStats { numMaterialized } } }
"""


@dataclass
class Webserver:
    """A running Dagster webserver."""

    url: str

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """A GraphQL query's data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data


def _eventually(look: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true answer; Dagster tells of these things only when asked."""
    pause = threading.Event()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = look()
        except (urllib.error.URLError, ConnectionError, AssertionError):
            found = None
        if found:
            return found
        pause.wait(0.5)
    raise AssertionError(f"{what}: not within {seconds} s")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with a registered creator whose channel has one short talk."""
    folder = tmp_path_factory.mktemp("channel")
    talking_head(folder / "talk.mp4", seconds=18)
    write_channel(folder, "Ada", [ChannelVideo("talk", "talk.mp4", "Talk", f"{DAY}T10:00:00Z")])
    with pytest.MonkeyPatch.context() as patch, serve_channel(folder) as channel:
        made = make_home(tmp_path_factory.mktemp("dev") / "home", patch)
        made.add("ada", channel.feed_url)
        yield made
    settings.cache_clear()


@pytest.fixture(scope="module")
def webserver(home: Home) -> Iterator[Webserver]:
    """`omniva dev` as a script's background job, which ignores SIGINT; its own process group."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = "from omniva_dagster.cli import main; main()"
    process = subprocess.Popen(
        [
            "/bin/sh",
            "-c",
            IN_BACKGROUND,
            "sh",
            sys.executable,
            "-c",
            start,
            "dev",
            "--port",
            f"{port}",
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(home.path), **environment(home.path)},
        cwd=home.path,
        stdout=subprocess.DEVNULL,
        stderr=(home.path / "dev.log").open("wb"),
        start_new_session=True,
    )
    served = Webserver(f"http://127.0.0.1:{port}")
    try:
        _eventually(lambda: served.ask("{ version }"), 300, "the webserver")
        yield served
    finally:
        process.terminate()
        try:
            process.wait(60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.spec("DAG-8")
def test_the_ui_shows_every_asset_with_owner_and_words(webserver: Webserver) -> None:
    """DAG-8: all of it usable from the Dagster UI."""
    nodes = _eventually(lambda: webserver.ask(_ASSETS)["assetNodes"], 300, "the code location")
    named = {node["assetKey"]["path"][-1] for node in nodes}
    assert named == {asset.key.path[-1] for asset in CLIP_PIPELINE} | BESIDE
    for node in nodes:
        assert node["owners"] == [{"team": "omniva"}]
        assert node["description"]
        assert node["kinds"]


def test_a_run_launched_from_the_ui_publishes_clips(home: Home, webserver: Webserver) -> None:
    tags = {"dagster/partition": f"ada|{DAY}"}
    tags |= {"dagster/partition/creator": "ada", "dagster/partition/day": DAY}
    parameters = {
        "selector": {
            "repositoryLocationName": "omniva_dagster.definitions",
            "repositoryName": "__repository__",
            "pipelineName": "clip_pipeline",
        },
        "mode": "default",
        "runConfigData": {},
        "executionMetadata": {
            "tags": [{"key": key, "value": value} for key, value in tags.items()]
        },
    }
    launched = webserver.ask(_LAUNCH, params=parameters)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["runId"]

    def ended() -> str | None:
        status = webserver.ask(_STATUS, id=run_id)["runOrError"]["status"]
        return status if status in ("SUCCESS", "FAILURE", "CANCELED") else None

    assert _eventually(ended, 600, "the run's end") == "SUCCESS"
    assert len(list((home.path / "outbox").rglob("receipt.json"))) == 1
    counted = {
        node["assetKey"]["path"][-1]: (node["partitionStats"] or {}).get("numMaterialized")
        for node in webserver.ask(_ASSETS)["assetNodes"]
    }
    assert {counted[asset.key.path[-1]] for asset in CLIP_PIPELINE} == {1}


def test_the_command_line_sees_what_the_ui_made(home: Home, webserver: Webserver) -> None:
    result = home.omniva("status", "--creator", "ada", "--day", DAY, "--json")
    report = json.loads(result.stdout)
    (clip,) = report["clips"]
    assert Path(clip["path"]).is_file()
