"""Merkle trees as Certificate Transparency defines them (RFC 6962, 2.1; RFC 9162, 2.1). Pure.

A node is named by its height above the leaves (``level``) and its place among the nodes of that
height (``index``): it is the root of the leaves from ``index << level`` up to, not including,
``(index + 1) << level``. Only nodes over complete subtrees are ever asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

HASH_SIZE = 32
# The root of no leaves (RFC 9162, 2.1.1).
EMPTY_ROOT = sha256(b"").digest()

ReadNode = Callable[[int, int], bytes]
"""``(level, index) -> hash`` of a complete subtree."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf; told apart from a node's by its first byte."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours."""
    return sha256(b"\x01" + left + right).digest()


def raised(hashes: Sequence[bytes]) -> list[bytes]:
    """The hashes one level up: of an even number of neighbours, half as many."""
    pairs = iter(hashes)
    return [
        sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)
    ]


class Frontier:
    """The roots of the complete subtrees of a growing log, the largest first: all that the next
    root needs. The log's size alone tells how high each is."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    @classmethod
    def load(cls, size: int, hexes: Sequence[str]) -> Frontier:
        """What `dump` gave, with the size it had. Raises ``ValueError`` if the two don't match."""
        roots = [bytes.fromhex(text) for text in hexes]
        if size < 0 or len(roots) != size.bit_count() or any(len(r) != HASH_SIZE for r in roots):
            raise ValueError(f"{len(roots)} hashes are no frontier of {size} leaves")
        frontier = cls()
        frontier.size, frontier._roots = size, roots
        return frontier

    def dump(self) -> list[str]:
        """The roots in hexadecimal, the largest subtree first."""
        return [root.hex() for root in self._roots]

    def append(self, leaf: bytes) -> None:
        """One more leaf hash."""
        size, roots = self.size, self._roots
        while size & 1:
            leaf = sha256(b"\x01" + roots.pop() + leaf).digest()
            size >>= 1
        roots.append(leaf)
        self.size += 1

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """More leaf hashes, in order."""
        for leaf in leaf_hashes:
            self.append(leaf)

    def root(self) -> bytes:
        """The root of all leaves so far."""
        return _folded(self._roots)


def root_at(read: ReadNode, size: int) -> bytes:
    """The root of the first ``size`` leaves."""
    return _folded([read(level, index) for level, index in _complete(0, size)])


def inclusion_path(read: ReadNode, index: int, size: int) -> list[bytes]:
    """The audit path of a leaf in the tree of the first ``size`` leaves (RFC 9162, 2.1.3.1).

    Raises ``IndexError`` for a leaf that such a tree does not have.
    """
    if not 0 <= index < size:
        raise IndexError(f"a log of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append(_subtree(read, split, end))
            end = split
        else:
            path.append(_subtree(read, start, split))
            start = split
    return path[::-1]


def consistency_path(read: ReadNode, old: int, new: int) -> list[bytes]:
    """That the first ``old`` of ``new`` leaves are what they were (RFC 9162, 2.1.4.1).

    Raises ``IndexError`` unless ``0 < old <= new``: nothing can be shown of an empty log.
    """
    if not 0 < old <= new:
        raise IndexError(f"there is no way from a log of {old} leaves to one of {new}")
    path: list[bytes] = []
    start, end, old_is_whole = 0, new, True
    while old != end:
        split = start + _split(end - start)
        if old <= split:
            path.append(_subtree(read, split, end))
            end = split
        else:
            path.append(_subtree(read, start, split))
            start, old_is_whole = split, False
    if not old_is_whole:
        path.append(_subtree(read, start, end))
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> bool:
    """Whether ``path`` leads from a leaf to the root of ``size`` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, reached = index, size - 1, leaf
    for neighbour in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(neighbour, reached)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, neighbour)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == root


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether ``path`` leads from the root of ``old`` to that of ``new`` (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = hashes[0]
    for step in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, step)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1


def _complete(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees over the leaves from ``start`` to ``end``, from left to right.

    ``start`` is where a subtree of that span may begin: a multiple of its largest power of two.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _subtree(read: ReadNode, start: int, end: int) -> bytes:
    return _folded([read(level, index) for level, index in _complete(start, end)])


def _folded(roots: Sequence[bytes]) -> bytes:
    if not roots:
        return EMPTY_ROOT
    reached = roots[-1]
    for root in reversed(roots[:-1]):
        reached = node_hash(root, reached)
    return reached
