"""Expressions of ``n``, a picture's number, in ffmpeg's language. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """From picture ``first`` on: the polynomial of ``n - origin`` with these coefficients, the
    constant one first."""

    first: int
    origin: float
    coefficients: tuple[float, ...]


def constant(first: int, value: float) -> Piece:
    """From picture ``first`` on: always ``value``."""
    return Piece(first, 0.0, (value,))


def by_frame(pieces: Sequence[Piece]) -> str:
    """The expression of pieces that follow each other; the first one holds from the start.

    A balanced tree of choices: ffmpeg looks at a few of them for each picture, however many
    pieces there are.
    """
    kept = [pieces[0]]
    for piece in pieces[1:]:
        if (piece.origin, piece.coefficients) != (kept[-1].origin, kept[-1].coefficients):
            kept.append(piece)
    return _tree(kept)


def _tree(pieces: Sequence[Piece]) -> str:
    if len(pieces) == 1:
        return _polynomial(pieces[0])
    middle = len(pieces) // 2
    return f"if(lt(n,{pieces[middle].first}),{_tree(pieces[:middle])},{_tree(pieces[middle:])})"


def _polynomial(piece: Piece) -> str:
    written = [_number(value) for value in piece.coefficients]
    while len(written) > 1 and written[-1] == "0":
        written.pop()
    result = written[-1]
    for value in reversed(written[:-1]):
        result = f"{value}+(n-{_number(piece.origin)})*({result})"
    return result


def _number(value: float) -> str:
    """Digits enough for a hundredth of a pixel after minutes of pictures, never 1e-05."""
    text = f"{value:.8f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
