"""The soundtrack: a recorded human voice, a synthetic one, and the silences between them."""

from __future__ import annotations

import subprocess
import sys
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omniva_dagster.demo.footage.pictures import FRAME_RATE
from omniva_dagster.demo.footage.programme import Programme
from omniva_dagster.demo.footage.sources import Sources

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]

SAMPLE_RATE = 48_000
_SAMPLES_PER_FRAME = SAMPLE_RATE // FRAME_RATE
_SENTENCE_PAUSE = 0.35
_SPEAKING_TIMEOUT = 300.0
# Root mean square of each passage, full scale being 1: both voices come out equally loud.
_LOUDNESS = 0.07
_CEILING = 0.89


def record(programme: Programme, sources: Sources, folder: Path) -> tuple[Path, list[int]]:
    """Write the soundtrack of a programme into ``folder``.

    Returns the WAV file (16 bits, mono, 48 kHz) and, for each passage, how many frames of video
    its speech and its pause last.
    """
    import numpy as np

    spoken = iter(_synthesize(_lines(programme), sources, folder))
    pieces: list[Samples] = []
    lengths: list[int] = []
    for passage in programme.passages:
        speech = np.zeros(0, dtype=np.int16)
        if passage.text:
            speech = _levelled(_read(sources.recording if passage.recorded else next(spoken)))
        wanted = len(speech) + round(passage.pause * SAMPLE_RATE)
        frames = -(-wanted // _SAMPLES_PER_FRAME)
        silence = np.zeros(frames * _SAMPLES_PER_FRAME - len(speech), dtype=np.int16)
        pieces += [speech, silence]
        lengths.append(frames)
    soundtrack = folder / "sound.wav"
    _write(soundtrack, np.concatenate(pieces))
    return soundtrack, lengths


def _lines(programme: Programme) -> list[str]:
    return [passage.text for passage in programme.passages if passage.text and not passage.recorded]


def _synthesize(lines: Sequence[str], sources: Sources, folder: Path) -> list[Path]:
    """One WAV file a line. Piper is under the GPL: it runs as a program of its own, and is never
    imported. Without its two noises it says the same thing in the same samples every time."""
    if not lines:
        return []
    script = folder / "lines.txt"
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    spoken = folder / "spoken"
    command = [sys.executable, "-P", "-m", "piper"]
    command += ["--model", str(sources.voice_model), "--config", str(sources.voice_config)]
    command += ["--noise-scale", "0", "--noise-w-scale", "0"]
    command += ["--sentence-silence", str(_SENTENCE_PAUSE)]
    command += ["--input-file", str(script), "--output-dir", str(spoken)]
    said = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SPEAKING_TIMEOUT,
    )
    # Files are named by a clock that only goes forward.
    files = sorted(spoken.glob("*.wav"), key=lambda path: int(path.stem))
    if said.returncode != 0 or len(files) != len(lines):
        raise RuntimeError(
            f"the synthetic voice spoke {len(files)} of {len(lines)} paragraphs "
            f"(code {said.returncode}): {said.stderr[-500:]}"
        )
    return files


def _read(path: Path) -> Samples:
    """The samples of a 16-bit mono WAV file, at `SAMPLE_RATE`."""
    import numpy as np

    with wave.open(str(path), "rb") as file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            raise RuntimeError(f"{path} is not 16-bit mono sound; install its package again")
        rate = file.getframerate()
        samples: Samples = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
    return samples if rate == SAMPLE_RATE else _resampled(samples, rate)


def _resampled(samples: Samples, rate: int) -> Samples:
    import av
    import numpy as np

    frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    parts = [
        part.to_ndarray()[0] for part in (*resampler.resample(frame), *resampler.resample(None))
    ]
    return np.concatenate(parts).astype(np.int16)


def _levelled(samples: Samples) -> Samples:
    import numpy as np

    signal = samples.astype(np.float64) / 32768
    loudness = float(np.sqrt(np.mean(signal**2)))
    peak = float(np.max(np.abs(signal)))
    gain = min(_LOUDNESS / loudness, _CEILING / peak)
    return np.round(signal * gain * 32767).astype(np.int16)


def _write(path: Path, samples: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
