"""The log's hashes on disk: enough of the tree to prove any leaf in a few small reads.

One file a level, ``0.hashes``, ``1.hashes`` ...: level ``k`` holds the roots of the complete
subtrees of 256**k leaves, 32 bytes each, in order. What lies between two levels is recomputed from
at most 128 neighbours. Everything here follows from the leaves: it can be rebuilt, and `verify`
recomputes it, so nothing has to be believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from omniva_dagster.stardust import files
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.merkle import HASH_SIZE, raised

WIDTH = 256  # children of a node that is kept
_HEIGHT = 8  # log2 of WIDTH
_AT_ONCE = 1024  # nodes in one write
LEVELS = 8  # 256**7 leaves are more than any disk holds


def level_name(level: int) -> str:
    """The file of a level."""
    return f"{level}.hashes"


class HashFiles:
    """The files of one log, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def size(self) -> int:
        """Leaves on disk, committed or not."""
        return self.kept(0)

    def kept(self, level: int) -> int:
        """Whole hashes in a level's file; none if there is no file."""
        try:
            return self._path(level).stat().st_size // HASH_SIZE
        except FileNotFoundError:
            return 0

    def append(self, first_leaf: int, leaf_hashes: bytes) -> None:
        """Put leaf hashes (32 bytes each) at their place and fsync, with what follows from them.

        Doing it again with the same hashes changes nothing, and nothing is ever cut: a writer that
        was stalled can only write once more what is there. Raises `LedgerError` for a gap.
        """
        if len(leaf_hashes) % HASH_SIZE:
            raise ValueError("leaf hashes have 32 bytes each")
        if first_leaf > self.size:
            raise LedgerError(
                f"{self._path(0)} holds {self.size} leaves, so leaf {first_leaf} can't follow; "
                "run `omniva ledger repair` to rebuild it from the packets"
            )
        if leaf_hashes:
            files.write_at(self._path(0), first_leaf * HASH_SIZE, leaf_hashes)
            self._raise(first_leaf, first_leaf + len(leaf_hashes) // HASH_SIZE)

    def rebuild(self) -> None:
        """Every level above the leaves, from the leaves."""
        self._raise(0, self.size)
        self.truncate(self.size)

    def truncate(self, size: int) -> None:
        """Cut what lies beyond ``size`` leaves. For repair alone, with the lease held."""
        for level in range(LEVELS):
            keep = size >> _HEIGHT * level
            if self.kept(level) > keep or self.torn(level):
                files.cut(self._path(level), keep * HASH_SIZE)

    def node(self, level: int, index: int) -> bytes:
        """The root of a complete subtree of ``2**level`` leaves (`merkle.ReadNode`)."""
        stored, climb = divmod(level, _HEIGHT)
        hashes = _split(self._read(stored, index << climb, 1 << climb))
        while len(hashes) > 1:
            hashes = raised(hashes)
        return hashes[0]

    def leaves(self, first: int, count: int) -> bytes:
        """Leaf hashes, 32 bytes each."""
        return self._read(0, first, count)

    def _raise(self, first: int, end: int) -> None:
        for level in range(1, LEVELS):
            first, end = first >> _HEIGHT, end >> _HEIGHT
            for start in range(first, end, _AT_ONCE):
                nodes = b"".join(self._roots_of(level - 1, start, min(end, start + _AT_ONCE)))
                files.write_at(self._path(level), start * HASH_SIZE, nodes)

    def _roots_of(self, level: int, start: int, end: int) -> Iterator[bytes]:
        below = self._read(level, start * WIDTH, (end - start) * WIDTH)
        for offset in range(0, len(below), WIDTH * HASH_SIZE):
            hashes = _split(below[offset : offset + WIDTH * HASH_SIZE])
            while len(hashes) > 1:
                hashes = raised(hashes)
            yield hashes[0]

    def _read(self, level: int, first: int, count: int) -> bytes:
        path = self._path(level)
        try:
            with path.open("rb") as file:
                file.seek(first * HASH_SIZE)
                data = file.read(count * HASH_SIZE)
        except FileNotFoundError:
            data = b""
        if len(data) != count * HASH_SIZE:
            raise LedgerError(
                f"{path} ends before hash {first + count - 1}; "
                "run `omniva ledger repair` to rebuild it from the packets"
            )
        return data

    def torn(self, level: int) -> bool:
        """Whether a level's file ends with part of a hash."""
        path = self._path(level)
        return path.exists() and path.stat().st_size % HASH_SIZE != 0

    def _path(self, level: int) -> Path:
        return self.folder / level_name(level)


def _split(data: bytes) -> list[bytes]:
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]
