"""Which pool does a job: the one that would be done with it first, and can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from omniva_dagster.engines.lattice.ordering import Ranked

# A job moves for a gain of at least this share of its wait: no job goes to and fro.
_GAIN = 0.2
_CHANGED = 0.05


@dataclass(frozen=True)
class Pool:
    """A worker pool and the queue it serves. ``waiting_seconds`` is the work that waits there
    already, in seconds of one worker of speed 1."""

    name: str
    queue: str
    kinds: frozenset[str]
    workers: int = 1
    speed: float = 1.0
    healthy: bool = True
    waiting_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Seconds of work that it does in a second."""
        return self.workers * self.speed


@dataclass(frozen=True)
class Former:
    """What was advised before."""

    queue: str
    pool: str
    priority: float


@dataclass(frozen=True)
class Routed:
    """Where a job should go. ``delta`` is its priority's change; ``changed`` whether the advice
    is other than before."""

    ranked: Ranked
    pool: str
    queue: str
    delta: float
    changed: bool
    reason: str


def route(
    ranked: Sequence[Ranked],
    pools: Sequence[Pool],
    former: Mapping[str, Former] | None = None,
) -> list[Routed]:
    """Every job with its queue, in the same order. A pool that is not healthy, or has no workers,
    gets nothing while another can do the job. A job that no pool does is left out."""
    before = former or {}
    backlog = {pool.name: pool.waiting_seconds for pool in pools}
    by_kind: dict[str, list[Pool]] = {}
    found = []
    for item in ranked:
        kind = item.job.kind
        if kind not in by_kind:
            by_kind[kind] = _able(kind, pools)
        if not by_kind[kind]:
            continue
        standing = before.get(item.job.subject_id)
        pool, wait = _choose(item, by_kind[kind], backlog, standing)
        backlog[pool.name] += item.job.cost_seconds
        found.append(_routed(item, pool, wait, len(by_kind[kind]), standing))
    return found


def _able(kind: str, pools: Sequence[Pool]) -> list[Pool]:
    doing = sorted((pool for pool in pools if kind in pool.kinds), key=lambda pool: pool.name)
    up = [pool for pool in doing if pool.healthy and pool.rate > 0]
    # With none that is up, the work waits where it would be done.
    return up or doing


def _choose(
    item: Ranked, pools: Sequence[Pool], backlog: Mapping[str, float], standing: Former | None
) -> tuple[Pool, float]:
    def done_in(pool: Pool) -> float:
        # A pool without workers does nothing in any time.
        rate = pool.rate or 1e-9
        return backlog[pool.name] / rate + item.job.cost_seconds / (pool.speed or 1e-9)

    best = min(pools, key=lambda pool: (done_in(pool), pool.name))
    held = next((pool for pool in pools if standing and pool.name == standing.pool), None)
    if held is not None and done_in(held) * (1 - _GAIN) <= done_in(best):
        best = held
    return best, done_in(best)


def _routed(item: Ranked, pool: Pool, wait: float, choices: int, standing: Former | None) -> Routed:
    delta = round(item.priority - (standing.priority if standing else 0.5), 3)
    moved = standing is None or (standing.queue, standing.pool) != (pool.queue, pool.name)
    among = f" of {choices} pools" if choices > 1 else ""
    state = "" if pool.healthy and pool.workers else "; the pool is not up: it waits"
    return Routed(
        item,
        pool.name,
        pool.queue,
        delta,
        moved or abs(delta) >= _CHANGED,
        f"{pool.name} is done with it first{among}, in {wait:.0f} s{state}; {item.reason}",
    )
