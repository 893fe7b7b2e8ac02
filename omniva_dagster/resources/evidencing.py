"""What an analysis leaves as evidence: recorded with its result, and found again by who judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.analysis import AnalysisResult
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.stardust import TelemetrySample
from omniva_dagster.contracts.operations.analyzer import (
    AnalysisPublished,
    CandidateEvidence,
    ModelVersion,
)
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import MAX_NUMBER
from omniva_dagster.contracts.video import VideoAsset

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from omniva_dagster.resources.workbench import Recorder
    from omniva_dagster.workers.analyzer.analyze import Analysis
    from omniva_dagster.workers.analyzer.vectors import Embedded

STAGE = "analysis_results"
WORKER = "analyzer"


@dataclass(frozen=True)
class Shown:
    """What judges are shown of an analysis beside its result: the packet of its models, that of
    each candidate's evidence, and the candidates' vectors in their order (or none)."""

    published: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
    vectors: tuple[Embedded, ...] = ()

    def packets_of(self, candidate_id: str) -> tuple[str, ...]:
        """The packets that bear on a candidate."""
        own = self.evidence.get(candidate_id, "")
        return tuple(one for one in (self.published, own) if one)


@dataclass(frozen=True)
class Kept:
    """An analysis as it is kept in Atlas, with all that is told of it."""

    analysis: Analysis
    models: tuple[ModelVersion, ...]
    vectors: tuple[Embedded, ...]
    uri: str
    cpu_seconds: float | None


def read(folder: Path, uri: str) -> Kept:
    """The analysis kept in ``folder``, whose files are at ``uri`` in Atlas.

    Raises `WorkerError` ``internal`` if it is damaged.
    """
    from omniva_dagster.workers.analyzer import provenance, sidecars

    analysis = sidecars.read(folder)
    try:
        meta = sidecars.read_meta(folder)
        models = tuple(provenance.of_meta(meta))
        cost = _finite(meta["cpu_seconds"]) if "cpu_seconds" in meta else None
    except (ValueError, KeyError, TypeError) as error:
        raise WorkerError(
            ReasonCode.INTERNAL,
            f"what is noted of the analysis kept at {folder} cannot be read "
            f"({type(error).__name__}); delete that folder and run again",
        ) from error
    vectors = vectors_of(folder, analysis.result)
    return Kept(analysis, models, vectors, f"{uri}/{sidecars.EMBEDDINGS}.parquet", cost)


def publish(
    recorder: Recorder, kept: Kept, video: Record[VideoAsset], result: Record[AnalysisResult]
) -> None:
    """Record what an analysis rests on: its models and pointers, what it cost, and for each
    candidate the words, the features and the cuts. The same analysis is recorded once.

    Where no packet of the raw capture is behind the video there is nothing to lead back to, and
    nothing is written.
    """
    from omniva_dagster.workers.analyzer import published

    raw = _raw_capture(recorder.connection, video.packet_id)
    if raw is None:
        return
    models = list(kept.models)
    made = published.publication(
        kept.analysis.result,
        models,
        kept.vectors,
        kept.uri,
        result_packet_id=result.packet_id,
        raw_packet_id=raw,
        now=recorder.now,
    )
    parents = [result.packet_id, raw, *_cost(recorder, kept, result)]
    whole = _say(recorder, made, result, parents)
    for one in published.evidence(kept.analysis, models, raw_packet_id=raw, now=recorder.now):
        _say(recorder, one, result, [whole], one.candidate_id)


def shown(
    connection: sa.Connection,
    video_id: str,
    candidate_ids: Iterable[str],
    vectors: tuple[Embedded, ...],
) -> Shown:
    """What stands beside the analysis of a video; of one that was recorded before there was such
    evidence, what there is."""
    packet = db.outbox.latest(connection, AnalysisPublished.__name__, video_id, STAGE)
    found = {
        name: db.outbox.latest(connection, CandidateEvidence.__name__, name, STAGE)
        for name in candidate_ids
    }
    return Shown(
        packet.packet_id if packet else "",
        {name: one.packet_id for name, one in found.items() if one is not None},
        vectors,
    )


def vectors_of(folder: Path, result: AnalysisResult) -> tuple[Embedded, ...]:
    """The vectors of an analysis's candidates, in their order; none of one of the first version.

    Raises `WorkerError` ``internal`` if they are damaged.
    """
    from omniva_dagster.workers.analyzer import sidecars, vectors

    spans = [(one.start_time, one.end_time) for one in result.clip_candidates]
    return tuple(vectors.read(folder / f"{sidecars.EMBEDDINGS}.parquet", spans))


def _finite(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= MAX_NUMBER:
        raise ValueError("it is no cost")
    return float(value)


def _raw_capture(connection: sa.Connection, packet_id: str) -> str | None:
    video = db.outbox.by_id(connection, packet_id)
    behind = [db.outbox.by_id(connection, one) for one in video.parents] if video else []
    captures = [one for one in behind if one is not None and one.message_type == "RawCapture"]
    return captures[0].packet_id if captures else None


def _cost(recorder: Recorder, kept: Kept, result: Record[AnalysisResult]) -> list[str]:
    """What the analysis took when it was made, which a rerun does not take again."""
    made_at = kept.analysis.result.generated_at
    if kept.cpu_seconds is None or made_at is None:
        return []
    sample = TelemetrySample(
        source=WORKER,
        metric="analysis_cpu_seconds",
        value=kept.cpu_seconds,
        subject_id=result.subject_id,
        observed_at=made_at,
    )
    return [_say(recorder, sample, result, [result.packet_id])]


def _say(
    recorder: Recorder,
    document: Document,
    result: Record[AnalysisResult],
    parents: Sequence[str],
    subject_id: str = "",
) -> str:
    return recorder.record(
        document,
        subject_id=subject_id or result.subject_id,
        trace_id=result.trace_id,
        parents=parents,
        video_id=result.subject_id,
    ).packet_id
