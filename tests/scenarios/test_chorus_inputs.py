"""What makes a clip's wording: words of Pantheon, operators and Paradox, all of them on record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from omniva_dagster.contracts.cognition.chorus import PreferenceSource
from omniva_dagster.engines.pantheon.tastes import TASTES
from tests.scenarios.stage import Scene

pytestmark = [pytest.mark.media, pytest.mark.takes(30)]

Begin = Callable[[str], Scene]


def _voice(played: Scene, **fields: Any) -> None:
    folder = played.home.path / "voices"
    folder.mkdir(exist_ok=True)
    (folder / "ada.yaml").write_text(json.dumps(fields))


def _as_prepared(played: Scene) -> list[str]:
    """The clips in the order in which they were worded."""
    return [item["payload"]["clip_id"] for item in played.recorded("UploadJob")]


def _sent(receipt: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((receipt.parent / "metadata.json").read_text())
    return found


def _styled(played: Scene, clip: str) -> dict[str, Any]:
    return dict(played.recorded("StyledMetadata", clip)[-1])


def _wishes(played: Scene) -> list[dict[str, Any]]:
    source = PreferenceSource.PANTHEON.value
    found = played.recorded("StylePreferences")
    return [item for item in found if item["payload"]["source"] == source]


@pytest.mark.spec("CHO-1")
@pytest.mark.spec("CHO-2")
def test_drafts_and_styles_of_pantheon_and_operators_and_paradoxes_alerts_make_the_wording(
    scene: Begin,
) -> None:
    """CHO-1: takes draft titles, descriptions, tags, style preferences, Paradox compliance alerts.
    CHO-2: refined metadata."""
    played = scene("prepared")
    first, second = _as_prepared(played)
    title = _styled(played, first)["payload"]["machine"]["title"]
    _voice(played, require=["Ada, every week."], casing="title", tone="neutral")
    words = ("--description", "In my own words!!!", "--tags", "tea, #Tea, pot")
    played.omniva("review", "word", second, "--title", title, *words)
    assert played.materialize("upload_jobs", "publications").success

    styled = _styled(played, second)
    parents = set(styled["_meta_parents"])
    drafts = played.recorded("DraftMetadata", second)
    assert {item["producer"] for item in drafts} == {"upload_jobs", "operator"}
    assert {drafts[-1]["message_id"]} <= parents
    (brand,) = (
        item for item in played.recorded("StylePreferences") if item["producer"] == "operator"
    )
    assert brand["message_id"] in parents
    # Paradox saw that the other clip has that title; an operator wrote it, so it is only shown.
    (alert,) = played.recorded("ComplianceAlert", second)
    assert (alert["producer"], alert["payload"]["policy"]) == ("paradox", "repeated_title")
    assert drafts[-1]["message_id"] in alert["_meta_parents"]
    assert alert["message_id"] in parents
    (conflict,) = styled["payload"]["conflicts"]
    assert (conflict["state"], conflict["severity"]) == ("unresolved", "warning")
    assert conflict["alert_id"] == alert["payload"]["alert_id"]

    sent = {json.loads(one.read_text())["clip_id"]: _sent(one) for one in played.posted}
    assert set(sent) == {first, second}, "a warning holds nothing"
    machine = styled["payload"]["machine"]
    assert machine == {name: sent[second][name] for name in machine}
    assert machine["description"] == "In my own words!\n\nAda, every week."
    assert machine["keywords"] == ["tea", "pot"]
    assert {"tone", "require"} <= {item["rule"] for item in styled["payload"]["deltas"]}
    refused = played.home.omniva("review", "word", first, "--title", "Too late")
    assert refused.exit_code == 1
    assert "posted already" in refused.output


def test_how_the_judges_voted_says_how_a_clip_is_worded_unless_the_brand_does(
    scene: Begin,
) -> None:
    played = scene("prepared")
    wishes = _wishes(played)
    assert wishes, "of two clips a judge has a wish for one"
    for wish in wishes:
        clip = wish["subject_id"] if "subject_id" in wish else wish["payload"]["clip_id"]
        (report,) = played.recorded("VoteReport", clip)
        assert wish["producer"] == "pantheon"
        assert wish["_meta_parents"] == [report["message_id"]]
        votes = {item["agent"]: item["vote"] for item in report["payload"]["ballots"]}
        most = min(votes, key=lambda name: (-votes[name], name))
        against = report["payload"]["dissent"]
        (taste, *_) = (
            item
            for item in TASTES
            if (item.persona in against if item.dissents else item.persona == most)
        )
        assert taste.why in wish["payload"]["because"]
        styled = _styled(played, clip)
        assert wish["message_id"] in styled["_meta_parents"]
        assert styled["payload"]["tone"] == taste.tone.value
        told = played.omniva("explain", clip)
        assert taste.why in told
    result = played.materialize("publications")
    (check,) = (
        item for item in result.get_asset_check_evaluations() if item.check_name == "halolux"
    )
    assert check.passed, "each sentence about it is in the packet that it cites"


def test_a_brands_own_voice_goes_before_the_judges_wish(scene: Begin) -> None:
    played = scene("prepared")
    clip = _wishes(played)[0]["payload"]["clip_id"]
    _voice(played, tone="playful", emoji=True, hashtags=1)
    assert played.materialize("upload_jobs").success
    styled = _styled(played, clip)
    assert styled["payload"]["tone"] == "playful"
    assert styled["payload"]["machine"]["description"].count("#") <= 1


def test_an_own_description_without_the_source_is_held_where_the_licence_asks_for_it(
    scene: Begin,
) -> None:
    played = scene("prepared")
    first, second = _as_prepared(played)
    feed = played.channel.feed_url
    played.omniva("creators", "add", "ada", "--url", feed, "--licence", "CC BY 4.0")
    played.omniva("review", "word", first, "--description", "In my own words.")
    assert played.materialize("upload_jobs", "publications").success
    (receipt,) = played.posted
    assert json.loads(receipt.read_text())["clip_id"] == second, "its own draft names the source"
    (alert,) = played.recorded("ComplianceAlert", first)
    assert alert["payload"]["policy"] == "attribution"
    assert played.recorded("ConsentRecord")[-1]["message_id"] in alert["_meta_parents"]
    (waiting,) = (json.loads(one) for one in played.omniva("review", "list", "--json").splitlines())
    assert waiting["clip"] == first
    assert "CC BY 4.0" in waiting["reason"]

    draft = played.recorded("DraftMetadata", first)[0]["payload"]["description"]
    source = draft[draft.index("http://") :].split()[0]
    use = ("--use", f"In my own words, after {source}", "--reason", "named now")
    played.omniva("review", "resolve", waiting["conflict"], *use)
    assert played.materialize().success
    assert len(played.posted) == 2
    assert _styled(played, first)["payload"]["conflicts"] == []


def test_of_two_clips_with_one_title_the_later_gets_another_sentence(scene: Begin) -> None:
    played = scene("prepared")
    first, second = _as_prepared(played)
    other = _styled(played, second)["payload"]["machine"]["title"]
    played.omniva("review", "word", first, "--title", other)
    for _ in range(2):
        assert played.materialize("upload_jobs").success
    # The first was prepared first: its operator's title stands, and nobody else's is touched.
    titles = [_styled(played, clip)["payload"]["machine"]["title"] for clip in (first, second)]
    assert titles[0] == other
    assert titles[1] != other
    (alert,) = played.said("ComplianceAlert")
    assert alert["subject_id"] == second
    deltas = _styled(played, second)["payload"]["deltas"]
    assert "repeated_title" in {item["rule"] for item in deltas}
