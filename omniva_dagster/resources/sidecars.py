"""The analysis of a video as it stands in Atlas, for the steps that come after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.ids import candidate_id_of
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.resources import evidencing
from omniva_dagster.resources.atlas import Atlas

if TYPE_CHECKING:
    from pathlib import Path

    from omniva_dagster.resources.evidencing import Shown
    from omniva_dagster.state.store import Store
    from omniva_dagster.workers.analyzer.analyze import Analysis


def load_analysis(store: Store, atlas: Atlas, video_id: str) -> Analysis:
    """The current analysis of a video; `WorkerError` ``transcript_missing`` if there is none."""
    from omniva_dagster.workers.analyzer import sidecars

    return sidecars.read(_folder(store, atlas, video_id))


def load_shown(store: Store, atlas: Atlas, video_id: str) -> tuple[Analysis, Shown]:
    """The current analysis of a video, and what its judges are shown beside it; `WorkerError`
    ``transcript_missing`` if there is none, ``internal`` if it is damaged."""
    from omniva_dagster.workers.analyzer import sidecars

    folder = _folder(store, atlas, video_id)
    analysis = sidecars.read(folder)
    ids = [
        candidate_id_of(video_id, one.start_time, one.end_time)
        for one in analysis.result.clip_candidates
    ]
    vectors = evidencing.vectors_of(folder, analysis.result)
    with store.read() as connection:
        return analysis, evidencing.shown(connection, video_id, ids, vectors)


def _folder(store: Store, atlas: Atlas, video_id: str) -> Path:
    with store.read() as connection:
        key = db.library.analysis_key(connection, video_id)
    if key is None or not atlas.path(key).is_dir():
        raise WorkerError(
            ReasonCode.TRANSCRIPT_MISSING,
            "the video has no analysis in Atlas; materialize analysis_results for this partition",
        )
    return atlas.path(key)


def spoken(words: Sequence[str]) -> list[str]:
    """Words as sentences of text, for wording and excerpts."""
    sentences: list[list[str]] = [[]]
    for word in words:
        sentences[-1].append(word)
        if word.rstrip("\"'”’)").endswith((".", "!", "?", "…", "。", "！", "？", "؟")):
            sentences.append([])
    return [" ".join(sentence) for sentence in sentences if sentence]
