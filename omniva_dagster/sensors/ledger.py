"""Stardust keeps up: the log is followed all the time, compared as a whole every night."""

import dagster as dg

from omniva_dagster.jobs import ledger_upkeep
from omniva_dagster.resources.ledger import LedgerResource

# Dagster ends a tick after 60 s; what is left over is taken up by the next one.
_SECONDS = 30.0


@dg.sensor(
    name="ledger_mirror",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Mirrors Dagster's event log into the ledger, and gives packets their place.",
)
def ledger_mirror(context: dg.SensorEvaluationContext, ledger: LedgerResource) -> dg.SkipReason:
    """A tick of the mirror: it launches nothing, and says what it did."""
    return dg.SkipReason(ledger.sync(context.instance, seconds=_SECONDS).summary)


ledger_nightly = dg.ScheduleDefinition(
    name="ledger_nightly",
    job=ledger_upkeep,
    cron_schedule="30 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Compares Dagster's event log with the ledger, and seals the days that are over.",
)
