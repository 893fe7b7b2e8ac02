"""The advisors' own assets, a day each: Horizon's guidance, and where Lattice sent what."""

from datetime import UTC, datetime

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets._common import OWNER, cell
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.partitions import day_partitions
from omniva_dagster.resources.state import StateResource


class GuidanceConfig(dg.Config):
    """Whether guidance that stands for today is made anew."""

    anew: bool = False


@dg.asset(
    partitions_def=day_partitions,
    group_name="advise",
    kinds={"python"},
    owners=[OWNER],
    code_version="1",
)
def horizon_guidance(
    context: dg.AssetExecutionContext, config: GuidanceConfig, state: StateResource
) -> dg.MaterializeResult[None]:
    """What the campaigns' goals and the history of engagement come to for each creator's day.

    Guidance is made for today only: a day that is over has what was recorded then, or nothing, and
    a backfill of it says so. Each partition of the pipeline pins what it uses.
    """
    from omniva_dagster.resources.goals import read_goals
    from omniva_dagster.resources.guidance import recorded_for
    from omniva_dagster.resources.recalibration import recalibrate

    now, day = format_timestamp(datetime.now(UTC)), context.partition_key
    fresh = []
    if day == now[:10]:
        made = recalibrate(state.store, read_goals(), now, anew=config.anew)
        fresh = [one.creator for one in made if one.fresh]
    with state.store.read() as connection:
        slugs = [one.slug for one in db.creators.all_of(connection, db.creators.ACTIVE)]
        found = {slug: recorded_for(connection, slug, day) for slug in slugs}
    guided = {slug: item.body for slug, item in found.items() if item is not None}
    lines = ["| creator | campaign | goals | hours weighed | warnings |", "|---|---|---|---|---|"]
    lines += [
        f"| {slug} | {cell(body['campaign'])} "
        f"| {cell('; '.join(f'{goal} {pull:+.2f}' for goal, pull in body['gradients'].items()))} "
        f"| {len(body['slots'])} | {cell('; '.join(body['warnings']) or 'none', 600)} |"
        for slug, body in guided.items()
    ]
    return dg.MaterializeResult(
        metadata={
            "creators": len(guided),
            "made_now": len(fresh),
            "warnings": sum(len(body["warnings"]) for body in guided.values()),
            "guidance": dg.MetadataValue.md(
                "\n".join(lines)
                if guided
                else f"no guidance for {day}: no campaign ran, or none was recorded that day; "
                "everything is neutral (goals stand in goals.yaml, see docs/advisors.md)"
            ),
        }
    )


@dg.asset(
    partitions_def=day_partitions,
    group_name="advise",
    kinds={"python"},
    owners=[OWNER],
    code_version="1",
)
def lattice_routing(
    context: dg.AssetExecutionContext, state: StateResource
) -> dg.MaterializeResult[None]:
    """Where Lattice advised work to go, and how full the queues were; today's is looked at anew.

    Advice is made binding by Zenith alone, as run priorities and queues.
    """
    from omniva_dagster.resources.routing import tick
    from omniva_dagster.settings import settings

    now, day = format_timestamp(datetime.now(UTC)), context.partition_key
    if day == now[:10]:
        context.log.info(tick(state.store, context.instance, now, settings(), always=True).summary)
    with state.store.read() as connection:
        routes = [one for one in db.routing.newest_routes(connection) if one.at[:10] == day]
        backlogs = db.routing.backlogs_of(connection)
        sequence = db.routing.sequence(connection)
    lines = [
        "| number | what | of | pool | queue | priority | at |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.routing_sequence} | {one.subject_id} | {cell(one.partition.creator)} | {one.pool} "
        f"| {one.queue or 'in the run'} | {one.priority:.2f} | {one.at} |"
        for one in routes[:200]
    ]
    queues = ["| queue | waits | over its threshold | seen |", "|---|---|---|---|"]
    queues += [
        f"| {one.queue} | {one.depth} | {'yes' if one.above else 'no'} | {one.observed_at} |"
        for one in backlogs.values()
    ]
    return dg.MaterializeResult(
        metadata={
            "routes": len(routes),
            "routing_sequence": sequence,
            "over_threshold": sum(one.above for one in backlogs.values()),
            "routing": dg.MetadataValue.md("\n".join(lines) if routes else "nothing was routed"),
            "queues": dg.MetadataValue.md("\n".join(queues) if backlogs else "not looked at yet"),
        }
    )
