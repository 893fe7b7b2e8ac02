"""What a sample video is made of: passages that are spoken, and the shots seen meanwhile."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """The part of a canvas that fills the screen: its centre and width, as fractions of it."""

    x: float = 0.5
    y: float = 0.5
    width: float = 1.0


@dataclass(frozen=True)
class Shot:
    """One picture until the next hard cut. ``end`` differs from ``start`` in a pan or a zoom.

    ``share`` is the shot's part of its passage's time, relative to the other shots'.
    """

    canvas: str
    start: Window = Window()
    end: Window = Window()
    share: float = 1.0


@dataclass(frozen=True)
class Passage:
    """A paragraph, the silence after it (seconds) and the shots that cover both.

    Text is spoken by the synthetic voice, unless ``recorded``: then it is what the human voice of
    the recording says. An empty text is silence alone.
    """

    text: str
    shots: tuple[Shot, ...]
    pause: float = 1.0
    recorded: bool = False


@dataclass(frozen=True)
class Programme:
    """A whole video; ``slug`` names its file."""

    slug: str
    title: str
    description: str
    tags: tuple[str, ...]
    passages: tuple[Passage, ...]

    @property
    def spoken_text(self) -> str:
        """Every word that is said, in order."""
        return " ".join(passage.text for passage in self.passages if passage.text)


def still(canvas: str, window: Window = Window(), *, share: float = 1.0) -> Shot:
    """A shot in which nothing moves."""
    return Shot(canvas, window, window, share)


def push_in(canvas: str, x: float = 0.5, y: float = 0.5, *, share: float = 1.0) -> Shot:
    """A slow zoom from the whole canvas towards a point of it."""
    return Shot(canvas, Window(), Window(x, y, 0.8), share)
