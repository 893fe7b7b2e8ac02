"""The small rendition that comes with a video, and everything that may go wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from omniva_dagster.workers.media.ffmpeg import run_ffmpeg
from omniva_dagster.workers.media.probe import MediaInfo, probe
from omniva_dagster.workers.media.proxy import fits, proxy_of
from omniva_dagster.workers.scraper import Fetched, Listing, Scraper, describe
from tests.workers.scraper.hostile import Site, media, status

pytestmark = pytest.mark.media

KIND = "application/vnd.apple.mpegurl"


def rendition(folder: Path, name: str, size: str, seconds: float = 4, rate: int = 25) -> bytes:
    """Pictures of that size (and sound) as one segment."""
    path = folder / f"{name}.ts"
    picture = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]
    sound = ["-f", "lavfi", "-i", f"sine=duration={seconds}"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]
    run_ffmpeg(["-y", "-v", "error", *picture, *sound, *coded, str(path)], timeout=300)
    return path.read_bytes()


@pytest.fixture(scope="module")
def renditions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("renditions")
    return {
        "large": rendition(folder, "large", "960x540"),
        "small": rendition(folder, "small", "640x360"),
        "tiny": rendition(folder, "tiny", "256x144"),
        "short": rendition(folder, "short", "640x360", seconds=2),
        "slow": rendition(folder, "slow", "640x360", rate=12),
        "tall": rendition(folder, "tall", "540x960"),
        "tall small": rendition(folder, "tall-small", "360x640"),
    }


def serve(site: Site, **variants: tuple[str, bytes]) -> Listing:
    """A page with one variant for each name: its size as declared, and its only segment."""
    lines = ["#EXTM3U"]
    for i, (name, (size, data)) in enumerate(variants.items()):
        rate = 4_000_000 // (i + 1)
        lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={rate},RESOLUTION={size}", f"{name}.m3u8"]
        inner = f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{name}.ts\n#EXT-X-ENDLIST\n"
        site.routes[f"/{name}.m3u8"] = media(inner.encode(), KIND)
        site.routes[f"/{name}.ts"] = media(data, "video/mp2t")
    site.routes["/main.m3u8"] = media("\n".join(lines).encode(), KIND)
    url = site.url("/main.m3u8")
    return Listing(url, url, "Listed", "2026-03-04T05:06:07Z", None)


def files(fetched: Fetched) -> set[str]:
    return {path.name for path in fetched.media.parent.iterdir()}


def test_a_small_rendition_comes_with_the_video(
    scraper: Scraper, site: Site, renditions: dict[str, bytes]
) -> None:
    wanted = serve(
        site,
        large=("960x540", renditions["large"]),
        small=("640x360", renditions["small"]),
        tiny=("256x144", renditions["tiny"]),
    )
    fetched = scraper.fetch(wanted)
    assert fetched.media_info.height == 540
    assert fetched.proxy is not None
    assert fetched.proxy == proxy_of(fetched.media)
    small = probe(fetched.proxy)
    assert (small.width, small.height) == (640, 360)
    assert fits(fetched.media_info, small)
    assert "/tiny.ts" not in site.paths()
    asked = len(site.asked)
    assert scraper.fetch(wanted) == fetched
    assert len(site.asked) == asked


def test_of_an_upright_video_the_narrow_rendition_is_taken(
    scraper: Scraper, site: Site, renditions: dict[str, bytes]
) -> None:
    wanted = serve(
        site, large=("540x960", renditions["tall"]), small=("360x640", renditions["tall small"])
    )
    fetched = scraper.fetch(wanted)
    assert fetched.proxy is not None
    assert probe(fetched.proxy).width == 360


@pytest.mark.parametrize("what", ["gone", "short", "slow", "garbage", "endless"])
def test_a_small_rendition_that_is_no_good_is_left_out_and_no_error(
    scraper: Scraper, site: Site, renditions: dict[str, bytes], what: str
) -> None:
    served = {"garbage": b"<html>" * 999, "endless": renditions["small"] * 200}
    data = served.get(what) or renditions.get(what) or b""
    wanted = serve(site, large=("960x540", renditions["large"]), small=("640x360", data))
    if what == "gone":
        site.routes["/small.ts"] = status(404)
    fetched = scraper.fetch(wanted)
    assert fetched.media_info.height == 540
    assert fetched.proxy is None
    assert "/small.ts" in site.paths()
    assert files(fetched) == {".lock", "info.json", "media.mp4"}


def test_nothing_more_is_fetched_of_a_video_that_is_small_itself(
    scraper: Scraper, site: Site, renditions: dict[str, bytes]
) -> None:
    wanted = serve(
        site, large=("640x360", renditions["small"]), small=("256x144", renditions["tiny"])
    )
    assert scraper.fetch(wanted).proxy is None
    assert "/tiny.ts" not in site.paths()


@pytest.mark.parametrize(
    ("change", "fitting"),
    [
        ({}, True),
        ({"duration": 60.9}, True),
        ({"duration": 61.1}, False),
        ({"frame_rate": 29.97}, True),
        ({"frame_rate": 25.0}, False),
        ({"width": 640, "height": 480}, False),
        ({"width": 1920, "height": 1080}, False),
        ({"has_video": False}, False),
        ({"width": 0, "height": 0}, False),
    ],
)
def test_a_proxy_fits_where_it_shows_the_same_pictures_at_the_same_times(
    change: dict[str, float], fitting: bool
) -> None:
    whole = {"duration": 60.0, "frame_rate": 30.0, "has_video": True, "has_audio": True}
    codecs = {"video_codec": "h264", "audio_codec": "aac"}
    large = MediaInfo(width=1920, height=1080, **whole, **codecs)  # type: ignore[arg-type]
    small = {"width": 640, "height": 360, **whole, **codecs, **change}
    assert fits(large, MediaInfo(**small)) is fitting  # type: ignore[arg-type]


def test_what_viewers_did_is_kept_in_the_description() -> None:
    said = {
        "heatmap": [{"start_time": 0.0, "end_time": 2.5, "value": 0.75}],
        "chapters": [{"start_time": 0.0, "end_time": 9.0, "title": "One"}],
        "view_count": 12345,
        "like_count": 67,
    }
    kept = describe({**said, "url": "https://example.com/signed", "http_headers": {"Cookie": "x"}})
    assert json.loads(json.dumps(kept)) == said
