from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.scraper import Failure, Listing, ScrapeLimits, Scraper
from tests.workers.scraper.conftest import LOOPBACK, OnlyFirstLoopback
from tests.workers.scraper.hostile import Handler, Site, feed, item, page, status, text

DAY = datetime(2026, 3, 4, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)


def rfc2822(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def listed(found: list[Listing | Failure]) -> list[str]:
    return [entry.title for entry in found if isinstance(entry, Listing)]


def failed(found: list[Listing | Failure]) -> dict[str, ReasonCode]:
    return {entry.url: entry.error.code for entry in found if isinstance(entry, Failure)}


def add_undated(site: Site, name: str, uploaded: datetime | None) -> str:
    """An item without a date in the feed; its page may have one."""
    about = {"uploadDate": uploaded.isoformat()} if uploaded else {}
    site.routes[f"/{name}"] = page(site.url("/a.mp4"), name=name, **about)
    return item(site.url(f"/{name}"), name)


def test_the_range_includes_its_start_and_not_its_end(scraper: Scraper, site: Site) -> None:
    second = timedelta(seconds=1)
    moments = {"end": NEXT, "last": NEXT - second, "first": DAY, "before": DAY - second}
    items = [item(site.url(f"/{name}"), name, rfc2822(at)) for name, at in moments.items()]
    site.routes["/feed"] = feed(*items)
    found = scraper.list_videos(site.url("/feed"), DAY, NEXT)
    assert listed(found) == ["last", "first"]
    assert found[1] == Listing(
        site.url("/first"), site.url("/first"), "first", "2026-03-04T00:00:00Z", None
    )


def test_a_dated_feed_is_listed_in_one_request(scraper: Scraper, site: Site) -> None:
    at = rfc2822(DAY)
    site.routes["/feed"] = feed(*(item(site.url(f"/{n}"), str(n), at) for n in range(50)))
    assert len(scraper.list_videos(site.url("/feed"), DAY, NEXT)) == 50
    assert site.paths() == ["/feed"]


def test_pages_are_read_where_the_feed_has_no_date_and_only_once(
    scraper: Scraper, site: Site
) -> None:
    days = [DAY + timedelta(days=n, hours=3) for n in (2, 1, 0)]
    site.routes["/feed"] = feed(*(add_undated(site, f"v{n}", at) for n, at in enumerate(days)))
    for back in range(3):
        since = DAY + timedelta(days=back)
        found = scraper.list_videos(site.url("/feed"), since, since + timedelta(days=1))
        assert listed(found) == [f"v{2 - back}"]
    assert sorted(path for path in site.paths() if path != "/feed") == ["/v0", "/v1", "/v2"]


def test_broken_entries_are_named_and_the_others_go_on(scraper: Scraper, site: Site) -> None:
    site.routes["/feed"] = feed(
        add_undated(site, "good", DAY),
        item(site.url("/missing"), "missing"),
        add_undated(site, "undated", None),
        item(site.url("/empty"), "no video here"),
        item("file:///etc/passwd", "a file"),
        item("ftp://127.0.0.1/a.mp4", "ftp"),
        item("not a url", "nothing"),
        add_undated(site, "late", DAY + timedelta(hours=1)),
    )
    site.routes["/empty"] = text("<html><body>nothing to see</body></html>")
    found = scraper.list_videos(site.url("/feed"), DAY, NEXT)
    assert listed(found) == ["good", "late"]
    assert failed(found) == {
        site.url("/missing"): ReasonCode.NOT_FOUND,
        site.url("/undated"): ReasonCode.DATE_UNKNOWN,
        site.url("/empty"): ReasonCode.NO_VIDEO,
        "file:///etc/passwd": ReasonCode.SCHEME_REFUSED,
        "ftp://127.0.0.1/a.mp4": ReasonCode.SCHEME_REFUSED,
        "not a url": ReasonCode.SCHEME_REFUSED,
    }
    titles = {entry.title for entry in found if isinstance(entry, Failure)}
    assert {"missing", "no video here", "a file"} <= titles


def test_the_date_of_a_page_is_not_the_date_of_its_video(scraper: Scraper, site: Site) -> None:
    undated = add_undated(site, "undated", None)
    described = site.routes["/undated"]

    def with_date(handler: Handler) -> None:
        original = handler.start

        def start(code: int, headers: dict[str, str]) -> None:
            original(code, {**headers, "Last-Modified": rfc2822(DAY)})

        handler.start = start  # type: ignore[method-assign]
        described(handler)

    site.routes["/undated"] = with_date
    site.routes["/feed"] = feed(undated)
    found = scraper.list_videos(site.url("/feed"), DAY, NEXT)
    assert failed(found) == {site.url("/undated"): ReasonCode.DATE_UNKNOWN}


def test_reading_a_newest_first_list_ends_once_it_is_old(scraper: Scraper, site: Site) -> None:
    days = [NEXT - timedelta(hours=12 * n + 1) for n in range(60)]
    site.routes["/feed"] = feed(*(add_undated(site, f"v{n}", at) for n, at in enumerate(days)))
    assert listed(scraper.list_videos(site.url("/feed"), DAY, NEXT)) == ["v0", "v1"]
    assert len(site.paths()) < 15


def test_an_old_pinned_entry_does_not_end_the_reading(scraper: Scraper, site: Site) -> None:
    pinned = add_undated(site, "pinned", DAY - timedelta(days=900))
    fresh = [add_undated(site, f"v{n}", DAY + timedelta(hours=9 - n)) for n in range(3)]
    site.routes["/feed"] = feed(pinned, *fresh)
    found = scraper.list_videos(site.url("/feed"), DAY, NEXT)
    assert listed(found) == ["v0", "v1", "v2"]


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(0)])
def test_an_oldest_first_list_is_read_to_its_end(
    scraper: Scraper, site: Site, step: timedelta
) -> None:
    old = [add_undated(site, f"v{n}", DAY - timedelta(days=9) + step * n) for n in range(12)]
    site.routes["/feed"] = feed(*old, add_undated(site, "new", DAY))
    assert listed(scraper.list_videos(site.url("/feed"), DAY, NEXT)) == ["new"]


