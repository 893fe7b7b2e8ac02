"""What is to be healed: shown as an asset that the control cycle reports on."""

import dagster as dg

from omniva_dagster.assets._common import OWNER

eclipse_recovery = dg.AssetSpec(
    "eclipse_recovery",
    description="What failed and when it is tried again, who is isolated and until when, who is at "
    "work. Reported by Zenith's control cycle when it changes; nothing is to be materialized here.",
    group_name="decide",
    kinds={"python"},
    owners=[OWNER],
)
