"""How like each other two embeddings are, to the same digits on every machine.

Vectors are whole numbers (an embedding times some scale): sums of products of whole numbers are
exact in whatever order they are taken, so nothing depends on a processor's or a library's way of
adding up. Only the last division and root are of floating-point numbers, which IEEE 754 rounds one
way, and the cosine is rounded to four decimals before it enters a vote.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

_DIGITS = 4


def likeness(one: Sequence[int], other: Sequence[int]) -> float:
    """The cosine of two vectors, in [0, 1]: 1 says the same, 0 nothing in common.

    0 where one of them is empty or zero. `ValueError` if they are of different lengths.
    """
    if not one or not other:
        return 0.0
    if len(one) != len(other):
        raise ValueError(f"vectors of {len(one)} and {len(other)} numbers cannot be compared")
    lengths = _product(one, one) * _product(other, other)
    shared = _product(one, other)
    if shared <= 0 or not lengths:
        return 0.0
    return round(min(1.0, shared / math.sqrt(lengths)), _DIGITS)


def distinctness(vector: Sequence[int], rest: Sequence[int]) -> float | None:
    """How much a candidate says that the rest of its video does not, in [0, 1]; None where either
    is not known."""
    if not any(vector) or not any(rest):
        return None
    return round(1.0 - likeness(vector, rest), _DIGITS)


def _product(one: Sequence[int], other: Sequence[int]) -> int:
    return sum(map(mul, one, other))
