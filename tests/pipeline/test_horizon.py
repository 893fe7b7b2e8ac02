"""Goals and history in, guidance out: recorded, explained, pinned by who uses it."""

from __future__ import annotations

import csv
import json
import logging
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from click.testing import CliRunner

from omniva_dagster import state as db
from omniva_dagster.cli import cli
from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.contracts.video import Platform
from omniva_dagster.definitions import definitions
from omniva_dagster.engines import horizon
from omniva_dagster.resources import guidance
from omniva_dagster.resources.guidance import Guided
from omniva_dagster.resources.workbench import Workbench
from omniva_dagster.sensors.advisors import horizon_daily, horizon_goals
from omniva_dagster.settings import settings
from omniva_dagster.state.partition import Partition
from tests.support.home import Home, make_home

pytestmark = pytest.mark.takes(20)

NOW = format_timestamp(datetime.now(UTC))
TODAY = datetime.now(UTC).date()
GOALS = f"""\
campaigns:
  - name: spring
    since: {TODAY - timedelta(days=20)}
    until: {TODAY + timedelta(days=40)}
    cadence: {{clips_per_week: 7}}
    growth:
      - {{measure: views, target: 5000}}
    mix:
      - {{subject: budget, share: 0.4}}
    windows:
      - {{weekdays: [friday], hours: [18], preference: 1}}
"""
FIELDS = ["post", "creator", "platform", "published_at", "observed_at", "views", "likes"]
FIELDS += ["comments", "shares", "watched_seconds", "retention"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state of a home with the creator ada, made once."""
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(tmp_path_factory.mktemp("prepared") / "home", patch)
        with home.store.begin() as connection:
            db.creators.register(connection, "ada", "http://a.example/", Platform.YOUTUBE, NOW)
        home.store.close()
        yield home.path / "state.db"
    settings.cache_clear()


@pytest.fixture
def home(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home with the creator ada, and no goals yet."""
    home = make_home(tmp_path / "home", monkeypatch)
    shutil.copyfile(prepared, home.path / "state.db")
    yield home
    settings.cache_clear()


def set_goals(home: Home, text: str = GOALS) -> None:
    (home.path / "goals.yaml").write_text(text)


def rows(days: int = 28, hours: tuple[int, ...] = (9, 18)) -> list[dict[str, Any]]:
    """Posts of the last weeks, those at the last hour with ten times the views."""
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0) - timedelta(days=days + 1)
    found = []
    for day in range(days):
        for hour in hours:
            at = start + timedelta(days=day, hours=hour)
            views = 1000 if hour == hours[-1] else 100
            found.append(
                {
                    "post": f"post-{day}-{hour}",
                    "creator": "ada",
                    "platform": "youtube",
                    "published_at": format_timestamp(at),
                    "observed_at": format_timestamp(at + timedelta(hours=20)),
                    "views": views,
                    "likes": 1,
                    "comments": 0,
                    "shares": 0,
                    "watched_seconds": 2.5,
                    "retention": 0.5,
                }
            )
    return found


