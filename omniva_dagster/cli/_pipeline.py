"""Running the clip pipeline from the command line: a real Dagster run, with progress."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from omniva_dagster.cli._home import store
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.resources import progress
from omniva_dagster.resources.processes import (
    PROCESS_TAG,
    fail_runs_of_dead_processes,
    this_process,
)
from omniva_dagster.settings import settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

_JOB = "clip_pipeline"
# The assets that take a `ReplanConfig`.
_REPLANNED = ("clip_candidates", "zenith_directives")
_LABEL = 28  # with the other columns it fits 80 characters


@dataclass(frozen=True)
class RunResult:
    """How a run of one partition ended."""

    run_id: str
    creator: str
    day: str
    success: bool
    failure: str = ""


def check_partition(creator: str, day: str) -> None:
    """Refuse what is no partition, and whoever does not agree to it; say what is."""
    from omniva_dagster.state import creators as registry

    first, last = settings().start_day, datetime.now(UTC).date()
    if not first <= date.fromisoformat(day) <= last:
        raise click.UsageError(
            f"{day} is outside the range {first} to {last} (UTC); "
            "set OMNIVA_START_DAY to begin earlier"
        )
    with store().read() as connection:
        registry.willing(connection, registry.check_slug(creator))


def run_partition(
    opened: DagsterInstance,
    creator: str,
    day: str,
    tags: dict[str, str] | None = None,
    *,
    replan: bool = False,
) -> RunResult:
    """Materialize a creator's day in this process, as a run that the UI shows; with ``replan`` the
    judges vote anew and further clips may be promoted."""
    from omniva_dagster.definitions import definitions
    from omniva_dagster.partitions import CREATORS, partition_key

    opened.add_dynamic_partitions(CREATORS, [creator])
    fail_runs_of_dead_processes(opened, store())
    # The console shows progress instead of events; they are all in the instance.
    config: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    if replan:
        config["ops"] = {name: {"config": {"replan": True}} for name in _REPLANNED}
    with _calm_logging():
        result = (
            definitions(settings())
            .resolve_job_def(_JOB)
            .execute_in_process(
                instance=opened,
                partition_key=partition_key(creator, day),
                run_config=config,
                raise_on_error=False,
                tags={
                    "omniva/creator": creator,
                    "omniva/day": day,
                    PROCESS_TAG: this_process(),
                    **(tags or {}),
                },
            )
        )
    _tell_eclipse(opened, result)
    _decide()
    _record(opened)
    return RunResult(result.run_id, creator, day, result.success, _failure(result))


def _tell_eclipse(opened: DagsterInstance, result: Any) -> None:
    """How the run ended: a daemon's sensor tells it too, and it counts once."""
    from omniva_dagster.sensors.failures import failure_of, told

    run = opened.get_run_by_id(result.run_id)
    assert run is not None
    raised = [event for event in result.all_events if event.is_step_failure]
    told(store(), run, None if result.success else failure_of(raised))


def _decide() -> None:
    """A control cycle: without a daemon, too, what a run brought up is decided."""
    from omniva_dagster.resources.control import run_cycle
    from omniva_dagster.resources.impact import settle_up

    now = format_timestamp(datetime.now(UTC))
    report = run_cycle(store(), now)
    settle_up(store(), settings().home, now)
    for trouble in report.troubles:
        click.secho(trouble, fg="yellow", err=True)


def _record(opened: DagsterInstance) -> None:
    """Bring the ledger up to date; nothing is lost if that fails, so the run stands."""
    from omniva_dagster.resources.build import build_resources
    from omniva_dagster.stardust.errors import LedgerError

    try:
        build_resources(settings())["ledger"].sync(opened, wait=10.0)
    except (LedgerError, OSError) as error:
        click.secho(f"the ledger is not up to date: {error}", fg="yellow", err=True)


@contextmanager
def shown_progress(title: str, visible: bool) -> Iterator[None]:
    """Bars for the stages that are at work, on standard error."""
    if not visible:
        yield
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
    from rich.table import Column

    columns = (
        TextColumn("[bold]{task.description:18}"),
        BarColumn(bar_width=16),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[label]}", table_column=Column(no_wrap=True)),
    )
    console = Console(stderr=True)
    console.print(f"[bold]{title}[/]")
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console) as bars:

        def listener(stage: str, label: str, fraction: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=1.0, label="")
            bars.update(
                tasks[stage], completed=fraction, label=escape(" ".join(label.split())[:_LABEL])
            )

        with progress.listening(listener):
            yield


@contextmanager
def _calm_logging() -> Iterator[None]:
    logger = logging.getLogger("dagster")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _failure(result: Any) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            cause = error.cause or error if error else None
            said = cause.message.strip() if cause else "failed"
            return f"{event.step_key}: {said}"
    return ""