def test_a_list_in_no_order_is_read_to_its_end(scraper: Scraper, site: Site) -> None:
    ages = [20, 21, 22, 23, 19, 24, 25, 26, 27, 28]
    old = [add_undated(site, f"v{age}", DAY - timedelta(days=age)) for age in ages]
    site.routes["/feed"] = feed(*old, add_undated(site, "new", DAY))
    assert listed(scraper.list_videos(site.url("/feed"), DAY, NEXT)) == ["new"]


def test_a_list_of_lists_is_read_through_and_each_video_listed_once(
    scraper: Scraper, site: Site
) -> None:
    video = item(site.url("/v"), "v", rfc2822(DAY))
    site.routes["/one"] = feed(video)
    site.routes["/two"] = feed(video, item(site.url("/w"), "w", rfc2822(DAY)))
    site.routes["/feed"] = feed(item(site.url("/one")), item(site.url("/two")))
    assert listed(scraper.list_videos(site.url("/feed"), DAY, NEXT)) == ["v", "w"]


def test_a_list_that_contains_itself_comes_to_an_end(scraper: Scraper, site: Site) -> None:
    inner = item(site.url("/v"), "v", rfc2822(DAY))
    site.routes["/feed"] = feed(item(site.url("/feed")), item(site.url("/other")), inner)
    site.routes["/other"] = feed(item(site.url("/feed")), item(site.url("/other")))
    assert listed(scraper.list_videos(site.url("/feed"), DAY, NEXT)) == ["v"]
    assert len(site.paths()) < 10


def test_a_list_longer_than_the_limit_says_that_it_was_left(tmp_path: Path, site: Site) -> None:
    at = rfc2822(DAY)
    site.routes["/feed"] = feed(*(item(site.url(f"/{n}"), str(n), at) for n in range(30)))
    scraper = Scraper(ScrapeLimits(max_entries=10), LOOPBACK, tmp_path)
    found = scraper.list_videos(site.url("/feed"), DAY, NEXT)
    assert len(listed(found)) == 10
    assert failed(found) == {site.url("/feed"): ReasonCode.TOO_LARGE}


