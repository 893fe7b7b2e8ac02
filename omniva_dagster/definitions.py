"""Everything assembled: assets, jobs, schedules and what they are given to work with."""

import dagster as dg

from omniva_dagster import startup  # noqa: F401 - first, see there
from omniva_dagster.assets import CLIP_PIPELINE
from omniva_dagster.checks import CHECKS
from omniva_dagster.jobs import clip_pipeline, ledger_upkeep
from omniva_dagster.resources.build import build_resources
from omniva_dagster.sensors.daily import clip_pipeline_daily
from omniva_dagster.sensors.ledger import ledger_mirror, ledger_nightly
from omniva_dagster.settings import Settings, settings


def definitions(configured: Settings) -> dg.Definitions:
    """The code location under some settings."""
    return dg.Definitions(
        assets=CLIP_PIPELINE,
        asset_checks=CHECKS,
        jobs=[clip_pipeline, ledger_upkeep],
        schedules=[clip_pipeline_daily, ledger_nightly],
        sensors=[ledger_mirror],
        resources=build_resources(configured),
        # A step costs 0.06 s in process and 3 s as a process of its own; parallelism comes from
        # runs.
        executor=dg.in_process_executor,
    )


defs = definitions(settings())
