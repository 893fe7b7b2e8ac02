"""Chorus on upload jobs: they are what it worded, within limits; what breaks a policy is held."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets._common import cell
from omniva_dagster.assets.publishing import upload_jobs
from omniva_dagster.checks._common import records_of
from omniva_dagster.contracts.cognition.chorus import ConflictState, StyledMetadata
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.publishing import UploadJob
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.engines import chorus
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources import wording
from omniva_dagster.resources.media import AtlasResource
from omniva_dagster.resources.state import StateResource, partition_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.restraints import Restraint

RULE = "compliance"


@dg.asset_check(
    asset=upload_jobs,
    name="chorus",
    blocking=True,
    partitions_def=creator_day,
    description="Uploads are worded by Chorus, within limits; what breaks a policy is held.",
)
def chorus_check(
    context: dg.AssetCheckExecutionContext, state: StateResource, atlas: AtlasResource
) -> dg.AssetCheckResult:
    """ERROR where a wording is not Chorus's or an open conflict is not held; a warning while one
    waits for a person."""
    records: list[Record[UploadJob]] = records_of(upload_jobs, context, atlas.home)
    partition = partition_of(context.partition_key)
    now = format_timestamp(datetime.now(UTC))
    problems: list[tuple[str, str]] = []
    styled: list[StyledMetadata] = []
    with state.store.read() as connection:
        held = [
            item
            for item in db.decisions.restraints_of(connection, partition=partition)
            if item.rule == RULE and (not item.until or item.until > now)
        ]
        for record in records:
            problems += [(record.subject_id, what) for what in problems_of(connection, record)]
            packet = wording.latest(connection, record.subject_id)
            styled += [StyledMetadata.parse(packet.payload)] if packet else []
    return _verdict(len(records), problems, styled, held)


def problems_of(connection: "sa.Connection", record: Record[UploadJob]) -> list[str]:
    """What is wrong with the wording of an upload job."""
    job = record.document
    found = []
    if chorus.units(job.title) > chorus.TITLE_LIMIT:
        found.append(f"a title of {chorus.units(job.title)} characters")
    if len(job.description.encode()) > chorus.DESCRIPTION_LIMIT:
        found.append("a description that is too long for the platform")
    if set("<>") & set(job.title + job.description):
        found.append("angle brackets, which the platform refuses")
    why = wording.stale(connection, record)
    found += [why] if why else []
    packet = wording.latest(connection, record.subject_id)
    if packet is None:
        # What went out before Chorus worded anything stays as it is.
        targets = job.distribution_targets or []
        out = any(db.publishing.publication(connection, job.clip_id, one) for one in targets)
        return found if out else [*found, "Chorus has not worded it"]
    conflicts = StyledMetadata.parse(packet.payload).conflicts
    if any(map(chorus.holds, conflicts)) and not _was_held(connection, record.subject_id):
        found.append("breaks a policy, and Zenith was not asked to hold it")
    return found


def _was_held(connection: "sa.Connection", clip_id: str) -> bool:
    log = db.decisions.log_of(connection, clip_id)
    return any(item.kind in (DirectiveKind.HOLD, DirectiveKind.CANCEL) for item, _ in log)


def _verdict(
    looked_at: int,
    problems: Sequence[tuple[str, str]],
    styled: Sequence[StyledMetadata],
    held: "Sequence[Restraint]",
) -> dg.AssetCheckResult:
    shown: dict[str, Any] = {
        "looked_at": looked_at,
        "problems": len(problems),
        "changes": sum(len(item.deltas) for item in styled),
        "held": len(held),
        "wording": dg.MetadataValue.md(_table(styled)),
    }
    if problems:
        lines = [
            "| clip | problem |",
            "|---|---|",
            *(f"| {who} | {cell(why)} |" for who, why in problems),
        ]
        shown["findings"] = dg.MetadataValue.md("\n".join(lines))
        shown["what_to_do"] = "materialize upload_jobs again, then publications"
    if held:
        lines = ["| clip | why | to answer |", "|---|---|---|"]
        lines += [f"| {one.subject_id} | {cell(one.reason)} | `{one.lifted_by}` |" for one in held]
        shown["waiting"] = dg.MetadataValue.md("\n".join(lines))
    return dg.AssetCheckResult(
        passed=not problems and not held,
        severity=dg.AssetCheckSeverity.ERROR if problems else dg.AssetCheckSeverity.WARN,
        metadata=shown,
    )


def _table(styled: Sequence[StyledMetadata]) -> str:
    lines = ["| title | tone | changed by | policies met |", "|---|---|---|---|"]
    for item in styled:
        rules = ", ".join(dict.fromkeys(delta.rule for delta in item.deltas))
        opened = ConflictState.UNRESOLVED
        met = ", ".join(
            f"{one.policy} ({'open' if one.state is opened else 'settled'})"
            for one in item.conflicts
        )
        lines.append(
            f"| {cell(item.machine.title)} | {item.tone.value} | {cell(rules)} | {cell(met)} |"
        )
    return "\n".join(lines)


CHORUS_CHECKS = [chorus_check]
