"""The best of a batch, of which each says something else (4.6, Expected Behavior).

Best first, by the priority that Zenith promotes by. What is about the same as better ones, by
Lattice's word, goes back by little; what says again what a better one says, by its embedding, is
set aside and named. That is greedy choice by marginal relevance (Carbonell and Goldstein, "The Use
of MMR", 1998) with a bound in place of a weight, so that it can be said in a sentence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.cognition.pantheon import (
    RankedCandidate,
    SetAside,
    Shortlist,
    VoteReport,
)
from omniva_dagster.engines.pantheon.likeness import likeness
from omniva_dagster.engines.pantheon.panel import Finding

SHORTLIST = 10
# However much waits, so many are shown.
_FEWEST = 3
# What each candidate about the same thing that stands before it costs one on the shortlist.
SAME_AGAIN = 0.05
# From this cosine of their embeddings on, of two candidates the lesser is left out. Of stretches of
# eight sentences, those that share none came to 0.54 at most, those that share six to 0.84.
TOO_LIKE = 0.8
# So many are compared with those on the shortlist, whatever the size of the batch.
_LOOKED_AT = 64
ORDERED_BY = (
    "priority, less 0.05 for each better one of the same cluster; ties: the earlier span, then the "
    f"smaller id; none that was vetoed or whose likeness to a better one is {TOO_LIKE} or more"
)


@dataclass(frozen=True, slots=True)
class Load:
    """What waits for those who are to make clips of a shortlist, as Lattice saw it."""

    queue: str
    depth: int
    sla_depth: int
    packet_id: str

    @property
    def room(self) -> int:
        """How many a shortlist may hold: fewer, the further the queue is beyond what may wait."""
        if self.depth <= self.sla_depth:
            return SHORTLIST
        return max(_FEWEST, SHORTLIST * self.sla_depth // self.depth)

    @property
    def limit(self) -> str | None:
        """Why that is fewer than usual, in words; None where it is not."""
        if self.room == SHORTLIST:
            return None
        return (
            f"{self.room} in place of {SHORTLIST}: {self.depth} wait for the {self.queue}, where "
            f"{self.sla_depth} may"
        )


def shortlist(
    findings: Sequence[Finding],
    reported: Sequence[tuple[VoteReport, str]],
    now: str,
    *,
    video_id: str | None = None,
    clusters: Mapping[str, str] | None = None,
    load: Load | None = None,
) -> Shortlist | None:
    """The best of a batch, of different things where it has them; None where all are vetoed.

    What is too like a better one is set aside, and named. ``reported`` are the reports of the
    findings with their packets; ``clusters`` is Lattice's word on which candidates are about the
    same thing, by candidate; where much waits already (``load``), fewer are surfaced.
    """
    most = load.room if load else SHORTLIST
    packets = {report.candidate_id: (report, packet_id) for report, packet_id in reported}
    best, aside = _chosen(_by_worth(findings, clusters or {}), most)
    if not best:
        return None
    left = [_set_aside(one, better, alike) for one, better, alike in aside]
    return Shortlist(
        batch_id=packets[best[0][0].candidate_id][0].batch_id,
        candidates=[
            RankedCandidate(
                candidate_id=one.candidate_id,
                report_id=packets[one.candidate_id][0].report_id,
                consensus=one.stated_consensus,
                justification=_why(one, before, sum(better is one for _, better, _ in aside)),
            )
            for one, before in best
        ],
        ordered_by=ORDERED_BY,
        evidence=[
            *(packets[one.candidate_id][1] for one, _ in best),
            *(packets[one.candidate_id][1] for one, _, _ in aside),
            *([load.packet_id] if load else []),
        ],
        generated_at=now,
        **given(video_id=video_id, set_aside=left or None, limited_by=load.limit if load else None),
    )


# A finding with how many better ones are about the same thing.
_Placed = tuple[Finding, int]


def _by_worth(findings: Sequence[Finding], clusters: Mapping[str, str]) -> list[_Placed]:
    """Who may be on the shortlist, best first."""
    seen: defaultdict[str, int] = defaultdict(int)
    worth: list[tuple[float, Finding, int]] = []
    for one in sorted(findings, key=lambda found: found.rank):
        if one.vetoed_by:
            continue
        label = clusters.get(one.candidate_id, "")
        before = seen[label] if label else 0
        seen[label] += 1
        worth.append((round(one.priority - SAME_AGAIN * before, 6), one, before))
    worth.sort(key=lambda item: (-item[0], item[1].rank))
    return [(one, before) for _, one, before in worth]


def _chosen(
    placed: Sequence[_Placed], most: int
) -> tuple[list[_Placed], list[tuple[Finding, Finding, float]]]:
    """The first ``most`` that say something else each; and those passed over on the way, each with
    the one that says it already."""
    best: list[_Placed] = []
    aside: list[tuple[Finding, Finding, float]] = []
    for one, before in placed[: most + _LOOKED_AT]:
        if len(best) == most:
            break
        alike = [(likeness(one.case.vector, other.case.vector), other) for other, _ in best]
        nearest = max(alike, key=lambda item: item[0], default=None)
        if nearest is not None and nearest[0] >= TOO_LIKE:
            aside.append((one, nearest[1], nearest[0]))
        else:
            best.append((one, before))
    return best, aside


def _set_aside(one: Finding, better: Finding, alike: float) -> SetAside:
    return SetAside(
        candidate_id=one.candidate_id,
        like=better.candidate_id,
        likeness=alike,
        reason=f"number {one.rank} says again what number {better.rank} says: likeness "
        f"{alike:.2f}, from {TOO_LIKE} on the lesser one makes room",
    )


def _why(one: Finding, before: int, aside: int) -> str:
    again = f"; {before} better ones are about the same thing" if before else ""
    for_them = f"; {aside} lesser ones that say the same make room for it" if aside else ""
    return (one.justification + again + for_them)[:2000]
