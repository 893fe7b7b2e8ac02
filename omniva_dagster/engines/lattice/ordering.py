"""What is done first: worth, age and goals against what its creator has had already.

The value of a job is a sum that can be said in a sentence: its worth, how late it is, how the goals
pull, less a share for every job of the same creator before it. A creator with five hundred jobs
waits behind itself, not in front of everybody; whoever waits gains without bound, so that nobody
waits for ever.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

WORTH = 0.6  # of a job whose score is 1
PULL = 0.4  # of a job that the goals want most
TURN = 0.15  # what each job of the same creator before it costs
_DIGITS = 3


@dataclass(frozen=True)
class Job:
    """Work that waits. ``score`` is its worth in [0, 1], ``pull`` how the goals draw it in
    [-1, 1], ``cost_seconds`` what it takes one worker of speed 1."""

    subject_id: str
    creator: str
    kind: str
    score: float = 0.5
    waited_seconds: float = 0.0
    pull: float = 0.0
    cost_seconds: float = 60.0
    evidence: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Ranked:
    """A job with its place: ``value`` orders, ``priority`` is the same in [0, 1]."""

    job: Job
    value: float
    priority: float
    reason: str


def rank(
    jobs: Sequence[Job], sla_seconds: float, served: Mapping[str, float] | None = None
) -> list[Ranked]:
    """All jobs, the first to do first; in whatever order they come in.

    ``served`` is what each creator has in hand or had lately, in jobs.
    """
    had = served or {}
    by_creator: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        by_creator[job.creator].append(job)
    ranked = []
    for creator, own in by_creator.items():
        own.sort(key=lambda job: (-_own(job, sla_seconds), job.subject_id))
        for turn, job in enumerate(own):
            ranked.append(_ranked(job, sla_seconds, turn + had.get(creator, 0.0)))
    ranked.sort(key=lambda item: (-item.value, -item.job.waited_seconds, item.job.subject_id))
    return ranked


def semantic_load(subjects: Sequence[Sequence[str]]) -> list[float]:
    """How much each of a row of subjects repeats what stands before it, in [0, 1): the share of its
    words that were met already, each counting less the rarer it was met."""
    met: dict[str, int] = defaultdict(int)
    loads = []
    for tags in subjects:
        words = sorted({word for tag in tags for word in tag.casefold().split()})
        repeated = sum(met[word] / (1 + met[word]) for word in words)
        loads.append(round(repeated / len(words), _DIGITS) if words else 0.0)
        for word in words:
            met[word] += 1
    return loads


def _own(job: Job, sla_seconds: float) -> float:
    return WORTH * job.score + PULL * job.pull + job.waited_seconds / sla_seconds


def _ranked(job: Job, sla_seconds: float, turn: float) -> Ranked:
    late = job.waited_seconds / sla_seconds
    value = round(_own(job, sla_seconds) - TURN * turn, _DIGITS)
    reason = f"worth {WORTH * job.score:.2f}, waited {late:.2f} of what it may"
    if job.pull:
        reason += f", goals {PULL * job.pull:+.2f}"
    if turn:
        reason += f", {turn:.0f} of {job.creator} before it -{TURN * turn:.2f}"
    return Ranked(job, value, _bounded(value), reason)


def _bounded(value: float) -> float:
    """Any value as one in (0, 1), in the same order."""
    return round((1 + value / (1 + abs(value))) / 2, _DIGITS)
