from __future__ import annotations

import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.scraper import Listing, ScrapeLimits, Scraper, UrlPolicy
from omniva_dagster.workers.scraper.guard import RefusedError, lifted
from omniva_dagster.workers.scraper.session import session
from tests.workers.scraper.conftest import LOOPBACK, OnlyFirstLoopback
from tests.workers.scraper.hostile import Site, feed, item, media, page, status, text

PUBLIC = UrlPolicy()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/a.mp4",
        "javascript:alert(1)",
        "data:text/html,hello",
        "//example.com/a",
        "example.com",
        "",
        "http://",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/\nHost: other",
        "http://example.com:port/",
        "http://[::1/",
        "https://" + "a" * 5000,
        "https://user:hunter2@example.com/",
        "https://user@example.com/",
    ],
)
def test_what_is_not_a_plain_web_address_is_refused(url: str) -> None:
    for policy in (PUBLIC, LOOPBACK):
        with pytest.raises(WorkerError) as caught:
            policy.check(url)
        assert caught.value.code is ReasonCode.SCHEME_REFUSED
        assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0177.0.0.1",
        "0x7f000001",
        "localhost",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::127.0.0.1]",
        "[fe80::1]",
        "[fec0::1]",
        "[fd00::1]",
        "[ff02::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "①②⑦.0.0.1",
    ],
)
def test_every_way_to_write_a_private_address_is_refused(host: str) -> None:
    with pytest.raises(WorkerError) as caught:
        PUBLIC.check(f"http://{host}/video")
    assert caught.value.code is ReasonCode.ADDRESS_REFUSED


@pytest.mark.parametrize("host", ["8.8.8.8", "93.184.216.34:8080", "[2606:4700:4700::1111]"])
def test_public_addresses_are_allowed(host: str) -> None:
    PUBLIC.check(f"https://{host}/video")


def answers(*addresses: str) -> Any:
    def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 0)) for a in addresses]

    return resolve


def test_a_name_with_one_private_address_among_its_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("8.8.8.8", "10.0.0.1"))
    with pytest.raises(WorkerError) as caught:
        PUBLIC.check("http://example.com/")
    assert caught.value.code is ReasonCode.ADDRESS_REFUSED


def test_a_name_that_does_not_resolve_may_resolve_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(WorkerError) as caught:
        PUBLIC.check("http://example.com/")
    assert (caught.value.code, caught.value.transient) == (ReasonCode.UNREACHABLE, True)


def connect(address: Any, family: int = socket.AF_INET) -> None:
    with socket.socket(family) as connecting:
        connecting.settimeout(60)
        connecting.connect(address)


def test_the_guard_holds_while_it_is_up_and_only_then(site: Site) -> None:
    port = int(site.base.rpartition(":")[2])
    connect(("127.0.0.1", port))
    with PUBLIC.guarded(), pytest.raises(RefusedError) as caught:
        connect(("127.0.0.1", port))
    assert caught.value.code is ReasonCode.ADDRESS_REFUSED
    connect(("127.0.0.1", port))


def test_a_callback_of_ours_is_not_fenced_in(site: Site) -> None:
    port = int(site.base.rpartition(":")[2])
    with PUBLIC.guarded():
        with lifted():
            connect(("127.0.0.1", port))
        with pytest.raises(RefusedError):
            connect(("127.0.0.1", port))


def test_other_threads_connect_as_they_like(site: Site) -> None:
    port = int(site.base.rpartition(":")[2])
    go, done = threading.Event(), threading.Event()

    def elsewhere() -> None:
        go.wait(10)
        connect(("127.0.0.1", port))
        done.set()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    with PUBLIC.guarded():
        go.set()
        assert done.wait(10)
    thread.join()


def test_inside_the_guard_there_is_no_way_around_it(tmp_path: Path) -> None:
    with PUBLIC.guarded():
        with pytest.raises(RefusedError):  # another program would connect for it
            subprocess.run([sys.executable, "-c", "", "http://127.0.0.1/"], check=False)
        with pytest.raises(RefusedError):  # the kernel would resolve it after it was judged
            connect(("localhost", 80))
        with pytest.raises(RefusedError):
            connect(str(tmp_path / "socket"), socket.AF_UNIX)
        with (
            pytest.raises(RefusedError),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending,
        ):
            sending.sendto(b"x", ("127.0.0.1", 9))
        subprocess.run([sys.executable, "-c", ""], check=True)


def guarded_scraper(tmp_path: Path) -> Scraper:
    limits = ScrapeLimits(socket_timeout_seconds=30)
    return Scraper(limits, OnlyFirstLoopback(), tmp_path / "work")


