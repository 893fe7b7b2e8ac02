"""A run killed at any moment and run again: nothing lost, nothing done twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from omniva_dagster.demo.channel import Channel, ChannelVideo, serve_channel, write_channel
from omniva_dagster.workers.media.probe import probe
from tests.support.footage import talking_head
from tests.support.home import DAY, Home, environment

pytestmark = [pytest.mark.media, pytest.mark.e2e, pytest.mark.takes(100)]

# Overridden by `make soak`.
KILLS = int(os.environ.get("OMNIVA_TEST_KILLS", "2"))
SEED = int(os.environ.get("OMNIVA_TEST_SEED", "1"))


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    """A channel with two short talks."""
    folder = tmp_path / "channel"
    folder.mkdir()
    talking_head(folder / "one.mp4", start=0, seconds=18)
    talking_head(folder / "two.mp4", start=20, seconds=19)
    videos = [
        ChannelVideo(name, f"{name}.mp4", name, f"{DAY}T10:00:00Z") for name in ("one", "two")
    ]
    write_channel(folder, "Ada", videos)
    with serve_channel(folder) as served:
        yield served


def _omniva(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from omniva_dagster.cli import main; main()", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(home), **environment(home)},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _run_to_the_end(home: Path) -> dict[str, Any]:
    process = _omniva(home, "run", "--creator", "ada", "--day", DAY, "--json")
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    report: dict[str, Any] = json.loads(out)
    return report


def _run_statuses(home: Path) -> set[str]:
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        return {run.status.value for run in instance.get_runs()}


@pytest.mark.timeout(1800)
@pytest.mark.spec("CON-11")
def test_killed_at_random_moments_each_clip_is_published_once(
    tmp_path: Path, channel: Channel
) -> None:
    """CON-11: modules are idempotent: the same message twice has one effect."""
    path = tmp_path / "home"
    path.mkdir()
    register = _omniva(path, "creators", "add", "ada", "--url", channel.feed_url)
    assert register.wait(300) == 0
    moments = random.Random(SEED)
    for _ in range(KILLS):
        process = _omniva(path, "run", "--creator", "ada", "--day", DAY, "--json")
        try:
            process.wait(moments.uniform(4, 20))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)
    report = _run_to_the_end(path)
    published = sorted((path / "outbox").rglob("receipt.json"))
    assert [item["status"] for item in report["outcomes"] if item["status"] != "DONE"] == []
    assert len(report["clips"]) == len(published) >= 2
    for receipt in published:
        assert len(list(receipt.parent.iterdir())) == 4
        assert probe(receipt.with_name("clip.mp4")).height == 1920
    home = Home(path)
    assert home.count("publications") == len(published)
    assert home.count("slots") == len(published)
    assert home.count("collisions") == 0
    # What was killed is shown as failed, and takes no place in the queue.
    assert "STARTED" not in _run_statuses(path)
    files, packets = home.files(), home.recorded()
    assert _run_to_the_end(path) == report
    assert home.files() == files
    assert home.recorded() == packets
