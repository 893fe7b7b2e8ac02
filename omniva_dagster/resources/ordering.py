"""What a run does first: Lattice orders the videos that enter analysis and the clips that are cut.

Only the order of work changes. What an asset returns stays in the order it was given, so that its
bytes do not depend on who was first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from omniva_dagster import state as db
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.lattice import ClusteringHint, PriorityDelta
from omniva_dagster.contracts.decisions import OutcomeStatus
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.video import VideoAsset
from omniva_dagster.engines import horizon, lattice
from omniva_dagster.resources.guidance import Guided
from omniva_dagster.resources.workbench import Recorder, Workbench

PRODUCER = "lattice"
ANALYZE, EDIT = "analyze", "edit"
D = TypeVar("D", bound=Document)
# Within a run everything waits alike.
_SLA_SECONDS = 3600.0
_RETRIED = 0.3  # what every failed attempt takes from a video's worth
_CHANGED = 0.05
_NEUTRAL = 0.5
_MOST = 1000


def videos_in_order(
    bench: Workbench, videos: Sequence[Record[VideoAsset]], guided: Guided
) -> list[Record[VideoAsset]]:
    """Videos as they are to enter analysis: subjects that are wanted first, then those that say
    something new beside the others; what failed before gives its place to what did not."""
    if len(videos) < 2:
        return list(videos)
    by_id = sorted(videos, key=lambda record: record.subject_id)
    tags = [(*record.document.tags, record.document.title) for record in by_id]
    loads = lattice.semantic_load(tags)
    with bench.store.read() as connection:
        jobs = [
            lattice.Job(
                record.subject_id,
                bench.partition.creator,
                ANALYZE,
                _worth(1 - load, _failures(connection, bench.stage, record.subject_id)),
                0.0,
                _pull(guided, about),
                record.document.duration_seconds,
                (record.packet_id,),
            )
            for record, about, load in zip(by_id, tags, loads, strict=True)
        ]
    return _ordered(bench, videos, jobs)


def clips_in_order(bench: Workbench, clips: Sequence[Record[D]], guided: Guided) -> list[Record[D]]:
    """Clips as they are to be cut: by Lattice's priority of their candidates, and the goals."""
    if len(clips) < 2:
        return list(clips)
    jobs = []
    with bench.store.read() as connection:
        for record in clips:
            pinned = db.decisions.promotion(connection, record.subject_id)
            candidate = pinned.candidate if pinned else None
            jobs.append(
                lattice.Job(
                    record.subject_id,
                    bench.partition.creator,
                    EDIT,
                    candidate.lattice_priority if candidate else 0.0,
                    0.0,
                    _pull(guided, candidate.semantic_tags if candidate else ()),
                    evidence=(record.packet_id,),
                )
            )
    return _ordered(bench, clips, jobs, record=False)


def as_given(records: Sequence[Record[Any]], given: Sequence[Record[Any]]) -> list[Record[Any]]:
    """Records back in the order of what they were made from, by subject."""
    place = {record.subject_id: index for index, record in enumerate(given)}
    return sorted(records, key=lambda record: place[record.subject_id])


def on_candidates(
    bench: Workbench, candidates: Sequence[Record[ClipCandidate]], guided: Guided
) -> int:
    """Advise on a batch of candidates: which belong together, and which the goals draw; in one
    transaction, each advice once. How many packets came of it."""
    members = [
        lattice.Member(
            record.subject_id,
            tuple(record.document.semantic_tags),
            packet_id=record.packet_id,
            weight=record.document.confidence,
        )
        for record in candidates
    ]
    trace = {record.subject_id: record.trace_id for record in candidates}
    with bench.store.begin() as connection:
        recorder = bench.recorder(connection)
        said = [
            _hint(recorder, cluster, trace[cluster.candidate_ids[0]])
            for cluster in lattice.cluster(members)
        ]
        drawn = [] if guided.neutral else _drawn(recorder, candidates, guided)
        return sum(said) + len(drawn)


