"""What a ledger's signed parts claim: its keys, checkpoints, and lists of files.

Reads small files only and judges them by themselves: signatures, names, that the files listed are
there and no others, and that their leaves follow each other without a gap from day to day. Whether
the files hold what is claimed is for `verify` to find out.
"""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rfc8785

from omniva_dagster.stardust.checkpoints import LATEST, Checkpoint, kept_sizes, verified
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.findings import FORGED, REPAIR, RESTORE, Finding, Findings
from omniva_dagster.stardust.hashes import LEVELS
from omniva_dagster.stardust.keys import NEXT, PRIVATE, Keyring
from omniva_dagster.stardust.layout import Layout, leaves_of
from omniva_dagster.stardust.notes import NoteError

_FOLDER = re.compile(r"date=([0-9]{4}-[0-9]{2}-[0-9]{2})")
_MANIFEST = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.json")
# What an interrupted write leaves behind; nobody reads it.
_LEFTOVER = re.compile(r"\..*\.tmp")
_CHECKPOINT = re.compile(r"(0|[1-9][0-9]{0,15}|latest)\.txt|anchored\.json")
_HASHES = re.compile(rf"([0-{LEVELS - 1}])\.hashes")
_KEY = re.compile(r"signing\.key(?:\.next)?|[1-9][0-9]*\.(?:pub|txt)")


_SIGN_AGAIN = (
    "restore checkpoints/ from a copy; where there is none, `omniva ledger repair` says what it "
    "takes to sign another"
)
_LIST_AGAIN = (
    "run `omniva ledger repair`, which lists the files anew if they are those that the state store "
    "knows; a copy's is restored"
)


@dataclass(frozen=True)
class ListedFile:
    """A Parquet file as its day's manifest has it; ``end_leaf`` is the first leaf after it."""

    date: str
    name: str
    sha256: str
    size: int
    first_leaf: int
    end_leaf: int

    @property
    def place(self) -> str:
        """Its path inside the ledger's folder."""
        return f"packets/date={self.date}/{self.name}"


@dataclass
class Claims:
    """What is claimed, and what is wrong with the claims."""

    keyring: Keyring | None = None
    checkpoints: list[Checkpoint] = field(default_factory=list)
    files: list[ListedFile] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    # Leaves beyond the checkpoint: a sequencer is at work, or was killed.
    waiting: int = 0
    # What an interrupted write left behind: nobody reads it.
    leftovers: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Leaves that the latest checkpoint covers."""
        return self.checkpoints[-1].size if self.checkpoints else 0

    @property
    def origin(self) -> str:
        """The log's name; empty where no key says it."""
        return self.keyring.keys[0].public.name if self.keyring else ""


def read_claims(layout: Layout) -> Claims:
    """Everything that is signed, and the folder's listing."""
    claims = Claims()
    dates = _listed(layout.packets, claims, _FOLDER, folders=True)
    manifests = _listed(layout.manifest, claims, _MANIFEST)
    others = _listed(layout.checkpoints, claims, _CHECKPOINT)
    _listed(layout.log, claims, _HASHES)
    _list_keys(layout.keys, claims)
    if not (dates or manifests or others or layout.keys.exists()):
        return claims
    try:
        claims.keyring = Keyring.read(layout.keys)
    except (LedgerError, OSError) as error:
        claims.findings.add(Finding("keys", str(error), RESTORE))
    _read_checkpoints(layout, claims)
    for date in sorted({*dates, *manifests}):
        claims.files += _files_of(layout, date, claims)
    _follow(claims)
    return claims


def is_busy(layout: Layout) -> bool:
    """Whether a sequencer of this machine is at work on this very folder."""
    try:
        with layout.lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _listed(
    folder: Path, claims: Claims, pattern: re.Pattern[str], *, folders: bool = False
) -> list[str]:
    """The parts of the names that belong in a folder; a finding for each that doesn't."""
    if not folder.is_dir():
        return []
    found = []
    for path in sorted(folder.iterdir()):
        match = pattern.fullmatch(path.name)
        right = path.is_dir() if folders else path.is_file()
        if match and right and not path.is_symlink():
            found.append(match[match.lastindex or 0])
        elif not folders and _LEFTOVER.fullmatch(path.name) and path.is_file():
            claims.leftovers.append(f"{folder.name}/{path.name}")
        else:
            claims.findings.add(_stray(f"{folder.name}/{path.name}"))
    return found


def _list_keys(folder: Path, claims: Claims) -> None:
    names = set(_listed(folder, claims, _KEY))
    publics = sum(name.endswith(".pub") for name in names)
    wanted = {PRIVATE, *(f"{number}.pub" for number in range(1, publics + 1))}
    wanted |= {f"{number}.txt" for number in range(2, publics + 1)}
    # A rotation that was stopped before the new key was in force.
    begun = {f"{publics + 1}.txt", NEXT}
    for name in sorted(names - wanted):
        if publics and name in begun:
            claims.leftovers.append(f"{folder.name}/{name}")
        else:
            claims.findings.add(_stray(f"{folder.name}/{name}"))


