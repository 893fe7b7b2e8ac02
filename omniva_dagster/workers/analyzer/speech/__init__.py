"""Speech to words: the protocol the analyzer needs, and faster-whisper behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from omniva_dagster.workers.analyzer.audio import SAMPLE_RATE
from omniva_dagster.workers.analyzer.speech import doubts, timing, voice
from omniva_dagster.workers.analyzer.speech.chunks import Chunk, pack
from omniva_dagster.workers.analyzer.speech.decoding import Heard
from omniva_dagster.workers.analyzer.speech.timing import Envelope
from omniva_dagster.workers.analyzer.speech.whisper import WhisperModel
from omniva_dagster.workers.analyzer.text import words
from omniva_dagster.workers.media.timeline import Word

if TYPE_CHECKING:
    from omniva_dagster.workers.analyzer.audio import Samples

OnFraction = Callable[[float], None]


@dataclass(frozen=True)
class Transcript:
    """What was said: words in order, and the language (ISO 639-1) it was taken for.

    ``doubtful`` are stretches (start and end in seconds) of low confidence, see `doubts`.
    """

    words: list[Word]
    language: str
    language_probability: float
    doubtful: tuple[tuple[float, float], ...] = ()


class Transcriber(Protocol):
    """Turns sound into words; the same sound and ``name`` give the same words."""

    @property
    def name(self) -> str:
        """Model and version, for lineage and for finding earlier results again."""
        ...

    def transcribe(self, audio: Samples, on_progress: OnFraction | None = None) -> Transcript:
        """The words in ``audio`` (float32 mono, 16 kHz); `WorkerError` ``model_offline``."""
        ...


class FasterWhisper:
    """Whisper on CTranslate2; the model is loaded at the first transcription, once."""

    def __init__(
        self,
        model_spec: str,
        home: Path,
        device: str = "auto",
        compute_type: str = "",
        cpu_threads: int = 0,
        retry_spec: str = "",
    ) -> None:
        """``device`` is auto, cpu or cuda; ``compute_type`` empty means int8 on a CPU and float16
        on CUDA; ``cpu_threads`` 0 leaves the number to CTranslate2. The model ``retry_spec``, if
        any, hears again what the first was unsure of; it is loaded only then."""
        self._model = WhisperModel(model_spec, home, device, compute_type, cpu_threads)
        self._second = (
            WhisperModel(retry_spec, home, device, compute_type, cpu_threads)
            if retry_spec.strip()
            else None
        )

    @cached_property
    def name(self) -> str:
        """Like ``bundled:base@1a2b3c4d5e6f faster-whisper/1.2.1 int8``, followed by the name of
        the model that hears again, if one does. Raises `WorkerError` ``model_offline``."""
        again = f", again {self._second.name}" if self._second else ""
        return self._model.name + again

    def transcribe(self, audio: Samples, on_progress: OnFraction | None = None) -> Transcript:
        """See `Transcriber.transcribe`."""
        chunks = pack(voice.spoken(audio), len(audio))
        if not chunks:
            return Transcript([], "en", 0.0)
        done = _Progress(sum(chunk.length for chunk in chunks), on_progress)
        language, probability = self._model.language(audio, chunks)
        heard = self._model.hear(audio, chunks, language, done.add)
        heard = self._again(audio, heard, language)
        spoken = [part for part in heard if part.spoken]
        duration = len(audio) / SAMPLE_RATE
        said = words.tidy((word for part in spoken for word in part.words), duration)
        said = words.tidy(timing.refine(said, Envelope.of(audio)), duration)
        return Transcript(
            said, language, probability, tuple(doubts.doubtful(said, _unsure(spoken)))
        )

    def _again(self, audio: Samples, heard: list[Heard], language: str) -> list[Heard]:
        """What was heard in doubt, heard by the second model if it is surer."""
        if self._second is None:
            return heard
        doubted = [i for i, part in enumerate(heard) if part.spoken and _in_doubt(part)]
        if not doubted or not (language == "en" or self._second.multilingual):
            return heard
        surer = {i: self._surer(audio, heard[i], language) for i in doubted}
        return [part for i, first in enumerate(heard) for part in surer.get(i, [first])]

    def _surer(self, audio: Samples, first: Heard, language: str) -> list[Heard]:
        assert self._second is not None
        again = self._second.hear(audio, [first.chunk], language, lambda _: None)
        return again if _sureness(again) > _sureness([first]) else [first]


class _Progress:
    """Adds up what is heard, and tells it as a fraction."""

    def __init__(self, whole: int, report: OnFraction | None) -> None:
        self._whole, self._report, self._done = whole, report, 0

    def add(self, chunk: Chunk) -> None:
        self._done += chunk.length
        if self._report:
            self._report(min(1.0, self._done / self._whole))


def _in_doubt(heard: Heard) -> bool:
    return bool(heard.confidence < doubts.UNSURE_LOGPROB or doubts.doubtful(heard.words))


def _unsure(heard: Sequence[Heard]) -> list[tuple[float, float]]:
    return [
        (part.words[0].start, part.words[-1].end)
        for part in heard
        if part.words and part.confidence < doubts.UNSURE_LOGPROB
    ]


def _sureness(heard: Sequence[Heard]) -> float:
    """The mean probability of the words."""
    found = [word.probability for part in heard for word in part.words if part.spoken]
    return sum(found) / len(found) if found else 0.0
