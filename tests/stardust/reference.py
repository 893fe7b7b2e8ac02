"""Merkle trees a second time, straight from RFC 9162's definitions: slow, and nothing shared."""

from __future__ import annotations

import hashlib


def H(data: bytes) -> bytes:  # noqa: N802
    """The hash of the RFC."""
    return hashlib.sha256(data).digest()


def split(n: int) -> int:
    """2.1.1: the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(leaves: list[bytes]) -> bytes:
    """2.1.1: the Merkle Tree Hash of a list of leaf hashes."""
    if not leaves:
        return H(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return H(b"\x01" + mth(leaves[:k]) + mth(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """2.1.3.1: PATH(m, D_n)."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m: int, leaves: list[bytes]) -> list[bytes]:
    """2.1.4.1: PROOF(m, D_n)."""
    return _subproof(m, leaves, True)


def _subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    n = len(leaves)
    if m == n:
        return [] if whole else [mth(leaves)]
    k = split(n)
    if m <= k:
        return [*_subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def included(leaf: bytes, m: int, n: int, audit: list[bytes], root: bytes) -> bool:
    """Whether the path fits, by rebuilding the root from the definition of PATH."""
    try:
        reached, rest = _rebuilt(leaf, m, n, audit)
    except ValueError:
        return False
    return not rest and reached == root


def _rebuilt(leaf: bytes, m: int, n: int, audit: list[bytes]) -> tuple[bytes, list[bytes]]:
    if not 0 <= m < n:
        raise ValueError("no such leaf")
    if n == 1:
        return leaf, audit
    k = split(n)
    inner, rest = _rebuilt(leaf, m, k, audit) if m < k else _rebuilt(leaf, m - k, n - k, audit)
    if not rest:
        raise ValueError("too short")
    sides = (inner, rest[0]) if m < k else (rest[0], inner)
    return H(b"\x01" + sides[0] + sides[1]), rest[1:]


def consistent(m: int, n: int, first: bytes, second: bytes, steps: list[bytes]) -> bool:
    """Whether the steps fit, by rebuilding both roots from the definition of SUBPROOF."""
    if not 0 < m <= n:
        return False
    try:
        old, new, rest = _both(m, n, True, first, steps)
    except ValueError:
        return False
    return not rest and old == first and new == second


def _both(
    m: int, n: int, whole: bool, first: bytes, steps: list[bytes]
) -> tuple[bytes, bytes, list[bytes]]:
    if m == n:
        if whole:
            return first, first, steps
        if not steps:
            raise ValueError("too short")
        return steps[0], steps[0], steps[1:]
    k = split(n)
    if m <= k:
        old, new, rest = _both(m, k, whole, first, steps)
        if not rest:
            raise ValueError("too short")
        return old, H(b"\x01" + new + rest[0]), rest[1:]
    old, new, rest = _both(m - k, n - k, False, first, steps)
    if not rest:
        raise ValueError("too short")
    return H(b"\x01" + rest[0] + old), H(b"\x01" + rest[0] + new), rest[1:]
