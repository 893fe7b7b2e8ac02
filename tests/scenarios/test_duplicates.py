"""The same thing twice: found on ingestion, held by Zenith, and nobody else waits for it."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from omniva_dagster.contracts.ids import worker_id_of
from omniva_dagster.state.partition import Partition
from tests.scenarios.stage import Scene
from tests.support.home import DAY

pytestmark = pytest.mark.media

Begin = Callable[[str], Scene]


def _video_ids(scene: Scene) -> dict[str, str]:
    return {item["title"]: item["video_id"] for item in scene.said("VideoAsset")}


def _check(result: dg.ExecuteInProcessResult, asset: str, name: str) -> dg.AssetCheckEvaluation:
    (found,) = (
        item
        for item in result.get_asset_check_evaluations()
        if (item.asset_key.path[-1], item.check_name) == (asset, name)
    )
    return found


@pytest.mark.spec("PAR-3")
@pytest.mark.part("PAR-2")
def test_a_duplicate_upload_is_held_while_its_siblings_go_on(scene: Begin) -> None:
    """PAR-3: fires on new ingestion."""
    played = scene("planned")
    played.upload("copy", "one")
    result = played.materialize()
    assert result.success

    (conflict,) = played.said("ConflictResolution")
    first, copy = conflict["affected_ids"]
    assert first == _video_ids(played)["one"]
    assert (conflict["kind"], conflict["trigger"]) == ("duplicate", "ingestion")
    assert "copy" not in _video_ids(played)

    (hold,) = played.recorded("Directive", copy)
    (reported,) = played.recorded("ConflictResolution")
    assert hold["payload"]["kind"] == "hold"
    assert reported["message_id"] in hold["payload"]["evidence"]
    assert played.orders(first) == []

    assert played.outcomes("videos")["copy"].reason_code == "duplicate"
    assert len(played.posted) == 2
    warned = _check(result, "videos", "paradox")
    assert not warned.passed
    assert warned.severity is dg.AssetCheckSeverity.WARN


@pytest.mark.part("PAR-2")
def test_a_held_duplicate_stays_held_and_is_reported_once(scene: Begin) -> None:
    """PAR-2: emits conflict_resolution: duplicates, severity, affected ids."""
    played = scene("published")
    played.upload("copy", "one")
    for _ in range(2):
        assert played.materialize("scraper_jobs", "videos").success
    (conflict,) = played.said("ConflictResolution")
    assert played.orders(conflict["affected_ids"][1]) == ["hold"]
    outcome = played.outcomes("videos")["copy"]
    assert (outcome.status, outcome.reason_code) == ("SKIPPED", "not_released")
    assert len(played.said("VideoAsset")) == 2


@pytest.mark.spec("FLO-5")
def test_of_two_overlapping_scrapes_of_one_channel_the_later_is_held(scene: Begin) -> None:
    """FLO-5: Paradox -> Scraper."""
    played = scene("planned")
    played.home.add("bea", played.channel.feed_url)
    result = played.materialize("scraper_jobs", "videos", creator="bea")
    assert result.success

    (conflict,) = played.said("ConflictResolution")
    jobs = {item["job_id"]: item["creator_id"] for item in played.said("ScraperJob")}
    earlier, later = conflict["affected_ids"]
    assert jobs[earlier] != jobs[later]
    assert played.orders(later) == ["hold"]
    assert played.orders(earlier) == []
    assert len(played.said("RawCapture")) == 2, "bea's job fetched nothing"
    (held,) = played.outcomes("videos", Partition("bea", DAY)).values()
    assert (held.status, held.reason_code) == ("SKIPPED", "not_released")
    assert played.orders(worker_id_of("scraper")) == []
    # The first creator's work is not touched by it.
    assert played.materialize().success
    assert len(played.posted) == 2
