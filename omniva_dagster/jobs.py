"""The jobs: what is launched together."""

import dagster as dg

from omniva_dagster.assets import (
    ADVISORS,
    CLIP_PIPELINE,
    horizon_guidance,
    paradox_audit,
    withdrawals,
)
from omniva_dagster.resources.ledger import LedgerResource

clip_pipeline = dg.define_asset_job(
    "clip_pipeline",
    selection=dg.AssetSelection.assets(*CLIP_PIPELINE),
    description="One creator's day, from the channel to published clips.",
)

takedown = dg.define_asset_job(
    "takedown",
    selection=dg.AssetSelection.assets(withdrawals),
    description="Takes down what Zenith cancelled after it was published.",
)


hourly_audit = dg.define_asset_job(
    "hourly_audit",
    selection=dg.AssetSelection.assets(paradox_audit),
    description="Paradox over the whole ledger.",
)


horizon_daily_guidance = dg.define_asset_job(
    "horizon_daily_guidance",
    selection=dg.AssetSelection.assets(horizon_guidance),
    description="Horizon's guidance for a day.",
)

advisors = dg.define_asset_job(
    "advisors",
    selection=dg.AssetSelection.assets(*ADVISORS),
    description="A day's guidance and routing, looked at together.",
)


@dg.op(description="Brings what the mirror has missed, and seals the days that are over.")
def tend_ledger(context: dg.OpExecutionContext, ledger: LedgerResource) -> None:
    """Reconcile with Dagster's event log, then seal."""
    context.log.info(ledger.reconcile(context.instance, wait=60.0).summary)
    days = ledger.seal()
    context.log.info(f"sealed: {', '.join(days) or 'nothing'}")


@dg.job(description="What the ledger needs once a night.")
def ledger_upkeep() -> None:
    """Reconciliation and sealing."""
    tend_ledger()
