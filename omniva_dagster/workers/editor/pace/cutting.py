"""Leaving stretches of a video out, as ffmpeg filters: picture and sound alike. Pure.

Both count from the clip's start and round where they stand on the clip's own clock, so that no
error adds up: after any number of cuts sound and picture are as far apart as after none.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any

from omniva_dagster.workers.editor.sound import SAMPLE_RATE
from omniva_dagster.workers.media.timeline import Kept

# 8 ms: short enough to be no blend of two words, long enough to make no click.
_CROSSFADE = 384


def cut_picture(stream: Any, kept: Sequence[Kept], start: float, rate: Fraction) -> Any:
    """The kept pictures of ``stream``, one after another.

    ``stream`` has the constant ``rate`` and begins at ``start`` (seconds of the video); ``kept``
    is in seconds of the video too. What follows the last stretch is left to the caller's limit.
    """
    if _whole(kept, start):
        return stream
    spans = _counted(kept, start, rate)
    terms = [f"between(n,{first},{first + count - 1})" for first, count in spans[:-1] if count]
    terms.append(f"gte(n,{spans[-1][0]})")
    chosen = stream.filter("select", "+".join(terms))
    ratio = f"{rate.numerator}/{rate.denominator}"
    return chosen.filter("setpts", f"N/({ratio}*TB)").filter("fps", ratio)


def cut_sound(stream: Any, kept: Sequence[Kept], start: float) -> Any:
    """The kept sound of ``stream``, its joins cross-faded within what is left out.

    ``stream`` is even audio (`sound.even_audio`) that begins at ``start`` (seconds of the video).
    The result is as long as the kept stretches, to the sample.
    """
    if _whole(kept, start):
        return stream
    spans = _counted(kept, start, Fraction(SAMPLE_RATE))
    half = _CROSSFADE // 2
    branches = stream.asplit() if len(spans) > 1 else [stream]
    joined = None
    for number, (first, count) in enumerate(spans):
        begins = first - (half if number else 0)
        ends = first + count + (half if number + 1 < len(spans) else 0)
        piece = branches[number].filter("atrim", start_sample=begins, end_sample=ends)
        piece = piece.filter("asetpts", "PTS-STARTPTS")
        joined = piece if joined is None else _crossfaded(joined, piece)
    return joined


def _crossfaded(before: Any, after: Any) -> Any:
    import ffmpeg

    # Quarter sines keep the power of two unrelated sounds, such as a room at two moments.
    return ffmpeg.filter([before, after], "acrossfade", ns=_CROSSFADE, c1="qsin", c2="qsin")


def _whole(kept: Sequence[Kept], start: float) -> bool:
    return not kept or (len(kept) == 1 and abs(kept[0].start - start) < 1e-6)


def _counted(kept: Sequence[Kept], start: float, rate: Fraction) -> list[tuple[int, int]]:
    """``(first, count)`` of each stretch in units of ``rate`` from ``start`` on."""
    ends = [round(end * rate) for end in accumulate(one.end - one.start for one in kept)]
    return [
        (round((one.start - start) * rate), end - begin)
        for one, begin, end in zip(kept, [0, *ends], ends, strict=False)
    ]
