"""Which URLs may be fetched. A scraper that follows any link is a way into the network it runs
in (CWE-918), so addresses that are not on the public internet are refused unless told otherwise.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.scraper.guard import Address, fenced

# RFC 6052: the well-known prefix for IPv4 addresses behind a translator.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LONGEST_URL = 4096


@dataclass(frozen=True)
class UrlPolicy:
    """``schemes`` that are spoken, and whether hosts outside the public internet are reached.

    What counts as reachable is one method, `permits`; nothing in the configuration can name a
    single private address as an exception.
    """

    allow_private_hosts: bool = False
    schemes: tuple[str, ...] = ("http", "https")

    def permits(self, address: Address) -> bool:
        """Whether a connection to this address is allowed."""
        return self.allow_private_hosts or is_public(address)

    def check(self, url: str) -> None:
        """Raise `WorkerError` unless the URL may be fetched.

        ``scheme_refused``: not a URL, another scheme, or a user name and password inside.
        ``address_refused``: one of the host's addresses is not permitted. ``unreachable``
        (transient): the host's name can't be resolved.
        """
        host = self.check_form(url)
        if self.allow_private_hosts:
            return
        for address in _addresses(host):
            if not self.permits(address):
                raise WorkerError(
                    ReasonCode.ADDRESS_REFUSED,
                    f"{_named(host, address)} a private or reserved address; "
                    "if that is your own network, set OMNIVA_ALLOW_PRIVATE_HOSTS=true",
                )

    def check_form(self, url: str) -> str:
        """The part of `check` that needs no network; returns the host."""
        parts = _split(url)
        if parts.scheme not in self.schemes:
            raise WorkerError(
                ReasonCode.SCHEME_REFUSED,
                f"{parts.scheme[:40] or 'no scheme'!r} is not fetched; "
                f"give a URL that starts with {' or '.join(s + '://' for s in self.schemes)}",
            )
        if "@" in parts.netloc:
            raise WorkerError(
                ReasonCode.SCHEME_REFUSED,
                "the URL holds a user name or password; "
                "leave them out and give a cookies file as a secret reference",
            )
        if not parts.hostname:
            raise WorkerError(ReasonCode.SCHEME_REFUSED, "the URL names no host; give a whole URL")
        return parts.hostname

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Hold every connection that this thread makes meanwhile to `permits`: redirects, links
        found in pages, names that resolve to something else than when they were checked."""
        with fenced(self.permits):
            yield


def _named(host: str, address: Address) -> str:
    return f"{host[:120]} is" if host == str(address) else f"{host[:120]} is {address},"


def is_public(address: Address) -> bool:
    """Whether the address is an ordinary one of the public internet (IANA special-purpose
    registries), looking through the forms of IPv6 that carry an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = _carried(address)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _split(url: str) -> SplitResult:
    # Parsers disagree about blanks, controls and backslashes; such a URL has no good reading.
    if len(url) > _LONGEST_URL or re.search(r"[\x00-\x20\x7f\\]", url):
        raise WorkerError(
            ReasonCode.SCHEME_REFUSED,
            "this is not a URL (too long, or blanks or control characters in it); correct it",
        )
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise WorkerError(
            ReasonCode.SCHEME_REFUSED, f"this is not a URL ({error}); correct it"
        ) from None
    return parts


def _addresses(host: str) -> list[Address]:
    # The system's resolver also reads 2130706433, 0177.0.0.1 and 127.1 as the addresses they are.
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return [ipaddress.ip_address(entry[4][0]) for entry in found]
    except (OSError, UnicodeError, ValueError) as error:
        raise WorkerError(
            ReasonCode.UNREACHABLE,
            f"the name {host[:120]!r} could not be resolved ({error}); "
            "check its spelling and this machine's network",
            transient=True,
        ) from None
