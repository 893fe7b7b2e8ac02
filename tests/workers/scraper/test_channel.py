from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.demo.channel import Channel, ChannelVideo, serve_channel, write_channel
from omniva_dagster.workers.scraper import Listing, Scraper

pytestmark = pytest.mark.media

NASTY = 'He said "no" & <script>alert(1)</script> ]]> 😀\nnext ../../etc \x07'
CLEAN = 'He said "no" & <script>alert(1)</script> ]]> 😀 next ../../etc'
VIDEOS = [
    ChannelVideo("older", "a.mp4", "Older", "2026-03-04T05:06:07Z"),
    ChannelVideo(
        slug="newer",
        file="a.mp4",
        title=NASTY,
        uploaded_at="2026-03-05T05:06:07Z",
        description='Line one\nline "two" </script><!-- & more',
        uploader="Zoë & <co>",
        tags=("first", "with, comma"),
        thumbnail="a.png",
        view_count=1234,
        like_count=56,
    ),
]


@pytest.fixture
def folder(tmp_path: Path, footage_bytes: bytes) -> Path:
    (tmp_path / "a.mp4").write_bytes(footage_bytes)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    write_channel(tmp_path, "A & <b>", VIDEOS)
    return tmp_path


@pytest.fixture
def channel(folder: Path) -> Iterator[Channel]:
    with serve_channel(folder) as served:
        yield served


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def test_the_scraper_gets_everything_that_the_channel_says(
    channel: Channel, scraper: Scraper, footage_bytes: bytes
) -> None:
    day = datetime(2026, 3, 5, tzinfo=UTC)
    (found,) = scraper.list_videos(channel.feed_url, day, datetime(2026, 3, 6, tzinfo=UTC))
    assert isinstance(found, Listing)
    assert (found.title, found.uploaded_at) == (CLEAN, "2026-03-05T05:06:07Z")
    assert scraper.resolve(channel.watch_url("newer")).duration == 6.0
    got = scraper.fetch(found)
    assert got.media.read_bytes() == footage_bytes
    said = got.metadata
    assert said.title == CLEAN
    assert said.description == 'Line one\nline "two" </script><!-- & more'
    assert said.uploader == "Zoë & <co>"
    assert said.tags == ("first", "with comma")
    assert (said.view_count, said.like_count) == (1234, 56)
    info = json.loads(got.info_json.read_text())
    assert info["thumbnail"] == f"{channel.base_url}/image/newer.png"


def test_the_feed_is_well_formed_and_newest_first(channel: Channel) -> None:
    status, headers, body = get(channel.feed_url)
    assert (status, headers["Content-Type"]) == (200, "application/rss+xml; charset=utf-8")
    titles = [item.findtext("title") for item in ElementTree.fromstring(body).iter("item")]
    assert titles == [NASTY.replace("\x07", ""), "Older"]


def test_no_title_becomes_markup(channel: Channel) -> None:
    for url in (f"{channel.base_url}/", channel.watch_url("newer")):
        page = get(url)[2].decode()
        assert "<script>alert" not in page
        assert "</script><!--" not in page


def test_media_come_in_ranges(channel: Channel, footage_bytes: bytes) -> None:
    url = f"{channel.base_url}/media/newer.mp4"
    size = len(footage_bytes)
    for asked, expected in (
        ("bytes=0-99", footage_bytes[:100]),
        ("bytes=100-", footage_bytes[100:]),
        ("bytes=-100", footage_bytes[-100:]),
        (f"bytes=0-{size * 2}", footage_bytes),
    ):
        status, headers, body = get(url, Range=asked)
        assert (status, body) == (206, expected)
        assert headers["Content-Range"].endswith(f"/{size}")
    assert get(url, Range=f"bytes={size}-")[0] == 416
    assert get(url, Range="bytes=-0")[0] == 416
    for ignored in ("bytes=-", "lines=1-2", "bytes=0-1,5-6"):
        assert get(url, Range=ignored)[0] == 200
    tag = get(url)[1]["ETag"]
    assert get(url, **{"Range": "bytes=5-9", "If-Range": tag})[0] == 206
    assert get(url, **{"Range": "bytes=5-9", "If-Range": '"other"'})[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/watch/nobody",
        "/media/../channel.json",
        "/media/%2e%2e/channel.json",
        "/media/a.mp4",
        "/media/newer.png",
        "/image/older.png",
        "/channel.json",
        "/watch/newer/more",
    ],
)
def test_nothing_but_the_channel_is_served(channel: Channel, path: str) -> None:
    assert get(channel.base_url + path)[0] == 404


def test_a_damaged_file_still_has_its_page(
    folder: Path, channel: Channel, scraper: Scraper, footage_bytes: bytes
) -> None:
    (folder / "cut.mp4").write_bytes(footage_bytes[:3000])
    broken = ChannelVideo("cut", "cut.mp4", "Cut", "2026-03-06T00:00:00Z")
    write_channel(folder, "A", [*VIDEOS, broken])
    with pytest.raises(WorkerError) as caught:
        scraper.fetch(scraper.resolve(channel.watch_url("cut")))
    assert caught.value.code is ReasonCode.CORRUPT_MEDIA


def test_a_video_added_meanwhile_appears(folder: Path, channel: Channel) -> None:
    write_channel(folder, "A", [*VIDEOS, ChannelVideo("x", "a.mp4", "X", "2026-03-06T00:00:00Z")])
    assert b"<title>X</title>" in get(channel.feed_url)[2]


@pytest.mark.parametrize(
    "video",
    [
        ChannelVideo("Bad Slug", "a.mp4", "t", "2026-03-06T00:00:00Z"),
        ChannelVideo("x", "../a.mp4", "t", "2026-03-06T00:00:00Z"),
        ChannelVideo("x", "missing.mp4", "t", "2026-03-06T00:00:00Z"),
        ChannelVideo("x", "a.mp4", "t", "yesterday"),
        ChannelVideo("older", "a.mp4", "t", "2026-03-06T00:00:00Z"),
    ],
)
def test_a_channel_that_can_not_be_served_is_not_written(folder: Path, video: ChannelVideo) -> None:
    before = (folder / "channel.json").read_bytes()
    with pytest.raises(ValueError):
        write_channel(folder, "A", [*VIDEOS, video])
    assert (folder / "channel.json").read_bytes() == before
