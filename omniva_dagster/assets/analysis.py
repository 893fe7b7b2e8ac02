"""Understanding videos: what is said and seen, and which spans are worth a clip."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

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
from omniva_dagster.assets.deciding import ReplanConfig
from omniva_dagster.contracts.analysis import AnalysisResult, ClipCandidate
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.video import VideoAsset
from omniva_dagster.engines import pantheon
from omniva_dagster.resources import burden, evidencing, guidance, judging, ordering
from omniva_dagster.resources.media import AtlasResource, JuryResource, TranscriberResource
from omniva_dagster.resources.sidecars import load_analysis, load_shown
from omniva_dagster.resources.state import StateResource
from omniva_dagster.resources.workbench import Commit, Recorder, Skip
from omniva_dagster.state.partition import Subject

if TYPE_CHECKING:
    from omniva_dagster.workers.analyzer.analyze import Analysis


@pipeline_asset(
    AnalysisResult, group="understand", kinds={"python", "whisper", "opencv"}, version="2", gpu=True
)
def analysis_results(
    context: dg.AssetExecutionContext,
    videos: list[Record[VideoAsset]],
    state: StateResource,
    atlas: AtlasResource,
    transcriber: TranscriberResource,
) -> dg.Output[list[Record[AnalysisResult]]]:
    """Transcript with word times, shots, faces, and scored candidates of 15 to 60 seconds.

    The words, shots, faces, loudness and every score's contributions stand beside it in Atlas, as
    do vectors of its sentences. What the site knows of the viewers counts where there is such
    knowledge. The same file under the same model is analyzed once. What each candidate rests on
    (its words, what each feature adds, its cuts, the models) is a packet of its own.
    """
    from omniva_dagster.workers.analyzer import sidecars
    from omniva_dagster.workers.analyzer.analyze import analyze
    from omniva_dagster.workers.analyzer.scores.hints import read_hints
    from omniva_dagster.workers.media.proxy import proxy_of

    bench = state.workbench(context)
    store = atlas.store
    ears = transcriber.rerouted(bench.reroutes)

    def made_before(video: Record[VideoAsset]) -> str:
        # What was heard before the work was rerouted stands: a backup is for what is not.
        with bench.store.read() as connection:
            key = db.library.analysis_key(connection, video.subject_id)
        return key if key and store.path(key).is_dir() else ""

    def work(video: Record[VideoAsset]) -> Commit:
        asset = video.document
        media = store.path(asset.media_uri)
        hints, proxy = read_hints(store.path(asset.metadata_uri)), proxy_of(media)
        key = made_before(video) if ears is not transcriber else ""
        if not key:
            print_of = sidecars.fingerprint(
                asset.sha256, ears.transcriber.name, hints.digest, proxied=proxy is not None
            )
            key = f"analysis/{asset.video_id}/{print_of[:32]}"
        if not store.path(key).is_dir():
            watch = bench.watch(_video_subject(video))
            begun = _cpu_seconds()
            analysis = analyze(
                media,
                asset.video_id,
                ears.transcriber,
                generated_at=bench.now,
                parents=[video.packet_id],
                hints=hints,
                proxy=proxy,
                on_progress=lambda _step, fraction: watch(fraction),
            )
            with store.scratch() as folder:
                spent = _cpu_seconds() - begun
                sidecars.write(analysis, folder / "analysis", cpu_seconds=spent)
                store.put_folder(folder / "analysis", key)
        kept = evidencing.read(store.path(key), store.uri(key))

        def commit(recorder: Recorder) -> list[Record[AnalysisResult]]:
            record = recorder.record(
                kept.analysis.result,
                subject_id=asset.video_id,
                trace_id=video.trace_id,
                parents=[video.packet_id],
                video_id=asset.video_id,
            )
            db.library.set_analysis(recorder.connection, asset.video_id, key, record.packet_id)
            evidencing.publish(recorder, kept, video, record)
            return [record]

        return commit

    # Lattice says who is first; what is returned stays in the order of the videos.
    ordered = ordering.videos_in_order(bench, videos, guidance.of_partition(bench))
    records = ordering.as_given(bench.each(ordered, _video_subject, work), videos)
    titles = {video.subject_id: video.document.title for video in videos}
    analyses = [load_analysis(bench.store, atlas.store, record.subject_id) for record in records]
    metadata: Shown = {
        "videos": len(records),
        "words": sum(len(record.document.transcript.split()) for record in records),
        "candidates": sum(len(record.document.clip_candidates) for record in records),
        "model": ", ".join(sorted({analysis.model for analysis in analyses})) or "none",
        "transcripts": dg.MetadataValue.md(_transcripts(titles, records, analyses)),
        "scores": dg.MetadataValue.md(_breakdown(records, analyses)),
    }
    return dg.Output(records, metadata=metadata | outcome_metadata(bench.finish()))


@pipeline_asset(ClipCandidate, group="understand", kinds={"python"}, version="3")
def clip_candidates(
    context: dg.AssetExecutionContext,
    config: ReplanConfig,
    analysis_results: list[Record[AnalysisResult]],
    state: StateResource,
    atlas: AtlasResource,
    jury: JuryResource,
) -> dg.Output[list[Record[ClipCandidate]]]:
    """Every candidate judged: a vote of each of Pantheon's personas, and Lattice's priority.

    Deterministic and without a language model; they see what the analyzer measured and the vectors
    of what is said. The guidance used is pinned to the partition, and
    `replan` has the judges vote again on what Horizon has said of the day since. Every
    ballot with its reasons, and the shortlist, are packets. A judge that OMNIVA_JUDGE registers
    votes too; what it said once it says for ever.
    """
    bench = state.workbench(context)
    guided = judging.guidance_anew(bench) if config.replan else guidance.of_partition(bench)
    load = burden.of_partition(bench, anew=config.replan)
    panel = jury.panel()
    batches: dict[str, judging.Batch] = {}

    def work(analysis: Record[AnalysisResult]) -> Commit:
        if not analysis.document.clip_candidates:
            raise Skip(
                ReasonCode.NO_CANDIDATES,
                "no stretch of 15 to 60 s that begins and ends with a sentence; "
                "a longer video with more speech gives clips",
            )
        found, shown = load_shown(bench.store, atlas.store, analysis.subject_id)
        batch = judging.judge(analysis, found, guided, panel, shown, load)
        batches[analysis.subject_id] = batch
        return lambda recorder: judging.record(recorder, batch)

    records = bench.each(analysis_results, lambda item: video_subject(bench, item), work)
    advised = ordering.on_candidates(bench, records, guided)
    abstained = [note for batch in batches.values() for note in batch.abstained]
    findings = {one.candidate_id: one for batch in batches.values() for one in batch.findings}
    metadata: Shown = {
        "candidates": len(records),
        "vetoed": sum(bool(one.vetoed_by) for one in findings.values()),
        "lattice_advice": advised,
        "judged": dg.MetadataValue.md(_votes(records, findings)),
        "guidance": dg.MetadataValue.json(guided.metadata),
    }
    if abstained:
        metadata["the judge"] = f"no vote on {len(abstained)} candidates: {abstained[0]}"
    return dg.Output(records, metadata=metadata | outcome_metadata(bench.finish()))


def _cpu_seconds() -> float:
    """What this process and those it waited for have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _video_subject(video: Record[VideoAsset]) -> Subject:
    return Subject(video.subject_id, video.document.title, video.trace_id, video.subject_id)


