"""The jobs: what is launched together."""

import dagster as dg

from omniva_dagster.assets import CLIP_PIPELINE

clip_pipeline = dg.define_asset_job(
    "clip_pipeline",
    selection=dg.AssetSelection.assets(*CLIP_PIPELINE),
    description="One creator's day, from the channel to published clips.",
)
