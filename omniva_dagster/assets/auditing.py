"""Paradox's hourly look at everything that was ever recorded (PAR-4)."""

from datetime import UTC, datetime

import dagster as dg

from omniva_dagster.assets._common import OWNER, Shown, cell
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.resources.ledger import LedgerResource
from omniva_dagster.settings import settings

# Hours that are over and the one that runs; the UI shows for each what its audit found.
hours = dg.HourlyPartitionsDefinition(
    start_date=f"{settings().start_day.isoformat()}-00:00", timezone="UTC", end_offset=1
)
_SHOWN = 50


@dg.asset(
    partitions_def=hours,
    group_name="decide",
    kinds={"python", "duckdb"},
    owners=[OWNER],
    code_version="1",
)
def paradox_audit(
    context: dg.AssetExecutionContext, ledger: LedgerResource
) -> dg.MaterializeResult[None]:
    """The whole ledger, and what waits for its place in it, looked through for contradictions.

    Duplicates, lineage that dangles or goes in circles, times that can't be right, slots given
    twice, orders against each other. What is found is recorded once and held by Zenith; what lasts
    over three audits with nothing decided is Eclipse's. An hour that is audited again counts once.
    """
    from omniva_dagster.resources.auditing.run import audit

    now = format_timestamp(datetime.now(UTC))
    done = audit(ledger.store, ledger.layout, name=context.partition_key, now=now)
    counts = done.counts()
    metadata: Shown = {
        "packets": done.packets,
        "edges": done.edges,
        "conflicts": len(done.reported),
        "new_conflicts": done.new,
        "new_inconsistencies": done.inconsistencies,
        "escalated": done.escalated,
        "held": counts.get("held", 0),
        "undecided": counts.get("undecided", 0),
    }
    if done.reported:
        lines = ["| rule | advice | what contradicts what, and what to do |", "|---|---|---|"]
        lines += [
            f"| {cell(item.conflict.found_by)} | {item.conflict.recommended_action.value} "
            f"| {cell(item.conflict.message, 600)} |"
            for item in done.reported[:_SHOWN]
        ]
        metadata["findings"] = dg.MetadataValue.md("\n".join(lines))
    return dg.MaterializeResult(metadata=metadata)
