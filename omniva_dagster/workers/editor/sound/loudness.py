"""How loud a span is, and the gain that brings the finished file to its target (EBU R 128).

The gain is found before planning, by encoding the span's sound alone until the encoded file is
right: so the plan's command is static, and the codec's overshoot is in the measurement.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.editor.filters import number
from omniva_dagster.workers.editor.pace.cutting import cut_sound
from omniva_dagster.workers.editor.sound import SAMPLE_RATE, even_audio, mastered
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.ffmpeg import INPUT_GUARD, run_ffmpeg
from omniva_dagster.workers.media.timeline import Kept

# EBU R 128's absolute gate, and what stands for a peak of digital silence: JSON has no infinity.
SILENCE_LUFS = -70.0
SILENCE_DBTP = -120.0
# Below this only what varies as speech does is raised: by more than 12 dB between its loud and its
# quiet tenths of a second, of which neither a room's noise nor a click in it has many.
_NEARLY_SILENT = -50.0
_VARIES = 12.0
_MAX_GAIN = 54.0
_TRIES = 5
_NEAR_ENOUGH = 0.3
_PEAK_MARGIN = 0.2
_FIRST_CEILING = -1.5
# What a miss may be at the most (0.5 LU is asked for), and what limiting takes from the loudness
# per square of the dB that it takes from the highest peak: measured on speech and music.
_FAR_ENOUGH = 0.45
_LOST_BY_LIMITING = 0.04
_MOST_LOST = 2.0


@dataclass(frozen=True)
class Measured:
    """Integrated loudness (LUFS) and true peak (dBTP)."""

    integrated: float
    true_peak: float


@dataclass(frozen=True)
class Loudness:
    """What the span measures and what is done about it.

    ``gain`` is in dB; ``ceiling`` (dBFS) is the limiter's, None where none is needed. ``target``
    is what the finished file has to measure within 1 LU, None where that cannot be asked of it.
    """

    source: Measured
    gain: float = 0.0
    ceiling: float | None = None
    target: float | None = None
    note: str = ""


NO_SOUND = Loudness(
    Measured(SILENCE_LUFS, SILENCE_DBTP), note="the source has no sound: the clip is silent"
)


def find_loudness(
    source: Path,
    start: float,
    end: float,
    style: Style,
    *,
    has_audio: bool,
    kept: Sequence[Kept] = (),
    track: int = 0,
    ffmpeg: str = "",
    timeout: float = 300.0,
) -> Loudness:
    """The gain (and limit) for the span ``start`` to ``end`` (seconds) of a video.

    ``kept`` is what stays of the span when pauses are taken out (all of it if empty), ``track``
    the number of the audio stream. Raises `WorkerError` as `run_ffmpeg` does.
    """
    if not has_audio:
        return NO_SOUND
    kept = kept or [Kept(start, end)]
    duration = sum(one.end - one.start for one in kept)
    with tempfile.TemporaryDirectory(prefix="omniva-sound-") as folder:
        span = Path(folder) / "span.wav"
        before = _cut(source, start, kept, track, span, ffmpeg, timeout)
        if before.integrated < _NEARLY_SILENT and not _varies(span):
            return Loudness(before, note="the sound is nearly silent: it is left as it is")
        return _searched(span, duration, before, style, ffmpeg, timeout)


def _varies(span: Path) -> bool:
    import av
    import numpy as np

    with av.open(str(span)) as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    samples = np.concatenate(frames) if frames else np.zeros(1, np.float32)
    step = 2 * SAMPLE_RATE // 10
    tenths = samples[: len(samples) // step * step].reshape(-1, step)
    power = np.mean(np.square(tenths, dtype=np.float64), axis=1) + 1e-14
    if not len(power):
        return False
    quiet, loud = np.percentile(power, [10, 90])
    return bool(10 * np.log10(loud / quiet) > _VARIES)


def measure(path: Path, *, ffmpeg: str = "", timeout: float = 300.0) -> Measured:
    """Loudness and true peak of a file's first audio stream."""
    arguments = [*INPUT_GUARD, "-i", f"file:{path}", "-map", "0:a:0", "-vn"]
    arguments += ["-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"]
    return _summary(run_ffmpeg(arguments, ffmpeg=ffmpeg, timeout=timeout).log)


