"""Editing: how each promoted clip is to be cut, and the clips themselves."""

import json
import os
import shutil

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets._common import Shown, cell, outcome_metadata, pipeline_asset
from omniva_dagster.assets.pictures import inline_picture
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.editing import EditJob, RenderedClip
from omniva_dagster.contracts.record import Record
from omniva_dagster.resources import guidance, highlights, ordering, plans
from omniva_dagster.resources.media import AtlasResource, RendererResource
from omniva_dagster.resources.planning import ClipPlanner
from omniva_dagster.resources.sidecars import load_analysis
from omniva_dagster.resources.state import StateResource
from omniva_dagster.resources.workbench import Commit, Recorder, Workbench
from omniva_dagster.state.partition import Subject

# ffmpeg's filters run on one core and its encoder on several: two clips at once fill two cores.
AT_ONCE = min(4, os.cpu_count() or 1)


@pipeline_asset(EditJob, group="edit", kinds={"python", "ffmpeg"}, version="1")
def edit_jobs(
    context: dg.AssetExecutionContext,
    zenith_directives: list[Record[Directive]],
    state: StateResource,
    atlas: AtlasResource,
    renderer: RendererResource,
) -> dg.Output[list[Record[EditJob]]]:
    """The plan of every promoted clip: the very ffmpeg commands that will be run.

    Planned from Zenith's promotions only; a clip that is held or cancelled is left out. What
    Pantheon's judges said of each goes with its plan.
    """
    bench = state.workbench(context)
    # A clip that was held is promoted again when it is released: it is one clip.
    promotions = list(
        {
            record.subject_id: record
            for record in reversed(zenith_directives)
            if record.document.kind == DirectiveKind.PROMOTE
        }.values()
    )[::-1]
    planner = _Planner(bench, atlas, renderer)
    first = ordering.clips_in_order(bench, promotions, guidance.of_partition(bench))
    made = bench.each(first, lambda item: _clip_subject(bench, item), planner.work, at_once=AT_ONCE)
    records = ordering.as_given(made, promotions)
    lines = ["| clip | steps | seconds expected | Pantheon |", "|---|---|---|---|"]
    lines += [
        f"| {record.subject_id} | {cell('; '.join(record.document.operations))} "
        f"| {record.document.estimated_duration} | {cell(planner.said(record.subject_id), 512)} |"
        for record in records
    ]
    metadata: Shown = {
        "clips": len(records),
        "seconds_expected": sum(record.document.estimated_duration for record in records),
        "plans": dg.MetadataValue.md("\n".join(lines)),
    }
    return dg.Output(records, metadata=metadata | outcome_metadata(bench.finish()))


@pipeline_asset(RenderedClip, group="edit", kinds={"ffmpeg"}, version="1", gpu=True)
def rendered_clips(
    context: dg.AssetExecutionContext,
    edit_jobs: list[Record[EditJob]],
    state: StateResource,
    atlas: AtlasResource,
    renderer: RendererResource,
) -> dg.Output[list[Record[RenderedClip]]]:
    """Finished 1080x1920 clips in Atlas: one encode each, captions burned in, loudness measured.

    A clip whose plan was rendered before is not rendered again.
    """
    bench = state.workbench(context)
    studio = _Studio(bench, atlas, renderer.rerouted(bench.reroutes))
    first = ordering.clips_in_order(bench, edit_jobs, guidance.of_partition(bench))
    made = bench.each(first, lambda item: _clip_subject(bench, item), studio.work, at_once=AT_ONCE)
    records = ordering.as_given(made, edit_jobs)
    lines = ["| clip | seconds | LUFS | dBTP | framing | file |", "|---|---|---|---|---|---|"]
    for record in records:
        clip = record.document
        lines.append(
            f"| {inline_picture(atlas.store.path(clip.thumbnail_uri))} "
            f"| {clip.duration_seconds:.1f} | {clip.integrated_lufs:.1f} "
            f"| {clip.true_peak_dbtp:.1f} | {cell(clip.edit_summary.framing)} "
            f"| `{atlas.store.path(clip.media_uri)}` |"
        )
    metadata: Shown = {
        "clips": len(records),
        "seconds": round(sum(record.document.duration_seconds for record in records), 1),
        "cpu_seconds": round(
            sum(record.document.edit_summary.cpu_seconds for record in records), 1
        ),
        "gallery": dg.MetadataValue.md("\n".join(lines)),
    }
    return dg.Output(records, metadata=metadata | outcome_metadata(bench.finish()))


