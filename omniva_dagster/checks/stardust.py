"""Stardust on every asset of the pipeline: a record without its packet blocks what follows."""

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets import CLIP_PIPELINE
from omniva_dagster.checks._common import records_of, verdict
from omniva_dagster.engines import stardust
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources.media import AtlasResource
from omniva_dagster.resources.state import StateResource


def _check(asset: dg.AssetsDefinition) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset,
        name="stardust",
        blocking=True,
        partitions_def=creator_day,
        description="Every record has its packet in the ledger, and says what the packet says.",
    )
    def stardust_check(
        context: dg.AssetCheckExecutionContext, state: StateResource, atlas: AtlasResource
    ) -> dg.AssetCheckResult:
        records = records_of(asset, context, atlas.home)
        with state.store.read() as connection:
            witnesses = db.outbox.witnesses(connection, [record.packet_id for record in records])
        findings = stardust.inspect(
            [
                stardust.Claim(record.subject_id, record.packet_id, record.document.dump())
                for record in records
            ],
            {
                packet.packet_id: stardust.Witness(
                    packet.packet_id, packet.subject_id, packet.payload, intact, missing
                )
                for packet, intact, missing in witnesses
            },
        )
        return verdict(
            len(records),
            [(finding.subject_id, finding.problem) for finding in findings],
            "materialize the asset again; if it stays, the ledger or the warehouse was changed "
            "by hand: compare the packet in the table `packets`",
        )

    return stardust_check


STARDUST_CHECKS = [_check(asset) for asset in CLIP_PIPELINE]
