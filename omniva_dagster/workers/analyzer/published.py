"""What an analysis leaves in the ledger beside its result: models, pointers, and what each
candidate's score rests on (module interfaces, 5.2)."""

from __future__ import annotations

from collections.abc import Sequence

from omniva_dagster.contracts.analysis import AnalysisResult, ClipCandidate
from omniva_dagster.contracts.ids import candidate_id_of
from omniva_dagster.contracts.operations.analyzer import (
    MOST_WORDS,
    AnalysisPublished,
    CandidateEvidence,
    CutCharge,
    EmbeddingPointer,
    FeatureShare,
    ModelVersion,
)
from omniva_dagster.workers.analyzer.analyze import Analysis
from omniva_dagster.workers.analyzer.scores.features import Contribution
from omniva_dagster.workers.analyzer.spans.penalties import Penalty
from omniva_dagster.workers.analyzer.text.embeddings import SIZE
from omniva_dagster.workers.analyzer.text.words import join, within
from omniva_dagster.workers.analyzer.vectors import Embedded

_LONGEST_LINE = 200
_CUT = "…"


def publication(
    result: AnalysisResult,
    models: list[ModelVersion],
    vectors: Sequence[Embedded],
    uri: str,
    *,
    result_packet_id: str,
    raw_packet_id: str,
    now: str,
) -> AnalysisPublished:
    """The models of an analysis, and where its candidates' vectors are: rows of the table at
    ``uri``; of candidates without one (``vectors`` is empty then) no pointers."""
    ids = [
        candidate_id_of(result.video_id, one.start_time, one.end_time)
        for one in result.clip_candidates
    ]
    return AnalysisPublished(
        result_packet_id=result_packet_id,
        models=models,
        embeddings=[
            EmbeddingPointer(candidate_id=name, uri=uri, dimensions=SIZE, row=one.row)
            for name, one in zip(ids, vectors, strict=False)
        ],
        raw_packet_id=raw_packet_id,
        published_at=now,
    )


def evidence(
    analysis: Analysis, models: list[ModelVersion], *, raw_packet_id: str, now: str
) -> list[CandidateEvidence]:
    """What each candidate of an analysis rests on, in their order."""
    return [
        _evidence(analysis, candidate, parts, charged, models, raw_packet_id, now)
        for candidate, parts, charged in zip(
            analysis.result.clip_candidates,
            analysis.contributions,
            analysis.penalties,
            strict=True,
        )
    ]


def said_in(analysis: Analysis, candidate: ClipCandidate) -> str:
    """What is said in a candidate."""
    return join(within(analysis.words, candidate.start_time, candidate.end_time))


def _evidence(
    analysis: Analysis,
    candidate: ClipCandidate,
    parts: Sequence[Contribution],
    charged: Sequence[Penalty],
    models: list[ModelVersion],
    raw_packet_id: str,
    now: str,
) -> CandidateEvidence:
    video_id = analysis.result.video_id
    start, end = candidate.start_time, candidate.end_time
    words = said_in(analysis, candidate)
    return CandidateEvidence(
        candidate_id=candidate_id_of(video_id, start, end),
        video_id=video_id,
        start_time=start,
        end_time=end,
        words=_bounded(words, MOST_WORDS),
        words_cut=len(words) > MOST_WORDS,
        features=_shares(parts),
        charges=[
            CutCharge(name=one.name, share=one.share, evidence=_line(one.evidence, one.name))
            for one in charged
        ],
        models=models,
        raw_packet_id=raw_packet_id,
        generated_at=now,
    )


def _shares(parts: Sequence[Contribution]) -> list[FeatureShare]:
    counted = [one for one in parts if one.weight > 0]
    whole = sum(round(one.points * 1e6) for one in counted)
    return [
        FeatureShare(
            name=one.name,
            value=one.value,
            points=one.points,
            share=round(round(one.points * 1e6) / whole, 4) if whole else 0.0,
            evidence=_line(one.evidence, one.name),
        )
        for one in sorted(counted, key=lambda one: (-one.points, one.name))
    ]


def _line(text: str, instead: str) -> str:
    return _bounded(text, _LONGEST_LINE) or instead


def _bounded(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + _CUT