def write(path: Path, found: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(found)
    return path


def bench(home: Home, day: str, stage: str = "clip_candidates") -> Workbench:
    return Workbench(home.store, Partition("ada", day), stage, logging.getLogger("test"))


def count(home: Home, message_type: str) -> int:
    with home.store.read() as connection:
        return int(
            connection.exec_driver_sql(
                f"SELECT count(*) FROM packets WHERE message_type = '{message_type}'"
            ).scalar()
            or 0
        )


@pytest.mark.part("HOR-1")
@pytest.mark.spec("HOR-3")
def test_history_is_imported_once_and_guidance_follows(home: Home, tmp_path: Path) -> None:
    """HOR-1: takes campaign goals, engagement history, seasonality. HOR-3: trajectory
    recommendations."""
    set_goals(home)
    path = write(tmp_path / "history.csv", rows())
    first = json.loads(home.omniva("horizon", "import", str(path), "--json").stdout)
    assert (first["rows"], first["new"]) == (56, 56)
    assert first["guidance"][0]["fresh"]
    again = json.loads(home.omniva("horizon", "import", str(path), "--json").stdout)
    assert (again["rows"], again["new"]) == (56, 0)
    assert home.count("engagement") == 56
    assert count(home, "EngagementRecord") == 56
    assert count(home, "SeasonalityProfile") == 1
    assert count(home, "GoalTrajectory") == 3
    shown = json.loads(home.omniva("horizon", "show", "--json").stdout)
    body = shown["guidance"]
    slots = {(slot[0], slot[1]): slot for slot in body["slots"]}
    # Friday 18:00 is wanted and did better; 9:00 did worse on every day.
    assert slots[4, 18][2] > 0.5
    assert "posts on Friday 18:00 beat" in slots[4, 18][3]
    assert "the campaign wants it" in slots[4, 18][3]
    assert all(slots[day, 9][2] < -0.1 for day in range(7))
    text = home.omniva("horizon", "show").stdout
    assert "campaign spring" in text
    assert "growth: views" in text


def test_parquet_is_read_like_csv(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    frame = pd.DataFrame(rows(3))
    frame["published_at"] = pd.to_datetime(frame["published_at"])
    frame.to_parquet(path)
    assert "6 rows, 6 new" in home.omniva("horizon", "import", str(path)).stdout
    same = write(tmp_path / "history.csv", rows(3))
    assert "6 rows, 0 new" in home.omniva("horizon", "import", str(same)).stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"views": "-3"}, "row 3: views must be a whole number, not '-3'"),
        ({"views": "12.5"}, "row 3: views must be a whole number"),
        ({"views": ""}, "row 3: views is missing"),
        ({"retention": "1.5"}, "row 3: retention must be at most 1"),
        ({"retention": "nan"}, "row 3: retention must be a number"),
        ({"platform": "myspace"}, "row 3: platform must be one of"),
        ({"published_at": "yesterday"}, "row 3: published_at must be a time in UTC"),
        ({"observed_at": "2020-01-01T00:00:00Z"}, "observed_at must not be before published_at"),
        ({"observed_at": "2999-01-01T00:00:00Z"}, "observed_at must not lie in the future"),
        ({"creator": ""}, "was not made here: say whose it is"),
        ({"creator": "eve"}, "creator 'eve' is not registered"),
        ({"post": ""}, "row 3: clip_id is missing"),
    ],
)
def test_a_file_with_a_wrong_row_is_refused_whole_and_the_row_is_named(
    home: Home, tmp_path: Path, change: dict[str, str], said: str
) -> None:
    found = rows(2)
    found[1] |= change
    result = home.omniva("horizon", "import", str(write(tmp_path / "bad.csv", found)))
    assert result.exit_code == 1
    assert said in result.output
    assert home.count("engagement") == 0


