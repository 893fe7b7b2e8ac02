"""What is found on a span, feature by feature: a value and the evidence for it (pure)."""

from __future__ import annotations

from collections.abc import Iterable

# The value, from 0 to 1 (more is cut off), and what it rests on in words for people. None: the
# feature does not apply here, and the evidence says why.
Finding = tuple[float | None, str]


def together(signs: Iterable[tuple[float, float]]) -> float:
    """Signs of (strength, presence), both from 0 to 1, as one value below 1: each makes up for its
    share of what the others leave missing, so that one strong sign is enough to be noticed."""
    missing = 1.0
    for strength, presence in signs:
        missing *= 1.0 - strength * min(1.0, max(0.0, presence))
    return 1.0 - missing


def trapezoid(x: float, zero: float, full: float, full_until: float, zero_again: float) -> float:
    """0 up to ``zero``, 1 between ``full`` and ``full_until``, 0 again from ``zero_again``."""
    rising, falling = (x - zero) / (full - zero), (zero_again - x) / (zero_again - full_until)
    return min(1.0, max(0.0, min(rising, falling)))


def quoted(texts: Iterable[str], most: int = 4) -> str:
    """The first few different texts, quoted."""
    return ", ".join(f"“{text}”" for text in list(dict.fromkeys(texts))[:most])
