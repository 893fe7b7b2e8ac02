"""Speech to words: the protocol the analyzer needs, and faster-whisper behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer import models, words
from omniva_dagster.workers.analyzer.audio import SAMPLE_RATE
from omniva_dagster.workers.media.timeline import Word

if TYPE_CHECKING:
    from omniva_dagster.workers.analyzer.audio import Samples

OnFraction = Callable[[float], None]

# Batched decoding dropped words, and temperatures above 0 draw at random: slower, but the same
# words every time on one machine.
DECODING: dict[str, Any] = {
    "beam_size": 5,
    "temperature": 0.0,
    "condition_on_previous_text": False,
    "word_timestamps": True,
    "vad_filter": True,
}
# Whisper punctuates where what it heard before is punctuated, and may leave it out otherwise: the
# beginning is shown a sentence in its own language. Showing each window the one before would help
# further on too, but ended in loops of one phrase (measured).
PUNCTUATED = {
    "de": "Nun, da sind wir. Ist es wahr? Ja, das ist es.",
    "en": "Well, here we are. Is it true? Yes, it is.",
    "es": "Bueno, aquí estamos. ¿Es verdad? Sí, lo es.",
    "fr": "Bien, nous voilà. Est-ce vrai ? Oui, c'est vrai.",
    "it": "Bene, eccoci qui. È vero? Sì, è vero.",
    "pt": "Bem, aqui estamos. É verdade? Sim, é verdade.",
}

# The first two are Whisper's own thresholds.
_REPETITIVE = 2.4
_NO_SPEECH = 0.6
_CONFIDENT = -0.5


@dataclass(frozen=True)
class Transcript:
    """What was said: words in order, and the language (ISO 639-1) it was taken for."""

    words: list[Word]
    language: str
    language_probability: float


class Transcriber(Protocol):
    """Turns sound into words; the same sound and ``name`` give the same words."""

    @property
    def name(self) -> str:
        """Model and version, for lineage and for finding earlier results again."""
        ...

    def transcribe(self, audio: Samples, on_progress: OnFraction | None = None) -> Transcript:
        """The words in ``audio`` (float32 mono, 16 kHz); `WorkerError` ``model_offline``."""
        ...


def is_speech(segment: Any) -> bool:
    """Whether what the model heard was said: in music and noise it hums, or repeats itself.

    A loop compresses too well; and what is probably no speech has to be heard with confidence.
    """
    if segment.compression_ratio > _REPETITIVE:
        return False
    return bool(segment.no_speech_prob <= _NO_SPEECH or segment.avg_logprob >= _CONFIDENT)


class FasterWhisper:
    """Whisper on CTranslate2; the model is loaded at the first transcription, once."""

    def __init__(
        self,
        model_spec: str,
        home: Path,
        device: str = "auto",
        compute_type: str = "",
        cpu_threads: int = 0,
    ) -> None:
        """``device`` is auto, cpu or cuda; ``compute_type`` empty means int8 on a CPU and float16
        on CUDA; ``cpu_threads`` 0 leaves the number to CTranslate2."""
        self._spec = model_spec
        self._home = home
        self._wanted_device = device
        self._wanted_type = compute_type
        self._cpu_threads = cpu_threads

    @cached_property
    def name(self) -> str:
        """Like ``bundled:base@1a2b3c4d5e6f faster-whisper/1.2.1 int8``; the digest is the
        model's (SHA-256). Raises `WorkerError` ``model_offline``."""
        from importlib.metadata import version

        with (self._folder / "model.bin").open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
        spec = models.chosen(self._spec)
        label = spec if spec.startswith("bundled:") else Path(spec).name
        return f"{label}@{digest} faster-whisper/{version('faster-whisper')} {self._compute_type}"

    def transcribe(self, audio: Samples, on_progress: OnFraction | None = None) -> Transcript:
        """See `Transcriber.transcribe`."""
        duration = len(audio) / SAMPLE_RATE
        try:
            language, probability = self._language(audio)
            segments, _ = self._model.transcribe(
                audio, **DECODING, language=language, initial_prompt=PUNCTUATED.get(language)
            )
            heard: list[Word] = []
            for segment in segments:
                heard += [
                    Word(w.word, float(w.start), float(w.end), float(w.probability))
                    for w in (segment.words or [] if is_speech(segment) else [])
                ]
                if on_progress and duration > 0:
                    on_progress(min(1.0, max(0.0, float(segment.end) / duration)))
        except RuntimeError as error:
            raise self._failed("could not run", error) from error
        return Transcript(words.tidy(heard, duration), language, probability)

    def _language(self, audio: Samples) -> tuple[str, float]:
        if not self._model.model.is_multilingual:
            return "en", 1.0
        language, probability, _ = self._model.detect_language(audio, vad_filter=True)
        return str(language), float(probability)

    @cached_property
    def _folder(self) -> Path:
        return models.resolve_model(self._spec, self._home)

    @cached_property
    def _device(self) -> str:
        if self._wanted_device != "auto":
            return self._wanted_device
        import ctranslate2  # type: ignore[import-untyped]

        return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"

    @property
    def _compute_type(self) -> str:
        return self._wanted_type or ("int8" if self._device == "cpu" else "float16")

    @cached_property
    def _model(self) -> Any:
        from faster_whisper import WhisperModel

        try:
            return WhisperModel(
                str(self._folder),
                device=self._device,
                compute_type=self._compute_type,
                cpu_threads=self._cpu_threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise self._failed("could not be loaded", error) from error

    def _failed(self, what: str, error: Exception) -> WorkerError:
        return WorkerError(
            ReasonCode.MODEL_OFFLINE,
            f"the speech model {self._spec!r} {what} on {self._device} "
            f"as {self._compute_type} ({error}); free memory, or set OMNIVA_WHISPER_MODEL to a "
            "smaller or another model",
            transient=True,
        )
