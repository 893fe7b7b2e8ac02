"""What all assets of the clip pipeline have in common."""

import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any, get_origin

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.decisions import Outcome, OutcomeStatus
from omniva_dagster.contracts.record import Record
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources.warehouse.arrow import LINEAGE_COLUMNS
from omniva_dagster.resources.warehouse.io_manager import CONTRACT_KEY
from omniva_dagster.resources.workbench import Workbench
from omniva_dagster.state.partition import Subject

OWNER = "team:omniva"

# What a materialization shows a person.
Shown = dict[str, Any]


def pipeline_asset(
    contract: type[Document], *, group: str, kinds: set[str], version: str, gpu: bool = False
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """An asset partitioned by creator and day that holds documents of one contract."""

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        return dg.asset(
            ins=_records_of(function),
            # Checked against the contract by the IO manager; Dagster has no type for it.
            dagster_type=dg.Any,
            partitions_def=creator_day,
            group_name=group,
            kinds=kinds,
            owners=[OWNER],
            code_version=version,
            metadata={
                CONTRACT_KEY: contract.__name__,
                "dagster/column_schema": _columns(contract),
            },
            # Read by the Celery executor alone; in process it is ignored.
            op_tags={"dagster-celery/queue": "cuda"} if gpu else {},
        )(function)

    return decorate


def _records_of(function: Callable[..., Any]) -> dict[str, dg.AssetIn]:
    """The parameters that are upstream assets: lists of records."""
    return {
        name: dg.AssetIn(dagster_type=dg.Any)
        for name, parameter in inspect.signature(function).parameters.items()
        if get_origin(parameter.annotation) is list
    }


def video_subject(bench: Workbench, record: Record[Any]) -> Subject:
    """The video that a record comes from, by its title."""
    with bench.store.read() as connection:
        held = db.library.video(connection, record.video_id)
    title = held[0].title if held else record.video_id
    return Subject(record.video_id, title, record.trace_id, record.video_id)


def outcome_metadata(outcomes: list[Outcome]) -> Shown:
    """Counts by status, and a table of what is not done with what to do about it."""
    counts = Counter(outcome.status.value for outcome in outcomes)
    metadata: Shown = {
        "done": counts.get("DONE", 0),
        "errors": counts.get("ERROR", 0),
    }
    troubled = [outcome for outcome in outcomes if outcome.status != OutcomeStatus.DONE]
    if troubled:
        lines = ["| what | status | reason | what happened, what to do | attempt |"]
        lines.append("|---|---|---|---|---|")
        lines += [
            f"| {cell(outcome.label)} | {outcome.status.value} "
            f"| {outcome.reason_code.value if outcome.reason_code else ''} "
            f"| {cell(outcome.message)} | {outcome.attempt} |"
            for outcome in troubled
        ]
        metadata["outcomes"] = dg.MetadataValue.md("\n".join(lines))
    return metadata


def cell(text: str, limit: int = 300) -> str:
    """Somebody's words as one cell of a Markdown table."""
    line = " ".join(text.split())
    escaped = "".join("\\" + char if char in "|`*_[]<>#!\\" else char for char in line[:limit])
    return escaped + ("…" if len(line) > limit else "")


def clock(seconds: float) -> str:
    """Seconds as ``m:ss``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _columns(contract: type[Document]) -> dg.TableSchema:
    # Named without pyarrow: the code location loads before any file is written.
    properties = contract.model_json_schema()["properties"]
    columns = [
        dg.TableColumn(
            name,
            type=spec.get("format") or spec.get("type") or "object",
            description=spec.get("description"),
        )
        for name, spec in properties.items()
    ]
    columns += [
        dg.TableColumn(name, type="string", description=description)
        for name, description in LINEAGE_COLUMNS.items()
    ]
    return dg.TableSchema(columns=columns)
