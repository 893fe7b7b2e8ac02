"""What is to be taken down is taken down, also where nobody waits for it."""

import hashlib
import time

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.jobs import takedown
from omniva_dagster.resources.state import StateResource

# How long what could not be taken down waits for the next attempt.
_AGAIN_SECONDS = 300
_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


@dg.sensor(
    name="takedowns",
    job=takedown,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes down publications that Zenith cancelled after they had gone out.",
)
def takedowns(
    context: dg.SensorEvaluationContext, state: StateResource
) -> dg.RunRequest | dg.SkipReason:
    """A run while there is something to take down, one at a time."""
    with state.store.read() as connection:
        due = db.publishing.recalled(connection, limit=100)
    if not due:
        return dg.SkipReason("nothing is to be taken down")
    under_way = dg.RunsFilter(job_name=takedown.name, statuses=_UNDER_WAY)
    if context.instance.get_run_records(under_way, limit=1):
        return dg.SkipReason("a takedown is under way")
    which = hashlib.sha256("".join(item.clip_id for item in due).encode()).hexdigest()[:16]
    return dg.RunRequest(run_key=f"takedown|{which}|{int(time.time()) // _AGAIN_SECONDS}")
