"""Where someone speaks: Silero's voice detector, which ships in the faster-whisper wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omniva_dagster.workers.analyzer.audio import SAMPLE_RATE
from omniva_dagster.workers.analyzer.speech.chunks import Stretch

if TYPE_CHECKING:
    from omniva_dagster.workers.analyzer.audio import Samples

# The detector's intermediate results take several times the memory of the sound it is given.
_SECTION = 600 * SAMPLE_RATE
LONGEST_SECONDS = 28
_SHORTEST_PAUSE_MS = 160


def spoken(samples: Samples) -> list[Stretch]:
    """Spans (in samples) of at most 28 s in which someone speaks, divided in pauses of 0.16 s."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        max_speech_duration_s=LONGEST_SECONDS,
        min_silence_duration_ms=_SHORTEST_PAUSE_MS,
        speech_pad_ms=0,
    )
    return [
        (at + span["start"], at + span["end"])
        for at in range(0, len(samples), _SECTION)
        for span in get_speech_timestamps(samples[at : at + _SECTION], options)
        if span["start"] < span["end"]
    ]