def test_a_host_that_asks_for_patience_is_left_alone(scraper: Scraper, site: Site) -> None:
    good = [add_undated(site, f"v{n}", DAY) for n in range(2)]
    site.routes["/busy"] = status(429)
    more = [add_undated(site, f"w{n}", DAY) for n in range(5)]
    site.routes["/feed"] = feed(*good, item(site.url("/busy")), *more)
    found = scraper.list_videos(site.url("/feed"), DAY, NEXT)
    assert listed(found) == ["v0", "v1"]
    assert set(failed(found).values()) == {ReasonCode.RATE_LIMITED}
    assert len(failed(found)) == 6
    assert all(entry.error.transient for entry in found if isinstance(entry, Failure))
    assert site.paths() == ["/feed", "/v0", "/v1", "/busy"]


def test_an_entry_at_a_private_address_is_a_failure(
    tmp_path: Path, site: Site, private_site: Site
) -> None:
    site.routes["/feed"] = feed(
        item(private_site.url("/dated"), "dated", rfc2822(DAY)),
        item(private_site.url("/undated"), "undated"),
        item(site.url("/fine"), "fine", rfc2822(DAY)),
    )
    scraper = Scraper(ScrapeLimits(), OnlyFirstLoopback(), tmp_path)
    found = scraper.list_videos(site.url("/feed"), DAY, NEXT)
    assert listed(found) == ["fine"]
    assert set(failed(found).values()) == {ReasonCode.ADDRESS_REFUSED}
    assert not private_site.asked


def test_a_single_video_is_a_source_of_one(scraper: Scraper, site: Site) -> None:
    site.routes["/v"] = page(
        site.url("/a.mp4"), name="v", uploadDate=DAY.isoformat(), duration="PT75S"
    )
    (found,) = scraper.list_videos(site.url("/v"), DAY, NEXT)
    assert found == Listing(site.url("/v"), site.url("/v"), "v", "2026-03-04T00:00:00Z", 75.0)
    assert scraper.list_videos(site.url("/v"), NEXT, NEXT + timedelta(days=1)) == []


def test_a_video_is_resolved_whatever_its_day(scraper: Scraper, site: Site) -> None:
    add_undated(site, "undated", None)
    assert scraper.resolve(site.url("/undated")) == Listing(
        site.url("/undated"), site.url("/undated"), "undated", None, None
    )


def test_a_redirect_resolves_to_the_video_behind_it(scraper: Scraper, site: Site) -> None:
    add_undated(site, "v", DAY)
    site.routes["/short"] = status(302, Location="/v")
    assert scraper.resolve(site.url("/short")) == scraper.resolve(site.url("/v"))


def test_a_list_is_not_one_video(scraper: Scraper, site: Site) -> None:
    site.routes["/feed"] = feed(item(site.url("/v")), item(site.url("/w")))
    with pytest.raises(WorkerError) as caught:
        scraper.resolve(site.url("/feed"))
    assert caught.value.code is ReasonCode.NO_VIDEO


def test_a_title_reaches_nobody_unclean(scraper: Scraper, site: Site) -> None:
    hostile = 'He said "no" & <script>alert(1)</script> 😀👩‍👩‍👧\nnext ../../etc \u202egnp.exe'
    site.routes["/feed"] = feed(item(site.url("/v"), hostile, rfc2822(DAY)))
    assert listed(scraper.list_videos(site.url("/feed"), DAY, NEXT)) == [
        'He said "no" & <script>alert(1)</script> 😀👩‍👩‍👧 next ../../etc gnp.exe'
    ]


@contextmanager
def silent_site(site: Site) -> Iterator[str]:
    """A page whose answer never comes."""
    over = threading.Event()

    def wait(_: Handler) -> None:
        over.wait(30)

    site.routes["/silent"] = wait
    try:
        yield site.url("/silent")
    finally:
        over.set()


