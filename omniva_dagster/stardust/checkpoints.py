"""Checkpoints: signed statements of how large the log is and what it holds (C2SP tlog-checkpoint).

The text of the note has three lines: the log's origin, the number of leaves, and the root in
base64. ``checkpoints/<size>.txt`` keeps them, ``checkpoints/latest.txt`` is the newest once more.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path

from omniva_dagster.stardust import files
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.keys import Keyring, SigningKeys
from omniva_dagster.stardust.merkle import HASH_SIZE
from omniva_dagster.stardust.notes import Note, NoteError, parse_note

LATEST = "latest.txt"
_MOST = 2048  # files; then the older half is thinned
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_NUMBERED = re.compile(r"(0|[1-9][0-9]{0,15})\.txt")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says; whether it is true is for `verified` to find out."""

    origin: str
    size: int
    root: bytes
    note: str


def sign_checkpoint(keys: SigningKeys, origin: str, size: int, root: bytes) -> str:
    """The signed note of a checkpoint. Raises `LedgerError` for a root of the wrong length."""
    if len(root) != HASH_SIZE or size < 0 or origin != keys.origin:
        raise LedgerError(f"{origin} at {size} with a root of {len(root)} bytes is no checkpoint")
    return keys.sign(f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n")


def read_checkpoint(raw: str | bytes) -> tuple[Checkpoint, Note]:
    """What a note says as a checkpoint, and the note; believed by nobody yet.

    Further lines of the text are extensions that other logs use: signed, and ignored here. Raises
    `NoteError`.
    """
    note = parse_note(raw)
    lines = note.text[:-1].split("\n")
    if len(lines) < 3 or not all(lines) or not _SIZE.fullmatch(lines[1]):
        raise NoteError("is no checkpoint: origin, size and root, a line each")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except ValueError:
        root = b""
    if len(root) != HASH_SIZE or base64.b64encode(root).decode() != lines[2]:
        raise NoteError("is no checkpoint: its root is no SHA-256 in base64")
    text = raw.decode() if isinstance(raw, bytes) else raw
    return Checkpoint(lines[0], int(lines[1]), root, text), note


def verified(raw: str | bytes, keyring: Keyring) -> Checkpoint:
    """The checkpoint that the log's key of that time signed; `NoteError` otherwise."""
    checkpoint, note = read_checkpoint(raw)
    signer = keyring.signer(note, checkpoint.size)
    if signer.name != checkpoint.origin:
        raise NoteError(f"is signed by {signer.name}, but is about {checkpoint.origin}")
    return checkpoint


def write_checkpoint(folder: Path, note: str) -> None:
    """Keep a checkpoint, and make it the latest. Doing it again changes nothing."""
    size = read_checkpoint(note)[0].size
    files.replace(folder / f"{size}.txt", note.encode())
    files.replace(folder / LATEST, note.encode())
    for old in _too_many(kept_sizes(folder)):
        files.remove(folder / f"{old}.txt")


def latest_checkpoint(folder: Path) -> Checkpoint | None:
    """What ``latest.txt`` says, unverified; None where there is none. Raises `NoteError`."""
    try:
        raw = (folder / LATEST).read_bytes()
    except FileNotFoundError:
        return None
    return read_checkpoint(raw)[0]


def kept_sizes(folder: Path) -> list[int]:
    """The sizes of the log of which a checkpoint is kept, ascending."""
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    return sorted(int(found[1]) for found in map(_NUMBERED.fullmatch, names) if found)


def _too_many(sizes: list[int]) -> list[int]:
    """Every second of the older half, once there are too many; the first always stays."""
    return sizes[1 : _MOST // 2 : 2] if len(sizes) > _MOST else []
