"""Sending events to an OpenLineage API: Marquez, DataHub and others take them by POST."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Timer
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, urlsplit

from omniva_dagster.stardust.errors import LedgerError

DEFAULT_PATH = "/api/v1/lineage"
_LIMIT_SECONDS = 30.0
_WAITS = (0.5, 2.0, 5.0)  # before each further try
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_MOST_ANSWER = 4096


class Poster:
    """A connection to an API's address that posts one event a request.

    The address is http or https, without a password in it; where it has no path,
    ``/api/v1/lineage`` is taken. A ``key`` goes out as a bearer token, over https or to this
    machine only. `LedgerError` where the address is none of these.
    """

    def __init__(
        self,
        url: str,
        key: str = "",
        *,
        limit: float = _LIMIT_SECONDS,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = _checked(url, key)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=limit)
        path = parts.path if parts.path.strip("/") else DEFAULT_PATH
        self._target = f"{path}?{parts.query}" if parts.query else path
        self._shown = f"{parts.scheme}://{parts.netloc}{path}"
        self._headers = {"Content-Type": "application/json", "User-Agent": "omniva-ledger"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._limit, self._wait = limit, wait

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def post(self, event: bytes) -> None:
        """Send an event; what passes is tried again.

        `LedgerError` when the API refuses it or can't be reached.
        """
        for wait in (*_WAITS, None):
            problem, passing = self._tried(event)
            if not problem:
                return
            if wait is None or not passing:
                raise LedgerError(f"{self._shown}: {problem}; sending all of it again does no harm")
            self._wait(wait)

    def _tried(self, event: bytes) -> tuple[str, bool]:
        """What went wrong, if anything, and whether it may pass."""
        late = Event()
        watch = Timer(self._limit, self._break_off, [late])
        watch.start()
        try:
            self._connection.request("POST", self._target, body=event, headers=self._headers)
            answer = self._connection.getresponse()
            said = answer.read(_MOST_ANSWER)
            if late.is_set():
                # What was cut off may look like an answer.
                raise TimeoutError(f"no answer within {self._limit:g} s")
            if not answer.isclosed():
                self._connection.close()
        except (OSError, HTTPException) as error:
            self._connection.close()
            return f"{type(error).__name__}: {error}".rstrip(": "), True
        finally:
            watch.cancel()
        if 200 <= answer.status < 300:
            return "", False
        words = " ".join(said.decode("utf-8", "replace").split())
        shown = "".join(char for char in words if char.isprintable())[:200]
        return f"answered {answer.status} {shown}".rstrip(), answer.status in _PASSING

    def _break_off(self, late: Event) -> None:
        late.set()
        # A server that sends a byte now and then never meets the socket's own time limit.
        open_socket = self._connection.sock
        if open_socket is not None:
            try:
                open_socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


def _checked(url: str, key: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise LedgerError(f"{url!r} is no http or https address to send events to")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise LedgerError("the address must hold no user, password or fragment: give the key apart")
    if key and not (key.isascii() and key.isprintable()):
        raise LedgerError("the key must be one line of ASCII")
    if key and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise LedgerError("a key is sent over https only, or to this machine")
    return parts