class _Planner:
    """Plans one clip after another."""

    def __init__(self, bench: Workbench, atlas: AtlasResource, renderer: RendererResource) -> None:
        self._bench = bench
        self._atlas = atlas.store
        way = renderer.rerouted(bench.reroutes)
        self._rerouted = way is not renderer
        self._planner = ClipPlanner(atlas.store, way, bench.partition.creator)
        self._said: dict[str, str] = {}

    def work(self, promotion: Record[Directive]) -> Commit:
        """Plan a promoted clip and keep the plan in Atlas."""
        self._bench.must_permit(_clip_subject(self._bench, promotion), "edit")
        with self._bench.store.read() as connection:
            pinned = db.decisions.promotion(connection, promotion.subject_id)
            held = db.library.video(connection, promotion.video_id)
            siblings = db.decisions.promotions_of(connection, promotion.video_id)
            light = highlights.of_clip(connection, pinned) if pinned else None
        assert pinned is not None
        assert held is not None
        video = held[0]
        analysis = load_analysis(self._bench.store, self._atlas, video.video_id)
        shown = light.packets if light else ()
        self._said[pinned.clip_id] = light.words if light else "no judge was asked"
        job = self._made(pinned.clip_id) or self._planner.plan(pinned, siblings, video, analysis)

        def commit(recorder: Recorder) -> list[Record[EditJob]]:
            return [
                recorder.record(
                    job,
                    subject_id=pinned.clip_id,
                    trace_id=promotion.trace_id,
                    parents=[promotion.packet_id, pinned.packet_id, *shown],
                    video_id=video.video_id,
                )
            ]

        return commit

    def said(self, clip_id: str) -> str:
        """What the judges said of a clip that was planned here."""
        return self._said.get(clip_id, "")

    def _made(self, clip_id: str) -> EditJob | None:
        """The plan of a clip that was made before its work was rerouted: it stands."""
        if not self._rerouted:
            return None
        with self._bench.store.read() as connection:
            packet = db.outbox.latest(connection, "EditJob", clip_id)
        job = EditJob.parse(packet.payload) if packet else None
        made = job and plans.finished(self._atlas, clip_id, plans.context_of(job))
        return job if made else None


class _Studio:
    """Renders one clip after another."""

    def __init__(self, bench: Workbench, atlas: AtlasResource, renderer: RendererResource) -> None:
        self._bench = bench
        self._atlas = atlas.store
        self._renderer = renderer

    def work(self, job: Record[EditJob]) -> Commit:
        """Render a planned clip, unless this very plan was rendered before."""
        # The lock is the directive, read right before acting.
        self._bench.must_permit(_clip_subject(self._bench, job), "edit")
        context_id = plans.context_of(job.document)
        clip = plans.finished(self._atlas, job.subject_id, context_id)
        if clip is None:
            clip = self._render(job, context_id)
        finished = clip

        def commit(recorder: Recorder) -> list[Record[RenderedClip]]:
            return [
                recorder.record(
                    finished,
                    subject_id=job.subject_id,
                    trace_id=job.trace_id,
                    parents=[job.packet_id],
                    video_id=job.video_id,
                )
            ]

        return commit

    def _render(self, job: Record[EditJob], context_id: str) -> RenderedClip:
        from omniva_dagster.workers.editor.render import render

        with self._bench.store.read() as connection:
            held = db.library.video(connection, job.video_id)
        assert held is not None
        watch = self._bench.watch(_clip_subject(self._bench, job))
        plan = plans.load_plan(self._atlas, job.document)
        with self._atlas.scratch() as scratch:
            with self._renderer.place():
                made = render(
                    plan,
                    self._atlas.path(held[0].media_uri),
                    scratch / "work",
                    ffmpeg=self._renderer.executable,
                    encoder=self._renderer.probe(),
                    timeout=self._renderer.timeout_seconds,
                    files=plans.assets_of(self._atlas, plan),
                    on_progress=watch,
                )
            outputs = plans.expected_outputs(job.subject_id, context_id)
            clip = RenderedClip(
                clip_id=job.subject_id,
                video_id=job.video_id,
                editing_context_id=context_id,
                media_uri=outputs[0],
                thumbnail_uri=outputs[1],
                sha256=made.sha256,
                size_bytes=made.size_bytes,
                duration_seconds=made.duration,
                width=made.width,
                height=made.height,
                integrated_lufs=made.integrated_lufs,
                true_peak_dbtp=made.true_peak_dbtp,
                edit_summary=made.summary,
                rendered_at=self._bench.now,
            )
            folder = scratch / "clip"
            folder.mkdir()
            shutil.move(made.media, folder / "clip.mp4")
            shutil.move(made.thumbnail, folder / "thumbnail.jpg")
            (folder / "rendered.json").write_text(json.dumps(clip.dump(), indent=1))
            self._atlas.put_folder(folder, plans.clip_folder(job.subject_id, context_id))
        # Another process may have been first: what stands in Atlas is the clip.
        standing = plans.finished(self._atlas, job.subject_id, context_id)
        assert standing is not None
        return standing


def _clip_subject(bench: Workbench, record: Record[EditJob] | Record[Directive]) -> Subject:
    with bench.store.read() as connection:
        held = db.library.video(connection, record.video_id)
        pinned = db.decisions.promotion(connection, record.subject_id)
    title = held[0].title if held else record.video_id
    start = f" at {pinned.candidate.start_time:.0f} s" if pinned else ""
    return Subject(record.subject_id, f"{title}{start}", record.trace_id, record.video_id)
