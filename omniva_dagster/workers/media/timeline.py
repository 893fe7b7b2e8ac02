"""What the analyzer hears and sees along a video's time axis, and what the editor cuts by.

Times are seconds from the start of the video; positions are fractions (0 to 1) of the picture as
displayed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A spoken word. ``text`` has its punctuation and no surrounding blanks."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class Scene:
    """A shot: from one hard cut to the next."""

    start: float
    end: float


@dataclass(frozen=True)
class Face:
    """A face seen at one moment; x and y are its left and top edge."""

    time: float
    x: float
    y: float
    width: float
    height: float
    score: float
