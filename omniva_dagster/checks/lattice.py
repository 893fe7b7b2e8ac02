"""Lattice on judged candidates: its advice is in order, and no queue is over its limit."""

from itertools import pairwise
from typing import Any

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets._common import cell
from omniva_dagster.assets.analysis import clip_candidates
from omniva_dagster.checks._common import records_of
from omniva_dagster.contracts.ids import creator_id_of
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources.media import AtlasResource
from omniva_dagster.resources.state import StateResource, partition_of


@dg.asset_check(
    asset=clip_candidates,
    name="lattice",
    blocking=True,
    partitions_def=creator_day,
    description="Lattice's numbers grow in the order in which it spoke; queues are within limits.",
)
def lattice_check(
    context: dg.AssetCheckExecutionContext, state: StateResource, atlas: AtlasResource
) -> dg.AssetCheckResult:
    """ERROR where advice is out of order, a warning where a backlog is over its threshold."""
    records = records_of(clip_candidates, context, atlas.home)
    subjects = [record.subject_id for record in records]
    subjects += sorted({record.video_id for record in records})
    subjects.append(creator_id_of(partition_of(context.partition_key).creator))
    with state.store.read() as connection:
        numbers = db.routing.sequences_of(connection, subjects)
        taken = db.routing.sequence(connection)
        over = [one for one in db.routing.backlogs_of(connection).values() if one.above]
    wrong = [
        f"number {after} was recorded after {before}"
        for before, after in pairwise(numbers)
        if after <= before
    ]
    wrong += [f"number {number} was never given out" for number in numbers if number > taken]
    shown: dict[str, Any] = {
        "advice": len(numbers),
        "routing_sequence": taken,
        "queues_over_threshold": len(over),
    }
    lines = ["| what | problem |", "|---|---|"]
    lines += [f"| routing_sequence | {cell(problem)} |" for problem in wrong]
    lines += [f"| {cell(one.queue)} | {one.depth} wait, seen {one.observed_at} |" for one in over]
    if wrong or over:
        shown["findings"] = dg.MetadataValue.md("\n".join(lines))
        shown["what_to_do"] = (
            "advice was recorded around Lattice: compare with `omniva ledger verify`, and never "
            "write packets by hand"
            if wrong
            else "more work waits than the limit (OMNIVA_QUEUE_SLA_RUNS); what is urgent goes "
            "first meanwhile. Add workers (OMNIVA_POOLS) or wait: `omniva control status`"
        )
    return dg.AssetCheckResult(
        passed=not wrong and not over,
        severity=dg.AssetCheckSeverity.ERROR if wrong else dg.AssetCheckSeverity.WARN,
        metadata=shown,
    )


LATTICE_CHECKS = [lattice_check]
