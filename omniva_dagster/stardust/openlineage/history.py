"""How a run of Dagster's and each of its steps went, gathered from its mirrored events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from omniva_dagster.contracts.cognition.stardust import DagsterEvent, DagsterEventKind
from omniva_dagster.contracts.types import parse_timestamp
from omniva_dagster.stardust.openlineage.reading import Mirrored

Kind = DagsterEventKind
_PLANS = {Kind.ASSET_MATERIALIZATION_PLANNED, Kind.ASSET_CHECK_EVALUATION_PLANNED}
_DONE = {Kind.ASSET_MATERIALIZATION, Kind.ASSET_CHECK_EVALUATION}
_OF_STEPS = _PLANS | _DONE | {Kind.ASSET_FAILED_TO_MATERIALIZE}


class State(StrEnum):
    """The transitions that an event can tell of."""

    START = "START"
    COMPLETE = "COMPLETE"
    FAIL = "FAIL"
    ABORT = "ABORT"


_ENDS = {
    Kind.RUN_SUCCESS: State.COMPLETE,
    Kind.RUN_FAILURE: State.FAIL,
    Kind.RUN_CANCELED: State.ABORT,
}


@dataclass(frozen=True, order=True)
class StepName:
    """A step's part in a run: an asset's partition, a check of it, or a step that has neither."""

    asset: str = ""
    check: str = ""
    partition: str = ""
    op: str = ""


@dataclass
class Step:
    """How that part went; ``state`` is how it ended, ``None`` while it has not.

    ``start`` is what tells best when it began, ``end`` what tells of its end.
    """

    plan: Mirrored | None = None
    start: Mirrored | None = None
    state: State | None = None
    end: Mirrored | None = None
    error: str = ""

    @property
    def key(self) -> str:
        """Dagster's step."""
        told = (row.event.step_key for row in (self.end, self.start, self.plan) if row is not None)
        return next((key for key in told if key), "")


@dataclass
class Run:
    """How a run went, and what was logged of its steps, by their keys."""

    first: Mirrored
    start: Mirrored | None = None
    state: State | None = None
    end: Mirrored | None = None
    steps: dict[StepName, Step] = field(default_factory=dict)
    starts: dict[str, Mirrored] = field(default_factory=dict)
    successes: dict[str, Mirrored] = field(default_factory=dict)
    failures: dict[str, Mirrored] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Dagster's."""
        return self.first.event.run_id or ""

    @property
    def began(self) -> bool:
        """Whether it did: what waits in a queue may never."""
        running = self.start is not None and self.start.event.kind == Kind.RUN_START
        return running or self.end is not None or bool(self.steps)

    @property
    def job(self) -> str:
        """Dagster's job."""
        return self.first.event.job_name or ""


def gathered(rows: Sequence[Mirrored]) -> Run:
    """The run that events are of, which are in the order of their times."""
    run = Run(rows[0])
    for row in rows:
        _note(run, row)
    _share_plans(run)
    _name_others(run)
    for step in run.steps.values():
        _settle(run, step)
    # What was planned and never came to its turn did not run.
    run.steps = {name: step for name, step in run.steps.items() if step.start is not None}
    return run


def _note(run: Run, row: Mirrored) -> None:
    kind, key = row.event.kind, row.event.step_key or ""
    if kind in _ENDS:
        run.state, run.end = _ENDS[kind], row
    elif kind == Kind.RUN_START or (kind == Kind.RUN_ENQUEUED and run.start is None):
        run.start = row
    elif kind == Kind.STEP_START:
        run.starts.setdefault(key, row)
    elif kind == Kind.STEP_SUCCESS:
        run.successes[key] = row
    elif kind == Kind.STEP_FAILURE:
        run.failures[key] = row
    elif kind in _OF_STEPS:
        _note_step(run.steps.setdefault(name_of(row.event), Step()), row)


def _note_step(step: Step, row: Mirrored) -> None:
    if row.event.kind in _PLANS:
        step.plan = step.plan or row
    elif row.event.kind in _DONE:
        step.state, step.end = State.COMPLETE, row
    elif step.state is None:
        step.state, step.end = State.FAIL, row


def _share_plans(run: Run) -> None:
    """A plan for a range of partitions names none: it is that of all the partitions it came to."""
    for name in [name for name, step in run.steps.items() if step.end is None]:
        if name.partition:
            continue
        came = [
            step
            for other, step in run.steps.items()
            if other.partition and (other.asset, other.check) == (name.asset, name.check)
        ]
        if came:
            plan = run.steps.pop(name).plan
            for step in came:
                step.plan = step.plan or plan


def _name_others(run: Run) -> None:
    """Steps that make no asset and check none."""
    known = {step.key for step in run.steps.values()}
    for key in run.starts.keys() - known:
        run.steps[StepName(op=key)] = Step(plan=run.starts[key])


def _settle(run: Run, step: Step) -> None:
    """When it began, and how it ended: by itself, with its step, or with its run."""
    key, begun = step.key, run.starts.get(step.key)
    if step.state is None and key in run.failures:
        step.state, step.end = State.FAIL, run.failures[key]
    elif step.state is None and key in run.successes:
        step.state, step.end = State.COMPLETE, run.successes[key]
    elif step.state is None and begun is not None and run.end is not None:
        step.state, step.end = State.ABORT, run.end
    if step.state == State.FAIL:
        step.error = _error(step.end) or _error(run.failures.get(key))
    known = [row for row in (begun, step.plan, run.start) if row is not None]
    if step.end is not None:
        known = [row for row in known if time_of(row) <= time_of(step.end)] or [step.end]
    if begun is not None or step.end is not None:
        step.start = max(known, key=time_of)


def _error(row: Mirrored | None) -> str:
    return (row.event.error_message or "") if row is not None else ""


def name_of(event: DagsterEvent) -> StepName:
    """The part of the run that an event is about."""
    return StepName(event.asset_key or "", event.check_name or "", event.partition or "")


def time_of(row: Mirrored) -> datetime:
    """When an event was logged."""
    return parse_timestamp(row.event.occurred_at)
