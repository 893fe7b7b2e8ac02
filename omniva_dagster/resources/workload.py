"""What waits, and what the workers have left: Lattice's view of the moment (4.4, Inputs)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.lattice import (
    PoolUtilization,
    QueueLoad,
    WorkloadSnapshot,
)
from omniva_dagster.contracts.ids import worker_id_of
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.engines import lattice
from omniva_dagster.resources.recovery.workers import WORKER_OF
from omniva_dagster.settings import Settings, WorkerPool
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    import dagster as dg
    import sqlalchemy as sa

RUNS = "runs"  # the queue of Dagster's run coordinator
EDIT = "edit"
JOB = "clip_pipeline"
_MOST_RUNS = 1000
# An outcome that has been open for longer is of a process that died.
_ALIVE = timedelta(hours=24)
# What a run takes a worker of speed 1, for lack of anything better known.
RUN_SECONDS = 600.0
_CREATOR_TAG, _DAY_TAG = "dagster/partition/creator", "dagster/partition/day"


@dataclass(frozen=True)
class WaitingRun:
    """A run of a partition that waits for its turn, or that has it."""

    run_id: str
    partition: Partition
    since: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Workload:
    """All that waits at a moment."""

    now: str
    waiting: tuple[WaitingRun, ...]
    working: tuple[WaitingRun, ...]
    queues: tuple[QueueLoad, ...]
    pools: tuple[lattice.Pool, ...]

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do anywhere."""
        return not self.waiting and not self.working and not any(one.depth for one in self.queues)

    def snapshot(self) -> WorkloadSnapshot:
        """The same as a document."""
        cpu, memory = _used()
        return WorkloadSnapshot(
            queues=list(self.queues),
            pools=[
                PoolUtilization(
                    pool=pool.name,
                    workers=pool.workers,
                    busy=min(pool.workers, len(self.working)),
                    cpu=cpu,
                    memory=memory,
                    gpu=0.0,
                )
                for pool in self.pools
            ],
            observed_at=self.now,
        )


def look(
    connection: sa.Connection, instance: dg.DagsterInstance | None, now: str, settings: Settings
) -> Workload:
    """The work that is open now; nothing that is over is read. Without an instance of Dagster,
    no runs wait."""
    waiting, working = _runs(instance) if instance is not None else ((), ())
    depth = _depth(instance, waiting)
    pools = pools_of(connection, now, settings, depth)
    queues = [
        QueueLoad(
            queue=RUNS,
            pool="orchestrator",
            depth=depth,
            sla_depth=settings.queue_sla_runs,
            oldest_seconds=max((_seconds(run.since, now) for run in waiting), default=0.0),
        ),
        *_of_workers(connection, now, settings),
    ]
    return Workload(
        now, waiting, working, tuple(sorted(queues, key=lambda load: load.queue)), pools
    )


def pools_of(
    connection: sa.Connection, now: str, settings: Settings, waiting: int = 0
) -> tuple[lattice.Pool, ...]:
    """The worker pools there are, and whether each is well."""
    from omniva_dagster.resources.recovery import reroutes_in_force

    rerouted = reroutes_in_force(connection, now)
    found = []
    for pool in settings.pools or _own():
        names = [worker_id_of(name) for name in (pool.name, "editor")]
        held = db.decisions.restrained(connection, names, now)
        # The encoder of the GPU failed, and Eclipse had work go around it.
        spoilt = pool.name.startswith("gpu") and "editor:encoder" in rerouted
        found.append(
            lattice.Pool(
                pool.name,
                pool.queue,
                frozenset({EDIT}),
                pool.workers,
                pool.speed,
                healthy=held is None and not spoilt,
            )
        )
    return tuple(sorted(found, key=lambda pool: pool.name))


def _own() -> Sequence[WorkerPool]:
    """This machine's pools, where none are configured."""
    workers = min(4, os.cpu_count() or 1)
    pools = [WorkerPool(name="cpu_editor", queue="dagster", workers=workers)]
    if Path("/dev/nvidia0").exists():
        pools.append(WorkerPool(name="gpu_editor", queue="cuda", workers=1, speed=4.0))
    return pools


def _runs(
    instance: dg.DagsterInstance,
) -> tuple[tuple[WaitingRun, ...], tuple[WaitingRun, ...]]:
    from dagster import DagsterRunStatus as Status

    working = _of_status(instance, Status.STARTING, Status.STARTED)
    return _of_status(instance, Status.QUEUED), working


def _of_status(
    instance: dg.DagsterInstance, *statuses: dg.DagsterRunStatus
) -> tuple[WaitingRun, ...]:
    """Runs of the pipeline, the oldest first. Of very many the oldest and the newest: a backfill of
    years does not hide who came after it."""
    from dagster import RunsFilter

    wanted = RunsFilter(job_name=JOB, statuses=list(statuses))
    records = list(instance.get_run_records(wanted, limit=_MOST_RUNS, ascending=True))
    if len(records) == _MOST_RUNS:
        last = records[-1].storage_id
        newest = instance.get_run_records(wanted, limit=_MOST_RUNS, ascending=False)
        records += [one for one in reversed(list(newest)) if one.storage_id > last]
    return tuple(
        WaitingRun(
            one.dagster_run.run_id,
            Partition(one.dagster_run.tags[_CREATOR_TAG], one.dagster_run.tags[_DAY_TAG]),
            format_timestamp(one.create_timestamp),
            one.dagster_run.tags,
        )
        for one in records
        if {_CREATOR_TAG, _DAY_TAG} <= one.dagster_run.tags.keys()
    )


def _depth(instance: dg.DagsterInstance | None, waiting: Sequence[WaitingRun]) -> int:
    """How many runs wait, those that were not looked at among them."""
    from dagster import DagsterRunStatus, RunsFilter

    if instance is None or len(waiting) < _MOST_RUNS:
        return len(waiting)
    wanted = RunsFilter(job_name=JOB, statuses=[DagsterRunStatus.QUEUED])
    return max(len(waiting), instance.get_runs_count(wanted))


def _of_workers(connection: sa.Connection, now: str, settings: Settings) -> list[QueueLoad]:
    oldest = format_timestamp(parse_timestamp(now) - _ALIVE)
    in_hand = [item for item in db.routing.open_work(connection) if item.since >= oldest]
    depth = Counter(WORKER_OF[item.stage] for item in in_hand if item.stage in WORKER_OF)
    since = {
        worker: min(item.since for item in in_hand if WORKER_OF.get(item.stage) == worker)
        for worker in depth
    }
    for worker, (count, first) in db.routing.retries(connection).items():
        if worker in WORKER_OF.values():
            depth[worker] += count
            since[worker] = min(first, since.get(worker, first))
    return [
        QueueLoad(
            queue=worker,
            pool=worker,
            depth=depth[worker],
            sla_depth=settings.queue_sla_runs,
            oldest_seconds=_seconds(since[worker], now) if worker in since else 0.0,
        )
        for worker in sorted(set(WORKER_OF.values()))
    ]


def _seconds(since: str, now: str) -> float:
    return max(0.0, (parse_timestamp(now) - parse_timestamp(since)).total_seconds())


def _used() -> tuple[float, float]:
    """Shares of this machine's processors and memory in use."""
    cpu = min(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    pages, free = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_AVPHYS_PAGES")
    return round(cpu, 3), round(min(1.0, max(0.0, 1 - free / pages)), 3)
