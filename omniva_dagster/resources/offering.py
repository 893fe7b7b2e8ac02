"""What Zenith wants of Dagster, asked for: runs are launched and cancelled, each of them once.

A launch is noted as offered, in a transaction that only one daemon wins, before Dagster is asked.
Should the daemon die between the two, it is offered again when nobody has answered; should two runs
come of it after all, the second finds it claimed and ends. A run that fails before it claims (its
host is lost, its process does not start) is asked for again, a few times; then a person is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.engines import zenith
from omniva_dagster.resources.processes import PROCESS_TAG
from omniva_dagster.resources.sitting import Sitting
from omniva_dagster.settings import settings
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    import dagster as dg
    import sqlalchemy as sa

    from omniva_dagster.state.intents import Intent
    from omniva_dagster.state.store import Store

# The tags that Dagster gives the runs of a partition of creator and day.
_CREATOR_TAG, _DAY_TAG = "dagster/partition/creator", "dagster/partition/day"
# How long to wait, in seconds, before a run is asked for once more that ended before it began.
_WAITS = (60, 300)
# What the Dagster UI calls a run of assets that somebody chose.
_OF_ASSETS = "__ASSET_JOB"


@dataclass
class Offered:
    """What Dagster is asked for."""

    launches: list[Intent] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    settled: int = 0
    # What no run could be had for.
    given_up: list[Intent] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """In a line, for people."""
        said = f"{len(self.launches)} runs asked for, {len(self.cancelled)} cancelled"
        if not self.given_up:
            return said
        return f"{said}, {len(self.given_up)} given up: see the alerts"


def offer(store: Store, instance: dg.DagsterInstance, now: str, patience: int = 120) -> Offered:
    """Take up what is due. The caller launches ``launches``; cancels are carried out here.

    ``patience`` is after how many seconds a launch that no run has claimed is asked for again.
    """
    offered = cancel_runs(store, instance, now)
    before = format_timestamp(parse_timestamp(now) - timedelta(seconds=patience))
    with store.read() as connection:
        due = db.intents.due(connection, now, before)
    taken: set[Partition] = set()
    for intent in due:
        _launch(store, instance, intent, now, offered, taken)
    return offered


def cancel_runs(store: Store, instance: dg.DagsterInstance, now: str) -> Offered:
    """Cancel the runs in flight of what is held; a cancel is done when none is left."""
    offered = Offered()
    with store.read() as connection:
        cancels = db.intents.cancels(connection)
    for intent in cancels:
        _cancel(store, instance, intent, now, offered)
    return offered


def _launch(
    store: Store,
    instance: dg.DagsterInstance,
    intent: Intent,
    now: str,
    offered: Offered,
    taken: set[Partition],
) -> None:
    run = _run_of(instance, intent) if intent.offered_at else None
    with store.begin() as connection:
        if run is not None:
            # Asked for and there: it waits for its turn, or it ended before it did anything.
            if run.is_finished:
                _ended(connection, intent, run, now, offered)
            return
        # One day that Dagster does not know would fail the whole tick, and all that it asks for.
        if intent.partition.day < settings().start_day.isoformat():
            why = f"Dagster has no day before OMNIVA_START_DAY, {settings().start_day}"
            _give_up(connection, intent, why, now, offered)
            return
        if intent.partition.day > now[:10]:
            return
        if intent.partition in taken:
            # One run does what several were wanted for.
            db.intents.settle(connection, intent.intent_id, db.intents.VOID)
            offered.settled += 1
            return
        if _held(connection, intent.partition, now):
            return
        if db.intents.offer(connection, intent, now):
            taken.add(intent.partition)
            offered.launches.append(intent)


def _ended(
    connection: sa.Connection, intent: Intent, run: dg.DagsterRun, now: str, offered: Offered
) -> None:
    """A run ended that never claimed its intent: nothing of what was wanted is done."""
    from dagster import DagsterRunStatus

    if run.status is not DagsterRunStatus.FAILURE:
        # Somebody cancelled it: a person, who may, or a hold, which launches it when it is lifted.
        if db.intents.settle(connection, intent.intent_id, db.intents.VOID):
            offered.settled += 1
        return
    if intent.attempt <= len(_WAITS):
        wait = timedelta(seconds=_WAITS[intent.attempt - 1])
        db.intents.again(connection, intent, format_timestamp(parse_timestamp(now) + wait))
        return
    why = f"{intent.attempt} runs ended before they did anything, the last is {run.run_id}"
    _give_up(connection, intent, why, now, offered)


def _give_up(
    connection: sa.Connection, intent: Intent, why: str, now: str, offered: Offered
) -> None:
    """Void a launch that nothing comes of, and tell a person."""
    if not db.intents.settle(connection, intent.intent_id, db.intents.VOID):
        return
    offered.settled += 1
    offered.given_up.append(intent)
    ordered = db.decisions.get(connection, intent.directive_id)
    if ordered is None:
        return
    directive, packet_id = ordered
    creator, day = intent.partition.creator, intent.partition.day
    notice = zenith.Notice(
        intent.intent_id,
        f"no run of {creator}, {day} could be had",
        f"Zenith's {directive.kind.value} wants the partition {creator}, {day} worked on "
        f"({directive.reason[:1000]}), and it is not: {why}. See what keeps runs from starting "
        f"(omniva doctor, and Dagster's page of the run), then: omniva run --creator {creator} "
        f"--day {day}",
        Severity.CRITICAL,
        directive.subject_id,
        packet_id,
    )
    sitting = Sitting(connection, now).open()
    sitting.considered.append(packet_id)
    sitting.alert(notice, intent.partition)
    sitting.close()


def _cancel(
    store: Store, instance: dg.DagsterInstance, intent: Intent, now: str, offered: Offered
) -> None:
    subject_id = intent.tags.get(db.intents.SUBJECT, EVERYTHING)
    with store.read() as connection:
        held = db.decisions.restrained(connection, [subject_id], now)
    runs = _in_flight(instance, intent) if held is not None else []
    with store.begin() as connection:
        if not runs:
            state = db.intents.DONE if held is not None else db.intents.VOID
            db.intents.settle(connection, intent.intent_id, state)
            offered.settled += 1
            return
        db.intents.offer(connection, intent, now)
        for run in runs:
            if _CREATOR_TAG in run.tags and _DAY_TAG in run.tags:
                home = Partition(run.tags[_CREATOR_TAG], run.tags[_DAY_TAG])
                db.decisions.stopped(connection, subject_id, home)
    for run in runs:
        if instance.run_coordinator.cancel_run(run.run_id):
            offered.cancelled.append(run.run_id)


def _in_flight(instance: dg.DagsterInstance, intent: Intent) -> list[dg.DagsterRun]:
    """Runs of the held scope that were begun before it was held."""
    from dagster import RunsFilter
    from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

    creator = intent.partition.creator
    filters = RunsFilter(
        statuses=sorted(NOT_FINISHED_STATUSES, key=lambda status: status.value),
        tags={_CREATOR_TAG: creator} if creator else {},
        created_before=parse_timestamp(intent.not_before) + timedelta(seconds=1),
    )
    return [run for run in instance.get_runs(filters) if _is_ours(run, intent.job)]


def _is_ours(run: dg.DagsterRun, job: str) -> bool:
    """Whether a run works on a creator's day, and Dagster has launched it.

    A run of a command line ends by itself at the next document, and has no launcher to end it.
    """
    chosen = run.job_name.startswith(_OF_ASSETS) and _CREATOR_TAG in run.tags
    return (run.job_name == job or chosen) and PROCESS_TAG not in run.tags


def _run_of(instance: dg.DagsterInstance, intent: Intent) -> dg.DagsterRun | None:
    from dagster import RunsFilter

    tags = {db.intents.TAG: intent.intent_id}
    if intent.attempt > 1:
        tags[db.intents.ATTEMPT] = str(intent.attempt)
    found = instance.get_runs(RunsFilter(tags=tags), limit=1)
    return found[0] if found else None


def _held(connection: sa.Connection, partition: Partition, now: str) -> bool:
    scopes = [EVERYTHING, creator_id_of(partition.creator)]
    return db.decisions.restrained(connection, scopes, now) is not None