def refusal(scraper: Scraper, url: str) -> ReasonCode:
    with pytest.raises(WorkerError) as caught:
        scraper.fetch(Listing(url, url, "A video", None, None))
    return caught.value.code


@pytest.mark.media
def test_the_guard_lets_an_allowed_site_through(
    tmp_path: Path, site: Site, footage_bytes: bytes
) -> None:
    site.routes["/a.mp4"] = media(footage_bytes)
    site.routes["/a"] = page(site.url("/a.mp4"))
    scraper = guarded_scraper(tmp_path)
    assert scraper.fetch(scraper.resolve(site.url("/a"))).media.read_bytes() == footage_bytes


def test_a_private_address_is_refused_even_behind_a_redirect(
    tmp_path: Path, site: Site, private_site: Site, footage_bytes: bytes
) -> None:
    private_site.routes["/secret.mp4"] = media(footage_bytes)
    site.routes["/a"] = status(302, Location=private_site.url("/secret.mp4"))
    assert refusal(guarded_scraper(tmp_path), site.url("/a")) is ReasonCode.ADDRESS_REFUSED
    assert site.asked
    assert not private_site.asked


def test_a_page_may_not_name_media_at_a_private_address(
    tmp_path: Path, site: Site, private_site: Site, footage_bytes: bytes
) -> None:
    private_site.routes["/secret.mp4"] = media(footage_bytes)
    site.routes["/a"] = page(private_site.url("/secret.mp4"))
    assert refusal(guarded_scraper(tmp_path), site.url("/a")) is ReasonCode.ADDRESS_REFUSED
    assert not private_site.asked


def test_media_may_not_redirect_to_a_private_address(
    tmp_path: Path, site: Site, private_site: Site, footage_bytes: bytes
) -> None:
    private_site.routes["/secret.mp4"] = media(footage_bytes)
    site.routes["/a.mp4"] = status(302, Location=private_site.url("/secret.mp4"))
    site.routes["/a"] = page(site.url("/a.mp4"))
    assert refusal(guarded_scraper(tmp_path), site.url("/a")) is ReasonCode.ADDRESS_REFUSED
    assert not private_site.asked


def test_a_playlist_may_not_name_segments_at_a_private_address(
    tmp_path: Path, site: Site, private_site: Site, footage_bytes: bytes
) -> None:
    private_site.routes["/secret.ts"] = media(footage_bytes)
    lines = ["#EXTM3U", "#EXTINF:6,", private_site.url("/secret.ts"), "#EXT-X-ENDLIST"]
    site.routes["/a.m3u8"] = text("\n".join(lines), "application/vnd.apple.mpegurl")
    assert refusal(guarded_scraper(tmp_path), site.url("/a.m3u8")) is ReasonCode.ADDRESS_REFUSED
    assert not private_site.asked


def test_a_name_that_changes_its_address_after_the_check_is_refused(
    tmp_path: Path, private_site: Site, footage_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(private_site.base.rpartition(":")[2])
    private_site.routes["/a"] = media(footage_bytes)
    asked: list[str] = []

    def rebinding(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    code = refusal(guarded_scraper(tmp_path), f"http://rebinding.example:{port}/a")
    assert code is ReasonCode.ADDRESS_REFUSED
    assert len(asked) > 1
    assert not private_site.asked


def test_a_request_from_a_thread_of_an_extractor_is_guarded_too(private_site: Site) -> None:
    with (
        session(OnlyFirstLoopback(), ScrapeLimits()) as opened,
        ThreadPoolExecutor(1) as pool,
        pytest.raises(Exception, match="private or reserved"),
    ):
        pool.submit(opened._ydl.urlopen, private_site.url("/a")).result()
    assert not private_site.asked


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:text/html,a"])
def test_an_extractor_may_not_ask_for_other_schemes_either(url: str) -> None:
    with session(LOOPBACK, ScrapeLimits()) as opened, pytest.raises(Exception, match="not fetched"):
        opened._ydl.urlopen(url)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a.mp4"])
def test_redirects_and_media_of_other_schemes_are_refused(
    scraper: Scraper, site: Site, target: str
) -> None:
    site.routes["/redirect"] = status(302, Location=target)
    site.routes["/page"] = page(target)
    for path in ("/redirect", "/page"):
        code = refusal(scraper, site.url(path))
        assert code in (ReasonCode.SCHEME_REFUSED, ReasonCode.NO_VIDEO), path


def test_a_proxy_of_the_environment_is_no_way_around(
    tmp_path: Path, site: Site, private_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", private_site.base)
    site.routes["/feed"] = feed(item(site.url("/a")))
    with pytest.raises(WorkerError):
        guarded_scraper(tmp_path).resolve(site.url("/feed"))
    assert site.asked
    assert not private_site.asked
