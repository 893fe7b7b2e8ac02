"""A simulated day of bursts: a hundred creators, two pools, and a policy that shares them out."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from omniva_dagster.engines.lattice import Job, Pool, Ranked, rank, route

DAY = 86_400.0
SLA_SECONDS = 1800.0
POOLS = (
    Pool("cpu_editor", "cpu", frozenset({"edit"}), workers=4, speed=1.0),
    Pool("gpu_editor", "cuda", frozenset({"edit"}), workers=2, speed=3.0),
)
SLA_DEPTH = {"cpu": 200, "cuda": 200}
SERVED_SECONDS = 3600.0


@dataclass(frozen=True)
class Arrival:
    at: float
    creator: str
    score: float
    cost: float
    number: int


@dataclass
class Day:
    """What came of a day."""

    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    deepest: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    over: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    done: int = 0

    def wait(self, creators: Sequence[str], share: float) -> float:
        """The wait that this share of the creators' jobs did not exceed."""
        waits = sorted(wait for creator in creators for wait in self.waits[creator])
        return waits[min(len(waits) - 1, int(share * len(waits)))]


def arrivals(seed: int, creators: int = 100, daily: float = 36.0) -> list[Arrival]:
    """Poisson arrivals of every creator, an hour in which all have thrice as much, and three
    creators who each bring three hundred jobs at a stroke."""
    rng = random.Random(seed)
    times: list[tuple[float, str]] = []
    for number in range(creators):
        at = 0.0
        while True:
            rate = daily / DAY * (3.0 if 12 * 3600 <= at < 13 * 3600 else 1.0)
            at += rng.expovariate(rate)
            if at >= DAY:
                break
            times.append((at, f"creator-{number:03}"))
    for hour, number in ((6, 0), (13, 1), (18, 2)):
        times += [(hour * 3600.0, f"creator-{number:03}")] * 300
    times.sort()
    return [
        Arrival(at, creator, rng.random(), rng.uniform(60, 180), number)
        for number, (at, creator) in enumerate(times)
    ]


# The place of the job to do next.
Order = Callable[[Sequence[Arrival], float, Mapping[str, float]], int]


def fifo(jobs: Sequence[Arrival], _now: float, _served: Mapping[str, float]) -> int:
    """The control: whoever came first."""
    return min(range(len(jobs)), key=lambda place: jobs[place].number)


def lattice(jobs: Sequence[Arrival], now: float, served: Mapping[str, float]) -> int:
    """Lattice's order."""
    ranked = rank([_job(item, now) for item in jobs], SLA_SECONDS, served)
    first = int(ranked[0].job.subject_id)
    return next(place for place, item in enumerate(jobs) if item.number == first)


def one_queue(job: Job, _waiting: Mapping[str, float]) -> str:
    """The control: all work goes where there is a GPU, as an asset's fixed tag has it."""
    return "gpu_editor"


def routed(job: Job, waiting: Mapping[str, float]) -> str:
    """Lattice's route."""
    pools = [
        Pool(p.name, p.queue, p.kinds, p.workers, p.speed, True, waiting[p.name]) for p in POOLS
    ]
    (found,) = route([Ranked(job, 0.0, 0.5, "")], pools)
    return found.pool


def simulate(
    jobs: Sequence[Arrival], order: Order, choose: Callable[[Job, Mapping[str, float]], str]
) -> Day:
    """The day under a policy."""
    day = Day()
    waiting: dict[str, list[Arrival]] = {pool.name: [] for pool in POOLS}
    seconds: dict[str, float] = {pool.name: 0.0 for pool in POOLS}
    free = {pool.name: pool.workers for pool in POOLS}
    busy: list[tuple[float, int, str]] = []
    served: dict[str, deque[float]] = defaultdict(deque)
    looked = 0.0
    pending = deque(jobs)
    while pending or busy:
        arrives = bool(pending) and (not busy or pending[0].at <= busy[0][0])
        now = pending[0].at if arrives else busy[0][0]
        for pool in POOLS:
            if len(waiting[pool.name]) > SLA_DEPTH[pool.queue]:
                day.over[pool.queue] += now - looked
        looked = now
        if arrives:
            item = pending.popleft()
            name = choose(_job(item, now), seconds)
            waiting[name].append(item)
            seconds[name] += item.cost
        else:
            _, _, name = heapq.heappop(busy)
            free[name] += 1
            day.done += 1
        for pool in POOLS:
            queue = waiting[pool.name]
            day.deepest[pool.queue] = max(day.deepest[pool.queue], len(queue) - free[pool.name])
            while free[pool.name] and queue:
                item = queue.pop(order(queue, now, _recent(served, now)))
                seconds[pool.name] -= item.cost
                free[pool.name] -= 1
                served[item.creator].append(now)
                day.waits[item.creator].append(now - item.at)
                heapq.heappush(busy, (now + item.cost / pool.speed, item.number, pool.name))
    return day


def _recent(served: Mapping[str, deque[float]], now: float) -> dict[str, float]:
    counts = {}
    for creator, times in served.items():
        while times and times[0] < now - SERVED_SECONDS:
            times.popleft()
        if times:
            counts[creator] = float(len(times))
    return counts


def _job(item: Arrival, now: float) -> Job:
    return Job(f"{item.number:06}", item.creator, "edit", item.score, now - item.at, 0.0, item.cost)
