"""Lattice at work: it looks, advises, and remembers what it advised; Zenith makes it binding.

Advice is a packet with the next number of the routing sequence, taken in the packet's transaction.
Nothing is said twice: advice that would change nothing is not given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.lattice import PriorityDelta, RoutingIntent
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import creator_id_of, derive_id
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.engines import lattice
from omniva_dagster.resources.guidance import Guided, recorded_for
from omniva_dagster.resources.workbench import Recorder
from omniva_dagster.resources.workload import EDIT, RUN_SECONDS, WaitingRun, Workload, look
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    import dagster as dg
    import sqlalchemy as sa

    from omniva_dagster.settings import Settings
    from omniva_dagster.state.routing import Route
    from omniva_dagster.state.store import Store

PRODUCER = "lattice"
NOWHERE = Partition("", "")
PRIORITY_TAG, CELERY_PRIORITY_TAG = "dagster/priority", "dagster-celery/run_priority"
QUEUE_TAG, POOL_TAG = "dagster-celery/queue", "omniva/pool"
# What tells a priority given here from one that a person gave a run.
OURS_TAG = "omniva/priority"
# An operator's priority that leaves it to Lattice again.
_OPEN = 0.5
# What a run comes to that no advice was given about, and what each earlier run of the same creator
# takes from it.
_NEUTRAL, _TURN = 50, 5
# Celery's messages have priorities of 0 to 10, of which dagster-celery gives each step 5 and adds
# the run's; below 0 nothing can be sent (AMQP writes an octet).
_CELERY_MOST = 5
_ORDERS = (DirectiveKind.RESCHEDULE,)
# Routes in one transaction.
_AT_ONCE = 200
# Advice on a queue is of the moment.
_HOLDS = timedelta(hours=2)


@dataclass(frozen=True)
class Round:
    """What a look at all work came to."""

    looked: bool
    waiting: int
    crossings: tuple[str, ...] = ()
    advised: int = 0
    directives: int = 0
    retagged: int = 0

    @property
    def summary(self) -> str:
        """In a line, for people."""
        if not self.looked:
            return f"{self.waiting} runs wait; nothing crossed its threshold"
        crossed = f"; {', '.join(self.crossings)}" if self.crossings else ""
        return (
            f"{self.waiting} runs wait; {self.advised} routes advised, {self.directives} ordered, "
            f"{self.retagged} runs given a new priority{crossed}"
        )


def tick(
    store: Store,
    instance: dg.DagsterInstance | None,
    now: str,
    settings: Settings,
    *,
    always: bool = False,
) -> Round:
    """Look; advise when a threshold was crossed, when it is time, or ``always``; then give the runs
    that wait the priorities that Zenith ordered."""
    with store.read() as connection:
        load = look(connection, instance, now, settings)
        before = db.routing.backlogs_of(connection)
        last = db.cycles.last(connection, PRODUCER)
    above = {queue: item.above for queue, item in before.items()}
    watch = lattice.crossings(load.queues, above, now)
    oldest = format_timestamp(parse_timestamp(now) - timedelta(seconds=settings.routing_seconds))
    due = last is None or last.at <= oldest
    if not (always or due or watch.crossings):
        return Round(False, len(load.waiting))
    advised, directives = advise(store, load, settings, watch)
    retagged = retag(store, instance, load.waiting, now) if instance is not None else 0
    crossed = tuple(
        f"{item.queue} {item.direction.value} {item.threshold}" for item in watch.crossings
    )
    return Round(True, len(load.waiting), crossed, advised, directives, retagged)


def advise(
    store: Store, load: Workload, settings: Settings, watch: lattice.Watch | None = None
) -> tuple[int, int]:
    """Advise on a look at all work, and have Zenith decide on it; how many routes were advised, and
    how many directives came of them.

    So many routes at a time are one transaction, so that nobody waits long for it. Cut off between
    two, the next look advises on the rest.
    """
    with store.begin() as connection:
        # The turn: of two daemons, the second advises on what the first has said.
        db.cycles.begin(connection, PRODUCER, load.now)
        snapshot = _observe(connection, load, watch or lattice.Watch(frozenset(), ()))
    advised = directives = 0
    while snapshot:
        with store.begin() as connection:
            routes, ordered = _advise(connection, load, settings, snapshot)
        advised += routes
        directives += ordered
        if routes < _AT_ONCE:
            break
    return advised, directives


def _observe(connection: sa.Connection, load: Workload, watch: lattice.Watch) -> str:
    """Write down what was seen; the snapshot's packet, empty where there is nothing to see."""
    from omniva_dagster.state.routing import Backlog

    recorder = Recorder(connection, PRODUCER, NOWHERE, load.now)
    for item in load.queues:
        above = item.queue in watch.above
        db.routing.put_backlog(connection, Backlog(item.queue, item.depth, above, load.now))
    if load.idle and not watch.crossings:
        return ""
    subject = derive_id("workload", load.now)
    snapshot = recorder.record(load.snapshot(), subject_id=subject, trace_id=_trace(load.now))
    for crossing in watch.crossings:
        recorder.record(
            crossing,
            subject_id=derive_id("queue", crossing.queue),
            trace_id=_trace(load.now),
            parents=[snapshot.packet_id],
            occurrence=load.now,
        )
    return snapshot.packet_id


