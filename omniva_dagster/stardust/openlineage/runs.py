"""A run of Dagster's as OpenLineage events: pure, the same events from the same packets.

Every run and every step that ran has one START and, once it is over, one COMPLETE, FAIL or ABORT.
An asset is complete when it was materialized. What was planned and never came to its turn has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from omniva_dagster.contracts.cognition.stardust import DagsterEvent
from omniva_dagster.contracts.types import parse_timestamp
from omniva_dagster.stardust.openlineage import facets
from omniva_dagster.stardust.openlineage.history import (
    Kind,
    Run,
    State,
    Step,
    StepName,
    gathered,
    time_of,
)
from omniva_dagster.stardust.openlineage.naming import (
    Naming,
    creator_and_day,
    run_id,
    step_run_id,
)
from omniva_dagster.stardust.openlineage.reading import Mirrored

# As Dagster's convention for metadata has them, and the warehouse.
_ROWS = ("dagster/partition_row_count", "dagster/row_count")
_BYTES = ("size_bytes",)


def events_of(mirrored: Sequence[Mirrored], naming: Naming) -> list[dict[str, Any]]:
    """The events of one trace of the mirror's, in the order of their times.

    Materializations that were reported from outside of runs become dataset events.
    """
    rows = sorted(mirrored, key=lambda row: (time_of(row), row.leaf_index))
    inside = [row for row in rows if row.event.run_id]
    events = [
        _reported(row, naming)
        for row in rows
        if not row.event.run_id and row.event.kind == Kind.ASSET_MATERIALIZATION
    ]
    if inside:
        events += sorted(_of_run(gathered(inside), naming), key=_place)
    return events


def _of_run(run: Run, naming: Naming) -> Iterator[dict[str, Any]]:
    job = _job(naming, naming.job(run.job), "JOB")
    times = [
        facets.nominal_time(day)
        for day in {creator_and_day(name.partition)[1] for name in run.steps}
        if day
    ]
    common = {"nominalTime": times[0]} if len(times) == 1 else {}
    begun = run.start or run.first
    about = {"traceId": run.first.trace_id, "dagsterRunId": run.id}
    if run.began:
        said = common | {"omniva_ledger": facets.ledger(packetIds=[begun.packet_id], **about)}
        yield _event(State.START, _moment(begun), run_id(run.id), said, job)
    if run.state is not None and run.end is not None:
        said = common | {"omniva_ledger": facets.ledger(packetIds=[run.end.packet_id], **about)}
        if run.state == State.FAIL:
            said["errorMessage"] = facets.error_message(_why(run))
        yield _event(run.state, _moment(run.end), run_id(run.id), said, job)
    for name in sorted(run.steps):
        yield from _of_step(run, name, run.steps[name], naming)


def _of_step(run: Run, name: StepName, step: Step, naming: Naming) -> Iterator[dict[str, Any]]:
    identity = step_run_id(run.id, name.asset, name.check, name.partition or name.op)
    job = _job_of(run, name, naming)
    day = creator_and_day(name.partition)[1]
    common = {"parent": facets.parent(run_id(run.id), naming.namespace, naming.job(run.job))}
    if day:
        common["nominalTime"] = facets.nominal_time(day)
    if step.start is not None:
        said = common | {"omniva_ledger": _told(run, name, step, step.start)}
        outputs = [_dataset(naming, name.asset, name.partition)] if _makes_asset(name) else []
        yield _event(State.START, _moment(step.start), identity, said, job, outputs=outputs)
    if step.state is not None and step.end is not None:
        said = common | {"omniva_ledger": _told(run, name, step, step.end)}
        if step.state == State.FAIL:
            said["errorMessage"] = facets.error_message(step.error or "the step failed")
        inputs, outputs = _data(naming, name, step)
        yield _event(step.state, _moment(step.end), identity, said, job, inputs, outputs)


def _makes_asset(name: StepName) -> bool:
    return bool(name.asset) and not name.check


def _job_of(run: Run, name: StepName, naming: Naming) -> dict[str, Any]:
    if name.op:
        return _job(naming, f"{naming.job(run.job)}.{name.op}", "OP")
    called = naming.step(name.asset, name.check)
    if name.check:
        return _job(naming, called, "ASSET_CHECK")
    return _job(naming, called, "ASSET", naming.note(name.asset).description)


def _data(
    naming: Naming, name: StepName, step: Step
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What a step read and what it wrote; nothing where it did not come to its end."""
    if step.state != State.COMPLETE or step.end is None:
        return [], []
    event = step.end.event
    if event.kind == Kind.ASSET_CHECK_EVALUATION:
        # A check without partitions looks at the materialization that was there.
        seen = [used for used in step.end.inputs if used.asset_key == name.asset]
        checked = _dataset(naming, *_place_of(seen[-1] if seen else event))
        severity = event.severity.value if event.severity else ""
        found = facets.assertion(name.check, bool(event.passed), severity)
        return [checked | {"inputFacets": {"dataQualityAssertions": found}}], []
    if event.kind != Kind.ASSET_MATERIALIZATION:
        return [], []
    made = _made(naming, event)
    used = (_dataset(naming, *_place_of(used), used.data_version) for used in step.end.inputs)
    inputs = {dataset["name"]: dataset for dataset in used if dataset["name"] != made["name"]}
    return [inputs[each] for each in sorted(inputs)], [made]