def test_every_wrong_row_is_named_at_once(home: Home, tmp_path: Path) -> None:
    found = rows(2)
    for row in found[1:3]:
        row["views"] = "many"
    output = home.omniva("horizon", "import", str(write(tmp_path / "bad.csv", found))).output
    assert "row 3: views" in output
    assert "row 4: views" in output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"views\n1\n", "lacks the column platform"),
        (b"a,b\xff\n", "is not CSV in UTF-8"),
        (b"", "lacks the column views"),
    ],
)
def test_a_file_that_is_none_says_why(
    home: Home, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    result = home.omniva("horizon", "import", str(path))
    assert result.exit_code == 1
    assert said in result.output
    odd = tmp_path / "odd.parquet"
    odd.write_bytes(content)
    assert "is not Parquet" in home.omniva("horizon", "import", str(odd)).output


def test_an_observation_does_not_change_afterwards(home: Home, tmp_path: Path) -> None:
    found = rows(2)
    home.omniva("horizon", "import", str(write(tmp_path / "one.csv", found)))
    found[0]["views"] = 7
    output = home.omniva("horizon", "import", str(write(tmp_path / "two.csv", found))).output
    assert "was imported before with other numbers (views 100, now 7)" in output
    both = [*found[1:], {**found[1], "views": 9}]
    output = home.omniva("horizon", "import", str(write(tmp_path / "three.csv", both))).output
    assert "says otherwise than row" in output


def test_a_wrong_goals_file_names_each_field_and_its_line(home: Home) -> None:
    set_goals(home, GOALS.replace("share: 0.4", "share: 4").replace("hours: [18]", "hours: [99]"))
    result = home.omniva("horizon", "goals", "check")
    assert result.exit_code == 1
    assert "/campaigns/0/mix/0/share: must be at most 1 (line 9)" in result.output
    assert "/campaigns/0/windows/0/hours/0: must be at most 23 (line 11)" in result.output
    set_goals(home)
    assert "spring: all creators" in home.omniva("horizon", "goals", "check").stdout
    (home.path / "goals.yaml").unlink()
    assert "docs/advisors.md" in home.omniva("horizon", "goals", "check").output


def test_without_goals_everything_is_neutral_and_says_so(home: Home) -> None:
    day = TODAY.isoformat()
    guided = guidance.of_partition(bench(home, day))
    assert guided.body == horizon.neutral_guidance(day)
    assert guided.neutral
    assert guided.desirability(["budget"]) == 0.5
    assert guided.nudges() is None
    assert guided.packet_ids == ()
    assert "neutral" in guided.note
    assert count(home, "SchedulingWeights") == 0


@pytest.mark.part("HOR-8")
def test_todays_partition_pins_todays_guidance_without_a_daemon(home: Home) -> None:
    """HOR-8: gives Pantheon desirability metrics."""
    set_goals(home, GOALS.replace("share: 0.4", "share: 0.9"))
    guided = guidance.of_partition(bench(home, TODAY.isoformat()))
    assert not guided.neutral
    assert guided.body["made_for"] == TODAY.isoformat()
    assert guided.nudges() is not None
    # New goals change what comes after, never what a partition has used.
    set_goals(home, GOALS.replace("spring", "summer"))
    home.omniva("horizon", "recalibrate")
    assert guidance.of_partition(bench(home, TODAY.isoformat(), "schedule_tasks")) == guided
    with home.store.read() as connection:
        now = guidance.recorded_for(connection, "ada", TODAY.isoformat())
    assert now is not None
    assert now.body["campaign"] == "summer"
    with home.store.read() as connection:
        for packet in guided.packet_ids:
            assert db.outbox.by_id(connection, packet) is not None


def test_a_backfill_uses_the_guidance_of_its_day_or_says_that_there_is_none(home: Home) -> None:
    set_goals(home)
    then = TODAY - timedelta(days=10)
    body = {
        **horizon.neutral_guidance(then.isoformat()),
        "goal_window": {
            "since": f"{then - timedelta(days=5)}T00:00:00Z",
            "until": f"{then + timedelta(days=4)}T00:00:00Z",
        },
        "campaign": "winter",
        "made_for": then.isoformat(),
        "made_at": f"{then}T00:45:00Z",
        "delay_cost": 0.05,
        "slots": [],
        "subjects": {"snow": 0.9},
        "gradients": {"cadence": 0.1},
        "warnings": [],
        "packets": {},
    }
    with home.store.begin() as connection:
        db.guidance.put(
            connection,
            db.guidance.Recorded(
                "ada", then.isoformat(), f"{then}T00:45:00Z", "d" * 64, "", "p", body
            ),
        )
    soon_after = guidance.of_partition(bench(home, (then + timedelta(days=2)).isoformat()))
    assert soon_after.body["campaign"] == "winter"
    assert f"as Horizon saw it on {then}" in soon_after.note
    # The winter campaign was over by then; and before it nothing was recorded.
    assert guidance.of_partition(bench(home, (then + timedelta(days=5)).isoformat())).neutral
    before = guidance.of_partition(bench(home, (then - timedelta(days=1)).isoformat()))
    assert before.neutral
    assert "none was recorded for that day" in before.note


def test_with_a_wrong_goals_file_what_was_recorded_before_stands(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    set_goals(home)
    home.omniva("horizon", "recalibrate")
    set_goals(home, "campaigns: 7\n")
    guided = guidance.of_partition(bench(home, TODAY.isoformat()))
    assert guided.body["campaign"] == "spring"
    assert "omniva horizon goals check" in caplog.text


def test_goals_that_are_taken_away_leave_neutral_guidance(home: Home) -> None:
    set_goals(home)
    home.omniva("horizon", "recalibrate")
    (home.path / "goals.yaml").unlink()
    assert guidance.of_partition(bench(home, TODAY.isoformat())).neutral


@pytest.mark.spec("HOR-7")
def test_a_trend_that_turns_is_told_with_the_import_that_shows_it(
    home: Home, tmp_path: Path
) -> None:
    """HOR-7: on trend inflection."""
    set_goals(home)
    found = rows(26, hours=(12,))
    for row in found[-12:]:
        row["views"] = 20
    path = write(tmp_path / "history.csv", found)
    said = json.loads(home.omniva("horizon", "import", str(path), "--json").stdout)
    assert said["guidance"][0]["turned"]
    assert any("turned down" in text for text in said["guidance"][0]["warnings"])


def _schedule(home: Home) -> list[Any]:
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 11, 4, 0, 45, tzinfo=UTC)
    )
    return list(horizon_daily(context))