def _advise(
    connection: sa.Connection, load: Workload, settings: Settings, snapshot: str
) -> tuple[int, int]:
    """The most urgent advice that was not given yet, and Zenith's word on it."""
    from omniva_dagster.resources.desk import ZenithDesk

    routed = _route(connection, load, settings, snapshot)
    changed = [item for item in routed if item.changed][:_AT_ONCE]
    recorder = Recorder(connection, PRODUCER, NOWHERE, load.now)
    packets = write(recorder, changed, _trace(load.now))
    ordered = ZenithDesk().attend(connection, load.now, packets) if packets else []
    return len(packets), len(ordered)


def _trace(now: str) -> str:
    return derive_id("trace", PRODUCER, now[:10])


def _route(
    connection: sa.Connection, load: Workload, settings: Settings, snapshot: str
) -> list[lattice.Routed]:
    """Each creator whose runs wait, as one job: its oldest run, its goals, what it had lately."""
    by_creator: dict[str, list[WaitingRun]] = defaultdict(list)
    for run in load.waiting:
        by_creator[run.partition.creator].append(run)
    served: dict[str, float] = defaultdict(float)
    for run in load.working:
        served[run.partition.creator] += 1
    jobs = []
    for creator, runs in sorted(by_creator.items()):
        order = db.decisions.in_force(connection, creator_id_of(creator), _ORDERS)
        if order is not None and order[0].target is None and order[0].priority != _OPEN:
            continue  # an operator said how urgent it is
        recorded = recorded_for(connection, creator, load.now[:10])
        guided = Guided(NOWHERE, recorded.body if recorded else {})
        oldest = min(run.since for run in runs)
        waited = (parse_timestamp(load.now) - parse_timestamp(oldest)).total_seconds()
        evidence = (snapshot, *([guided.body["packets"]["gradients"]] if recorded else []))
        jobs.append(
            lattice.Job(
                creator_id_of(creator),
                creator,
                EDIT,
                0.0,
                max(0.0, waited),
                guided.pull,
                RUN_SECONDS * len(runs),
                evidence,
            )
        )
    ranked = lattice.rank(jobs, settings.queue_sla_seconds, served)
    known = db.routing.routes_of(connection, [job.subject_id for job in jobs])
    return lattice.route(ranked, load.pools, _former(known))