def _transcripts(
    titles: dict[str, str],
    records: list[Record[AnalysisResult]],
    analyses: "list[Analysis]",
) -> str:
    """What was heard of each video, how surely, and what else is known of it."""
    from omniva_dagster.workers.analyzer.speech.doubts import share

    lines = [
        "| video | language | words | in doubt | viewers' hints | pictures | keywords "
        "| candidates | begins |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {cell(titles[record.subject_id])} "
        f"| {cell(analysis.language)} ({analysis.language_probability:.0%}) "
        f"| {len(analysis.words)} | {share(analysis.doubtful, analysis.words):.0%} "
        f"| {'used' if analysis.hints else 'none'} | {cell(analysis.seen_in)} "
        f"| {cell(', '.join(record.document.keywords_detected[:6]))} "
        f"| {len(record.document.clip_candidates)} | {cell(record.document.transcript, 200)} |"
        for record, analysis in zip(records, analyses, strict=True)
    ]
    return "\n".join(lines)


def _breakdown(records: list[Record[AnalysisResult]], analyses: "list[Analysis]") -> str:
    """What each feature adds to each candidate's score, and what its cuts are charged with."""
    rows = []
    names: list[str] = []
    for record, analysis in zip(records, analyses, strict=True):
        for candidate, parts, charges in zip(
            record.document.clip_candidates,
            analysis.contributions,
            analysis.penalties,
            strict=True,
        ):
            names = names or [part.name for part in parts]
            points = " | ".join(f"{part.points:.2f}" for part in parts)
            span = f"{clock(candidate.start_time)}–{clock(candidate.end_time)}"
            charged = ", ".join(f"{charge.name} −{charge.share:.0%}" for charge in charges)
            rows.append(
                f"| {span} | {candidate.confidence:.2f} | {points} | {cell(charged or 'clean')} |"
            )
    heads = [f"| span | score | {' | '.join(names)} | cuts |", "|---|---|" + "---|" * len(names)]
    heads[1] += "---|"
    return "\n".join([*heads, *rows]) if rows else "no candidates"


def _votes(records: list[Record[ClipCandidate]], findings: Mapping[str, pantheon.Finding]) -> str:
    """A table of spans with every ballot and why, best first."""
    names = sorted({name for record in records for name in record.document.pantheon_votes})
    lines = [
        "| span | priority | analyzer | " + " | ".join(names) + " | about | why |",
        "|---|---|---|" + "---|" * len(names) + "---|---|",
    ]
    for record in sorted(records, key=lambda item: -item.document.lattice_priority):
        candidate = record.document
        votes = " | ".join(f"{candidate.pantheon_votes.get(name, 0):.2f}" for name in names)
        finding = findings.get(record.subject_id)
        lines.append(
            f"| {clock(candidate.start_time)}–{clock(candidate.end_time)} "
            f"| {candidate.lattice_priority:.2f} | {candidate.confidence:.2f} | {votes} "
            f"| {cell(', '.join(candidate.semantic_tags))} "
            f"| {cell(finding.justification) if finding else ''} |"
        )
    return "\n".join(lines)
