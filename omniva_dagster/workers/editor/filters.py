"""ffmpeg's filter graph for a clip, built with ffmpeg-python. Pure: nothing is run here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any

from omniva_dagster.workers.editor.framing import FramedShot
from omniva_dagster.workers.editor.style import Style

SAMPLE_RATE = 48000
# Without full_chroma_int a change of matrix is a level too dark.
_SCALER = "bicubic+accurate_rnd+full_chroma_int"
_COARSE = "bilinear+accurate_rnd+full_chroma_int"
# The limiter looks at samples; at four times the rate they miss no peak between them
# (ITU-R BS.1770, annex 2).
_OVERSAMPLED = 4 * SAMPLE_RATE
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


def square_pixels(stream: Any) -> Any:
    """The picture as displayed (ffmpeg itself has applied the rotation)."""
    return stream.filter("scale", "iw*sar", "ih", flags=_SCALER).filter("setsar", 1)


def reframed(
    stream: Any,
    shots: Sequence[FramedShot],
    rate: Fraction,
    style: Style,
    colours: Mapping[str, str],
) -> Any:
    """The vertical picture. ``stream`` has a constant rate, whose frames shots are counted in;
    ``colours`` are the scaler's colour options.

    Cropped shots that follow each other share one crop whose place depends on the frame's number;
    only a change between cropped and fitted needs the picture's stream to be split.
    """
    runs = [list(run) for _, run in groupby(shots, key=lambda shot: shot.mode == "fit")]
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


def _run(
    stream: Any,
    run: Sequence[FramedShot],
    rate: Fraction,
    style: Style,
    colours: Mapping[str, str],
) -> Any:
    if run[0].mode == "fit":
        return _fitted(stream, run[0], style, colours)
    cropped = _cropped(stream, run, rate)
    scaled = cropped.filter("scale", style.width, style.height, flags=_SCALER, **colours)
    return scaled.filter("setsar", 1)


def _cropped(stream: Any, run: Sequence[FramedShot], rate: Fraction) -> Any:
    size = run[0].crop
    first = _frame(run[0].start, rate)
    starts = [_frame(shot.start, rate) - first for shot in run]
    x = _by_frame([shot.crop.x for shot in run], starts)
    y = _by_frame([shot.crop.y for shot in run], starts)
    return stream.filter("crop", size.width, size.height, x, y)


def _by_frame(values: Sequence[int], starts: Sequence[int]) -> str:
    """An expression of ``n``, the frame's number: each value from its start on."""
    terms, last = str(values[0]), values[0]
    for value, start in zip(values[1:], starts[1:], strict=True):
        if value != last:
            terms += f"{value - last:+d}*gte(n,{start})"
            last = value
    return terms


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
    whole = branches[1].filter(
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


def even_audio(stream: Any, duration: float) -> Any:
    """48 kHz stereo from the span's first moment to its last, gaps filled with silence."""
    return (
        stream.filter("aresample", SAMPLE_RATE, **{"async": 1, "first_pts": 0})
        .filter("aformat", sample_fmts="fltp", channel_layouts="stereo")
        .filter("apad", whole_dur=number(duration))
        .filter("atrim", duration=number(duration))
    )


def mastered(stream: Any, duration: float, gain: float, ceiling: float | None, style: Style) -> Any:
    """Even audio, amplified by ``gain`` dB, limited to ``ceiling`` dBFS, its ends softened."""
    if gain:
        stream = stream.filter("volume", f"{gain:.2f}dB")
    if ceiling is not None:
        stream = (
            stream.filter("aresample", _OVERSAMPLED)
            .filter("alimiter", limit=f"{10 ** (ceiling / 20):.5f}", level=0, attack=5, release=80)
            .filter("aresample", SAMPLE_RATE)
        )
    fade_out = min(style.fade_out, duration / 2)
    stream = stream.filter("afade", t="in", st=0, d=number(style.audio_fade_in))
    stream = stream.filter("afade", t="out", st=number(duration - fade_out), d=number(fade_out))
    return stream.filter("aformat", sample_fmts="fltp", channel_layouts="stereo")


def number(value: float) -> str:
    """A number as commands write it: milliseconds are exact enough, and nothing is in 1e-05."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