def encoded_audio(style: Style) -> dict[str, Any]:
    """Output options of the sound, the same here as in the finished clip."""
    return {"c:a": "aac", "b:a": style.audio_bitrate, "ar": 48000, "ac": 2, "flags:a": "+bitexact"}


def _cut(
    source: Path,
    start: float,
    kept: Sequence[Kept],
    track: int,
    span: Path,
    ffmpeg: str,
    timeout: float,
) -> Measured:
    import ffmpeg as graph

    duration = kept[-1].end - start
    opened = graph.input(
        f"file:{source.resolve()}", ss=number(start), t=number(duration), protocol_whitelist=_GUARD
    )
    sound = cut_sound(even_audio(opened[f"a:{track}"], duration), kept, start)
    sound = sound.filter("ebur128", peak="true", framelog="quiet")
    written = sound.output(f"file:{span}", **{"c:a": "pcm_f32le"})
    return _summary(run_ffmpeg(written.get_args(), ffmpeg=ffmpeg, timeout=timeout).log)


def _searched(
    span: Path, duration: float, before: Measured, style: Style, ffmpeg: str, timeout: float
) -> Loudness:
    gain = min(_MAX_GAIN, style.loudness_target - before.integrated)
    over = max(0.0, before.true_peak + gain - _FIRST_CEILING)
    ceiling = _FIRST_CEILING if over else None
    gain += min(_MOST_LOST, _LOST_BY_LIMITING * over**2)
    tried: list[tuple[float, Loudness]] = []
    for _ in range(_TRIES):
        gain = round(min(_MAX_GAIN, gain), 2)
        after = _encoded(span, duration, gain, ceiling, style, ffmpeg, timeout)
        miss = style.loudness_target - after.integrated
        over = after.true_peak - (style.true_peak_max - _PEAK_MARGIN)
        if over <= 0:
            tried.append((abs(miss), Loudness(before, gain, ceiling, style.loudness_target)))
            if abs(miss) <= _NEAR_ENOUGH or gain >= _MAX_GAIN:
                break
        if over > 0:
            ceiling = round((_FIRST_CEILING if ceiling is None else ceiling) - over - 0.1, 2)
        # The more is limited, the less of a gain is heard.
        gain += miss if ceiling is None else 1.25 * miss
    return _best(tried, before, style)


def _best(tried: Sequence[tuple[float, Loudness]], before: Measured, style: Style) -> Loudness:
    if not tried:
        quiet = min(0.0, style.true_peak_max - 2 - before.true_peak)
        return Loudness(before, round(quiet, 2), note="the sound's peaks kept it from its target")
    miss, best = min(tried, key=lambda attempt: attempt[0])
    if miss <= _FAR_ENOUGH:
        return best
    return Loudness(
        before, best.gain, best.ceiling, note=f"the sound stays {miss:.1f} LU from its target"
    )


def _encoded(
    span: Path,
    duration: float,
    gain: float,
    ceiling: float | None,
    style: Style,
    ffmpeg: str,
    timeout: float,
) -> Measured:
    import ffmpeg as graph

    opened = graph.input(f"file:{span}", protocol_whitelist=_GUARD)
    sound = mastered(opened["a:0"], duration, gain, ceiling, style)
    encoded = span.with_name("try.m4a")
    written = sound.output(f"file:{encoded}", **encoded_audio(style)).overwrite_output()
    run_ffmpeg(written.get_args(), ffmpeg=ffmpeg, timeout=timeout)
    return measure(encoded, ffmpeg=ffmpeg, timeout=timeout)


def _summary(log: str) -> Measured:
    said = log.rpartition("Summary:")[2]
    loud = re.search(r"I:\s+(-?[0-9.]+|-inf|nan) LUFS", said)
    peak = re.search(r"Peak:\s+(-?[0-9.]+|-inf|nan) dBFS", said)
    if loud is None or peak is None:
        raise WorkerError(
            ReasonCode.BAD_COMMAND,
            "ffmpeg did not report the loudness; use an ffmpeg 5.1 or later with ebur128",
        )
    return Measured(_bounded(loud[1], SILENCE_LUFS), _bounded(peak[1], SILENCE_DBTP))


def _bounded(text: str, floor: float) -> float:
    return floor if text in ("-inf", "nan") else max(floor, float(text))


_GUARD = INPUT_GUARD[1]
