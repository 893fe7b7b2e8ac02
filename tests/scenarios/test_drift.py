"""A campaign falls behind, Horizon warns, and tomorrow's clips go out when more people watch."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.resources.goals import read_goals
from omniva_dagster.resources.recalibration import recalibrate
from tests.scenarios.stage import Scene
from tests.support.footage import talking_head
from tests.support.home import DAY

pytestmark = [pytest.mark.media, pytest.mark.takes(40)]

Begin = Callable[[str], Scene]
TOMORROW = (datetime.fromisoformat(DAY) + timedelta(days=1)).date().isoformat()
BEST_HOUR = 21
GOALS = """\
campaigns:
  - name: year
    since: 2026-02-01
    until: 2099-01-01
    cadence: {clips_per_week: 7, weight: 1}
    smoothing: 0
"""
FIELDS = ["post", "creator", "platform", "published_at", "observed_at", "views", "likes"]
FIELDS += ["comments", "shares", "watched_seconds", "retention"]


def history(path: Path) -> Path:
    """Two months of posts at noon and in the evening, those in the evening seen by far more; none
    in the last fortnight."""
    first = datetime(2025, 12, 1, tzinfo=UTC)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        for day in range(70):
            for hour, views in ((12, 100 + day), (BEST_HOUR, 5000 + day)):
                at = first + timedelta(days=day, hours=hour)
                row: dict[str, Any] = dict.fromkeys(FIELDS, 0)
                writer.writerow(
                    row
                    | {
                        "post": f"{day}-{hour}",
                        "creator": "ada",
                        "platform": "youtube",
                        "published_at": format_timestamp(at),
                        "observed_at": format_timestamp(at + timedelta(days=2)),
                        "views": views,
                    }
                )
    return path


@pytest.mark.spec("HOR-4")
@pytest.mark.spec("HOR-8")
def test_a_drift_warning_changes_tomorrows_slots_and_nothing_of_today(
    scene: Begin, tmp_path: Path
) -> None:
    """HOR-4: early drift warnings. HOR-8: smooths volatility, gives Pantheon desirability."""
    played = scene("prepared")
    today = played.said("ScheduleTask")
    assert {task["horizon_adjustment"] for task in today} == {0.0}
    played.home.path.joinpath("goals.yaml").write_text(GOALS)
    played.omniva("horizon", "import", str(history(tmp_path / "history.csv")))

    # The next morning Horizon sees that two clips a day were wanted and none went out.
    (made,) = recalibrate(played.home.store, read_goals(), f"{TOMORROW}T00:45:00Z")
    assert made.fresh
    (warning,) = [
        item for item in played.said("DriftWarning") if item["detected_at"][:10] == TOMORROW
    ]
    assert (warning["goal"], warning["observed"], warning["severity"]) == (
        "cadence",
        0.0,
        "critical",
    )

    talking_head(tmp_path / "new.mp4", start=5, seconds=19)
    (played.folder / "three.mp4").write_bytes((tmp_path / "new.mp4").read_bytes())
    played.upload("four", "three", day=TOMORROW, hour=9)
    (played.folder / "three.mp4").unlink()
    result = played.materialize(day=TOMORROW)
    assert result.success

    fresh = [task for task in played.said("ScheduleTask") if task not in today]
    assert fresh
    for task in fresh:
        assert parse_timestamp(task["recommended_time"]).hour == BEST_HOUR
        assert task["horizon_adjustment"] > 0.15
        assert f"{BEST_HOUR}:00 +0." in task["notes"]
        assert "campaign year" in task["notes"]
        (mutation,) = played.said("QueueMutation", task["clip_id"])
        assert mutation["goal_window"] == {
            "since": "2026-02-01T00:00:00Z",
            "until": "2099-01-01T00:00:00Z",
        }
    (check,) = (
        item for item in result.get_asset_check_evaluations() if item.check_name == "horizon"
    )
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "clips behind" in str(check.metadata["findings"].value)
    assert "campaign year" in str(check.metadata["guidance"].value)

    # What was planned the day before is as it was: its guidance is pinned.
    again = played.materialize("schedule_tasks", day=DAY)
    assert again.success
    assert [task for task in played.said("ScheduleTask") if task in today] == today
    (check,) = (
        item for item in again.get_asset_check_evaluations() if item.check_name == "horizon"
    )
    assert check.passed
    assert "neutral" in str(check.metadata["guidance"].value)


@pytest.mark.spec("HOR-1")
def test_slots_that_operators_move_make_horizon_more_careful(scene: Begin, tmp_path: Path) -> None:
    """HOR-1: takes campaign goals, engagement history, seasonality, Zenith's reflections."""
    played = scene("prepared")
    clip, _ = played.clips
    played.home.path.joinpath("goals.yaml").write_text(GOALS)
    played.omniva("horizon", "import", str(history(tmp_path / "history.csv")))
    week_later = datetime.now(UTC) + timedelta(days=7)
    at = format_timestamp(week_later)
    played.omniva("override", "reschedule", clip, "--at", at, "--reason", "the launch is at noon")
    assert played.materialize("schedule_tasks").success
    (moved,) = (
        item for item in played.said("QueueMutation", clip) if item["mutation"] == "rescheduled"
    )
    assert moved["commitment_time"] == at

    after = format_timestamp(week_later + timedelta(days=1))
    recalibrate(played.home.store, read_goals(), after)
    (reflection,) = played.recorded("CycleReflection")
    assert reflection["producer"] == "zenith"
    (log,) = (
        item
        for item in played.recorded("CommitmentLog")
        if item["message_id"] in reflection["payload"]["evidence"]
    )
    assert reflection["payload"]["overridden"][0] in log["payload"]["directives"]
    assert "the launch is at noon" in reflection["payload"]["went_badly"][0]
    weights = played.recorded("SchedulingWeights")[-1]
    said = weights["payload"]["explanation"]
    assert "operators moved 1 slot lately, so nudges count for 0.80" in said
    assert reflection["message_id"] in weights["payload"]["evidence"]
