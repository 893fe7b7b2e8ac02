"""ffmpeg's filter graph for a clip, built with ffmpeg-python. Pure: nothing is run here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Any

from omniva_dagster.workers.editor.colour import Colour, named
from omniva_dagster.workers.editor.expressions import Piece, by_frame
from omniva_dagster.workers.editor.expressions import constant as always
from omniva_dagster.workers.editor.framing.follow import SPARE
from omniva_dagster.workers.editor.framing.geometry import Box, even
from omniva_dagster.workers.editor.framing.path import Waypoint, cubic
from omniva_dagster.workers.editor.framing.shot import FramedShot
from omniva_dagster.workers.editor.style import Style

# Without full_chroma_int a change of matrix is a level too dark.
_SCALER = "bicubic+accurate_rnd+full_chroma_int"
_COARSE = "bilinear+accurate_rnd+full_chroma_int"
_STANDARD_RATES = (
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(48),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
)


def constant_rate(measured: float, maximum: float) -> Fraction:
    """The constant frame rate of a clip from a source of ``measured`` frames per second.

    The source's own rate if it is a usual one, a whole fraction of it above ``maximum``, and the
    next higher usual rate for what varies. 30 if nothing is known.
    """
    if measured <= 0:
        return Fraction(30)
    divisor = max(1, -int(-(measured - 0.5) // maximum))
    rate = measured / divisor
    usual = [*_STANDARD_RATES, *(Fraction(n) for n in (10, 12, 15, 20))]
    closest = min(usual, key=lambda standard: abs(float(standard) - rate))
    if abs(float(closest) - rate) < 0.005 * rate:
        return closest
    return next((standard for standard in _STANDARD_RATES if standard >= rate), Fraction(60))


def upright(
    stream: Any, colour: Colour, lines: int, *, interlaced: bool = False, alpha: bool = False
) -> Any:
    """The picture as displayed: colours named, whole pictures, square pixels, nothing transparent.

    ``lines`` are the picture's; ``interlaced`` and ``alpha`` come from `probe`.
    """
    stream = named(stream, colour, lines)
    if interlaced:
        # One picture a frame: as many as the source says it has.
        stream = stream.filter("bwdif", mode="send_frame", parity="auto", deint="interlaced")
    if alpha:
        # What shows through is black, as players show it.
        stream = stream.filter("premultiply", inplace=1)
    return square_pixels(stream)


def square_pixels(stream: Any) -> Any:
    """The picture as displayed (ffmpeg itself has applied the rotation)."""
    return stream.filter("scale", "round(iw*sar)", "ih", flags=_SCALER).filter("setsar", 1)


def reframed(
    stream: Any,
    shots: Sequence[FramedShot],
    rate: Fraction,
    style: Style,
    colours: Mapping[str, str],
) -> Any:
    """The vertical picture. ``stream`` has a constant rate, whose frames shots are counted in;
    ``colours`` are the scaler's colour options.

    Shots whose crops have one size share one crop, whose place depends on the frame's number;
    only a change of size or of layout needs the picture's stream to be split.
    """
    runs = [list(run) for _, run in groupby(shots, key=_chain)]
    if len(runs) == 1:
        return _run(stream, runs[0], rate, style, colours)
    import ffmpeg

    branches = stream.split()
    pieces = []
    for number, run in enumerate(runs):
        span = {"start_frame": _frame(run[0].start, rate)}
        if number + 1 < len(runs):
            span["end_frame"] = _frame(run[-1].end, rate)
        piece = branches[number].filter("trim", **span).filter("setpts", "PTS-STARTPTS")
        pieces.append(_run(piece, run, rate, style, colours))
    # Concatenation counts in microseconds: only a constant rate again makes frames even.
    return ffmpeg.concat(*pieces, v=1, a=0).filter("fps", _ratio(rate))


def _chain(shot: FramedShot) -> tuple[object, ...]:
    """What shots must have in common to go through the same filters."""
    if shot.mode == "fit":
        return ("fit", shot.picture)
    if shot.second is not None:
        return ("split", shot.crop, shot.second)
    return ("crop", bool(shot.path), shot.crop.width, shot.crop.height)


def _run(
    stream: Any,
    run: Sequence[FramedShot],
    rate: Fraction,
    style: Style,
    colours: Mapping[str, str],
) -> Any:
    if run[0].mode == "fit":
        return _fitted(stream, run[0], style, colours)
    if run[0].second is not None:
        return _stacked(stream, run[0].crop, run[0].second, style, colours)
    if run[0].path:
        return _followed(stream, run, rate, style, colours)
    size, first = run[0].crop, _frame(run[0].start, rate)
    starts = [_frame(shot.start, rate) - first for shot in run]
    x, y = (
        by_frame(
            [
                always(start, getattr(shot.crop, side))
                for start, shot in zip(starts, run, strict=True)
            ]
        )
        for side in ("x", "y")
    )
    cropped = stream.filter("crop", size.width, size.height, x, y)
    return _scaled(cropped, style.width, style.height, colours)


def _scaled(stream: Any, width: int, height: int, colours: Mapping[str, str]) -> Any:
    return stream.filter("scale", width, height, flags=_SCALER, **colours).filter("setsar", 1)


def _followed(
    stream: Any,
    run: Sequence[FramedShot],
    rate: Fraction,
    style: Style,
    colours: Mapping[str, str],
) -> Any:
    """A crop that moves by pixels of the clip, not of the source: steps of two pixels of the
    source, magnified, are seen as trembling.

    First a slightly larger crop at even places, then, magnified, the rest of the way.
    """
    size = run[0].crop
    x, y = (_along(run, rate, side) for side in ("x", "y"))
    wide, tall = size.width + _spare(run, "x"), size.height + _spare(run, "y")
    across, down = style.width / size.width, style.height / size.height
    larger = stream.filter("crop", wide, tall, f"2*floor(({x})/2)", f"2*floor(({y})/2)")
    magnified = _scaled(larger, even(wide * across + 1), even(tall * down + 1), colours)
    return magnified.filter(
        "crop",
        style.width,
        style.height,
        f"round(mod({x},2)*{across:.5f})",
        f"round(mod({y},2)*{down:.5f})",
        exact=1,
    )


def _spare(run: Sequence[FramedShot], side: str) -> int:
    """Where the crop does not move in a direction there may be nothing to spare."""
    places = {getattr(point, side) for shot in run for point in shot.path}
    return 0 if len(places) == 1 and places.pop() % 2 == 0 else SPARE


def _along(run: Sequence[FramedShot], rate: Fraction, side: str) -> str:
    """One edge of a moving crop as an expression of the frame's number."""
    first = _frame(run[0].start, rate)
    pieces: list[Piece] = []
    for shot in run:
        begins = _frame(shot.start, rate) - first
        for order, (one, two) in enumerate(pairwise(shot.path)):
            starts = round(one.time * rate) - first if order else begins
            pieces.append(
                Piece(starts, float(one.time * rate - first), _cubic(one, two, rate, side))
            )
    return by_frame(pieces)