@pytest.mark.part("SCR-4")
@pytest.mark.parametrize(
    ("code", "reason", "transient"),
    [
        (404, ReasonCode.NOT_FOUND, False),
        (410, ReasonCode.NOT_FOUND, False),
        (401, ReasonCode.AUTH_FAILED, False),
        (403, ReasonCode.AUTH_FAILED, False),
        (429, ReasonCode.RATE_LIMITED, True),
        (500, ReasonCode.UNREACHABLE, True),
        (503, ReasonCode.UNREACHABLE, True),
    ],
)
def test_a_source_that_refuses_says_why(
    scraper: Scraper, site: Site, code: int, reason: ReasonCode, transient: bool
) -> None:
    site.routes["/feed?token=hunter2"] = status(code)
    with pytest.raises(WorkerError) as caught:
        scraper.list_videos(site.url("/feed?token=hunter2"), DAY, NEXT)
    assert (caught.value.code, caught.value.transient) == (reason, transient)
    assert "hunter2" not in caught.value.message


@pytest.mark.part("SCR-4")
def test_a_source_that_does_not_answer_timed_out(tmp_path: Path, site: Site) -> None:
    scraper = Scraper(ScrapeLimits(socket_timeout_seconds=0.3), LOOPBACK, tmp_path)
    with silent_site(site) as url, pytest.raises(WorkerError) as caught:
        scraper.list_videos(url, DAY, NEXT)
    assert (caught.value.code, caught.value.transient) == (ReasonCode.NETWORK_TIMEOUT, True)


def test_a_source_that_is_not_there_is_unreachable(scraper: Scraper, site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(WorkerError) as caught:
        scraper.list_videos(f"http://127.0.0.1:{port}/feed", DAY, NEXT)
    assert (caught.value.code, caught.value.transient) == (ReasonCode.UNREACHABLE, True)


def test_a_page_without_a_video_has_no_video(scraper: Scraper, site: Site) -> None:
    site.routes["/page"] = text("<html><body>words</body></html>")
    with pytest.raises(WorkerError) as caught:
        scraper.list_videos(site.url("/page"), DAY, NEXT)
    assert (caught.value.code, caught.value.transient) == (ReasonCode.NO_VIDEO, False)


def test_redirects_in_a_circle_come_to_an_end(scraper: Scraper, site: Site) -> None:
    site.routes["/a"] = status(302, Location="/b")
    site.routes["/b"] = status(302, Location="/a")
    with pytest.raises(WorkerError):
        scraper.resolve(site.url("/a"))


def test_an_endless_page_is_left(
    scraper: Scraper, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omniva_dagster.workers.scraper import session

    monkeypatch.setattr(session, "_LARGEST_PAGE", 2**20)

    def endless(handler: Handler) -> None:
        handler.start(200, {"Content-Type": "text/html", "Connection": "close"})
        handler.send(b"<html>")
        while True:
            handler.send(b" " * 2**16)

    site.routes["/endless"] = endless
    with pytest.raises(WorkerError) as caught:
        scraper.resolve(site.url("/endless"))
    assert caught.value.code is ReasonCode.TOO_LARGE


@pytest.mark.spec("SCR-2")
def test_cookies_are_sent_from_their_file_and_the_file_is_not_written(
    tmp_path: Path, site: Site
) -> None:
    got: list[str] = []
    described = page(site.url("/a.mp4"))

    def members_only(handler: Handler) -> None:
        got.append(handler.headers.get("Cookie", ""))
        described(handler)

    site.routes["/v"] = members_only
    jar = tmp_path / "cookies.txt"
    jar.write_text(
        "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t4102444800\tsession\thunter2\n"
    )
    before = jar.read_bytes()
    Scraper(ScrapeLimits(), LOOPBACK, tmp_path, cookies_file=jar).resolve(site.url("/v"))
    assert got == ["session=hunter2"]
    assert jar.read_bytes() == before
