"""Which models an analysis was made by, in their versions (5.2, Stardust reference)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omniva_dagster.contracts.operations.analyzer import ModelVersion
from omniva_dagster.contracts.reasons import WorkerError
from omniva_dagster.workers.analyzer import ANALYZER_VERSION
from omniva_dagster.workers.analyzer.pictures import faces
from omniva_dagster.workers.analyzer.scores.features import SCORING_VERSION
from omniva_dagster.workers.analyzer.text import embeddings

_LONGEST = 64
_UNKNOWN = "unknown"


def of_today(speech: str) -> list[ModelVersion]:
    """The models that an analysis made by this release has, heard by the model named ``speech``
    (`Transcriber.name`)."""
    return [
        *_first(speech, embeddings.SCHEME, ANALYZER_VERSION, SCORING_VERSION),
        *_face_model(),
    ]


def of_meta(meta: Mapping[str, Any]) -> list[ModelVersion]:
    """The models that a kept analysis says it was made by; of one that was kept before they were
    written down, those that its versions tell."""
    if "models" in meta:
        return [ModelVersion(**one) for one in meta["models"]]
    return _first(
        str(meta["model"]),
        str(meta.get("embedding_scheme", "")),
        str(meta["analyzer_version"]),
        str(meta["scoring_version"]),
    )


def _first(speech: str, scheme: str, analyzer: str, scoring: str) -> list[ModelVersion]:
    label, _, digest = speech.rpartition("@")
    name, _, version = scheme.partition("/")
    found = [
        _model(label or digest, digest if label else "", "speech"),
        # Cuts, faces' mouths, candidates: rules of our own, one version for all of them.
        _model("omniva-analyzer", analyzer, "shots and spans"),
        _model("omniva-scores", scoring, "scores"),
    ]
    return [*found, _model(name, version, "embeddings")] if scheme else found


def _face_model() -> list[ModelVersion]:
    try:
        return [_model("yunet", faces.model_version(), "faces")]
    except WorkerError:
        # It is not installed: whatever was analyzed, no face was looked for.
        return []


def _model(name: str, version: str, role: str) -> ModelVersion:
    return ModelVersion(
        name=name[:_LONGEST] or _UNKNOWN, version=version[:_LONGEST] or _UNKNOWN, role=role
    )
