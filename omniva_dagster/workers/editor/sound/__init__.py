"""The sound of a clip as ffmpeg filters: made even, amplified, limited, faded. Pure."""

from __future__ import annotations

from typing import Any

from omniva_dagster.workers.editor.style import Style

SAMPLE_RATE = 48000
# The limiter looks at samples; at four times the rate they miss no peak between them
# (ITU-R BS.1770, annex 2).
_OVERSAMPLED = 4 * SAMPLE_RATE
# Below hearing and below every phone's loudspeaker: an offset or rumble there only costs loudness.
_LOWEST_HERTZ = 25
_ATTACK_MS = 5
_RELEASE_MS = 80


def even_audio(stream: Any, duration: float) -> Any:
    """48 kHz stereo from the span's first moment to its last (``duration`` seconds), without an
    offset, gaps filled with silence."""
    return (
        stream.filter("aresample", SAMPLE_RATE, **{"async": 1, "first_pts": 0})
        .filter("aformat", sample_fmts="fltp", channel_layouts="stereo")
        .filter("highpass", f=_LOWEST_HERTZ)
        .filter("apad", whole_dur=_number(duration))
        .filter("atrim", duration=_number(duration))
    )


def mastered(stream: Any, duration: float, gain: float, ceiling: float | None, style: Style) -> Any:
    """Even audio, amplified by ``gain`` dB, limited to ``ceiling`` dBFS, its ends softened.

    One gain for the whole clip: nothing follows the level, so nothing pumps. The limiter acts on
    peaks alone: it looks 5 ms ahead and lets go within 80 ms.
    """
    if gain:
        stream = stream.filter("volume", f"{gain:.2f}dB")
    if ceiling is not None:
        stream = (
            stream.filter("aresample", _OVERSAMPLED)
            .filter(
                "alimiter",
                limit=f"{10 ** (ceiling / 20):.5f}",
                level=0,
                attack=_ATTACK_MS,
                release=_RELEASE_MS,
                # Else the sound comes late by the time that the limiter looks ahead.
                latency=1,
            )
            .filter("aresample", SAMPLE_RATE)
        )
    fade_out = min(style.fade_out, duration / 2)
    stream = stream.filter("afade", t="in", st=0, d=_number(style.audio_fade_in))
    stream = stream.filter("afade", t="out", st=_number(duration - fade_out), d=_number(fade_out))
    return stream.filter("aformat", sample_fmts="fltp", channel_layouts="stereo")


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