def _read_checkpoints(layout: Layout, claims: Claims) -> None:
    sizes = kept_sizes(layout.checkpoints)
    if claims.keyring is None:
        if sizes:
            claims.findings.add(
                Finding("checkpoints", "can't be checked without the keys", RESTORE)
            )
        return
    names = [f"{size}.txt" for size in sizes]
    raw = {name: _bytes(layout.checkpoints / name) for name in [*names, LATEST]}
    for size, name in zip(sizes, names, strict=True):
        try:
            checkpoint = verified(raw[name], claims.keyring)
        except NoteError as error:
            claims.findings.add(Finding(f"checkpoints/{name}", str(error), FORGED))
            continue
        if checkpoint.size != size:
            problem = f"is a checkpoint of {checkpoint.size} packets"
            claims.findings.add(Finding(f"checkpoints/{name}", problem, FORGED))
        else:
            claims.checkpoints.append(checkpoint)
    if not sizes or raw[LATEST] != raw[names[-1]]:
        last = f"checkpoints/{names[-1]}" if sizes else "any checkpoint"
        problem = f"is missing or is not {last}"
        remedy = REPAIR if sizes else _SIGN_AGAIN
        claims.findings.add(Finding(f"checkpoints/{LATEST}", problem, remedy))


def _files_of(layout: Layout, date: str, claims: Claims) -> Iterator[ListedFile]:
    there = _parquet_files(layout, date, claims.findings)
    try:
        listed = list(_manifest(layout, date, claims))
    except (NoteError, KeyError, TypeError, ValueError) as error:
        waiting = min((leaves_of(name) or range(0)).start for name in there) if there else 0
        if there and waiting >= claims.size and not layout.manifest_of(date).exists():
            claims.waiting += sum(len(leaves_of(name) or ()) for name in there)
        else:
            problem = str(error) if isinstance(error, NoteError) else "is no list of files"
            claims.findings.add(Finding(_place(layout, date), problem, _LIST_AGAIN))
        return
    for file in listed:
        if file.name in there:
            yield file
        else:
            problem = f"is missing; it holds leaves {file.first_leaf} to {file.end_leaf - 1}"
            claims.findings.add(Finding(file.place, problem, RESTORE))
    names = {file.name for file in listed}
    end = max((file.end_leaf for file in listed), default=0)
    for name in sorted(there - names):
        leaves = leaves_of(name)
        if leaves and leaves.start >= max(claims.size, end):
            claims.waiting += len(leaves)
        else:
            claims.findings.add(_stray(f"packets/date={date}/{name}"))


def _parquet_files(layout: Layout, date: str, findings: Findings) -> set[str]:
    folder = layout.day(date)
    found: set[str] = set()
    if not folder.is_dir() or folder.is_symlink():
        return found
    for path in sorted(folder.iterdir()):
        if leaves_of(path.name) and path.is_file() and not path.is_symlink():
            found.add(path.name)
        else:
            findings.add(_stray(f"packets/date={date}/{path.name}"))
    return found


def _manifest(layout: Layout, date: str, claims: Claims) -> Iterator[ListedFile]:
    raw = _bytes(layout.manifest_of(date))
    if not raw:
        raise NoteError("is missing: it says what the day's files hold")
    said: dict[str, Any] = json.loads(raw)
    if rfc8785.dumps(said) != raw:
        raise NoteError("is not in canonical form: it was changed after it was written")
    listed = said["manifest"]
    try:
        if claims.keyring is None:
            raise NoteError("can't be checked without the keys")
        signer = claims.keyring.verify(f"{rfc8785.dumps(listed).decode()}\n", said["signatures"])
        if listed["origin"] != signer.name or listed["date"] != date:
            raise NoteError(f"is the list of {listed['date']} of {listed['origin']}")
    except NoteError as error:
        claims.findings.add(Finding(_place(layout, date), str(error), FORGED))
    for file in listed["files"]:
        leaves = leaves_of(file["name"])
        told = (file["first_leaf"], file["last_leaf"], file["rows"])
        if leaves is None or (leaves.start, leaves.stop - 1, len(leaves)) != told:
            raise NoteError(f"says of {file['name']} what its name does not")
        yield ListedFile(
            date, file["name"], str(file["sha256"]), int(file["size"]), leaves.start, leaves.stop
        )


def _follow(claims: Claims) -> None:
    """Whether the files' leaves follow each other, day after day, up to the checkpoint."""
    reached = 0
    claims.files.sort(key=lambda file: (file.date, file.first_leaf))
    for file in claims.files:
        if file.first_leaf > reached:
            problem = f"leaves {reached} to {file.first_leaf - 1} are in no file before it"
            claims.findings.add(Finding(file.place, problem, RESTORE))
        elif file.first_leaf < reached:
            problem = f"leaves from {file.first_leaf} on are in a file before it too"
            claims.findings.add(Finding(file.place, problem, FORGED))
        reached = max(reached, file.end_leaf)
    if reached < claims.size:
        problem = (
            f"says {claims.size} packets, but the files end with leaf {reached - 1}: "
            f"{claims.size - reached} are missing"
        )
        claims.findings.add(Finding(f"checkpoints/{claims.size}.txt", problem, RESTORE))
    claims.waiting += sum(
        file.end_leaf - max(file.first_leaf, claims.size)
        for file in claims.files
        if file.end_leaf > claims.size
    )


def _place(layout: Layout, date: str) -> str:
    return layout.manifest_of(date).relative_to(layout.root).as_posix()


def _stray(place: str) -> Finding:
    return Finding(place, "does not belong to the ledger", "move it away, and find out whose it is")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
