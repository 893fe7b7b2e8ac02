"""Chorus between a clip and the world: held until a person answers, worded anew until it is out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from omniva_dagster.resources.goals import read_goals
from omniva_dagster.resources.recalibration import recalibrate
from tests.scenarios.stage import Scene
from tests.support.home import DAY

pytestmark = pytest.mark.media

Begin = Callable[[str], Scene]
CLAIM = "Our tea cures cancer."


def _voice(played: Scene, **fields: Any) -> None:
    folder = played.home.path / "voices"
    folder.mkdir(exist_ok=True)
    (folder / "ada.yaml").write_text(json.dumps(fields))


def _sent(receipt: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((receipt.parent / "metadata.json").read_text())
    return found


def _styled(played: Scene, clip: str) -> dict[str, Any]:
    return dict(played.recorded("StyledMetadata", clip)[-1])


def _check(result: dg.ExecuteInProcessResult, name: str) -> dg.AssetCheckEvaluation:
    (found,) = (one for one in result.get_asset_check_evaluations() if one.check_name == name)
    return found


def _waiting(played: Scene) -> dict[str, str]:
    lines = played.omniva("review", "list", "--json").splitlines()
    return {item["clip"]: item["conflict"] for item in map(json.loads, lines)}


@pytest.mark.spec("CHO-4")
@pytest.mark.spec("UPL-1")
def test_a_conflict_holds_the_upload_until_an_operator_answers(scene: Begin) -> None:
    """CHO-4: on each new UploadJob. UPL-1: UploadJob and Chorus payload."""
    played = scene("prepared")
    _voice(played, require=[CLAIM])
    result = played.materialize("upload_jobs", "publications")
    assert result.success
    assert played.posted == []
    first, second = played.clips
    assert played.orders(first) == ["promote", "hold"]
    check = _check(result, "chorus")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    held = {item.subject_id: item for item in played.outcomes("publications").values()}
    assert held[first].reason_code == "not_released"
    waiting = _waiting(played)
    assert set(waiting) == {first, second}
    assert f"omniva review resolve {waiting[first]}" in held[first].message
    # A cycle, or the same again, decides nothing else.
    played.omniva("control", "cycle")
    assert played.materialize("upload_jobs", "publications").success
    assert played.posted == []

    answer = ("--accept", "--reason", "it is what the label says")
    played.omniva("review", "resolve", waiting[first], *answer)
    assert played.orders(first) == ["promote", "hold", "promote"]
    assert played.materialize().success
    (receipt,) = played.posted
    assert json.loads(receipt.read_text())["clip_id"] == first
    assert CLAIM in _sent(receipt)["description"]
    assert list(_waiting(played)) == [second]
    (conflict,) = _styled(played, first)["payload"]["conflicts"]
    assert "it is what the label says" in conflict["resolution"]
    refused = played.home.omniva("review", "resolve", waiting[first], *answer)
    assert refused.exit_code == 1
    assert "omniva review list" in refused.output


@pytest.mark.spec("FLO-6")
@pytest.mark.spec("UPL-4")
def test_an_operators_words_are_what_is_sent_and_nothing_older(scene: Begin) -> None:
    """FLO-6: Chorus to Uploader. UPL-4: one packet per submission: asset URI and Chorus payload."""
    played = scene("prepared")
    clip, _ = played.clips
    title = _styled(played, clip)["payload"]["machine"]["title"]
    _voice(played, replace=[{"word": title, "use": "This tea cures cancer"}])
    assert played.materialize("upload_jobs").success
    held = [item for item in played.said("ComplianceConflict", clip) if item["field"] == "title"]
    conflict = held[0]["conflict_id"]
    others = [item["conflict_id"] for item in played.said("ComplianceConflict", clip)]
    for other in set(others) - {conflict}:
        played.omniva("review", "resolve", other, "--accept", "--reason", "a quotation")
    use = ("--use", "A cup of tea", "--reason", "no claims in titles")
    played.omniva("review", "resolve", conflict, *use)
    # What was prepared says otherwise: it does not go out, whoever asks.
    assert played.materialize("publications").success
    assert all(json.loads(one.read_text())["clip_id"] != clip for one in played.posted)

    assert played.materialize().success
    (receipt,) = (one for one in played.posted if json.loads(one.read_text())["clip_id"] == clip)
    assert _sent(receipt)["title"] == "A cup of tea"
    styled = _styled(played, clip)
    assert styled["payload"]["machine"] == {
        name: _sent(receipt)[name] for name in ("title", "description", "keywords")
    }
    (submission,) = played.recorded("PublicationReceipt", clip)
    (rendered,) = (item for item in played.recorded("RenderedClip", clip)[-1:])
    assert {styled["message_id"], rendered["message_id"]} <= set(submission["_meta_parents"])


@pytest.mark.spec("CHO-5")
def test_new_guidelines_reword_what_is_prepared_and_never_what_is_out(scene: Begin) -> None:
    """CHO-5: when guidelines shift."""
    played = scene("prepared")
    _voice(played, require=["Ada, every week."], hashtags=0)
    assert played.materialize("upload_jobs", "publications").success
    assert len(played.posted) == 2
    for receipt in played.posted:
        assert "Ada, every week." in _sent(receipt)["description"]
        assert "#" not in _sent(receipt)["description"]
    (preferences,) = (
        item for item in played.recorded("StylePreferences") if item["producer"] == "operator"
    )
    clip = played.clips[0]
    assert preferences["message_id"] in _styled(played, clip)["_meta_parents"]

    jobs = len(played.recorded("UploadJob"))
    before = played.home.files()
    _voice(played, require=["Ada, every month."])
    assert played.materialize("upload_jobs", "publications").success
    assert len(played.recorded("UploadJob")) == jobs
    assert played.home.files() == before


def test_a_wrong_voice_file_is_named_with_its_line_and_nothing_goes_out(scene: Begin) -> None:
    played = scene("prepared")
    folder = played.home.path / "voices"
    folder.mkdir()
    (folder / "ada.yaml").write_text("tone: shouting\nhashtags: 99\n")
    assert played.materialize("upload_jobs", "publications").success
    assert played.posted == []
    for outcome in played.outcomes("upload_jobs").values():
        assert outcome.reason_code == "bad_command"
        assert "line 1" in outcome.message
        assert "line 2" in outcome.message


@pytest.mark.spec("PAN-4")
@pytest.mark.spec("PAN-3")
@pytest.mark.part("FLO-2")
def test_judges_who_are_asked_again_say_what_they_said_and_the_request_is_on_record(
    scene: Begin,
) -> None:
    """PAN-4: manual review requests. PAN-3: each scoring batch. FLO-2: Pantheon to Editor."""
    played = scene("planned")
    clip, _ = played.clips
    (first,) = played.recorded("VoteReport", clip)
    (judged,) = (item for item in played.recorded("ClipCandidate", clip)[:1])
    (promotion,) = played.recorded("Directive", clip)
    (plan,) = played.recorded("EditJob", clip)
    assert first["message_id"] in judged["_meta_parents"]
    assert judged["message_id"] in promotion["payload"]["evidence"]
    assert promotion["message_id"] in plan["_meta_parents"]
    videos = {item["video_id"] for item in played.said("Shortlist")}
    assert videos == {item["video_id"] for item in played.said("VideoAsset")}

    said = played.omniva("review", clip, "--question", "is this really the best of it?")
    assert "the judges vote as they did before" in said
    (request,) = played.recorded("ManualReviewRequest", clip)
    again = played.recorded("VoteReport", clip)[-1]
    assert request["message_id"] in again["_meta_parents"]
    assert again["payload"]["ballots"] == first["payload"]["ballots"]
    assert request["payload"]["disputed_report"] == first["payload"]["report_id"]
    result = played.materialize("clip_candidates")
    assert _check(result, "pantheon").passed
    assert played.orders(clip) == ["promote"]


@pytest.mark.spec("PAN-5")
def test_new_guidance_has_the_judges_vote_again_when_it_is_asked_for(scene: Begin) -> None:
    """PAN-5: new Horizon guidance."""
    played = scene("planned")
    subject = next(tag for item in played.said("ClipCandidate") for tag in item["semantic_tags"])
    (played.home.path / "goals.yaml").write_text(
        "campaigns:\n"
        f"  - name: spring\n    since: 2026-03-01\n    until: 2026-05-01\n"
        f"    mix:\n      - {{subject: {json.dumps(subject)}, share: 0.9}}\n"
    )
    assert recalibrate(played.home.store, read_goals(), f"{DAY}T12:00:00Z", ["ada"])
    before, orders = played.recorded("VoteReport"), played.said("Directive")
    assert played.materialize("clip_candidates").success
    assert played.recorded("VoteReport") == before, "what was pinned is what is voted by"

    again = {"ops": {"clip_candidates": {"config": {"replan": True}}}}
    result = played.materialize("clip_candidates", run_config=again)
    assert result.success
    assert _check(result, "pantheon").passed
    (desired,) = played.recorded("DesirabilityMetrics")
    fresh = played.recorded("VoteReport")[len(before) :]
    assert {item["payload"]["candidate_id"] for item in fresh} == {
        item["payload"]["candidate_id"] for item in before
    }
    assert all(desired["message_id"] in item["_meta_parents"] for item in fresh)
    assert played.said("Directive") == orders, "promotions stay pinned"