def _cubic(one: Waypoint, two: Waypoint, rate: Fraction, side: str) -> tuple[float, ...]:
    """The coefficients of a cubic in pictures rather than in seconds."""
    speed, end_speed = (getattr(point, f"{side}_speed") for point in (one, two))
    length = two.time - one.time
    in_seconds = cubic(getattr(one, side), getattr(two, side), speed, end_speed, length)
    return tuple(value / float(rate) ** power for power, value in enumerate(in_seconds))


def _stacked(stream: Any, upper: Box, lower: Box, style: Style, colours: Mapping[str, str]) -> Any:
    import ffmpeg

    branches = stream.split()
    half = even(style.height / 2)
    halves = [
        _scaled(
            branches[n].filter("crop", box.width, box.height, box.x, box.y),
            style.width,
            height,
            colours,
        )
        for n, (box, height) in enumerate(((upper, half), (lower, style.height - half)))
    ]
    return ffmpeg.filter(halves, "vstack").filter("setsar", 1)


def _fitted(stream: Any, shot: FramedShot, style: Style, colours: Mapping[str, str]) -> Any:
    branches = stream.split()
    crop = shot.crop
    # A quarter of the size blurs as well and costs a sixteenth.
    blurred = (
        branches[0]
        .filter("crop", crop.width, crop.height, crop.x, crop.y)
        .filter("scale", style.width // 4, style.height // 4, flags=_COARSE, **colours)
        .filter("gblur", sigma=12)
        .filter("eq", brightness=-0.12)
        .filter("scale", style.width, style.height, flags=_COARSE)
        .filter("setsar", 1)
    )
    whole = branches[1]
    if shot.picture is not None:
        part = shot.picture
        whole = whole.filter("crop", part.width, part.height, part.x, part.y)
    whole = whole.filter(
        "scale",
        style.width,
        style.height,
        force_original_aspect_ratio="decrease",
        force_divisible_by=2,
        flags=_SCALER,
        **colours,
    )
    return blurred.overlay(whole.filter("setsar", 1), x="(W-w)/2", y="(H-h)/2").filter("setsar", 1)


def _frame(seconds: float, rate: Fraction) -> int:
    return round(seconds * rate)


def _ratio(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"


def constant(stream: Any, rate: Fraction) -> Any:
    """``stream`` at a constant rate from its first moment on."""
    return stream.filter("fps", _ratio(rate), start_time=0)


def number(value: float) -> str:
    """A number as commands write it: milliseconds are exact enough, and nothing is in 1e-05."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
