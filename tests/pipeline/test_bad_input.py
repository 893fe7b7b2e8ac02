"""What cannot be worked on becomes an outcome with a reason; the others go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from omniva_dagster.contracts.decisions import Outcome
from omniva_dagster.demo.channel import ChannelVideo, serve_channel, write_channel
from omniva_dagster.workers.media.ffmpeg import run_ffmpeg
from tests.support.footage import silent, talking_head
from tests.support.home import DAY, Home

pytestmark = pytest.mark.media


def _channel(folder: Path, names: list[str]) -> None:
    videos = [
        ChannelVideo(name, f"{name}.mp4", name, f"{DAY}T{hour:02d}:00:00Z")
        for hour, name in enumerate(names)
    ]
    write_channel(folder, "Ada", videos)


def _troubles(report: dict[str, Any]) -> dict[str, str]:
    return {
        item["label"]: item["reason_code"]
        for item in report["outcomes"]
        if item["status"] == "ERROR"
    }


@pytest.mark.part("ANA-4")
def test_the_bad_videos_of_a_day_are_named_and_the_good_one_is_published(
    home: Home, footage: Path
) -> None:
    """ANA-4: transcript_missing, model_offline ..."""
    folder = home.path / "channel"
    folder.mkdir()
    (folder / "good.mp4").write_bytes(footage.read_bytes())
    silent(folder / "speechless.mp4")
    silent(folder / "soundless.mp4", with_track=False)
    torn = footage.read_bytes()
    (folder / "truncated.mp4").write_bytes(torn[: len(torn) // 2])
    (folder / "gone.mp4").write_bytes(b"")
    (folder / "page.mp4").write_text("<html>Sorry, not today</html>")
    talking_head(folder / "brief.mp4", seconds=4)
    arguments = ["-i", str(footage), "-vn", "-c:a", "copy", str(folder / "unseen.mp4")]
    run_ffmpeg(arguments, timeout=300)
    names = ["good", "speechless", "soundless", "truncated", "gone", "page", "brief", "unseen"]
    _channel(folder, names)
    with serve_channel(folder) as served:
        home.add("ada", served.feed_url)
        report = home.run()
        troubles = _troubles(report)
        assert troubles == {
            "speechless": "transcript_missing",
            "soundless": "no_audio",
            "truncated": "corrupt_media",
            "gone": troubles["gone"],
            "page": "corrupt_media",
            "unseen": "no_video",
        }
        skipped = [
            item for item in report["outcomes"] if item.get("reason_code") == "no_candidates"
        ]
        assert [item["label"] for item in skipped] == ["brief"]
        (clip,) = report["clips"]
        assert Path(clip["path"]).is_file()
        assert all(item["message"] for item in report["outcomes"] if item["status"] == "ERROR")
        attempts = {item["label"]: item["attempt"] for item in report["outcomes"]}
        assert attempts["truncated"] == 1
        assert not list((home.path / "atlas" / "staging").iterdir())

        # Mended at the source, a rerun completes what can be completed, and repeats nothing.
        receipt = Path(clip["path"]).with_name("receipt.json")
        before = receipt.stat().st_mtime_ns
        silent(folder / "truncated.mp4", seconds=16)
        again = home.run()
    assert _troubles(again)["truncated"] == "transcript_missing"
    assert receipt.stat().st_mtime_ns == before
    videos = {item["label"]: item for item in again["outcomes"] if item["stage"] == "videos"}
    assert videos["truncated"]["status"] == "DONE"
    assert videos["truncated"]["attempt"] == 2


def test_a_channel_that_cannot_be_reached_is_an_outcome(home: Home) -> None:
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    result = home.omniva("run", "--creator", "ada", "--day", DAY)
    assert result.exit_code == 3, result.output
    assert "unreachable" in result.stdout
    assert home.count("videos") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--creator", "nobody", "--day", DAY], "omniva creators add nobody"),
        (["--creator", "No Body", "--day", DAY], "must start with a letter"),
        (["--creator", "ada", "--day", "2019-01-01"], "OMNIVA_START_DAY"),
        (["--creator", "ada", "--day", "2999-01-01"], "outside the range"),
        (["--creator", "ada", "--day", "yesterday"], "2026-03-04"),
        (["--creator", "ada", "--day", "2026-02-30"], "2026-03-04"),
        ([], "--creator"),
    ],
)
def test_wrong_usage_says_what_to_do(home: Home, arguments: list[str], said: str) -> None:
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    result = home.omniva("run", *arguments)
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.example/x", "javascript:1", "x"])
def test_a_creator_with_a_refused_url_is_not_registered(home: Home, url: str) -> None:
    result = home.omniva("creators", "add", "ada", "--url", url)
    assert result.exit_code != 0
    assert home.count("creators") == 0


def test_an_unregistered_creator_launched_in_the_ui_fails_with_advice(home: Home) -> None:
    import dagster as dg

    from omniva_dagster.assets import scraper_jobs
    from omniva_dagster.cli._home import instance
    from omniva_dagster.definitions import definitions
    from omniva_dagster.partitions import CREATORS, partition_key
    from omniva_dagster.settings import settings

    with instance() as opened:
        opened.add_dynamic_partitions(CREATORS, ["ghost"])
        resources = definitions(settings()).resources
        with pytest.raises(dg.Failure, match="omniva creators add ghost"):
            dg.materialize(
                [scraper_jobs],
                instance=opened,
                partition_key=partition_key("ghost", DAY),
                resources=resources,
            )


def test_outcomes_are_documents(home: Home) -> None:
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    report = home.run()
    assert [Outcome.parse(item).dump() for item in report["outcomes"]] == report["outcomes"]
