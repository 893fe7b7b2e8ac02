"""Folders that others may write to, walked without following a link.

What is opened is opened by its descriptor, a name at a time: a folder that is swapped for a link
in between is noticed, not followed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LOOK_AGAIN_SECONDS = 0.05
_NO_FOLDER = (errno.ELOOP, errno.ENOTDIR)


@contextmanager
def opened(root: Path, *inside: str, make: bool = False) -> Iterator[int | None]:
    """The descriptor of the folder ``root/inside...``; None if it is not there.

    ``root`` is the configuration's, and may be a link; what lies below may not. ``make`` makes
    what is missing, for good. Raises `WorkerError` for a link or a file on the way.
    """
    if make:
        root.mkdir(parents=True, exist_ok=True)
    descriptors: list[int] = []
    try:
        try:
            descriptors.append(os.open(root, _FOLDER))
            for depth, name in enumerate(inside):
                descriptors.append(_inside(descriptors[-1], name, root, inside[:depth], make=make))
        except FileNotFoundError:
            yield None
            return
        yield descriptors[-1]
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def names(folder: int | None) -> list[str]:
    """The entries of an opened folder, in order; none of one that is not there."""
    if folder is None:
        return []
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


def is_link(name: str, folder: int) -> bool:
    """Whether an entry of an opened folder is a symbolic link."""
    return stat.S_ISLNK(_mode(name, folder))


def is_folder(name: str, folder: int) -> bool:
    """Whether an entry of an opened folder is a folder itself."""
    return stat.S_ISDIR(_mode(name, folder))


def is_file(name: str, folder: int) -> bool:
    """Whether an entry of an opened folder is a plain file itself."""
    return stat.S_ISREG(_mode(name, folder))


def remove(name: str, folder: int) -> None:
    """Remove an entry of an opened folder, and all that is in it; of a link, the link alone."""
    if is_folder(name, folder):
        shutil.rmtree(name, dir_fd=folder)
    else:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)


def read(name: str, folder: int, longest: int) -> bytes:
    """The first bytes of a plain file of an opened folder; empty if there is none."""
    if not is_file(name, folder):
        return b""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
        return file.read(longest)


def write(name: str, folder: int, data: bytes) -> None:
    """A file of an opened folder, whole or not at all, for good."""
    draft = f".{name}.draft"
    remove(draft, folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(draft, flags, 0o644, dir_fd=folder), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


@contextmanager
def alone(path: Path, timeout: float) -> Iterator[None]:
    """Hold a lock that all processes share, and that whoever dies gives back.

    Raises `WorkerError` ``unreachable`` (transient) when it did not come free in time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The file stays: unlinking one that another is about to lock would make two of it.
    with path.open("w") as lock:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise WorkerError(
                        ReasonCode.UNREACHABLE,
                        f"another process is busy with the clip for over {timeout:.0f} s; "
                        "run it again when that is done",
                        transient=True,
                    ) from None
                time.sleep(_LOOK_AGAIN_SECONDS)
        yield


def _inside(folder: int, name: str, root: Path, above: tuple[str, ...], *, make: bool) -> int:
    if make:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
            os.fsync(folder)
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        if error.errno in _NO_FOLDER:
            raise not_followed(root.joinpath(*above, name)) from error
        raise


def not_followed(path: Path) -> WorkerError:
    """The error for a link, or a file, where a folder is to be."""
    return WorkerError(
        ReasonCode.COLLISION,
        f"{path} is no folder but a link or a file, and is not followed; remove it, and what it "
        "points to if that is a clip of the outbox, and run again",
    )


def _mode(name: str, folder: int) -> int:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0
