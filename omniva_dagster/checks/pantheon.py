"""Pantheon on judged candidates: asked again, the judges say the same, and enough of them can see.

An error is a candidate whose votes do not come of its analysis and its guidance; a warning is one
that most judges could see nothing of. Dissent is shown, and holds nothing: it is what judges are
for.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets._common import cell, clock
from omniva_dagster.assets.analysis import clip_candidates
from omniva_dagster.checks._common import records_of
from omniva_dagster.contracts.analysis import AnalysisResult, ClipCandidate
from omniva_dagster.contracts.record import Record
from omniva_dagster.engines import pantheon
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources import judging
from omniva_dagster.resources.guidance import KIND, Guided
from omniva_dagster.resources.media import AtlasResource
from omniva_dagster.resources.sidecars import load_shown
from omniva_dagster.resources.state import StateResource, partition_of

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store

QUORUM = 3  # judges that must have seen something of a candidate
# Votes are rounded to six digits; a judge on another machine may round the other way.
_SAME = 2e-6

Votes = Mapping[str, float]


@dg.asset_check(
    asset=clip_candidates,
    name="pantheon",
    blocking=True,
    partitions_def=creator_day,
    description="Asked again, Pantheon's judges vote the same, and enough of them saw enough.",
)
def pantheon_check(
    context: dg.AssetCheckExecutionContext, state: StateResource, atlas: AtlasResource
) -> dg.AssetCheckResult:
    """ERROR where a vote is not what the judges say, a warning where too few could judge."""
    records: list[Record[ClipCandidate]] = records_of(clip_candidates, context, atlas.home)
    partition = partition_of(context.partition_key)
    with state.store.read() as connection:
        guided = Guided(partition, db.snapshots.pinned(connection, partition, KIND) or {})
    again: dict[str, pantheon.Finding] = {}
    for video_id in sorted({record.video_id for record in records}):
        again |= _asked_again(state.store, atlas, video_id, guided)
    wrong = [
        (record.subject_id, problem)
        for record in records
        if (problem := changed(record.document.pantheon_votes, again.get(record.subject_id)))
    ]
    few = [one for one in again.values() if seen_by(one) < QUORUM]
    return _verdict(records, again, wrong, few)


def changed(votes: Votes, finding: pantheon.Finding | None) -> str:
    """What the judges would say otherwise of a candidate; empty when they say the same."""
    if finding is None:
        return "is not among the candidates of its video's analysis"
    now = {one.agent: one.vote for one in finding.ballots}
    for name, value in now.items():
        if name not in votes:
            return f"{name} did not vote"
        if abs(votes[name] - value) > _SAME:
            return f"{name} voted {votes[name]:.6f} and would vote {value:.6f}"
    return ""


def seen_by(finding: pantheon.Finding) -> int:
    """How many judges saw anything of what they look at."""
    return sum(one.confidence > 0 for one in finding.ballots)


def _asked_again(
    store: "Store", atlas: AtlasResource, video_id: str, guided: Guided
) -> dict[str, pantheon.Finding]:
    from omniva_dagster.workers.analyzer.scores.judges import Panel

    found, shown = load_shown(store, atlas.store, video_id)
    result: AnalysisResult = found.result
    record = Record(result, video_id, "", "", video_id)
    # A registered judge keeps its word by itself: only the personas are asked again.
    nobody = Panel("", atlas.store.path("judges"))
    batch = judging.judge(record, found, guided, nobody, shown)
    return {one.candidate_id: one for one in batch.findings}


def _verdict(
    records: Sequence[Record[ClipCandidate]],
    again: Mapping[str, pantheon.Finding],
    wrong: Sequence[tuple[str, str]],
    few: Sequence[pantheon.Finding],
) -> dg.AssetCheckResult:
    split = [one for one in again.values() if len(one.dissent) > 1]
    shown: dict[str, Any] = {
        "looked_at": len(records),
        "votes_that_change": len(wrong),
        "without_quorum": len(few),
        "split_votes": len(split),
        "vetoed": sum(bool(one.vetoed_by) for one in again.values()),
        "votes": dg.MetadataValue.md(_table(records, again)),
    }
    if wrong:
        lines = [
            "| candidate | problem |",
            "|---|---|",
            *(f"| {who} | {why} |" for who, why in wrong),
        ]
        shown["findings"] = dg.MetadataValue.md("\n".join(lines))
    if wrong or few:
        shown["what_to_do"] = (
            "materialize clip_candidates again; promotions stay as they are"
            if wrong
            else "the analysis saw too little to judge by: look at the clip before it goes out, or "
            "hold it: omniva override hold <clip> --reason ..."
        )
    return dg.AssetCheckResult(
        passed=not wrong and not few,
        severity=dg.AssetCheckSeverity.ERROR if wrong else dg.AssetCheckSeverity.WARN,
        metadata=shown,
    )


def _table(records: Sequence[Record[ClipCandidate]], again: Mapping[str, pantheon.Finding]) -> str:
    lines = [
        "| span | candidate | consensus | against | vetoed by | ask again |",
        "|---|" + "---|" * 5,
    ]
    for record in sorted(records, key=lambda item: -item.document.lattice_priority):
        one, span = again.get(record.subject_id), record.document
        lines.append(
            f"| {clock(span.start_time)}–{clock(span.end_time)} | {record.subject_id} "
            f"| {pantheon.consensus(span.pantheon_votes):.2f} "
            f"| {cell(', '.join(one.dissent) if one else '')} "
            f"| {cell(', '.join(one.vetoed_by) if one else '')} "
            f"| `omniva review {record.subject_id} --question ...` |"
        )
    return "\n".join(lines)


PANTHEON_CHECKS = [pantheon_check]
