"""The command line: creators, backfill, doctor, status; tables for people, JSON for programs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from omniva_dagster.cli.dev import free_port
from omniva_dagster.cli.run import slug_of
from omniva_dagster.settings import settings
from tests.support.home import Home, make_home

FEED = "http://127.0.0.1:9/feed.xml"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A fresh home."""
    yield make_home(tmp_path / "home", monkeypatch, prepared=True)
    settings.cache_clear()


def test_creators_are_added_listed_and_archived(home: Home) -> None:
    home.add("ada", FEED)
    assert home.omniva("creators", "archive", "ada").exit_code == 0
    listed = home.omniva("creators", "list", "--json")
    (creator,) = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (creator["slug"], creator["status"], creator["url"]) == ("ada", "archived", FEED)


@pytest.mark.parametrize(
    ("url", "platform"),
    [
        ("https://www.youtube.com/@ada", "youtube"),
        ("https://youtu.be/abc", "youtube"),
        ("https://www.tiktok.com/@ada", "tiktok"),
        ("https://www.instagram.com/ada/", "instagram"),
        ("https://notyoutube.com/x", "other"),
    ],
)
def test_the_platform_is_taken_from_the_url(url: str, platform: str) -> None:
    from omniva_dagster.workers.scraper.metadata import platform_of

    assert platform_of(url).value == platform


def test_archiving_an_unknown_creator_says_how_to_add_one(home: Home) -> None:
    result = home.omniva("creators", "archive", "nobody")
    assert result.exit_code == 1
    assert "omniva creators add nobody" in str(result.exception)


def test_a_dry_backfill_names_the_days_and_runs_nothing(home: Home) -> None:
    home.add("ada", FEED)
    result = home.omniva(
        "backfill", "--creator", "ada", "--from", "2026-03-01", "--to", "2026-03-03", "--dry-run"
    )
    assert result.exit_code == 0
    assert result.stdout.split() == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert not (home.path / "warehouse").exists()


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-03-03", "2026-03-01", "is after"),
        ("2026-02-30", "2026-03-01", "YYYY-MM-DD"),
        ("2026-03-01", "2999-01-01", "future"),
        ("2020-01-01", "2026-03-01", "OMNIVA_START_DAY"),
    ],
)
def test_a_range_that_is_none_is_refused(home: Home, first: str, last: str, said: str) -> None:
    home.add("ada", FEED)
    result = home.omniva("backfill", "--creator", "ada", "--from", first, "--to", last)
    assert result.exit_code == 2
    assert said in result.output


def test_a_backfill_runs_the_days_and_then_finds_them_complete(home: Home) -> None:
    home.add("ada", FEED)
    arguments = ["backfill", "--creator", "ada", "--from", "2026-03-01", "--to", "2026-03-02"]
    first = home.omniva(*arguments, "--json")
    # The channel cannot be reached: the days ran, and are not complete.
    assert first.exit_code == 3, first.output
    reports = [json.loads(line) for line in first.stdout.splitlines()]
    assert [report["day"] for report in reports] == ["2026-03-01", "2026-03-02"]
    assert "2 of 2 days to run" in home.omniva(*arguments, "--dry-run").stderr


@pytest.mark.media
def test_doctor_finds_everything_on_a_machine_with_nothing(home: Home) -> None:
    result = home.omniva("doctor", "--json")
    findings = {item["name"]: item for item in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == 0, result.stdout
    assert set(findings) >= {"home", "state", "dagster", "ffmpeg", "encoder", "whisper", "captions"}


def test_doctor_names_what_is_wrong(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNIVA_FFMPEG", "/nowhere/ffmpeg")
    monkeypatch.setenv("OMNIVA_CAPTION_STYLE", "baroque")
    # As homes of before have it.
    (home.path / "dagster/dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    result = home.omniva("doctor", "--json")
    findings = {item["name"]: item for item in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == 1
    assert "OMNIVA_FFMPEG" in findings["ffmpeg"]["found"]
    assert not findings["captions"]["works"]
    assert "run_launcher" in findings["dagster"]["found"]


def test_a_wrong_setting_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNIVA_DAILY_QUOTA", "lots")
    result = home.omniva("creators", "list")
    assert result.exit_code == 1
    assert "OMNIVA_DAILY_QUOTA" in result.output


def test_init_writes_an_env_that_exported_variables_override(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dotenv import dotenv_values

    result = home.omniva("init", "--home", str(home.path / "other home"))
    assert result.exit_code == 0, result.output
    monkeypatch.delenv("OMNIVA_HOME")
    values = dotenv_values(home.path / ".env")
    assert values["OMNIVA_HOME"] == str(home.path / "other home")
    assert values["DAGSTER_HOME"] == str(home.path / "other home" / "dagster")
    monkeypatch.setenv("OMNIVA_HOME", "/elsewhere")
    assert dotenv_values(home.path / ".env")["DAGSTER_HOME"] == "/elsewhere/dagster"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Ada Lovelace", "ada-lovelace"),
        ("3Blue1Brown", ""),
        ("..", ""),
        ("É", ""),
        ("a" * 99, "a" * 63),
    ],
)
def test_a_slug_is_made_from_a_name_or_not_at_all(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_a_taken_port_is_passed_over() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port


def test_the_home_is_not_read_from_elsewhere(home: Home) -> None:
    assert os.environ["OMNIVA_HOME"] == str(settings().home)
