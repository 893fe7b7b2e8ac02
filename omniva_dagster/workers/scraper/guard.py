"""A fence around foreign code: which connections the calling thread may make meanwhile.

A URL that was checked says nothing about where a redirect, a media link inside a page, or a name
that resolves differently a second later will lead. So the address is judged once more at the one
place that all of them pass: the interpreter's audit event for connecting a socket (PEP 578).
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Judge = Callable[[Address], bool]

_ROLL_CALL = "omniva.scraper.guard"
_CONNECTIONS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_WATCHED = _CONNECTIONS | {_ROLL_CALL, "ftplib.connect", "subprocess.Popen"}

_judge: ContextVar[Judge | None] = ContextVar("omniva_scraper_guard", default=None)


class RefusedError(OSError):
    """A connection that the fence did not allow. An ``OSError``, so that networking code treats
    it like any other connection that failed."""

    def __init__(self, code: ReasonCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@contextmanager
def fenced(judge: Judge) -> Iterator[None]:
    """While inside, this thread connects only to addresses that ``judge`` allows.

    It also gives no URL to another program and speaks no FTP. Anything refused is raised there as
    `RefusedError`. A thread that is started inside has no fence: it needs one of its own.
    """
    _install()
    present: list[bool] = []
    sys.audit(_ROLL_CALL, present)
    if not present:
        raise WorkerError(
            ReasonCode.INTERNAL,
            "another audit hook of this process keeps the network guard out; remove it",
        )
    token = _judge.set(judge)
    try:
        yield
    finally:
        _judge.reset(token)


@contextmanager
def lifted() -> Iterator[None]:
    """For our own callbacks, called from inside the fence by the code it surrounds."""
    token = _judge.set(None)
    try:
        yield
    finally:
        _judge.reset(token)


@lru_cache(maxsize=1)
def _install() -> None:
    sys.addaudithook(_hook)


# The names are bound as defaults because module globals may be gone while the interpreter ends.
def _hook(
    event: str,
    args: tuple[Any, ...],
    watched: frozenset[str] = _WATCHED,
    current: ContextVar[Judge | None] = _judge,
) -> None:
    if event not in watched:
        return
    if event == _ROLL_CALL:
        args[0].append(True)
        return
    judge = current.get()
    if judge is None:
        return
    if event in _CONNECTIONS:
        _judge_connection(judge, args[0], args[1])
    elif event == "ftplib.connect":
        raise RefusedError(ReasonCode.SCHEME_REFUSED, "FTP is not spoken; give an https URL")
    elif any("://" in str(argument) for argument in _words(args[1])):
        raise RefusedError(
            ReasonCode.NO_VIDEO, "this source needs a program that cannot be guarded"
        )


def _words(command: Any) -> list[Any]:
    return [command] if isinstance(command, (str, bytes)) else list(command or ())


def _judge_connection(judge: Judge, connecting: socket.socket, target: Any) -> None:
    if target is None:  # sendmsg on a socket that is already connected
        return
    if connecting.family not in (socket.AF_INET, socket.AF_INET6):
        raise RefusedError(ReasonCode.ADDRESS_REFUSED, "only internet addresses are connected to")
    try:
        address = ipaddress.ip_address(target[0])
    except (ValueError, TypeError, IndexError):
        # A name here would be resolved by the socket, after it was judged.
        address = None
    if address is None or not judge(address):
        raise RefusedError(
            ReasonCode.ADDRESS_REFUSED,
            f"the source leads to {str(target[0])[:80]!r}, which is a private or reserved address; "
            "if that is your own network, set OMNIVA_ALLOW_PRIVATE_HOSTS=true",
        )