@pytest.mark.spec("HOR-5")
def test_guidance_is_made_daily_where_there_are_goals(home: Home) -> None:
    """HOR-5: daily."""
    (skip,) = _schedule(home)
    assert isinstance(skip, dg.SkipReason)
    set_goals(home)
    (request,) = _schedule(home)
    assert request.partition_key == "2026-11-04"
    with instance() as opened:
        job = definitions(settings()).resolve_job_def("horizon_daily_guidance")
        done = job.execute_in_process(instance=opened, partition_key=TODAY.isoformat())
        (made,) = done.asset_materializations_for_node("horizon_guidance")
        assert made.metadata["creators"].value == made.metadata["made_now"].value == 1
        assert "spring" in str(made.metadata["guidance"].value)
        again = job.execute_in_process(instance=opened, partition_key=TODAY.isoformat())
        (made,) = again.asset_materializations_for_node("horizon_guidance")
        assert made.metadata["made_now"].value == 0
        past = (TODAY - timedelta(days=3)).isoformat()
        over = job.execute_in_process(instance=opened, partition_key=past)
        (made,) = over.asset_materializations_for_node("horizon_guidance")
        assert made.metadata["creators"].value == 0
    assert count(home, "SchedulingWeights") == 1


@pytest.mark.spec("HOR-6")
def test_new_goals_ask_for_new_guidance_once(home: Home) -> None:
    """HOR-6: on goal updates."""

    def look(cursor: str | None) -> Any:
        return horizon_goals(dg.build_sensor_context(cursor=cursor))

    assert isinstance(look(None), dg.SkipReason)
    set_goals(home)
    result = look(None)
    assert [one.partition_key for one in result.run_requests] == [TODAY.isoformat()]
    assert isinstance(look(result.cursor), dg.SkipReason)
    set_goals(home, "campaigns: 7\n")
    wrong = look(result.cursor)
    assert isinstance(wrong, dg.SkipReason)
    assert "goals check" in str(wrong.skip_message)
    set_goals(home, GOALS.replace("spring", "summer"))
    assert look(result.cursor).cursor != result.cursor


def test_goals_that_are_changed_and_changed_back_are_new_each_time(home: Home) -> None:
    """Dagster launches nothing for a run key that it has seen."""
    keys, cursor = [], None
    for text in (GOALS, GOALS.replace("spring", "summer"), GOALS):
        set_goals(home, text)
        result = horizon_goals(dg.build_sensor_context(cursor=cursor))
        keys += [one.run_key for one in result.run_requests]
        cursor = result.cursor
    (home.path / "goals.yaml").unlink()
    result = horizon_goals(dg.build_sensor_context(cursor=cursor))
    keys += [one.run_key for one in result.run_requests]
    assert len(set(keys)) == 4


def test_goals_that_are_no_file_are_named_and_not_waited_for(home: Home) -> None:
    os.mkfifo(home.path / "goals.yaml")
    skipped = horizon_goals(dg.build_sensor_context())
    assert "it is no file" in str(skipped.skip_message)
    assert guidance.of_partition(bench(home, TODAY.isoformat())).neutral


def test_a_clips_own_words_say_what_is_wanted() -> None:
    guided = Guided(
        Partition("ada", "2026-03-04"), {"subjects": {"budget": 0.9, "tax": 0.4}, "campaign": "c"}
    )
    assert guided.desirability(["a budget plan", "tax"]) == 0.9
    assert guided.desirability(["tax return"]) == 0.4
    assert guided.desirability(["jazz"]) == 0.5


def test_history_comes_in_whatever_the_goals_are_and_that_they_are_wrong_is_said(
    home: Home, tmp_path: Path
) -> None:
    set_goals(home, "campaigns: 7\n")
    path = write(tmp_path / "history.csv", rows(days=3))
    result = home.omniva("horizon", "import", str(path))
    assert result.exit_code == 3
    assert "6 rows, 6 new" in result.stdout
    assert "goals check" in result.stderr
    set_goals(home)
    assert home.omniva("horizon", "recalibrate", "--creator", "ada").exit_code == 0
    assert count(home, "SchedulingWeights") == 1


def test_guidance_for_nobody_is_refused(home: Home) -> None:
    result = home.omniva("horizon", "recalibrate", "--creator", "nobody")
    assert result.exit_code == 1
    assert "not registered" in str(result.exception)


def test_names_in_a_goals_file_do_not_steer_a_terminal(home: Home) -> None:
    set_goals(home, 'campaigns: []\n"\\e[2J\\u202e": 1\n')
    result = CliRunner().invoke(cli, ["horizon", "goals", "check"], color=True)
    assert result.exit_code == 1
    assert result.stderr.strip().isprintable()


def test_a_growth_goal_on_another_measure_than_success_is_measured_too(
    home: Home, tmp_path: Path
) -> None:
    set_goals(home, GOALS.replace("measure: views", "measure: likes"))
    path = write(tmp_path / "history.csv", rows())
    found = json.loads(home.omniva("horizon", "import", str(path), "--json").stdout)
    (warning,) = [one for one in found["guidance"][0]["warnings"] if "growth" in one]
    assert warning.startswith("growth: likes: likes_per_clip is 1, should be")