def write(recorder: Recorder, routed: Sequence[lattice.Routed], trace_id: str) -> list[str]:
    """Record the advice that is other than before; the packets of the routes."""
    from omniva_dagster.state.routing import Route

    changed = [item for item in routed if item.changed]
    if not changed:
        return []
    number = db.routing.next_sequence(recorder.connection, 2 * len(changed))
    packets = []
    for item in changed:
        job = item.ranked.job
        here = Recorder(recorder.connection, PRODUCER, Partition(job.creator, ""), recorder.now)
        delta = PriorityDelta(
            routing_sequence=number,
            subject_id=job.subject_id,
            delta=item.delta,
            reason=item.ranked.reason,
            evidence=list(job.evidence),
            issued_at=recorder.now,
        )
        intent = RoutingIntent(
            routing_sequence=number + 1,
            subject_id=job.subject_id,
            queue=item.queue,
            pool=item.pool,
            priority=item.ranked.priority,
            reason=item.reason,
            evidence=list(job.evidence),
            issued_at=recorder.now,
        )
        number += 2
        for document in (delta, intent):
            record = here.record(
                document,
                subject_id=job.subject_id,
                trace_id=trace_id,
                parents=job.evidence,
                occurrence=str(document.routing_sequence),
            )
        packets.append(record.packet_id)
        db.routing.put_route(
            recorder.connection,
            Route(
                job.subject_id,
                item.queue,
                item.pool,
                item.ranked.priority,
                intent.routing_sequence,
                record.packet_id,
                here.partition,
                recorder.now,
            ),
        )
    return packets


def run_tags(connection: sa.Connection, creator: str, now: str, turn: int = 0) -> dict[str, str]:
    """The tags of a creator's run: how urgent it is among those that wait, and the queue and pool
    that Zenith ordered. ``turn`` is how many runs of the same creator go before it."""
    found = db.decisions.in_force(connection, creator_id_of(creator), _ORDERS)
    return tags_of(found[0] if found else None, now, turn)


def tags_of(directive: Directive | None, now: str, turn: int = 0) -> dict[str, str]:
    """The same from the directive in force. A route holds for a while only; an operator's word,
    which names no queue, until the next one."""
    oldest = format_timestamp(parse_timestamp(now) - _HOLDS)
    if directive is not None and directive.target and directive.issued_at < oldest:
        directive = None
    share = directive.priority if directive and directive.priority is not None else _NEUTRAL / 100
    level = round(100 * share) - _TURN * turn
    tags = {
        PRIORITY_TAG: str(level),
        CELERY_PRIORITY_TAG: str(max(0, min(_CELERY_MOST, round(level * _CELERY_MOST / 100)))),
        OURS_TAG: "lattice",
    }
    if directive is not None and directive.target:
        queue, _, pool = directive.target.partition("/")
        tags |= {QUEUE_TAG: queue, POOL_TAG: pool or queue}
    return tags


def retag(
    store: Store, instance: dg.DagsterInstance, waiting: Sequence[WaitingRun], now: str
) -> int:
    """Give runs that wait the tags that follow from what is ordered; how many changed."""
    turns: dict[str, int] = defaultdict(int)
    changed = 0
    with store.read() as connection:
        orders = {
            creator: db.decisions.in_force(connection, creator_id_of(creator), _ORDERS)
            for creator in {run.partition.creator for run in waiting}
        }
    # A creator's newest day first, as the schedule asks for them.
    for run in sorted(
        waiting, key=lambda one: (one.partition.day, one.since, one.run_id), reverse=True
    ):
        creator = run.partition.creator
        order = orders[creator]
        wanted = tags_of(order[0] if order else None, now, turns[creator])
        turns[creator] += 1
        if PRIORITY_TAG in run.tags and OURS_TAG not in run.tags:
            continue  # whoever launched it said how urgent it is
        if any(run.tags.get(name) != value for name, value in wanted.items()):
            instance.add_run_tags(run.run_id, wanted)
            changed += 1
    return changed


def _former(known: Mapping[str, Route]) -> dict[str, lattice.Former]:
    return {
        subject: lattice.Former(route.queue, route.pool, route.priority)
        for subject, route in known.items()
    }
