"""Zenith on what acts: nothing is edited or published without a directive and its evidence.

An error is a document that something acted on without a directive, or against one; a warning is
work that Zenith holds: it waits, and the table says what would lift it.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets._common import cell
from omniva_dagster.assets.editing import edit_jobs
from omniva_dagster.assets.publishing import publications, upload_jobs
from omniva_dagster.checks._common import records_of
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of
from omniva_dagster.contracts.publishing import PublicationReceipt
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources.media import AtlasResource
from omniva_dagster.resources.state import StateResource, partition_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.partition import Partition
    from omniva_dagster.state.restraints import Restraint

Log = Sequence[Directive]
_STOPS = (DirectiveKind.HOLD, DirectiveKind.CANCEL)


def _check(asset: dg.AssetsDefinition, needs: DirectiveKind) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset,
        name="zenith",
        blocking=True,
        partitions_def=creator_day,
        description=f"Every clip has Zenith's {needs.value}, with evidence and a way back, and "
        "nothing acted against a hold.",
    )
    def zenith_check(
        context: dg.AssetCheckExecutionContext, state: StateResource, atlas: AtlasResource
    ) -> dg.AssetCheckResult:
        records = records_of(asset, context, atlas.home)
        partition = partition_of(context.partition_key)
        now = format_timestamp(datetime.now(UTC))
        with state.store.read() as connection:
            log = [item for item, _ in db.decisions.of_partition(connection, partition)]
            held = _held(connection, partition, now)
        return _verdict(len(records), problems_of(records, log, needs), held)

    return zenith_check


def problems_of(
    records: Sequence[Record[Any]], log: Log, needs: DirectiveKind
) -> list[tuple[str, str]]:
    """Each record that lacks its directive, or that was acted on against one: (id, problem)."""
    by_subject: defaultdict[str, list[Directive]] = defaultdict(list)
    for item in log:
        by_subject[item.subject_id].append(item)
    found = []
    for record in records:
        problem = _problem(record.document, by_subject[record.subject_id], needs)
        if problem:
            found.append((record.subject_id, problem))
    return found


def _problem(document: Any, log: Log, needs: DirectiveKind) -> str:
    ordered = [item for item in log if item.kind is needs]
    if not ordered:
        return f"has no {needs.value} in Zenith's log"
    bare = [item.directive_id for item in ordered if not (item.evidence and item.rollback)]
    if bare:
        return f"rests on {bare[0]}, which has no evidence or no way back"
    if isinstance(document, PublicationReceipt):
        return _published_against(document, log)
    return ""


def _published_against(receipt: PublicationReceipt, log: Log) -> str:
    places = [place for place, item in enumerate(log) if item.directive_id == receipt.directive_id]
    if not places or log[places[0]].kind is not DirectiveKind.RELEASE:
        return f"was published under {receipt.directive_id}, which is no release of it in the log"
    later = [
        item
        for item in log[places[0] + 1 :]
        if item.kind in (*_STOPS, DirectiveKind.RELEASE) and item.issued_at < receipt.published_at
    ]
    if later and later[-1].kind in _STOPS:
        return f"was published against {later[-1].kind.value} {later[-1].directive_id}"
    return ""


def _held(connection: "sa.Connection", partition: "Partition", now: str) -> list["Restraint"]:
    """What holds documents of the partition: on themselves, its creator, or everything."""
    wide = [EVERYTHING, creator_id_of(partition.creator)]
    found = [
        *db.decisions.restraints_on(connection, wide),
        *db.decisions.restraints_of(connection, partition=partition),
    ]
    return [item for item in found if not item.until or item.until > now]


def _verdict(
    looked_at: int, problems: list[tuple[str, str]], held: "list[Restraint]"
) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {
        "looked_at": looked_at,
        "problems": len(problems),
        "held": len(held),
    }
    if problems:
        lines = [
            "| what | problem |",
            "|---|---|",
            *(f"| {who} | {why} |" for who, why in problems),
        ]
        metadata["findings"] = dg.MetadataValue.md("\n".join(lines))
        metadata["what_to_do"] = (
            "materialize zenith_directives and what follows; never act around it. What is out "
            "against a hold comes down with: omniva override cancel <clip> --reason ..."
        )
    if held:
        metadata["waiting"] = dg.MetadataValue.md(_table(held))
    return dg.AssetCheckResult(
        passed=not problems and not held,
        severity=dg.AssetCheckSeverity.ERROR if problems else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def _table(held: "list[Restraint]") -> str:
    lines = ["| held | order | since | why | to lift it |", "|---|---|---|---|---|"]
    for item in held:
        what = f"{item.scope} {item.name or item.subject_id}" if item.scope != "all" else "all work"
        until = f" until {item.until}" if item.until else ""
        lines.append(
            f"| {what} | {item.kind.value}{until} | {item.since} | {cell(item.reason)} "
            f"| `{item.lifted_by}` |"
        )
    return "\n".join(lines)


ZENITH_CHECKS = [
    _check(edit_jobs, DirectiveKind.PROMOTE),
    _check(upload_jobs, DirectiveKind.PROMOTE),
    _check(publications, DirectiveKind.RELEASE),
]
