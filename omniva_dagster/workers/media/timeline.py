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
    # How much the mouth moves beside the rest of the face at that moment: 0 to 1.
    mouth: float = 0.0


@dataclass(frozen=True)
class Interest:
    """Where a shot draws the eye (its most salient part), apart from any face.

    ``x`` and ``y`` are the point to centre on; ``share`` is how much of what is salient lies
    within a vertical crop around it: near 1 it is worth cropping, below a half it is everywhere.
    """

    start: float
    end: float
    x: float
    y: float
    share: float


@dataclass(frozen=True)
class Still:
    """A moment that could be a thumbnail, and what speaks for it, each from 0 to 1.

    ``likeness`` is a perceptual hash (64 bits as 16 hexadecimal digits): pictures that differ in
    few bits look alike.
    """

    time: float
    sharpness: float
    exposure: float
    openness: float
    likeness: str


@dataclass(frozen=True)
class Heat:
    """How often a stretch of a video is watched again, 1 for the most replayed of all."""

    start: float
    end: float
    value: float


@dataclass(frozen=True)
class Chapter:
    """A part of a video that its author named."""

    start: float
    end: float
    title: str


@dataclass(frozen=True)
class Kept:
    """A stretch of the video that stays in a clip when pauses are taken out."""

    start: float
    end: float
