"""When Lattice and Horizon look: at backlogs all the time, at goals every day and when they change.

Lattice also looks whenever candidates are judged, and Horizon whenever engagement is imported: both
where it happens.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.jobs import horizon_daily_guidance
from omniva_dagster.resources.state import StateResource
from omniva_dagster.settings import settings


@dg.sensor(
    name="lattice_router",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Lattice looks at what waits; it advises every ten minutes and when a backlog "
    "crosses its threshold, and runs that wait get the priorities that Zenith ordered.",
)
def lattice_router(context: dg.SensorEvaluationContext, state: StateResource) -> dg.SkipReason:
    """A look at all work: it launches nothing, and says what it did."""
    from omniva_dagster.resources.routing import tick

    now = format_timestamp(datetime.now(UTC))
    return dg.SkipReason(tick(state.store, context.instance, now, settings()).summary)


@dg.schedule(
    name="horizon_daily",
    job=horizon_daily_guidance,
    cron_schedule="45 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every creator's guidance for the day, before the first run that uses it.",
)
def horizon_daily(
    context: dg.ScheduleEvaluationContext,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Today's guidance, where there are goals."""
    from omniva_dagster.resources.goals import goals_path

    if not goals_path().is_file():
        yield dg.SkipReason(f"no goals are set: {goals_path()} is not there (docs/advisors.md)")
        return
    day = context.scheduled_execution_time.date().isoformat()
    yield dg.RunRequest(run_key=f"daily|{day}", partition_key=day)


@dg.sensor(
    name="horizon_goals",
    job=horizon_daily_guidance,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="New goals give new guidance at once.",
)
def horizon_goals(
    context: dg.SensorEvaluationContext,
) -> dg.SensorResult | dg.SkipReason:
    """A run when the goals file says something else than before; a wrong file is named."""
    from omniva_dagster.contracts.errors import ContractError
    from omniva_dagster.resources.goals import file_digest, read_goals

    known, _, times = (context.cursor or "").partition(" ")
    digest = file_digest()
    if digest == known:
        return dg.SkipReason("the goals are as they were")
    try:
        read_goals()
    except ContractError as error:
        # The cursor stays: what was recorded before stands until the file is right.
        return dg.SkipReason(f"{error}; see: omniva horizon goals check")
    today = datetime.now(UTC).date().isoformat()
    # Numbered: goals that are changed and changed back are new each time, and Dagster launches
    # nothing for a key that it has seen.
    change = int(times or 0) + 1
    request = dg.RunRequest(run_key=f"goals|{today}|{change}|{digest}", partition_key=today)
    return dg.SensorResult(run_requests=[request], cursor=f"{digest} {change}")
