"""Pantheon at work: a video's candidates put before the judges, and what they say recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from omniva_dagster import state as db
from omniva_dagster.contracts.analysis import AnalysisResult, ClipCandidate
from omniva_dagster.contracts.cognition.pantheon import (
    ManualReviewRequest,
    ReviewOccasion,
    Shortlist,
    VoteReport,
)
from omniva_dagster.contracts.ids import candidate_id_of, derive_id
from omniva_dagster.contracts.record import Record
from omniva_dagster.engines import lattice, pantheon
from omniva_dagster.resources.workbench import Recorder, Workbench
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    from omniva_dagster.resources.atlas import Atlas
    from omniva_dagster.resources.evidencing import Shown
    from omniva_dagster.resources.guidance import Guided
    from omniva_dagster.state.store import Store
    from omniva_dagster.workers.analyzer.analyze import Analysis
    from omniva_dagster.workers.analyzer.scores.judges import Panel

PRODUCER = "pantheon"


@dataclass(frozen=True)
class Batch:
    """A video's candidates as they were judged, best first."""

    analysis: Record[AnalysisResult]
    findings: tuple[pantheon.Finding, ...]
    candidates: Mapping[str, ClipCandidate]
    abstained: tuple[str, ...]
    clusters: Mapping[str, str]
    shown: Shown
    load: pantheon.Load | None = None


def judge(
    analysis: Record[AnalysisResult],
    found: Analysis,
    guided: Guided,
    panel: Panel,
    shown: Shown,
    load: pantheon.Load | None = None,
) -> Batch:
    """Every candidate of a video before every judge; the same whenever it is asked again.

    They are shown what the analyzer measured, the vectors of what is said, and which candidates
    Lattice finds to be about the same. Horizon's guidance sways those that lean to it; a registered
    judge votes beside them. ``load`` is no matter of votes, but of how many are surfaced.
    """
    from omniva_dagster.workers.analyzer.published import said_in
    from omniva_dagster.workers.analyzer.scores import features

    cases, candidates, abstained, members = [], {}, [], []
    for candidate, parts, embedded in zip(
        analysis.document.clip_candidates,
        found.contributions,
        shown.vectors or [None] * len(found.contributions),
        strict=True,
    ):
        candidate_id = candidate_id_of(
            analysis.subject_id, candidate.start_time, candidate.end_time
        )
        known, text = features.values(parts), said_in(found, candidate)
        opinion = panel.ask(text, known)
        guests: tuple[pantheon.Ballot, ...] = ()
        if opinion is not None and opinion.value is not None:
            guests = (pantheon.guest(opinion.judge, opinion.value, opinion.note),)
        elif opinion is not None:
            abstained.append(opinion.note)
        candidates[candidate_id] = candidate
        cases.append(
            pantheon.Case(
                candidate_id,
                known,
                candidate.start_time,
                candidate.confidence,
                guided.desirability(candidate.semantic_tags),
                guests,
                (analysis.packet_id, *shown.packets_of(candidate_id), *guided.packet_ids),
                embedded.vector if embedded else (),
                embedded.rest if embedded else (),
            )
        )
        tags = tuple(candidate.semantic_tags)
        members.append(lattice.Member(candidate_id, tags, text, weight=candidate.confidence))
    clusters = {
        candidate_id: group.label
        for group in lattice.cluster(members)
        for candidate_id in group.candidate_ids
    }
    findings = tuple(pantheon.deliberate(cases, lattice.priority))
    return Batch(analysis, findings, candidates, tuple(abstained), clusters, shown, load)


def record(recorder: Recorder, batch: Batch) -> list[Record[ClipCandidate]]:
    """Record a batch: a vote report a candidate, the shortlist, and the judged candidates, in
    their order in the video."""
    reported = _reports(recorder, batch)
    _shortlist(recorder, batch, reported)
    by_id = {one.candidate_id: one for one in batch.findings}
    made = []
    for candidate_id, found in batch.candidates.items():
        one = by_id[candidate_id]
        candidate = pantheon.judged(found, one.ballots, one.priority)
        made.append(
            recorder.record(
                candidate,
                subject_id=candidate_id,
                trace_id=batch.analysis.trace_id,
                parents=[
                    batch.analysis.packet_id,
                    *batch.shown.packets_of(candidate_id),
                    reported[candidate_id].packet_id,
                ],
                video_id=batch.analysis.subject_id,
            )
        )
    return made


def guidance_anew(bench: Workbench) -> Guided:
    """The guidance of the partition at hand, the newest there is of its day in place of what it
    pinned."""
    from omniva_dagster.resources import guidance

    place = bench.partition
    with bench.store.begin() as connection:
        recorded = guidance.recorded_for(connection, place.creator, place.day)
        if recorded is not None:
            db.snapshots.repin(connection, place, guidance.KIND, recorded.body, bench.now)
    return guidance.of_partition(bench)


