"""One Whisper model: found by its setting, loaded when it is first used, named for lineage."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer.audio import SAMPLE_RATE
from omniva_dagster.workers.analyzer.speech import decoding, models
from omniva_dagster.workers.analyzer.speech.chunks import Chunk
from omniva_dagster.workers.analyzer.speech.decoding import Heard, OnChunk

if TYPE_CHECKING:
    from omniva_dagster.workers.analyzer.audio import Samples

# One look at the middle of a video tells its language mostly; if it is in doubt, two more help.
_SURE_OF_LANGUAGE = 0.7
_WINDOW = 30 * SAMPLE_RATE


class WhisperModel:
    """Whisper on CTranslate2; what it raises is `WorkerError` ``model_offline``."""

    def __init__(
        self, spec: str, home: Path, device: str, compute_type: str, cpu_threads: int
    ) -> None:
        """See `speech.FasterWhisper`."""
        self._spec, self._home = spec, home
        self._wanted_device, self._wanted_type = device, compute_type
        self._cpu_threads = cpu_threads

    @cached_property
    def name(self) -> str:
        """Like ``bundled:base@1a2b3c4d5e6f faster-whisper/1.2.1 int8``; the digest is the
        model's (SHA-256)."""
        from importlib.metadata import version

        with (self._folder / "model.bin").open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
        spec = models.chosen(self._spec)
        label = spec if spec.startswith("bundled:") else Path(spec).name
        return f"{label}@{digest} faster-whisper/{version('faster-whisper')} {self._compute_type}"

    @property
    def multilingual(self) -> bool:
        """Whether it knows more than English."""
        return bool(self._model.model.is_multilingual)

    def language(self, samples: Samples, chunks: list[Chunk]) -> tuple[str, float]:
        """The language (ISO 639-1) spoken in the chunks, and how probable it is.

        English at 1.0 for a model that knows no other.
        """
        if not self.multilingual:
            return "en", 1.0
        import numpy as np

        looked = list(dict.fromkeys([len(chunks) // 2, 0, len(chunks) - 1]))
        sound = np.zeros(_WINDOW * len(looked), dtype=np.float32)
        for i, at in enumerate(looked):
            sound[i * _WINDOW : i * _WINDOW + chunks[at].length] = chunks[at].laid(samples)
        try:
            language, probability, _ = self._model.detect_language(
                sound,
                language_detection_segments=len(looked),
                language_detection_threshold=_SURE_OF_LANGUAGE,
            )
        except RuntimeError as error:
            raise self._failed("could not run", error) from error
        return str(language), float(probability)

    def hear(
        self, samples: Samples, chunks: list[Chunk], language: str, on_chunk: OnChunk
    ) -> list[Heard]:
        """See `decoding.hear`."""
        try:
            return decoding.hear(self._model, samples, chunks, language, on_chunk)
        except RuntimeError as error:
            raise self._failed("could not run", error) from error

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
        import faster_whisper

        try:
            return faster_whisper.WhisperModel(
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
            f"as {self._compute_type} ({error}); free memory, or set OMNIVA_WHISPER_MODEL (or "
            "OMNIVA_WHISPER_RETRY_MODEL) to a smaller or another model",
            transient=True,
        )