def _made(naming: Naming, event: DagsterEvent) -> dict[str, Any]:
    written = _dataset(naming, *_place_of(event), event.data_version)
    rows, size = _count(event, _ROWS), _count(event, _BYTES)
    if rows is not None or size is not None:
        written["outputFacets"] = {"outputStatistics": facets.statistics(rows, size)}
    return written


def _reported(row: Mirrored, naming: Naming) -> dict[str, Any]:
    event = row.event
    return {
        "eventTime": _moment(row),
        "dataset": _dataset(naming, *_place_of(event), event.data_version),
        "producer": facets.PRODUCER,
        "schemaURL": facets.DATASET_EVENT,
    }


def _event(
    state: State,
    moment: str,
    identity: str,
    about: dict[str, Any],
    job: dict[str, Any],
    inputs: Sequence[dict[str, Any]] = (),
    outputs: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    return {
        "eventType": state.value,
        "eventTime": moment,
        "run": {"runId": identity, "facets": about},
        "job": job,
        "inputs": list(inputs),
        "outputs": list(outputs),
        "producer": facets.PRODUCER,
        "schemaURL": facets.RUN_EVENT,
    }


def _job(naming: Naming, name: str, kind: str, description: str = "") -> dict[str, Any]:
    about = {"jobType": facets.job_type(kind)}
    if description:
        about["documentation"] = facets.documentation(description, "Job")
    return {"namespace": naming.namespace, "name": name, "facets": about}


def _dataset(
    naming: Naming, asset: str, partition: str, data_version: str | None = None
) -> dict[str, Any]:
    note, about = naming.note(asset), {}
    if note.columns:
        about["schema"] = facets.columns(note.columns)
    if note.description:
        about["documentation"] = facets.documentation(note.description, "Dataset")
    if data_version:
        about["version"] = facets.version(data_version)
    return {
        "namespace": naming.namespace,
        "name": naming.dataset(asset, partition),
        "facets": about,
    }


def _told(run: Run, name: StepName, step: Step, row: Mirrored) -> dict[str, Any]:
    return facets.ledger(
        packetIds=[row.packet_id],
        traceId=run.first.trace_id,
        dagsterRunId=run.id,
        stepKey=step.key,
        partition=name.partition,
        codeVersion=row.event.code_version,
        dataVersion=row.event.data_version,
    )


def _why(run: Run) -> str:
    failed = [row.event for row in run.failures.values()]
    said = [event.error_message for event in failed if event.error_message]
    own = run.end.event.error_message if run.end else None
    return said[0] if said else own or "the run failed"


def _count(event: DagsterEvent, names: Sequence[str]) -> int | None:
    found = [event.measures[name] for name in names if name in event.measures]
    return int(found[0]) if found and found[0] >= 0 and found[0] == int(found[0]) else None


def _place_of(event: DagsterEvent) -> tuple[str, str]:
    return event.asset_key or "", event.partition or ""


def _moment(row: Mirrored) -> str:
    return row.event.occurred_at


def _place(event: dict[str, Any]) -> tuple[datetime, int, str, str]:
    """By time; at one time the run begins before its steps, and they end before it."""
    begins, step = event["eventType"] == State.START.value, "parent" in event["run"]["facets"]
    rank = (1 if step else 0) if begins else (2 if step else 3)
    moment = parse_timestamp(event["eventTime"])
    return moment, rank, event["job"]["name"], event["run"]["runId"]
