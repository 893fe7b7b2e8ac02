"""yt-dlp's errors as reasons. What it raises is wrapped several times over, and sometimes only
text is left, so the causes are looked through first and the text after that."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.scraper.guard import RefusedError
from omniva_dagster.workers.scraper.text import clean_line

_GAVE_UP = r"got error:|giving up after"
_PHRASES: tuple[tuple[str, ReasonCode, bool, str], ...] = (
    (
        r"no space left on device",
        ReasonCode.DISK_FULL,
        True,
        "the disk is full; free some space",
    ),
    (
        r"too many requests|rate.?limit",
        ReasonCode.RATE_LIMITED,
        True,
        "the source asks for fewer requests; it is tried again later",
    ),
    (
        r"premieres in|live event will begin|is not currently live|has not started",
        ReasonCode.NO_VIDEO,
        True,
        "it is not over yet; it is tried again later",
    ),
    (
        r"private video|sign in|log ?in|age.restricted|confirm your age|members.only|use --cookies",
        ReasonCode.AUTH_FAILED,
        False,
        "the source shows it only to some; give a cookies file as a secret reference",
    ),
    (
        r"video unavailable|no longer available|has been (removed|terminated)|does not exist",
        ReasonCode.NOT_FOUND,
        False,
        "it is not there any more; take it from the list",
    ),
    (
        r"timed out",
        ReasonCode.NETWORK_TIMEOUT,
        True,
        "the source did not answer in time; it is tried again later",
    ),
    (
        r"got error:|unable to download video data|bytes read|more expected",
        ReasonCode.UNREACHABLE,
        True,
        "the connection broke; what came is kept and continued by the next try",
    ),
    (
        r"did not get any data blocks",
        ReasonCode.CORRUPT_MEDIA,
        False,
        "the file at the source is empty; publish it again there",
    ),
    (
        r"postprocessing:",
        ReasonCode.CORRUPT_MEDIA,
        False,
        "its parts could not be joined; the source may be damaged",
    ),
    (
        r"unsupported url|no video|no suitable extractor|format is not available|drm",
        ReasonCode.NO_VIDEO,
        False,
        "no video that can be fetched was found there; check that the page shows one",
    ),
)


def as_worker_error(
    error: BaseException, url: str, last_request: BaseException | None = None
) -> WorkerError:
    """The reason in ``error``, which came up while working on ``url``. ``last_request`` is what
    the last request that failed raised, for errors that only say that retrying did not help."""
    links = list(_chain(error))
    if last_request is not None and re.search(_GAVE_UP, str(error), re.IGNORECASE):
        links += _chain(last_request)
    for link in links:
        if isinstance(link, WorkerError):
            return link
        if isinstance(link, RefusedError):
            return WorkerError(link.code, link.message)
    for link in links:
        found = _by_type(link, url)
        if found is not None:
            return found
    return _by_text(links, url)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it was made from, nearest first, each once."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        link = waiting.pop(0)
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        carried = getattr(link, "exc_info", None)
        waiting += [
            carried[1] if isinstance(carried, tuple) and len(carried) == 3 else None,
            getattr(link, "cause", None),
            getattr(link, "reason", None),
            *getattr(link, "unexpected_errors", ()),
            link.__cause__,
            link.__context__,
            *(argument for argument in link.args if isinstance(argument, BaseException)),
        ]


def _by_type(link: BaseException, url: str) -> WorkerError | None:
    from yt_dlp.networking.exceptions import (
        CertificateVerifyError,
        HTTPError,
        ProxyError,
        UnsupportedRequest,
    )
    from yt_dlp.utils import GeoRestrictedError, UnsupportedError

    place = _place(url)
    if isinstance(link, HTTPError):
        return _by_status(int(link.status), place)
    if isinstance(link, UnsupportedRequest) or type(link).__name__ == "InvalidSchema":
        return WorkerError(
            ReasonCode.SCHEME_REFUSED,
            f"{place} leads to something that is neither http nor https; correct it at the source",
        )
    if isinstance(link, UnsupportedError):
        return WorkerError(
            ReasonCode.NO_VIDEO,
            f"no video was found at {place}; check that the page shows one",
        )
    if isinstance(link, GeoRestrictedError):
        return WorkerError(
            ReasonCode.UNREACHABLE, f"{place} is not shown in this country; fetch it from elsewhere"
        )
    if isinstance(link, CertificateVerifyError):
        return WorkerError(
            ReasonCode.UNREACHABLE,
            f"the certificate of {place} is not valid; have it renewed, or check this "
            "machine's clock and certificate store",
        )
    if isinstance(link, TimeoutError):
        return WorkerError(
            ReasonCode.NETWORK_TIMEOUT,
            f"{place} did not answer in time; it is tried again later",
            transient=True,
        )
    if isinstance(link, OSError) and link.errno in (errno.ENOSPC, errno.EDQUOT):
        return WorkerError(
            ReasonCode.DISK_FULL,
            "the disk is full; free some space and run again",
            transient=True,
        )
    if isinstance(link, (ConnectionError, ProxyError)):
        return _unreachable(place)
    return None


def _by_status(status: int, place: str) -> WorkerError:
    if status in (404, 410):
        return WorkerError(
            ReasonCode.NOT_FOUND,
            f"{place} answers {status}: it is not there (any more); take it from the list",
        )
    if status in (401, 403, 407, 451):
        return WorkerError(
            ReasonCode.AUTH_FAILED,
            f"{place} answers {status}: it is shown only to some; "
            "give a cookies file as a secret reference",
        )
    if status == 429:
        return WorkerError(
            ReasonCode.RATE_LIMITED,
            f"{place} asks for fewer requests (429); it is tried again later",
            transient=True,
        )
    if status in (408, 504):
        return WorkerError(
            ReasonCode.NETWORK_TIMEOUT,
            f"{place} did not answer in time ({status}); it is tried again later",
            transient=True,
        )
    return WorkerError(
        ReasonCode.UNREACHABLE,
        f"{place} answers {status}; try again later, or look at the page in a browser",
        transient=status >= 500,
    )


def _by_text(links: list[BaseException], url: str) -> WorkerError:
    from yt_dlp.networking.exceptions import TransportError
    from yt_dlp.utils import YoutubeDLError
    from yt_dlp.version import __version__

    said = _said(links[0])
    place = _place(url)
    for pattern, code, transient, advice in _PHRASES:
        if re.search(pattern, said, re.IGNORECASE):
            return WorkerError(code, f"{place}: {said}; {advice}", transient=transient)
    if any(isinstance(link, TransportError) for link in links):
        return _unreachable(place)
    if isinstance(links[0], YoutubeDLError):
        return WorkerError(
            ReasonCode.NO_VIDEO,
            f"{place}: {said}; yt-dlp {__version__} can't read it, a newer one may",
        )
    return WorkerError(
        ReasonCode.INTERNAL, f"{place}: {type(links[0]).__name__}: {said}; please report this"
    )


def _said(error: BaseException) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    text = re.sub(r"^\s*(ERROR:\s*)+", "", text)
    text = re.split(r";? ?please report this issue|\(caused by", text, maxsplit=1)[0]
    return clean_line(text, 300).rstrip(".;") or type(error).__name__


def _unreachable(place: str) -> WorkerError:
    return WorkerError(
        ReasonCode.UNREACHABLE,
        f"{place} can't be reached; check the URL and this machine's network",
        transient=True,
    )


def _place(url: str) -> str:
    # Queries may hold tokens, and messages are kept.
    return clean_line(url.partition("?")[0], 200)
