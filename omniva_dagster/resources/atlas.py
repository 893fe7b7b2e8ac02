"""Atlas, the media store: files by key, put once, referred to by ``atlas:`` URIs.

A key is a path such as ``videos/<video_id>/source.mp4``. A file appears under its key whole or not
at all, and never changes: putting the same bytes again does nothing, other bytes are a collision,
which is Paradox's to judge (PAR-5).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.durable import sync

SCHEME = "atlas:/"
_KEY = re.compile(r"[a-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*")
_CHUNK = 1 << 20
_NEW_SECONDS = 5.0


class CollisionError(WorkerError):
    """Another file was brought for a key that holds one (PAR-5)."""

    def __init__(self, key: str, held_sha256: str, offered_sha256: str) -> None:
        super().__init__(
            ReasonCode.COLLISION,
            f"Atlas already holds another file under {key}; the first one stands: "
            "`omniva explain` the video, or remove the one that is wrong",
        )
        self.uri = SCHEME + key
        self.held_sha256 = held_sha256
        self.offered_sha256 = offered_sha256


class Atlas:
    """The store under a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root / "objects"
        self.staging = root / "staging"

    @staticmethod
    def uri(key: str) -> str:
        """The URI of a key."""
        return SCHEME + _checked(key)

    def path(self, uri_or_key: str) -> Path:
        """Where the file is, or would be."""
        return self.root / _checked(uri_or_key.removeprefix(SCHEME))

    def has(self, uri_or_key: str) -> bool:
        """Whether there is a file."""
        return self.path(uri_or_key).is_file()

    def put(self, source: Path, key: str) -> str:
        """Take a copy of ``source`` in under ``key`` and return its URI.

        Raises `CollisionError` when the key holds other bytes.
        """
        target = self.path(key)
        if target.exists():
            self._same_or_collision(source, target, key)
            return self.uri(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.scratch() as folder:
            staged = folder / target.name
            try:
                shutil.copyfile(source, staged)
                sync(staged)
            except OSError as error:
                raise _disk(error) from error
            try:
                os.link(staged, target)  # atomic, and fails where something is
            except FileExistsError:
                self._same_or_collision(source, target, key)
        sync(target.parent)
        return self.uri(key)

    def put_bytes(self, content: bytes, key: str) -> str:
        """Take ``content`` in under ``key``."""
        with self.scratch() as folder:
            staged = folder / "content"
            staged.write_bytes(content)
            return self.put(staged, key)

    def put_folder(self, source: Path, key: str) -> str:
        """Take a folder in whole, by one rename; if the key is there, it stands."""
        target = self.path(key)
        if target.is_dir():
            return self.uri(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.scratch() as folder:
            staged = folder / target.name
            try:
                shutil.copytree(source, staged)
                for path in staged.rglob("*"):
                    sync(path)
            except OSError as error:
                raise _disk(error) from error
            try:
                staged.rename(target)
            except OSError:
                if not target.is_dir():
                    raise
        sync(target.parent)
        return self.uri(key)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder to work in, on the same file system, gone afterwards.

        What processes that were killed have left behind goes too: their locks went with them.
        """
        self.staging.mkdir(parents=True, exist_ok=True)
        self._sweep()
        folder = Path(tempfile.mkdtemp(dir=self.staging))
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with suppress(OSError):  # a file system without locks is swept by nobody
                fcntl.flock(held, fcntl.LOCK_EX)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)

    def _sweep(self) -> None:
        for folder in self.staging.iterdir():
            with suppress(OSError):
                # A folder that is being made has no lock yet.
                if time.time() - folder.stat().st_mtime < _NEW_SECONDS:
                    continue
                found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
                finally:
                    os.close(found)

    def _same_or_collision(self, source: Path, target: Path, key: str) -> None:
        offered, held = sha256_of(source), sha256_of(target)
        if offered != held:
            raise CollisionError(key, held, offered)


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is not an Atlas key: names of A-Z a-z 0-9 _ . - joined by /")
    return key


def _disk(error: OSError) -> WorkerError:
    return WorkerError(
        ReasonCode.DISK_FULL,
        f"the media store could not be written ({error.strerror}); free some space and run again",
        transient=True,
    )
