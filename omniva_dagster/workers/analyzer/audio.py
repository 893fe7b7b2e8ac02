"""The sound of a video: decoded once, its loudness, its silences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omniva_dagster.workers.analyzer.container import corrupt, decoded, opened
from omniva_dagster.workers.media.probe import sound_track

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

SAMPLE_RATE = 16_000
STEP_SECONDS = 0.1
QUIETEST_DB = -100.0
# Timestamps jitter by a few samples in many files; only a real gap is filled.
_GAP_SAMPLES = SAMPLE_RATE // 20
# A damaged timestamp must not make hours of silence: beyond the file's declared length (or this,
# where it declares none) frames just follow each other.
_LONGEST_SECONDS = 12 * 3600
# A channel that is this many dB louder than the mean of both was recorded against the other, which
# leaves next to nothing of both.
_CANCELLED_DB = 20.0
_NEARLY_NOTHING_DB = -60.0


def decode(media: Path) -> Samples | None:
    """The audio stream that is heard (`probe.sound_track`) as float32 mono, 16 kHz; None without.

    Sample ``i`` is heard ``i / 16000`` seconds after the start of the video: a late start and
    gaps are silence. Stereo whose channels cancel each other is heard by its left one. Raises
    `WorkerError` ``corrupt_media``.
    """
    samples = _decoded(media, "mono")
    if samples is None or _level(samples) > _NEARLY_NOTHING_DB:
        return samples
    left = _decoded(media, "stereo")
    assert left is not None
    return left if _level(left) > _level(samples) + _CANCELLED_DB else samples


def _level(samples: Samples) -> float:
    import numpy as np

    power = float(np.dot(samples, samples)) / max(1, len(samples))
    return 10 * float(np.log10(max(power, 1e-10)))


def _decoded(media: Path, layout: str) -> Samples | None:
    """The sound as it is mixed to one channel, or the first of two."""
    with opened(media) as container:
        if not container.streams.audio:
            return None
        declared = (container.duration or 0) / 1e6
        track = _Track(int((declared or _LONGEST_SECONDS) * SAMPLE_RATE), layout)
        stream = container.streams.audio[sound_track(container)]
        stream.thread_type = "AUTO"
        for time, frame in decoded(container, stream):
            track.add(time, frame)
        track.finish()
    if not track.length:
        raise corrupt("its sound breaks off before it begins")
    return track.samples()


class _Track:
    """Frames laid end to end by their timestamps; none is placed after ``limit`` samples."""

    def __init__(self, limit: int, layout: str) -> None:
        self.length = 0
        self._layout = layout
        self._channels = 2 if layout == "stereo" else 1
        self._limit = limit
        self._pieces: list[NDArray[np.int16]] = []
        self._resampler: Any = None
        self._format: tuple[str, str, int] | None = None
        self._fed = 0.0
        self._given = 0
        self._skip = 0

    def add(self, time: float | None, frame: Any) -> None:
        import av

        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        expected = self.length + round(self._fed) - self._given - self._skip
        position = expected if time is None else round(time * SAMPLE_RATE)
        moved = abs(position - expected) > _GAP_SAMPLES and position < self._limit
        if form != self._format or moved:
            self.finish()
            self._resampler = av.AudioResampler(format="s16", layout=self._layout, rate=SAMPLE_RATE)
            self._format = form
            self._seek(position if moved else self.length)
        frame.pts = None
        self._fed += frame.samples / frame.sample_rate * SAMPLE_RATE
        self._take(frame)

    def finish(self) -> None:
        """Take what the resampler still holds."""
        if self._resampler is not None:
            self._take(None)
        self._resampler = None
        self._format = None
        self._fed, self._given, self._skip = 0.0, 0, 0

    def samples(self) -> Samples:
        import numpy as np

        whole = np.empty(self.length, dtype=np.float32)
        at = 0
        for piece in self._pieces:
            whole[at : at + len(piece)] = piece
            at += len(piece)
        whole /= 32768.0
        return whole

    def _seek(self, position: int) -> None:
        import numpy as np

        self._skip = max(0, self.length - position)
        if position > self.length:
            self._pieces.append(np.zeros(position - self.length, dtype=np.int16))
            self.length = position

    def _take(self, frame: Any) -> None:
        for resampled in self._resampler.resample(frame):
            piece = resampled.to_ndarray().reshape(-1)[:: self._channels]
            self._given += len(piece)
            dropped = min(self._skip, len(piece))
            self._skip -= dropped
            if len(piece) > dropped:
                self._pieces.append(piece[dropped:].copy())
                self.length += len(piece) - dropped


def loudness(samples: Samples) -> list[float]:
    """RMS level of each 0.1 s in dB below full scale, -100 at the least."""
    import numpy as np

    step = int(SAMPLE_RATE * STEP_SECONDS)
    levels = []
    for at in range(0, len(samples), step):
        power = float(np.mean(np.square(samples[at : at + step], dtype=np.float64)))
        levels.append(round(10 * float(np.log10(max(power, 1e-10))), 2))
    return levels


def silences(levels: Sequence[float], shortest: float = 0.3) -> list[tuple[float, float]]:
    """Spans (seconds) of at least ``shortest`` that are much quieter than the loud parts.

    Quiet is 30 dB below the level that 5 % of the steps exceed, and anything below -60 dB.
    """
    if not levels:
        return []
    loud = sorted(levels)[int(0.95 * (len(levels) - 1))]
    threshold = max(-60.0, loud - 30.0)
    found: list[tuple[float, float]] = []
    began: int | None = None
    for i, level in enumerate([*levels, float("inf")]):
        if level <= threshold:
            began = i if began is None else began
        elif began is not None:
            if (i - began) * STEP_SECONDS >= shortest - 1e-9:
                found.append((_seconds(began), _seconds(i)))
            began = None
    return found


def _seconds(step: int) -> float:
    return round(step * STEP_SECONDS, 3)
