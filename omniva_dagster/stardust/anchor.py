"""Sending checkpoints where whoever holds this disk and its key can't change them.

The target is a folder or file elsewhere (a write-once mount, another machine's share), which is
appended to, or an https address, which gets the note by POST. An anchor that can't be reached
delays nothing: it is said, and tried again after the next checkpoint.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http.client import HTTPException
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from omniva_dagster.stardust import files
from omniva_dagster.stardust.checkpoints import Checkpoint, read_checkpoint
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.notes import NoteError

SENT_FILE = "anchored.json"
_LIMIT_SECONDS = 15.0
_SIGNATURE_BYTES = 64  # fewer were cut off
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class AnchorState(StrEnum):
    """How it went."""

    SENT = "sent"
    NOT_DUE = "not due"
    FAILED = "failed"


@dataclass(frozen=True)
class AnchorResult:
    """How it went, and why."""

    state: AnchorState
    detail: str


def send(
    note: str,
    target: str,
    folder: Path,
    *,
    now: datetime,
    every: timedelta = timedelta(minutes=5),
    limit: float = _LIMIT_SECONDS,
) -> AnchorResult:
    """Send a checkpoint to ``target`` unless that was done less than ``every`` ago.

    ``folder`` is the ledger's ``checkpoints/``, which remembers what was sent. Takes at most about
    ``limit`` seconds and raises nothing: what went wrong is in the result.
    """
    try:
        checkpoint = read_checkpoint(note)[0]
        sent = _sent(folder, target)
        if sent.get("size") == checkpoint.size:
            return AnchorResult(AnchorState.NOT_DUE, f"{checkpoint.size} was sent before")
        # A clock that was set back must not stop the sending.
        if sent and abs(now - datetime.fromisoformat(sent["at"])) < every:
            return AnchorResult(AnchorState.NOT_DUE, f"the last one was sent at {sent['at']}")
        _within(limit, lambda: _deliver(checkpoint, target, limit))
        record = {"target": _shown(target), "size": checkpoint.size, "at": now.isoformat()}
        files.replace(folder / SENT_FILE, json.dumps(record, sort_keys=True).encode())
    except (OSError, ValueError, HTTPException, LedgerError) as error:
        return AnchorResult(AnchorState.FAILED, f"{_shown(target)}: {error}; it is tried again")
    return AnchorResult(AnchorState.SENT, f"{checkpoint.size} to {_shown(target)}")


def read_anchors(raw: str | bytes) -> list[Checkpoint]:
    """All checkpoints in an anchor's file, in its order; one note alone is such a file too.

    What a crash left half written is passed over. Raises `NoteError` if nothing can be read.
    """
    text = raw.decode("utf-8", errors="replace") if isinstance(raw, bytes) else raw
    blocks = [block for block in re.split(r"\n\n+", text.strip("\n")) if block]
    found = []
    for body, signatures in pairwise(blocks):
        if not signatures.startswith("— "):
            continue
        try:
            checkpoint, note = read_checkpoint(f"{body}\n\n{signatures}\n")
        except NoteError:
            continue
        if all(len(line.signature) >= _SIGNATURE_BYTES for line in note.signatures):
            found.append(checkpoint)
    if not found:
        raise NoteError("holds no checkpoint: a signed note or several, as the anchor got them")
    return found


def sent_to(target: str, origin: str) -> str | None:
    """What was sent to ``target`` so far; None where it is an address or can't be read."""
    if not target or "://" in target:
        return None
    try:
        return _file(target, origin).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _deliver(checkpoint: Checkpoint, target: str, limit: float) -> None:
    if "://" in target:
        _post(target, checkpoint.note, limit)
        return
    # An empty line before it ends whatever an earlier, interrupted write left.
    files.append(_file(target, checkpoint.origin), f"\n\n{checkpoint.note}".encode())


def _file(target: str, origin: str) -> Path:
    path = Path(target).expanduser()
    if path.is_dir() or target.endswith("/"):
        path = path / (re.sub(r"[^A-Za-z0-9._-]+", "-", origin).strip("-.") + ".txt")
    return path


def _post(url: str, note: str, limit: float) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise LedgerError("an anchor is a path or an https address")
    request = urllib.request.Request(  # noqa: S310
        url,
        data=note.encode(),
        method="POST",
        headers={"Content-Type": "text/plain; charset=utf-8", "User-Agent": "omniva-ledger"},
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=limit) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        raise LedgerError(f"answered {error.code}") from None
    if not 200 <= status < 300:
        raise LedgerError(f"answered {status}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


def _within(limit: float, act: Callable[[], None]) -> None:
    """Run ``act``, but wait no longer than ``limit``: a mount or a server may hang for ever."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            act()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="omniva-anchor", daemon=True)
    thread.start()
    thread.join(limit)
    if thread.is_alive():
        raise LedgerError(f"no answer within {limit:g} s")
    if errors:
        raise errors[0]


def _sent(folder: Path, target: str) -> dict[str, Any]:
    """What was sent to this target last; nothing where that can't be told."""
    try:
        record = json.loads((folder / SENT_FILE).read_bytes())
        datetime.fromisoformat(record["at"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return {}
    return record if record.get("target") == _shown(target) else {}


def _shown(target: str) -> str:
    """The target without user, password and query."""
    if "://" not in target:
        return target
    scheme, _, rest = target.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
