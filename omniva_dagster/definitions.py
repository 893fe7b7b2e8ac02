"""Everything assembled: assets, jobs, schedules and what they are given to work with."""

import dagster as dg

from omniva_dagster import startup  # noqa: F401 - first, see there
from omniva_dagster.assets import (
    ADVISORS,
    CLIP_PIPELINE,
    eclipse_recovery,
    paradox_audit,
    withdrawals,
)
from omniva_dagster.checks import CHECKS
from omniva_dagster.jobs import (
    advisors,
    clip_pipeline,
    horizon_daily_guidance,
    hourly_audit,
    ledger_upkeep,
    takedown,
)
from omniva_dagster.resources.build import build_resources
from omniva_dagster.sensors.advisors import horizon_daily, horizon_goals, lattice_router
from omniva_dagster.sensors.auditing import paradox_hourly
from omniva_dagster.sensors.control import zenith_control
from omniva_dagster.sensors.daily import clip_pipeline_daily
from omniva_dagster.sensors.failures import run_failures, run_successes
from omniva_dagster.sensors.ledger import ledger_mirror, ledger_nightly
from omniva_dagster.sensors.takedown import takedowns
from omniva_dagster.settings import Settings, settings


def definitions(configured: Settings) -> dg.Definitions:
    """The code location under some settings."""
    return dg.Definitions(
        assets=[*CLIP_PIPELINE, *ADVISORS, eclipse_recovery, paradox_audit, withdrawals],
        asset_checks=CHECKS,
        jobs=[
            clip_pipeline,
            ledger_upkeep,
            hourly_audit,
            takedown,
            horizon_daily_guidance,
            advisors,
        ],
        schedules=[clip_pipeline_daily, ledger_nightly, paradox_hourly, horizon_daily],
        sensors=[
            ledger_mirror,
            zenith_control,
            run_failures,
            run_successes,
            takedowns,
            lattice_router,
            horizon_goals,
        ],
        resources=build_resources(configured),
        # A step costs 0.06 s in process and 3 s as a process of its own; parallelism comes from
        # runs.
        executor=dg.in_process_executor,
    )


defs = definitions(settings())