@dataclass(frozen=True)
class Review:
    """What judges who were asked again say: their report, and the one that was in question."""

    report: VoteReport
    packet_id: str
    before: VoteReport | None

    @property
    def upheld(self) -> bool:
        """Whether they vote as they did."""
        return self.before is not None and (
            (self.report.ballots, self.report.rank) == (self.before.ballots, self.before.rank)
        )


def review(
    store: Store,
    atlas: Atlas,
    panel: Panel,
    candidate_id: str,
    *,
    question: str,
    occasion: ReviewOccasion,
    operator: str,
    now: str,
) -> Review:
    """Ask the judges again about a candidate, on the analysis and the guidance it was judged by.

    The request and the new report are recorded; nothing that was decided changes. `LookupError`
    for an id that no judged candidate has.
    """
    from omniva_dagster.resources.guidance import KIND, Guided
    from omniva_dagster.resources.sidecars import load_shown

    with store.read() as connection:
        packet = db.outbox.latest(connection, "ClipCandidate", candidate_id, "clip_candidates")
        found = db.outbox.by_id(connection, packet.parents[0]) if packet else None
        place = db.library.has_video(connection, found.subject_id) if found else None
        if packet is None or found is None or place is None:
            raise LookupError(
                f"{candidate_id} is no judged candidate and no clip; `omniva status` shows clips"
            )
        standing = db.outbox.latest(connection, "VoteReport", candidate_id, PRODUCER)
        pinned = db.snapshots.pinned(connection, place, KIND)
    analysis = Record(
        AnalysisResult.parse(found.payload),
        found.subject_id,
        derive_id("trace", found.subject_id),
        found.packet_id,
        found.subject_id,
    )
    seen, shown = load_shown(store, atlas, found.subject_id)
    batch = judge(analysis, seen, Guided(place, pinned or {}), panel, shown)
    request = ManualReviewRequest(
        request_id=str(uuid4()),
        candidate_ids=[candidate_id],
        occasion=occasion,
        question=question,
        requested_by=operator,
        **({"disputed_report": standing.payload["report_id"]} if standing else {}),
        evidence=[standing.packet_id] if standing else [packet.packet_id],
        requested_at=now,
    )
    return _asked_again(store, place, batch, request, standing, now)


def _asked_again(
    store: Store,
    place: Partition,
    batch: Batch,
    request: ManualReviewRequest,
    standing: db.outbox.Packet | None,
    now: str,
) -> Review:
    (candidate_id,) = request.candidate_ids
    with store.begin() as connection:
        asked = Recorder(connection, "operator", place, now).record(
            request,
            subject_id=candidate_id,
            trace_id=batch.analysis.trace_id,
            parents=request.evidence,
            video_id=batch.analysis.subject_id,
            occurrence=request.request_id,
        )
        again = tuple(
            replace(one, case=replace(one.case, evidence=(*one.case.evidence, asked.packet_id)))
            for one in batch.findings
        )
        reports = pantheon.reports(again, now)
        mine = next(one for one in reports if one.candidate_id == candidate_id)
        said = Recorder(connection, PRODUCER, place, now).record(
            mine,
            subject_id=candidate_id,
            trace_id=batch.analysis.trace_id,
            parents=mine.evidence,
            video_id=batch.analysis.subject_id,
            occurrence=mine.report_id,
        )
    before = VoteReport.parse(standing.payload) if standing else None
    return Review(said.document, said.packet_id, before)


def _reports(recorder: Recorder, batch: Batch) -> dict[str, Record[VoteReport]]:
    return {
        report.candidate_id: recorder.record(
            report,
            subject_id=report.candidate_id,
            trace_id=batch.analysis.trace_id,
            parents=report.evidence,
            video_id=batch.analysis.subject_id,
            producer=PRODUCER,
            occurrence=report.report_id,
        )
        for report in pantheon.reports(batch.findings, recorder.now)
    }


def _shortlist(
    recorder: Recorder, batch: Batch, reported: Mapping[str, Record[VoteReport]]
) -> Record[Shortlist] | None:
    said: Sequence[tuple[VoteReport, str]] = [
        (one.document, one.packet_id) for one in reported.values()
    ]
    best = pantheon.shortlist(
        batch.findings,
        said,
        recorder.now,
        video_id=batch.analysis.subject_id,
        clusters=batch.clusters,
        load=batch.load,
    )
    if best is None:
        return None
    return recorder.record(
        best,
        subject_id=batch.analysis.subject_id,
        trace_id=batch.analysis.trace_id,
        parents=best.evidence,
        video_id=batch.analysis.subject_id,
        producer=PRODUCER,
    )
