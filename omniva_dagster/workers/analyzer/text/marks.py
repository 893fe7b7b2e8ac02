"""Where phrases of a list are said (pure)."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Marks:
    """First words of what was looked for, in order, and how many words each has."""

    at: list[int]
    lengths: list[int]

    def within(self, first: int, stop: int) -> list[tuple[int, int]]:
        """(first, exclusive stop) of those said in whole within words ``first`` to ``stop``."""
        a, b = bisect_left(self.at, first), bisect_left(self.at, stop)
        found = zip(self.at[a:b], self.lengths[a:b], strict=True)
        return [(at, at + length) for at, length in found if at + length <= stop]


def find(forms: Sequence[str], phrases: Iterable[str]) -> Marks:
    """Where one of the phrases (words with one blank between) is said; of several that begin at
    one word, the longest."""
    by_first: dict[str, list[list[str]]] = defaultdict(list)
    for phrase in sorted(phrases, key=lambda phrase: (-len(phrase.split()), phrase)):
        parts = phrase.split()
        by_first[parts[0]].append(parts)
    listed = list(forms)
    found = [
        (i, next((len(p) for p in by_first[form] if listed[i : i + len(p)] == p), 0))
        for i, form in enumerate(listed)
        if form in by_first
    ]
    kept = [(at, length) for at, length in found if length]
    return Marks([at for at, _ in kept], [length for _, length in kept])


def single(places: Iterable[int]) -> Marks:
    """Marks of one word each."""
    at = list(places)
    return Marks(at, [1] * len(at))
