"""The analysis of a video as it stands in Atlas, for the steps that come after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.resources.atlas import Atlas

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store
    from omniva_dagster.workers.analyzer.analyze import Analysis


def load_analysis(store: Store, atlas: Atlas, video_id: str) -> Analysis:
    """The current analysis of a video; `WorkerError` ``transcript_missing`` if there is none."""
    from omniva_dagster.workers.analyzer import sidecars

    with store.read() as connection:
        key = db.library.analysis_key(connection, video_id)
    if key is None or not atlas.path(key).is_dir():
        raise WorkerError(
            ReasonCode.TRANSCRIPT_MISSING,
            "the video has no analysis in Atlas; materialize analysis_results for this partition",
        )
    return sidecars.read(atlas.path(key))


def spoken(words: Sequence[str]) -> list[str]:
    """Words as sentences of text, for wording and excerpts."""
    sentences: list[list[str]] = [[]]
    for word in words:
        sentences[-1].append(word)
        if word.rstrip("\"'”’)").endswith((".", "!", "?", "…", "。", "！", "？", "؟")):
            sentences.append([])
    return [" ".join(sentence) for sentence in sentences if sentence]