def _hint(recorder: Recorder, cluster: lattice.Cluster, trace_id: str) -> bool:
    subject = derive_id("cluster", *sorted(cluster.candidate_ids))
    if db.outbox.latest(recorder.connection, ClusteringHint.__name__, subject) is not None:
        return False
    number = db.routing.next_sequence(recorder.connection)
    hint = ClusteringHint(
        routing_sequence=number,
        cluster=cluster.label,
        candidate_ids=list(cluster.candidate_ids)[:_MOST],
        terms=list(cluster.terms),
        coherence=cluster.coherence,
        evidence=list(cluster.evidence)[:_MOST],
        issued_at=recorder.now,
    )
    recorder.record(
        hint,
        subject_id=subject,
        trace_id=trace_id,
        parents=hint.evidence,
        producer=PRODUCER,
        occurrence=str(number),
    )
    return True


def _drawn(
    recorder: Recorder, candidates: Sequence[Record[ClipCandidate]], guided: Guided
) -> list[str]:
    """Priority deltas of the candidates that the goals draw or put off."""
    jobs = [
        lattice.Job(
            record.subject_id,
            recorder.partition.creator,
            EDIT,
            record.document.lattice_priority,
            pull=_pull(guided, record.document.semantic_tags),
            evidence=(record.packet_id, *guided.packet_ids[:1]),
        )
        for record in candidates
        if guided.desirability(record.document.semantic_tags) != horizon.NEUTRAL
    ]
    return _deltas(recorder, lattice.rank(jobs, _SLA_SECONDS))


def _ordered(
    bench: Workbench,
    records: Sequence[Record[D]],
    jobs: Sequence[lattice.Job],
    *,
    record: bool = True,
) -> list[Record[D]]:
    ranked = lattice.rank(jobs, _SLA_SECONDS)
    place = {item.job.subject_id: index for index, item in enumerate(ranked)}
    if record:
        with bench.store.begin() as connection:
            _deltas(bench.recorder(connection), ranked)
    return sorted(records, key=lambda item: place[item.subject_id])


def _deltas(recorder: Recorder, ranked: Sequence[lattice.Ranked]) -> list[str]:
    """Priority deltas of what is more or less urgent than when it was last advised on."""
    subjects = [item.job.subject_id for item in ranked]
    known = db.routing.routes_of(recorder.connection, subjects)
    before = {subject: known[subject].priority for subject in subjects if subject in known}
    changed = [
        item
        for item in ranked
        if abs(item.priority - before.get(item.job.subject_id, _NEUTRAL)) >= _CHANGED
    ]
    if not changed:
        return []
    number = db.routing.next_sequence(recorder.connection, len(changed))
    packets = []
    for sequence, item in enumerate(changed, number):
        job = item.job
        delta = PriorityDelta(
            routing_sequence=sequence,
            subject_id=job.subject_id,
            delta=round(item.priority - before.get(job.subject_id, _NEUTRAL), 3),
            reason=item.reason,
            evidence=list(job.evidence),
            issued_at=recorder.now,
        )
        said = recorder.record(
            delta,
            subject_id=job.subject_id,
            trace_id=derive_id("trace", job.subject_id),
            parents=job.evidence,
            producer=PRODUCER,
            occurrence=str(sequence),
        )
        packets.append(said.packet_id)
        db.routing.put_route(
            recorder.connection,
            db.routing.Route(
                job.subject_id,
                "",
                job.kind,
                item.priority,
                sequence,
                said.packet_id,
                recorder.partition,
                recorder.now,
            ),
        )
    return packets


def _failures(connection: Any, stage: str, subject_id: str) -> int:
    outcome = db.outcomes.get(connection, stage, subject_id)
    return outcome.attempt if outcome and outcome.status is OutcomeStatus.ERROR else 0


def _worth(novelty: float, failures: int) -> float:
    return max(0.0, novelty - _RETRIED * failures)


def _pull(guided: Guided, tags: Sequence[str]) -> float:
    """How the goals draw what is about these tags, in [-1, 1]."""
    return round(2 * (guided.desirability(tags) - horizon.NEUTRAL), 3)
