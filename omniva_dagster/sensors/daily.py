"""Every night: all active creators, today and the last days."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.jobs import clip_pipeline
from omniva_dagster.partitions import CREATORS, partition_key
from omniva_dagster.resources.routing import run_tags
from omniva_dagster.resources.state import StateResource
from omniva_dagster.settings import settings


@dg.schedule(
    job=clip_pipeline,
    cron_schedule="15 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def clip_pipeline_daily(
    context: dg.ScheduleEvaluationContext, state: StateResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """A run for each active creator on each of the last days: late uploads are not missed.

    What is done already costs a look at the source and nothing more.
    """
    tick = context.scheduled_execution_time
    with state.store.read() as connection:
        followed = db.creators.followed(connection)
        # Today first, for everybody, before anybody's older days (Lattice, by Zenith's word).
        turns = [
            {
                creator.slug: run_tags(connection, creator.slug, format_timestamp(tick), back)
                for creator in followed
            }
            for back in range(settings().rescrape_days + 1)
        ]
    if not followed:
        yield dg.SkipReason("no active creators; add one: omniva creators add <slug> --url ...")
        return
    # A creator may be registered in state before Dagster knows the partition.
    context.instance.add_dynamic_partitions(CREATORS, [creator.slug for creator in followed])
    for back in range(settings().rescrape_days + 1):
        day = (tick - timedelta(days=back)).date()
        if day < settings().start_day:
            continue
        for creator in followed:
            yield dg.RunRequest(
                run_key=f"{creator.slug}|{day}|{tick.date()}",
                partition_key=partition_key(creator.slug, day.isoformat()),
                tags={
                    "omniva/creator": creator.slug,
                    "omniva/day": day.isoformat(),
                    **turns[back][creator.slug],
                },
            )
