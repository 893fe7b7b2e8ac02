"""All writing of the ledger to disk: a handful of steps, each of which may fail or be the last.

What a reader may see comes to its name by rename alone, whole and on the disk before. The tests
let each step fail in turn by putting another ``os`` here.
"""

# System calls by their own names: each is a step that can fail.
# ruff: noqa: PTH102, PTH105, PTH106, PTH108

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EXDEV, errno.ENOSYS}
_NO_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}
_BUFFER = 1 << 20
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def replace(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Make ``data`` the content of ``path``, durably; a reader sees the old or the new."""
    make_folder(path.parent)
    staged = path.with_name(f".{path.name}.tmp")
    with _opened(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode) as descriptor:
        _write(descriptor, data)
        os.fsync(descriptor)
    rename(staged, path)
    sync_folder(path.parent)


def write_at(path: Path, offset: int, data: bytes) -> None:
    """Put ``data`` at ``offset``, durably; the file is made if it isn't there."""
    new = not path.exists()
    if new:
        make_folder(path.parent)
    with _opened(path, os.O_WRONLY | os.O_CREAT) as descriptor:
        rest = memoryview(data)
        while rest:
            written = os.pwrite(descriptor, rest, offset)
            rest, offset = rest[written:], offset + written
        os.fsync(descriptor)
    if new:
        sync_folder(path.parent)


def append(path: Path, data: bytes) -> None:
    """Add ``data`` at the end, durably; the file is made if it isn't there."""
    new = not path.exists()
    if new:
        make_folder(path.parent)
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as descriptor:
        _write(descriptor, data)
        os.fsync(descriptor)
    if new:
        sync_folder(path.parent)


def cut(path: Path, size: int) -> None:
    """Drop what lies beyond ``size`` bytes, durably."""
    with _opened(path, os.O_WRONLY) as descriptor:
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)


class Output:
    """A new file being written, with the SHA-256 and size of what went in. For pyarrow too."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self.size = 0

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._descriptor < 0

    @property
    def sha256(self) -> str:
        """Of all that was written, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, data: Any) -> int:
        """Add bytes."""
        view = memoryview(data).cast("B")
        self._waiting += view
        self._digest.update(view)
        self.size += len(view)
        if len(self._waiting) >= _BUFFER:
            self.flush()
        return len(view)

    def tell(self) -> int:
        """How many bytes there are."""
        return self.size

    def flush(self) -> None:
        """Hand over what is waiting to be written."""
        waiting, self._waiting = self._waiting, bytearray()
        _write(self._descriptor, waiting)

    def sync(self) -> None:
        """Force it all to the disk."""
        self.flush()
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the file, without what was not flushed; again does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def make_folder(path: Path, mode: int = 0o755) -> None:
    """Make a folder and those above it, durably; one that is there is left as it is."""
    if path.is_dir():
        return
    make_folder(path.parent)
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        return
    sync_folder(path.parent)


def sync(path: Path) -> None:
    """Force a file that something else wrote to the disk."""
    with _opened(path, os.O_RDONLY) as descriptor:
        os.fsync(descriptor)


def sync_folder(path: Path) -> None:
    """Force a folder's names to the disk."""
    with _opened(path, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
        os.fsync(descriptor)


def rename(source: Path, target: Path) -> None:
    """Give a file or folder its name, in place of what had it; `sync_folder` makes it last."""
    os.replace(source, target)


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders' names at one stroke; false where the file system can't."""
    try:
        _renameat2(one, other, _RENAME_EXCHANGE)
    except OSError as error:
        if error.errno in _NO_EXCHANGE:
            return False
        raise
    return True


def link(source: Path, target: Path) -> None:
    """The same file by a second name; a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, target)
        with _opened(target, os.O_RDONLY) as descriptor:
            os.fsync(descriptor)


def remove(path: Path) -> None:
    """Remove a file; one that isn't there is fine."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it; one that isn't there is fine."""
    try:
        inside = sorted(path.iterdir())
    except FileNotFoundError:
        return
    for inner in inside:
        if inner.is_dir() and not inner.is_symlink():
            remove_folder(inner)
        else:
            remove(inner)
    os.rmdir(path)


@contextmanager
def lock(path: Path) -> Iterator[bool]:
    """Whether this process is the only one on this machine to hold ``path``, for as long.

    The kernel lets go of it when the process ends, however it ends.
    """
    make_folder(path.parent)
    with _opened(path, os.O_RDWR | os.O_CREAT) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise
            yield False
        else:
            yield True


@contextmanager
def _opened(path: Path, flags: int, mode: int = 0o644) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_CLOEXEC, mode)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _renameat2(one: Path, other: Path, flags: int) -> None:
    call = _libc_renameat2()
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    import ctypes

    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one), None, str(other))


@lru_cache(maxsize=1)
def _libc_renameat2() -> Any:
    """Linux's ``renameat2`` (glibc 2.28); nothing elsewhere."""
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is not None:
        call.argtypes = [
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_uint,
        ]
    return call
