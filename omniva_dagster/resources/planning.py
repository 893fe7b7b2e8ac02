"""Planning a clip with all there is: its analysis, its creator's brand, its sound."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omniva_dagster.contracts.editing import EditJob
from omniva_dagster.contracts.video import VideoAsset
from omniva_dagster.resources import plans
from omniva_dagster.resources.atlas import Atlas
from omniva_dagster.workers.media.timeline import Kept

if TYPE_CHECKING:
    from omniva_dagster.resources.media import RendererResource
    from omniva_dagster.state.decisions import Promotion
    from omniva_dagster.workers.analyzer.analyze import Analysis
    from omniva_dagster.workers.editor.brand import Brand
    from omniva_dagster.workers.editor.plan import EditContext
    from omniva_dagster.workers.editor.sound.loudness import Loudness
    from omniva_dagster.workers.editor.style import Style


class ClipPlanner:
    """Plans the clips of one creator, all in the brand as it was when the first was planned."""

    def __init__(self, atlas: Atlas, renderer: RendererResource, creator: str) -> None:
        self._atlas = atlas
        self._renderer = renderer
        self._creator = creator
        self._reading = threading.Lock()
        self._brand: Brand | None = None

    def plan(
        self,
        pinned: Promotion,
        siblings: Sequence[Promotion],
        video: VideoAsset,
        analysis: Analysis,
    ) -> EditJob:
        """The job of a promoted clip, its plan kept in Atlas. ``siblings`` are all clips of the
        video: no two get the same thumbnail. Raises `WorkerError`."""
        from omniva_dagster.workers.editor.plan import editing_context_id, plan_edit
        from omniva_dagster.workers.editor.thumbnail import choose_stills

        brand = self.brand()
        context = context_of(
            pinned.clip_id,
            (pinned.candidate.start_time, pinned.candidate.end_time),
            video,
            self._atlas.path(video.media_uri),
            analysis,
        )
        spans = {
            clip.clip_id: (clip.candidate.start_time, clip.candidate.end_time) for clip in siblings
        }
        plan = plan_edit(
            context,
            brand.style,
            self.loudness(context, video.sha256, brand.style),
            self._renderer.probe(),
            [],
            branding=brand.branding,
            still=choose_stills(analysis.stills, spans).get(pinned.clip_id),
        )
        context_id = editing_context_id(plan, video.sha256)
        outputs = plans.expected_outputs(pinned.clip_id, context_id)
        job = plan.job.model_copy(update={"expected_outputs": outputs})
        plans.keep_assets(self._atlas, plan)
        plans.keep_plan(self._atlas, dataclasses.replace(plan, job=job), context_id)
        return job

    def brand(self) -> Brand:
        """The creator's brand."""
        with self._reading:
            if self._brand is None:
                self._brand = self._renderer.brand(self._creator, self._bumper_loudness)
            return self._brand

    def loudness(self, context: EditContext, sha256: str, style: Style) -> Loudness:
        """How loud what is kept of a clip's span is, and what is done about it."""
        from omniva_dagster.workers.editor.plan import tightened
        from omniva_dagster.workers.editor.sound.loudness import NO_SOUND

        if not context.has_audio:
            return NO_SOUND
        kept = tightened(context, style)
        return self._heard(context.source, sha256, kept, style, context.track)

    def _bumper_loudness(self, path: Path, sha256: str, seconds: float) -> Loudness:
        from omniva_dagster.workers.editor.style import style_named

        whole = [Kept(0.0, seconds)]
        return self._heard(path, sha256, whole, style_named(self._renderer.style))

    def _heard(
        self, path: Path, sha256: str, kept: Sequence[Kept], style: Style, track: int = 0
    ) -> Loudness:
        from omniva_dagster.workers.editor.sound.loudness import find_loudness

        return plans.known_loudness(
            self._atlas,
            sha256,
            ",".join(f"{one.start}-{one.end}" for one in kept),
            style,
            lambda: find_loudness(
                path,
                kept[0].start,
                kept[-1].end,
                style,
                has_audio=True,
                kept=kept,
                track=track,
                ffmpeg=self._renderer.executable,
                timeout=self._renderer.timeout_seconds,
            ),
        )


def context_of(
    clip_id: str,
    span: tuple[float, float],
    video: VideoAsset,
    source: Path,
    analysis: Analysis,
) -> EditContext:
    """All that is known about a span of a video."""
    from omniva_dagster.workers.editor.colour import read_colour
    from omniva_dagster.workers.editor.framing.bars import find_picture
    from omniva_dagster.workers.editor.plan import EditContext
    from omniva_dagster.workers.media.probe import probe
    from omniva_dagster.workers.media.seeking import lead_before

    seen = probe(source)
    return EditContext(
        clip_id=clip_id,
        video_id=video.video_id,
        source=source,
        start=span[0],
        end=span[1],
        source_width=video.width,
        source_height=video.height,
        frame_rate=video.frame_rate,
        has_audio=video.has_audio,
        words=analysis.words,
        faces=analysis.faces,
        scenes=analysis.scenes,
        interests=analysis.interests,
        silences=_silences(analysis),
        language=analysis.language,
        colour=read_colour(source),
        interlaced=seen.interlaced,
        alpha=seen.alpha,
        picture=find_picture(source, *span),
        track=seen.track,
        lead=lead_before(source, *span),
    )


def _silences(analysis: Analysis) -> list[tuple[float, float]]:
    """Where it is quiet enough to take something out: rooms are quieter than nothing at all."""
    from omniva_dagster.workers.editor.sound.quiet import quiet_parts

    # An analysis of an earlier version has no levels.
    return quiet_parts(analysis.levels) if analysis.levels else analysis.silences
