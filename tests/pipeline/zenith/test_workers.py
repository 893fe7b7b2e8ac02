"""All five worker pools do what Zenith orders, on the real pipeline: binding commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from omniva_dagster import state as db
from omniva_dagster.contracts.decisions import OutcomeStatus
from omniva_dagster.contracts.ids import worker_id_of
from omniva_dagster.demo.channel import ChannelVideo, serve_channel, write_channel
from omniva_dagster.resources.recovery import WORKER_OF
from tests.pipeline.zenith.support import HERE, payloads
from tests.support.home import DAY, Home

pytestmark = pytest.mark.media

STAGES = ("videos", "analysis_results", "rendered_clips", "schedule_tasks", "publications")


@pytest.fixture
def followed(home: Home, footage: Path) -> Iterator[Home]:
    """A home with a creator whose channel has one video."""
    channel = home.path / "channel"
    channel.mkdir()
    (channel / "talk.mp4").write_bytes(footage.read_bytes())
    videos = [ChannelVideo("talk", "talk.mp4", "Talk", f"{DAY}T10:00:00Z", uploader="Ada")]
    write_channel(channel, "Ada", videos)
    with serve_channel(channel) as served:
        home.add("ada", served.feed_url)
        yield home


def _done(home: Home, stage: str) -> int:
    with home.store.read() as connection:
        found = db.outcomes.of_partition(connection, HERE, stage)
    return sum(item.status is OutcomeStatus.DONE for item in found)


def _press(home: Home, worker: str) -> str:
    """Stop a pool; the press's id."""
    said = home.omniva("panic", "--worker", worker, "--reason", f"{worker} smokes")
    assert said.exit_code == 0, said.output
    found = re.search(r"--signal (\S+)", said.output)
    assert found is not None
    return found[1]


@pytest.mark.spec("FLO-8")
def test_no_worker_acts_while_zenith_holds_it_and_each_does_when_zenith_lets_it(
    followed: Home,
) -> None:
    """FLO-8: Zenith -> all operational workers: binding commands that change system state."""
    pressed = {stage: _press(followed, WORKER_OF[stage]) for stage in STAGES}
    for place, stage in enumerate(STAGES):
        followed.run()
        assert [_done(followed, one) > 0 for one in STAGES] == [
            number < place for number in range(len(STAGES))
        ], f"{WORKER_OF[stage]} is held, those before it are not"
        resumed = followed.omniva("resume", "--signal", pressed[stage], "--reason", "repaired")
        assert resumed.exit_code == 0, resumed.output
        with followed.store.read() as connection:
            wanted = {one.partition for one in db.intents.open_ones(connection)}
        assert wanted == {HERE}, "what the hold stopped is wanted again"
    followed.run()
    assert all(_done(followed, stage) for stage in STAGES)
    assert len(list((followed.path / "outbox").rglob("receipt.json"))) == 1
    orders = payloads(followed.store, "Directive")
    for worker in {WORKER_OF[stage] for stage in STAGES}:
        mine = [one["kind"] for one in orders if one["subject_id"] == worker_id_of(worker)]
        assert mine == ["hold", "release"], worker
    # What a clip goes through is ordered too: the editor acts on a promotion, the uploader on a
    # release.
    clip = payloads(followed.store, "PublicationReceipt")[0]["clip_id"]
    assert [(one["kind"], one["owner"]) for one in orders if one["subject_id"] == clip] == [
        ("promote", "editor"),
        ("release", "uploader"),
    ]
