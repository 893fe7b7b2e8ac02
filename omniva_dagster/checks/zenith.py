"""Zenith on what acts: nothing is edited or published without a directive and its evidence."""

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets.editing import edit_jobs
from omniva_dagster.assets.publishing import publications
from omniva_dagster.checks._common import records_of, verdict
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources.media import AtlasResource
from omniva_dagster.resources.state import StateResource, partition_of


def _check(asset: dg.AssetsDefinition, needs: DirectiveKind) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset,
        name="zenith",
        blocking=True,
        partitions_def=creator_day,
        description=f"Every clip has Zenith's {needs.value}, with evidence and a way back.",
    )
    def zenith_check(
        context: dg.AssetCheckExecutionContext, state: StateResource, atlas: AtlasResource
    ) -> dg.AssetCheckResult:
        records = records_of(asset, context, atlas.home)
        with state.store.read() as connection:
            log = db.decisions.of_partition(connection, partition_of(context.partition_key))
        ordered = {directive.subject_id: directive for directive, _ in log if _is(directive, needs)}
        problems = [
            (record.subject_id, f"has no {needs.value} in Zenith's log")
            for record in records
            if record.subject_id not in ordered
        ]
        return verdict(
            len(records),
            problems,
            "materialize zenith_directives and what follows; never act around it",
        )

    return zenith_check


def _is(directive: Directive, needs: DirectiveKind) -> bool:
    return directive.kind is needs and bool(directive.evidence and directive.rollback)


ZENITH_CHECKS = [
    _check(edit_jobs, DirectiveKind.PROMOTE),
    _check(publications, DirectiveKind.RELEASE),
]
