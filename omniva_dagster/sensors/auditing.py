"""Every hour: Paradox over the whole ledger."""

import dagster as dg

from omniva_dagster.jobs import hourly_audit

# The hour that has just begun gets its audit: all that was recorded before it is in.
paradox_hourly = dg.build_schedule_from_partitioned_job(
    hourly_audit,
    name="paradox_hourly",
    minute_of_hour=5,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Looks through the whole ledger for contradictions.",
)
