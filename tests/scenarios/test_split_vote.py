"""Judges who disagree: what they say, whom Zenith follows, and what the editor is given of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from omniva_dagster.contracts.cognition.halolux import InterpretabilityBundle
from omniva_dagster.settings import settings
from tests.scenarios.stage import PIPELINE, Scene
from tests.support.footage import talking_head
from tests.support.home import DAY

pytestmark = [pytest.mark.media, pytest.mark.takes(60)]

Begin = Callable[[str], Scene]
TOMORROW = (datetime.fromisoformat(DAY) + timedelta(days=1)).date().isoformat()
PLANNED = PIPELINE[: PIPELINE.index("edit_jobs") + 1]
SKEPTIC = "judge_skeptic"


class Skeptic:
    """Has nothing of it."""

    name, version = "skeptic", "1"

    def judge(self, text: str, features: Mapping[str, float]) -> float:
        """No."""
        return 0.0


@pytest.fixture
def played(scene: Begin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    """A day with one video of several candidates, and a judge who is against each."""
    found = scene("planned")
    monkeypatch.setenv("OMNIVA_JUDGE", f"{__name__}:{Skeptic.__name__}")
    monkeypatch.setenv("OMNIVA_MAX_CLIPS_PER_VIDEO", "1")
    settings.cache_clear()
    talking_head(tmp_path / "long.mp4", start=0, seconds=41)
    (found.folder / "three.mp4").write_bytes((tmp_path / "long.mp4").read_bytes())
    found.upload("long", "three", day=TOMORROW, hour=9)
    (found.folder / "three.mp4").unlink()
    return found


def _of(played: Scene, message_type: str, subjects: set[str]) -> list[dict[str, Any]]:
    found = played.recorded(message_type)
    return [item for item in found if item["payload"].get("video_id") in subjects]


@pytest.mark.spec("FLO-2")
def test_a_split_vote_is_decided_by_all_and_told_to_the_editor_and_to_who_asks_why_not(
    played: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FLO-2: Pantheon -> Editor: highlight high-value clip candidates for editing with rationale
    from multi-agent votes."""
    result = played.materialize(*PLANNED, day=TOMORROW)
    assert result.success
    (video,) = (item["video_id"] for item in played.said("VideoAsset") if item["title"] == "long")
    (shortlist,) = _of(played, "Shortlist", {video})
    ranked = [item["candidate_id"] for item in shortlist["payload"]["candidates"]]
    reports = {one: played.recorded("VoteReport", one)[0] for one in ranked}
    assert len(ranked) > 1
    for report in reports.values():
        assert SKEPTIC in report["payload"]["dissent"]
        votes = {one["agent"]: one["vote"] for one in report["payload"]["ballots"]}
        assert votes[SKEPTIC] == 0.0
        assert max(votes.values()) > 0.5

    # Zenith follows the consensus, and says whom it overruled.
    promoted = {
        item["subject_id"]: item
        for item in (one["payload"] for one in _of(played, "Directive", {video}))
        if item["kind"] == "promote"
    }
    assert promoted
    assert ranked[0] in promoted
    for directive in promoted.values():
        assert f"pantheon/{SKEPTIC} voted 0.00" in directive["overrode"]

    # The editor's plan stands on the votes, and shows the reasons beside what is to be cut.
    (made,) = result.asset_materializations_for_node("edit_jobs")
    table = str(made.metadata["plans"].value)
    for clip in promoted:
        (plan,) = played.recorded("EditJob", clip)
        assert {reports[clip]["message_id"], shortlist["message_id"]} <= set(plan["_meta_parents"])
        (row,) = (line for line in table.splitlines() if clip in line)
        place = ranked.index(clip) + 1
        assert f"number {place} on the shortlist" in row
        assert "against it: judge\\_skeptic" in row

    # And what was never made is explained by the votes, and by how Zenith chose.
    (left, *_) = (one for one in ranked if one not in promoted)
    bundle = InterpretabilityBundle.parse(played.omniva("explain", left, "--json"))
    story = " ".join(sentence.text for sentence in bundle.narrative)
    said = reports[left]["payload"]
    assert "did not become a clip" in story
    assert f"number {said['rank']} of {said['batch_size']}" in story
    assert "skeptic" in story
    assert bundle.completeness == 1

    # Who sees room for more asks for it; what was promoted stays so.
    monkeypatch.delenv("OMNIVA_MAX_CLIPS_PER_VIDEO")
    settings.cache_clear()
    assert played.materialize("zenith_directives", day=TOMORROW).success
    assert played.orders(left) == [], "a further run alone promotes nothing more"
    played.omniva("run", "--creator", "ada", "--day", TOMORROW, "--replan")
    assert played.orders(left)[0] == "promote"
    assert played.recorded("VoteReport", left)[0] == reports[left]
    for clip in promoted:
        assert played.orders(clip).count("promote") == 1
        assert len(played.said("PublicationReceipt", clip)) == 1
