"""What an operator wants goes through Zenith, and a held clip is posted by nobody."""

from __future__ import annotations

import json
from collections.abc import Callable

import dagster as dg
import pandas as pd
import pytest

from tests.scenarios.stage import Scene
from tests.support.home import DAY

pytestmark = pytest.mark.media

Begin = Callable[[str], Scene]


def _held(played: Scene, subject_id: str, why: str = "the sponsor wants to see it first") -> None:
    played.omniva("override", "hold", subject_id, "--reason", why)


@pytest.mark.spec("CON-12")
def test_an_override_is_an_input_to_zenith_which_alone_issues_directives(scene: Begin) -> None:
    """CON-12: only Zenith commits or cancels operational work."""
    played = scene("prepared")
    clip, other = played.clips
    _held(played, clip)
    (request,) = played.recorded("OverrideRequest", clip)
    *_, hold = played.recorded("Directive", clip)
    assert (request["payload"]["kind"], hold["payload"]["kind"]) == ("hold", "hold")
    assert request["message_id"] in hold["payload"]["evidence"]
    assert {item["producer"] for item in played.recorded("Directive")} == {"zenith"}
    assert played.orders(other) == ["promote"]


@pytest.mark.part("ZEN-2")
def test_a_held_clip_is_not_posted_by_materializing_what_follows_by_hand(scene: Begin) -> None:
    """ZEN-2: directives to workers."""
    played = scene("prepared")
    clip, other = played.clips
    _held(played, clip)
    for _ in range(2):
        result = played.materialize("publications")
        assert result.success
        (receipt,) = played.posted
        assert json.loads(receipt.read_text())["clip_id"] == other
    assert played.said("PublicationReceipt", clip) == []
    assert played.home.count("publications") == 1
    (withheld,) = (
        item for item in played.outcomes("publications").values() if item.subject_id == clip
    )
    assert (withheld.status, withheld.reason_code) == ("SKIPPED", "not_released")
    assert "the sponsor wants to see it first" in withheld.message
    (check,) = (
        item for item in result.get_asset_check_evaluations() if item.check_name == "zenith"
    )
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)

    played.omniva("override", "release", clip, "--reason", "the sponsor is content")
    assert played.materialize("publications").success
    assert len(played.posted) == 2
    assert played.orders(clip)[-1] == "release"


@pytest.mark.spec("ZEN-4")
def test_an_operator_who_overrules_paradox_leaves_a_verdict(scene: Begin) -> None:
    """ZEN-4: arbitration verdicts."""
    played = scene("planned")
    played.upload("copy", "one")
    assert played.materialize("scraper_jobs", "videos").success
    (conflict,) = played.recorded("ConflictResolution")
    copy = conflict["payload"]["affected_ids"][1]
    assert played.orders(copy) == ["hold"]

    played.omniva("override", "release", copy, "--reason", "it is a remaster: wanted")
    assert played.orders(copy) == ["hold", "release"]
    (verdict,) = played.said("ArbitrationVerdict")
    advice = json.dumps(verdict)
    assert conflict["message_id"] in advice
    assert played.recorded("OverrideRequest", copy)[0]["message_id"] in advice


@pytest.mark.part("CON-11")
def test_an_override_that_changes_nothing_is_no_second_directive(scene: Begin) -> None:
    """CON-11: modules are idempotent: the same message twice has one effect."""
    played = scene("prepared")
    clip, _ = played.clips
    _held(played, clip)
    before = played.orders(clip)
    for _ in range(2):
        played.omniva("control", "cycle")
    assert played.orders(clip) == before


def test_a_held_video_holds_its_clips_and_no_other(scene: Begin) -> None:
    played = scene("planned")
    (one,) = (item for item in played.said("VideoAsset") if item["title"] == "one")
    _held(played, one["video_id"], "rights are unclear")
    assert played.materialize().success
    shown = played.omniva("status", "--creator", "ada", "--day", DAY, "--json", code=None)
    posted = {clip["video"]: clip["status"] for clip in json.loads(shown)["clips"]}
    assert posted["one"] == "not published"
    assert posted["two"] == "SCHEDULED"
    assert played.renderer.calls == ["fast"], "what is held is not rendered either"


def test_a_clip_that_was_posted_before_it_was_held_is_still_among_the_published(
    scene: Begin,
) -> None:
    played = scene("prepared")
    clip, _ = played.clips
    played.materialize("publications")
    _held(played, clip)
    played.materialize("publications")
    published = pd.read_parquet(played.home.path / "warehouse" / "publications")
    assert sorted(published["clip_id"]) == sorted(played.clips)
    assert len(played.said("PublicationReceipt", clip)) == 1
