"""Stardust on every asset of the pipeline: a record without its packet blocks what follows."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets import CLIP_PIPELINE
from omniva_dagster.checks._common import records_of, verdict
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.engines import stardust
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources import conflicts
from omniva_dagster.resources.media import AtlasResource
from omniva_dagster.resources.state import StateResource, partition_of

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store


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
        findings = stardust.inspect(
            [
                stardust.Claim(record.subject_id, record.packet_id, record.document.dump())
                for record in records
            ],
            _witnesses(state.store, [record.packet_id for record in records]),
        )
        if findings:
            _tell(state.store, findings, asset.key.path[-1], context.partition_key)
        return verdict(
            len(records),
            [(finding.subject_id, finding.problem) for finding in findings],
            "materialize the asset again; if it stays, the ledger or the warehouse was changed "
            "by hand: compare the packet in the table `packets`",
        )

    return stardust_check


def _witnesses(store: "Store", packet_ids: list[str]) -> dict[str, stardust.Witness]:
    """The packets that records name, each with the types of what it came from."""
    with store.read() as connection:
        found = db.outbox.witnesses(connection, packet_ids)
        ancestry = {parent for packet, _, _ in found for parent in packet.parents}
        types = {
            packet.packet_id: packet.message_type
            for packet, intact, _ in db.outbox.witnesses(connection, sorted(ancestry))
            if intact
        }
    return {
        packet.packet_id: stardust.Witness(
            packet.packet_id,
            packet.subject_id,
            packet.payload,
            intact,
            missing,
            packet.message_type,
            tuple(types[parent] for parent in packet.parents if parent in types),
        )
        for packet, intact, missing in found
    }


def _tell(store: "Store", findings: list[stardust.Finding], asset: str, partition_key: str) -> None:
    """A packet for each finding, once, however often the check is run; Zenith decides at once."""
    from omniva_dagster.contracts.cognition.stardust import InconsistencyKind
    from omniva_dagster.stardust.inconsistencies import Inconsistency, report

    partition = partition_of(partition_key)
    found = [
        Inconsistency(
            InconsistencyKind(finding.kind),
            (finding.packet_id,),
            f"a record of {asset} about {finding.subject_id} {finding.problem}",
            partition=partition,
            subjects=(finding.subject_id,),
        )
        for finding in findings
    ]
    with store.begin() as connection:
        now = format_timestamp(datetime.now(UTC))
        conflicts.inconsistent(connection, report(connection, found, now), now)


STARDUST_CHECKS = [_check(asset) for asset in CLIP_PIPELINE]
