from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.media.ffmpeg import run_ffmpeg
from omniva_dagster.workers.scraper import Listing, ScrapeLimits, Scraper, UrlPolicy
from tests.workers.scraper.conftest import LOOPBACK
from tests.workers.scraper.hostile import Handler, Site, media, page, start_of, status

pytestmark = pytest.mark.media


def listing(site: Site, path: str = "/v") -> Listing:
    return Listing(site.url(path), site.url(path), "Listed title", "2026-03-04T05:06:07Z", None)


def refusal(scraper: Scraper, wanted: Listing) -> WorkerError:
    with pytest.raises(WorkerError) as caught:
        scraper.fetch(wanted)
    return caught.value


def leftovers(tmp_path: Path) -> list[str]:
    return sorted(p.name for p in (tmp_path / "work").rglob("*") if p.is_file())


def test_a_fetched_video_is_whole_and_described(
    scraper: Scraper, site: Site, footage_bytes: bytes
) -> None:
    site.routes["/a.mp4"] = media(footage_bytes)
    site.routes["/v"] = page(
        site.url("/a.mp4"),
        name="../../Title\n😀",
        author={"@type": "Person", "name": "Zoë"},
        keywords="one, two",
        uploadDate="2026-03-04T05:06:07Z",
    )
    seen: list[float] = []
    got = scraper.fetch(listing(site), seen.append)
    assert got.media.read_bytes() == footage_bytes
    assert got.sha256 == hashlib.sha256(footage_bytes).hexdigest()
    assert got.size_bytes == len(footage_bytes)
    assert (got.media_info.width, got.media_info.has_audio) == (320, True)
    assert got.metadata.title == "../../Title 😀"
    assert (got.metadata.uploader, got.metadata.tags) == ("Zoë", ("one", "two"))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(set(seen)) > 3


def test_file_names_never_come_from_the_source(
    scraper: Scraper, site: Site, tmp_path: Path, footage_bytes: bytes
) -> None:
    nasty = "/..%2f..%2fevil;rm -rf.mp4?x=../../../etc/passwd".replace(" ", "%20")
    site.routes[nasty] = media(footage_bytes)
    site.routes["/v"] = page(site.url(nasty), name="../../../../tmp/evil")
    got = scraper.fetch(listing(site))
    folder = hashlib.sha256(site.url("/v").encode()).hexdigest()[:32]
    assert got.media == tmp_path / "work" / folder / "media.mp4"
    assert leftovers(tmp_path) == [".lock", "info.json", "media.mp4"]


def test_the_kept_description_has_no_headers_and_no_addresses_of_media(
    scraper: Scraper, site: Site, footage_bytes: bytes
) -> None:
    site.routes["/a.mp4?signature=hunter2"] = media(footage_bytes)
    site.routes["/v"] = page(site.url("/a.mp4?signature=hunter2"), description="words")
    text_ = scraper.fetch(listing(site)).info_json.read_text()
    info = json.loads(text_)
    assert info["description"] == "words"
    assert "hunter2" not in text_
    assert "User-Agent" not in text_
    assert "formats" not in info


def test_fetching_again_asks_nobody_and_gives_the_same(
    scraper: Scraper, site: Site, footage_bytes: bytes
) -> None:
    site.routes["/a.mp4"] = media(footage_bytes)
    site.routes["/v"] = page(site.url("/a.mp4"))
    first = scraper.fetch(listing(site))
    asked = len(site.asked)
    assert scraper.fetch(listing(site)) == first
    assert len(site.asked) == asked
    scraper.discard(listing(site))
    assert not first.media.exists()


def test_a_bare_file_of_a_feed_keeps_the_title_and_date_of_the_feed(
    scraper: Scraper, site: Site, footage_bytes: bytes
) -> None:
    site.routes["/a.mp4"] = media(footage_bytes)
    got = scraper.fetch(listing(site, "/a.mp4"))
    assert got.metadata.title == "Listed title"
    assert got.metadata.uploaded_at == "2026-03-04T05:06:07Z"


def drop_once(data: bytes, at: int) -> tuple[list[int], object]:
    """Serve the file, breaking the connection once after ``at`` bytes."""
    starts: list[int] = []
    whole = media(data)

    def answer(handler: Handler) -> None:
        starts.append(start_of(handler))
        if len(starts) > 1:
            return whole(handler)
        handler.start(200, {"Content-Type": "video/mp4", "Content-Length": str(len(data))})
        handler.send(data[:at])
        return handler.hang_up()

    return starts, answer


