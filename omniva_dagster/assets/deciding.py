"""Deciding: which candidates become clips. Only Zenith commits."""

from itertools import groupby

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets._common import (
    Shown,
    cell,
    clock,
    outcome_metadata,
    pipeline_asset,
    video_subject,
)
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.record import Record
from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.resources.state import StateResource
from omniva_dagster.resources.workbench import Commit


class ReplanConfig(dg.Config):
    """Whether new spans may be promoted in videos that have clips already."""

    replan: bool = False


@pipeline_asset(Directive, group="decide", kinds={"python"}, version="1")
def zenith_directives(
    context: dg.AssetExecutionContext,
    config: ReplanConfig,
    clip_candidates: list[Record[ClipCandidate]],
    state: StateResource,
    zenith: ZenithDesk,
) -> dg.Output[list[Record[Directive]]]:
    """Zenith's log for this day: which candidates are promoted to clips, on what evidence.

    A promotion pins its span: a later analysis that finds slightly other spans changes nothing,
    unless `replan` asks for further promotions. A candidate that is held is passed over.
    """
    bench = state.workbench(context)
    ordered = sorted(clip_candidates, key=lambda item: item.video_id)
    batches = [
        (video_id, list(group)) for video_id, group in groupby(ordered, lambda r: r.video_id)
    ]

    def work(batch: tuple[str, list[Record[ClipCandidate]]]) -> Commit:
        return lambda recorder: zenith.promote(recorder, *batch, replan=config.replan)

    bench.each(batches, lambda batch: video_subject(bench, batch[1][0]), work)
    with bench.store.read() as connection:
        log = db.decisions.of_partition(connection, bench.partition)
        spans = {
            directive.subject_id: db.decisions.promotion(connection, directive.subject_id)
            for directive, _ in log
        }
    records = [zenith.record_of(directive, packet_id) for directive, packet_id in log]
    lines = ["| directive | span | why | overrode |", "|---|---|---|---|"]
    for directive, _ in log:
        pinned = spans[directive.subject_id]
        span = (
            f"{clock(pinned.candidate.start_time)}–{clock(pinned.candidate.end_time)}"
            if pinned
            else directive.subject_id
        )
        lines.append(
            f"| {directive.kind.value} | {span} | {cell(directive.reason)} "
            f"| {cell('; '.join(directive.overrode))} |"
        )
    metadata: Shown = {
        "promotions": len(
            {item.subject_id for item, _ in log if item.kind == DirectiveKind.PROMOTE}
        ),
        "directives": dg.MetadataValue.md("\n".join(lines)),
    }
    return dg.Output(records, metadata=metadata | outcome_metadata(bench.finish()))
