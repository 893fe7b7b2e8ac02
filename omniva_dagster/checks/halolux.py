"""HaloLux on what was decided and published: each can be explained, wholly, quickly and truly.

An error is a sentence that its packets do not bear out, or a packet that is not what was recorded;
a warning is evidence that is missing, or an explanation that took longer than the two seconds it
may (4.8). Decisions of high impact are explained here, and the explanations kept in the ledger.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from omniva_dagster.assets._common import cell
from omniva_dagster.assets.deciding import zenith_directives
from omniva_dagster.assets.publishing import publications, upload_jobs
from omniva_dagster.checks._common import records_of
from omniva_dagster.contracts.decisions import Directive
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources.media import AtlasResource
from omniva_dagster.resources.state import StateResource, partition_of

if TYPE_CHECKING:
    from omniva_dagster.engines.halolux import Question
    from omniva_dagster.resources.explaining import Explained

LIMIT_SECONDS = 2.0


def _check(asset: dg.AssetsDefinition) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset,
        name="halolux",
        blocking=True,
        partitions_def=creator_day,
        description="Everything here can be explained from its packets, nothing missing, within "
        f"{LIMIT_SECONDS:g} s.",
    )
    def halolux_check(
        context: dg.AssetCheckExecutionContext, state: StateResource, atlas: AtlasResource
    ) -> dg.AssetCheckResult:
        from omniva_dagster.resources.explaining import Library, explain
        from omniva_dagster.resources.impact import explain_high_impact
        from omniva_dagster.stardust.errors import LedgerError
        from omniva_dagster.stardust.layout import Layout

        records = records_of(asset, context, atlas.home)
        library = Library(Layout(Path(atlas.home) / "ledger"), state.store)
        now = format_timestamp(datetime.now(UTC))
        try:
            told = [explain(library, one) for one in questions_of(records)]
            kept = explain_high_impact(library, now, partition_of(context.partition_key))
        except LedgerError as error:
            return _unreadable(len(records), str(error))
        return verdict(told, len(kept))

    return halolux_check


def questions_of(records: Sequence[Record[Any]]) -> "list[Question]":
    """What to explain of these records: each directive, or each clip, once."""
    from omniva_dagster.resources import asking

    found = {}
    for record in records:
        if isinstance(record.document, Directive):
            question = asking.of_directive(
                record.document.directive_id, record.subject_id, record.trace_id, record.packet_id
            )
        else:
            question = asking.of_clip(record.subject_id, record.trace_id)
        found[question.key] = question
    return list(found.values())


def verdict(told: "Sequence[Explained]", kept: int) -> dg.AssetCheckResult:
    """What is wrong with explanations, if anything, and their beginnings."""
    from omniva_dagster.engines import halolux
    from omniva_dagster.resources import narrating

    false, weak = [], []
    for one in told:
        false += [
            (one.question.subject_id, f"is not borne out by its packets: {words}")
            for words in halolux.unfounded_in(one.bundle, one.packets)
        ]
        weak += [
            (one.question.subject_id, f"{item.what} is missing: {item.consequence}")
            for item in one.bundle.missing_evidence
        ]
        if one.seconds > LIMIT_SECONDS:
            weak.append((one.question.subject_id, f"took {one.seconds:.1f} s to explain"))
    scores = [one.bundle.completeness for one in told]
    metadata: dict[str, Any] = {
        "explained": len(told),
        "high_impact_recorded": kept,
        "completeness": min(scores, default=1.0),
        "slowest_ms": round(1000 * max((one.seconds for one in told), default=0.0), 1),
        "problems": len(false) + len(weak),
    }
    if told:
        metadata["stories"] = dg.MetadataValue.md(
            narrating.table({one.question.subject_id: one.bundle for one in told})
        )
    if false or weak:
        lines = ["| what | problem |", "|---|---|"]
        lines += [f"| {subject} | {cell(problem)} |" for subject, problem in [*false, *weak]]
        metadata["findings"] = dg.MetadataValue.md("\n".join(lines))
        metadata["what_to_do"] = (
            "the ledger or HaloLux is at fault: `omniva ledger verify`, and compare with `omniva "
            "explain <id> --json`"
            if false
            else "see what should have recorded it: `omniva explain <id>` and `omniva ledger "
            "lineage <id>`; materialize that asset again if a packet was never made"
        )
    return dg.AssetCheckResult(
        passed=not false and not weak,
        severity=dg.AssetCheckSeverity.ERROR if false else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def _unreadable(looked_at: int, message: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "explained": 0,
            "looked_at": looked_at,
            "findings": message,
            "what_to_do": "nothing is explained from a ledger that is not what was recorded: "
            "`omniva ledger verify`, then restore the file it names",
        },
    )


HALOLUX_CHECKS = [_check(asset) for asset in (zenith_directives, upload_jobs, publications)]