def test_a_dropped_connection_is_resumed_where_it_broke(
    scraper: Scraper, site: Site, footage_bytes: bytes
) -> None:
    cut = len(footage_bytes) * 2 // 3
    starts, answer = drop_once(footage_bytes, cut)
    site.routes["/a.mp4"] = answer  # type: ignore[assignment]
    site.routes["/v"] = page(site.url("/a.mp4"))
    assert scraper.fetch(listing(site)).media.read_bytes() == footage_bytes
    assert len(starts) == 2
    assert starts[1] > 0
    assert site.sent["/a.mp4"] == cut + len(footage_bytes) - starts[1]


KILLED = """
import sys
from pathlib import Path
from omniva_dagster.workers.media.ffmpeg import run_ffmpeg
from omniva_dagster.workers.scraper import Listing, Scraper, ScrapeLimits, UrlPolicy
url, work = sys.argv[1:]
scraper = Scraper(ScrapeLimits(), UrlPolicy(allow_private_hosts=True), Path(work))
scraper.fetch(Listing(url, url, "t", None, None), lambda part: print(part, flush=True))
"""


def begin_and_kill(site: Site, work: Path, data: bytes) -> None:
    """A process that is killed when a third has arrived; the server has sent two thirds."""
    release = threading.Event()

    def stall(handler: Handler) -> None:
        handler.start(200, {"Content-Type": "video/mp4", "Content-Length": str(len(data))})
        handler.send(data[: len(data) * 2 // 3])
        handler.wfile.flush()
        release.wait(60)

    site.routes["/a.mp4"] = stall
    site.routes["/v"] = page(site.url("/a.mp4"))
    command = [sys.executable, "-c", KILLED, site.url("/v"), str(work)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(float(line) > 0.3 for line in process.stdout)
        process.send_signal(signal.SIGKILL)
        process.wait()
    release.set()


def test_a_killed_download_goes_on_where_it_was(
    scraper: Scraper, site: Site, tmp_path: Path, footage_bytes: bytes
) -> None:
    begin_and_kill(site, tmp_path / "work", footage_bytes)
    assert any(name.endswith(".part") for name in leftovers(tmp_path))
    site.sent.clear()
    site.routes["/a.mp4"] = media(footage_bytes)
    got = scraper.fetch(listing(site))
    assert got.media.read_bytes() == footage_bytes
    assert site.sent["/a.mp4"] < len(footage_bytes) * 0.75
    assert leftovers(tmp_path) == [".lock", "info.json", "media.mp4"]


def test_parts_of_two_different_files_are_never_joined(
    scraper: Scraper, site: Site, tmp_path: Path, footage_bytes: bytes
) -> None:
    begin_and_kill(site, tmp_path / "work", footage_bytes)
    # A re-encoded file takes the place of the first: as valid, and of another size.
    other = footage_bytes + b"\x00\x00\x00\x10free\x00\x00\x00\x00\x00\x00\x00\x00"
    changed = bytes([*other[:-1], 1])
    site.routes["/a.mp4"] = media(changed)
    assert scraper.fetch(listing(site)).media.read_bytes() == changed
    assert "" in site.ranges("/a.mp4")[1:]


def test_a_process_waits_for_the_other_that_fetches_the_same(
    scraper: Scraper, site: Site, footage_bytes: bytes
) -> None:
    asked, release = threading.Event(), threading.Event()
    whole = media(footage_bytes)

    def slowly(handler: Handler) -> None:
        asked.set()
        release.wait(30)
        whole(handler)

    site.routes["/a.mp4"] = slowly
    site.routes["/v"] = page(site.url("/a.mp4"))
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(scraper.fetch(listing(site))))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert asked.wait(30)
    release.set()
    for thread in threads:
        thread.join(30)
    assert results[0] == results[1]
    assert site.paths().count("/a.mp4") == 1


def test_damaged_media_are_refused_and_fetched_anew(
    scraper: Scraper, site: Site, tmp_path: Path, footage_bytes: bytes
) -> None:
    site.routes["/v"] = page(site.url("/a.mp4"))
    cut = footage_bytes[: len(footage_bytes) // 2]
    playlist = b"#EXTM3U\n#EXTINF:6,\nfile:///etc/hostname\n"
    for damaged in (cut, b"\x00garbage" * 5000, playlist, b"<html>sign in</html>" * 100):
        site.routes["/a.mp4"] = media(damaged)
        error = refusal(scraper, listing(site))
        assert (error.code, error.transient) == (ReasonCode.CORRUPT_MEDIA, False)
        assert leftovers(tmp_path) == [".lock"]
    site.routes["/a.mp4"] = media(footage_bytes)
    assert scraper.fetch(listing(site)).media.read_bytes() == footage_bytes


def test_an_empty_file_is_refused(scraper: Scraper, site: Site) -> None:
    site.routes["/v"] = page(site.url("/a.mp4"))
    site.routes["/a.mp4"] = media(b"")
    assert refusal(scraper, listing(site)).code is ReasonCode.CORRUPT_MEDIA


def limited(tmp_path: Path, **limits: float) -> Scraper:
    bounds = ScrapeLimits(socket_timeout_seconds=30, **limits)  # type: ignore[arg-type]
    return Scraper(bounds, LOOPBACK, tmp_path / "work")


@pytest.mark.parametrize("said", ["truth", "nothing", "less"])
def test_the_size_limit_holds_whatever_the_server_says(
    tmp_path: Path, site: Site, footage_bytes: bytes, said: str
) -> None:
    limit = len(footage_bytes) // 2

    def answer(handler: Handler) -> None:
        headers = {"Content-Type": "video/mp4", "Connection": "close"}
        if said == "truth":
            headers["Content-Length"] = str(len(footage_bytes))
        if said == "less":
            headers["Content-Length"] = str(limit // 2)
        handler.start(200, headers)
        sent = 0
        while sent < limit * 40:
            handler.send(footage_bytes)
            sent += len(footage_bytes)
        handler.hang_up()

    site.routes["/a.mp4"] = answer
    site.routes["/v"] = page(site.url("/a.mp4"))
    error = refusal(limited(tmp_path, max_bytes=limit), listing(site))
    # A server that says less than it sends is believed: what it said is a broken file.
    expected = ReasonCode.CORRUPT_MEDIA if said == "less" else ReasonCode.TOO_LARGE
    assert error.code is expected
    assert leftovers(tmp_path) == [".lock"]
    assert site.sent["/a.mp4"] <= limit * 40


def test_a_server_that_promises_more_than_it_has_is_tried_again_later(
    scraper: Scraper, site: Site, footage_bytes: bytes
) -> None:
    def answer(handler: Handler) -> None:
        promised = str(len(footage_bytes) * 2)
        handler.start(200, {"Content-Type": "video/mp4", "Content-Length": promised})
        handler.send(footage_bytes)
        handler.hang_up()

    site.routes["/a.mp4"] = answer
    site.routes["/v"] = page(site.url("/a.mp4"))
    error = refusal(scraper, listing(site))
    assert (error.code, error.transient) == (ReasonCode.UNREACHABLE, True)


def test_a_declared_duration_over_the_limit_is_refused_before_the_download(
    tmp_path: Path, site: Site, footage_bytes: bytes
) -> None:
    site.routes["/a.mp4"] = media(footage_bytes)
    site.routes["/v"] = page(site.url("/a.mp4"), duration="PT2H")
    error = refusal(limited(tmp_path, max_duration_seconds=60), listing(site))
    assert error.code is ReasonCode.TOO_LONG
    assert "/a.mp4" not in site.paths()


def test_a_real_duration_over_the_limit_is_refused_after_it(
    tmp_path: Path, site: Site, footage_bytes: bytes
) -> None:
    site.routes["/a.mp4"] = media(footage_bytes)
    site.routes["/v"] = page(site.url("/a.mp4"), duration="PT1S")
    error = refusal(limited(tmp_path, max_duration_seconds=3), listing(site))
    assert error.code is ReasonCode.TOO_LONG
    assert leftovers(tmp_path) == [".lock"]


def test_sound_without_a_picture_is_no_video(
    scraper: Scraper, site: Site, tmp_path: Path, footage: Path
) -> None:
    sound = tmp_path / "sound.m4a"
    run_ffmpeg(["-v", "error", "-i", str(footage), "-vn", "-c", "copy", str(sound)], timeout=300)
    site.routes["/a.mp4"] = media(sound.read_bytes())
    site.routes["/v"] = page(site.url("/a.mp4"))
    assert refusal(scraper, listing(site)).code is ReasonCode.NO_VIDEO


@pytest.mark.part("SCR-4")
@pytest.mark.parametrize(
    ("code", "reason", "transient"),
    [
        (404, ReasonCode.NOT_FOUND, False),
        (403, ReasonCode.AUTH_FAILED, False),
        (429, ReasonCode.RATE_LIMITED, True),
        (503, ReasonCode.UNREACHABLE, True),
    ],
)
def test_media_that_can_not_be_had_say_why(
    scraper: Scraper, site: Site, code: int, reason: ReasonCode, transient: bool
) -> None:
    site.routes["/v"] = page(site.url("/a.mp4"))
    site.routes["/a.mp4"] = status(code)
    error = refusal(scraper, listing(site))
    assert (error.code, error.transient) == (reason, transient)


def serve_segments(site: Site, folder: Path, footage: Path) -> None:
    cut = ["-c", "copy", "-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod"]
    folder.mkdir()
    arguments = ["-v", "error", "-i", str(footage), *cut, str(folder / "a.m3u8")]
    run_ffmpeg(arguments, timeout=300)
    for part in folder.iterdir():
        kind = "application/vnd.apple.mpegurl" if part.suffix == ".m3u8" else "video/mp2t"
        site.routes[f"/{part.name}"] = media(part.read_bytes(), kind)


def test_a_segmented_stream_comes_as_one_file(
    scraper: Scraper, site: Site, tmp_path: Path, footage: Path
) -> None:
    serve_segments(site, tmp_path / "hls", footage)
    got = scraper.fetch(listing(site, "/a.m3u8"))
    assert got.media_info.duration == pytest.approx(6, abs=0.3)
    assert leftovers(tmp_path) == [".lock", "info.json", "media.mp4"]


def test_a_missing_segment_is_not_skipped(
    scraper: Scraper, site: Site, tmp_path: Path, footage: Path
) -> None:
    keyed = tmp_path / "keyed.mp4"
    every_second = ["-g", "25", "-preset", "ultrafast"]  # so that a segment is in the middle
    run_ffmpeg(["-v", "error", "-i", str(footage), *every_second, str(keyed)], timeout=300)
    serve_segments(site, tmp_path / "hls", keyed)
    assert len(site.routes) == 4
    del site.routes["/a1.ts"]
    assert refusal(scraper, listing(site, "/a.m3u8")).code is ReasonCode.NOT_FOUND


def test_picture_and_sound_that_come_apart_are_joined(
    scraper: Scraper, site: Site, tmp_path: Path, footage: Path
) -> None:
    streams = tmp_path / "hls"
    streams.mkdir()
    apart = ["-map", "0:v", "-map", "0:a", "-var_stream_map", "v:0,agroup:s a:0,agroup:s"]
    cut = ["-c", "copy", "-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod"]
    names = ["-master_pl_name", "main.m3u8", str(streams / "part%v.m3u8")]
    run_ffmpeg(["-v", "error", "-i", str(footage), *apart, *cut, *names], timeout=300)
    for part in streams.iterdir():
        kind = "application/vnd.apple.mpegurl" if part.suffix == ".m3u8" else "video/mp2t"
        site.routes[f"/{part.name}"] = media(part.read_bytes(), kind)
    got = scraper.fetch(listing(site, "/main.m3u8"))
    assert (got.media_info.has_video, got.media_info.has_audio) == (True, True)
    assert got.media_info.duration == pytest.approx(6, abs=0.3)
    assert leftovers(tmp_path) == [".lock", "info.json", "media.mp4"]


def test_a_playlist_in_place_of_media_opens_no_file_of_this_machine(
    scraper: Scraper, site: Site, tmp_path: Path, footage: Path
) -> None:
    own = tmp_path / "own.ts"
    run_ffmpeg(["-v", "error", "-i", str(footage), "-c", "copy", str(own)], timeout=300)
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:6", "#EXTINF:6,", str(own), "#EXT-X-ENDLIST"]
    site.routes["/v"] = page(site.url("/a.mp4"))
    site.routes["/a.mp4"] = media("\n".join(lines).encode())
    error = refusal(scraper, listing(site))
    assert error.code is ReasonCode.CORRUPT_MEDIA
    assert "text" in error.message


def test_two_processes_may_fetch_and_discard_the_same_at_once(
    scraper: Scraper, site: Site, footage_bytes: bytes
) -> None:
    site.routes["/a.mp4"] = media(footage_bytes)
    site.routes["/v"] = page(site.url("/a.mp4"))
    sizes: list[int] = []

    def work() -> None:
        for _ in range(3):
            sizes.append(scraper.fetch(listing(site)).size_bytes)
            scraper.discard(listing(site))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert sizes == [len(footage_bytes)] * 9


def test_the_scraper_loads_yt_dlp_only_when_it_is_used() -> None:
    said = "import sys, omniva_dagster.workers.scraper as s; print('yt_dlp' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.strip() == "False"


def test_a_scraper_needs_no_configuration_of_its_user(
    tmp_path: Path, site: Site, footage_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "home" / ".config" / "yt-dlp"
    config.mkdir(parents=True)
    (config / "config").write_text("--output /tmp/elsewhere\n--exec 'touch /tmp/elsewhere'\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config.parent))
    site.routes["/a.mp4"] = media(footage_bytes)
    site.routes["/v"] = page(site.url("/a.mp4"))
    policy = UrlPolicy(allow_private_hosts=True)
    got = Scraper(ScrapeLimits(), policy, tmp_path / "work").fetch(listing(site))
    assert got.media.is_relative_to(tmp_path / "work")
