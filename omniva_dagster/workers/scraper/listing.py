"""Finding the videos that a source published within a range of time.

The list is read first, which is one request for many videos. A video's own page is read only
where the list gives no date, and remembered in the catalog.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.types import parse_timestamp
from omniva_dagster.workers.scraper.metadata import Info, listing_of
from omniva_dagster.workers.scraper.model import Catalog, Failure, Listing
from omniva_dagster.workers.scraper.policy import UrlPolicy
from omniva_dagster.workers.scraper.session import Session
from omniva_dagster.workers.scraper.text import clean_line, clean_uri

_DEEPEST = 3
_ENOUGH_OLD = 8


def list_source(
    session: Session,
    policy: UrlPolicy,
    catalog: Catalog,
    url: str,
    since: datetime,
    until: datetime,
    max_entries: int,
) -> list[Listing | Failure]:
    """The videos at ``url`` with ``since <= uploaded_at < until``, in the source's order."""
    walk = _Walk(session, policy, catalog, since, until, max_entries)
    source = session.open(url)
    if source.get("_type") == "playlist":
        walk.over(source, url, 0)
    else:
        walk.take(_page_listing(source, url))
    return walk.found


def resolve_source(session: Session, url: str) -> Listing:
    """The one video at ``url``."""
    return _page_listing(open_video(session, url), url)


def open_video(session: Session, url: str) -> Info:
    """The whole info of the one video at ``url``, or of the only entry of the list there."""
    from yt_dlp.utils import unsmuggle_url

    for _ in range(_DEEPEST):
        info = session.open(url)
        if info.get("_type") != "playlist":
            return info
        first_two = [entry for entry, _ in zip(session.entries(info), range(2), strict=False)]
        if len(first_two) != 1:
            break
        if first_two[0].get("_type", "video") == "video":
            return first_two[0]
        url = str(unsmuggle_url(str(first_two[0].get("url")))[0])
    raise WorkerError(
        ReasonCode.NO_VIDEO,
        "this is a list of videos; give one video's page, or add it as a creator's source",
    )


class _Walk:
    """One pass over a source and the lists in it."""

    def __init__(
        self,
        session: Session,
        policy: UrlPolicy,
        catalog: Catalog,
        since: datetime,
        until: datetime,
        max_entries: int,
    ) -> None:
        self.found: list[Listing | Failure] = []
        self._session = session
        self._policy = policy
        self._catalog = catalog
        self._since = since
        self._until = until
        self._left = max_entries
        self._seen: set[str] = set()
        self._busy_hosts: dict[str, WorkerError] = {}

    def over(self, source: Info, url: str, depth: int) -> None:
        """All entries of a list, until they are older than what is asked for."""
        entries = self._session.entries(source)
        tail = _Tail(self._since)
        while True:
            try:
                entry = next(entries, None)
            except WorkerError as error:
                self._fail(url, source.get("title"), error)
                return
            if entry is None:
                return
            if self._left == 0:
                self._fail(url, source.get("title"), _too_many())
                return
            self._left -= 1
            moment = self._examine(entry, depth)
            if moment is not None and tail.is_enough(moment):
                return

    def take(self, listing: Listing) -> datetime | None:
        """Keep the listing if it is in range; when it was published."""
        if listing.uploaded_at is None:
            self._fail(listing.url, listing.title, _no_date())
            return None
        moment = parse_timestamp(listing.uploaded_at)
        if self._since <= moment < self._until:
            try:
                self._policy.check(listing.url)
                self.found.append(listing)
            except WorkerError as error:
                self._fail(listing.url, listing.title, error)
        return moment

    def _examine(self, entry: Info, depth: int) -> datetime | None:
        given = _entry_url(entry)
        try:
            self._policy.check_form(given)
        except WorkerError as error:
            self._fail(given, entry.get("title"), error)
            return None
        url = clean_uri(given) or given
        if url in self._seen:
            return None
        self._seen.add(url)
        listing = listing_of(entry, url)
        if listing.uploaded_at is None:
            return self._examine_page(entry, url, depth)
        return self.take(listing)

    def _examine_page(self, entry: Info, url: str, depth: int) -> datetime | None:
        known = self._catalog.get(url)
        if known is not None:
            return self.take(known)
        host = urlsplit(url).netloc
        try:
            if host in self._busy_hosts:
                raise self._busy_hosts[host]
            page = self._session.open(url)
        except WorkerError as error:
            if error.code is ReasonCode.RATE_LIMITED:
                self._busy_hosts[host] = error
            self._fail(url, entry.get("title"), error)
            return None
        if page.get("_type") == "playlist":
            if depth < _DEEPEST:
                self.over(page, url, depth + 1)
            return None
        # Under the entry's URL, by which the next pass will look for it.
        listing = listing_of(page, url)
        if listing.uploaded_at is not None:
            self._catalog.put(listing)
        return self.take(listing)

    def _fail(self, url: str, title: Any, error: WorkerError) -> None:
        self.found.append(Failure(url, clean_line(title, 500), error))


class _Tail:
    """Whether the rest of a list can only be older. A list counts as newest first while the last
    few dates go down: an old pinned entry, or a list in another order, does not end the reading."""

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._run: deque[datetime] = deque(maxlen=_ENOUGH_OLD)

    def is_enough(self, moment: datetime) -> bool:
        """Add the next entry's date; whether to stop after it."""
        if moment >= self._since or (self._run and moment > self._run[-1]):
            self._run.clear()
        if moment < self._since:
            self._run.append(moment)
        return len(self._run) == _ENOUGH_OLD and self._run[0] > self._run[-1]


def _entry_url(entry: Info) -> str:
    from yt_dlp.utils import unsmuggle_url

    for key in ("url", "webpage_url"):
        value = entry.get(key)
        if isinstance(value, str) and "://" in value:
            return str(unsmuggle_url(value)[0])
    return clean_line(entry.get("url"), 200)


def _page_listing(info: Info, url: str) -> Listing:
    return listing_of(info, clean_uri(info.get("webpage_url")) or clean_uri(url) or url)


def _too_many() -> WorkerError:
    return WorkerError(
        ReasonCode.TOO_LARGE,
        "the list has more entries than may be read at once and was left there; "
        "scrape its playlists or single videos instead",
    )


def _no_date() -> WorkerError:
    return WorkerError(
        ReasonCode.DATE_UNKNOWN,
        "its page does not say when it was published; bring it in with `omniva run --url`",
    )
