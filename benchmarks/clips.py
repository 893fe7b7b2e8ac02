"""Clips made the way that the assets make them, without Dagster around: for measuring them."""

from __future__ import annotations

import os
import pickle
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omniva_dagster.workers.analyzer.analyze import Analysis
    from omniva_dagster.workers.editor.framing import FramedShot
    from omniva_dagster.workers.editor.plan import EditContext, EditPlan
    from omniva_dagster.workers.editor.style import Style

HOME = Path(os.environ.get("OMNIVA_HOME", Path.home() / ".omniva"))
VIDEO_ID = "00000000-0000-4000-8000-000000000000"
GENERATED_AT = "2026-03-04T00:00:00Z"

Span = tuple[float, float]


@lru_cache(maxsize=1)
def transcriber() -> Any:
    """The analyzer's own, its models loaded and its libraries imported."""
    import cv2  # noqa: F401
    import numpy as np

    from omniva_dagster.workers.analyzer.speech import FasterWhisper

    whisper = FasterWhisper("auto", HOME, device="cpu")
    noise = np.random.default_rng(1).normal(0, 0.1, 32_000).astype(np.float32)
    whisper.transcribe(noise)
    _ = whisper._model.multilingual
    return whisper


def analyzed(media: Path) -> Analysis:
    """The analyzer on a file."""
    from omniva_dagster.workers.analyzer.analyze import analyze

    return analyze(media, VIDEO_ID, transcriber(), generated_at=GENERATED_AT, parents=[])


def analysis_of(media: Path, work: Path) -> Analysis:
    """The same, kept in ``work``."""
    kept = work / f"{media.stem}.analysis"
    if not kept.is_file():
        kept.write_bytes(pickle.dumps(analyzed(media)))
    found: Analysis = pickle.loads(kept.read_bytes())  # noqa: S301 - our own
    return found


def spans_of(analysis: Analysis) -> list[Span]:
    """The spans of its candidates."""
    return [(one.start_time, one.end_time) for one in analysis.result.clip_candidates]


def context_of(media: Path, analysis: Analysis, number: int) -> EditContext:
    """All that is known about candidate ``number``."""
    from omniva_dagster.workers.editor.colour import read_colour
    from omniva_dagster.workers.editor.framing.bars import find_picture
    from omniva_dagster.workers.editor.plan import EditContext
    from omniva_dagster.workers.editor.sound.quiet import quiet_parts
    from omniva_dagster.workers.media.probe import probe

    info, (start, end) = probe(media), spans_of(analysis)[number]
    return EditContext(
        clip_id=clip_id(number),
        video_id=VIDEO_ID,
        source=media,
        start=start,
        end=end,
        source_width=info.width,
        source_height=info.height,
        frame_rate=info.frame_rate,
        has_audio=info.has_audio,
        words=analysis.words,
        faces=analysis.faces,
        scenes=analysis.scenes,
        interests=analysis.interests,
        silences=quiet_parts(analysis.levels),
        language=analysis.language,
        colour=read_colour(media),
        interlaced=info.interlaced,
        alpha=info.alpha,
        picture=find_picture(media, start, end),
    )


def plan_of(context: EditContext, analysis: Analysis, style: Style) -> EditPlan:
    """The plan of a clip: sound listened to, pictures framed, captions set."""
    from omniva_dagster.workers.editor.encoder import CPU
    from omniva_dagster.workers.editor.plan import plan_edit, tightened
    from omniva_dagster.workers.editor.sound.loudness import find_loudness
    from omniva_dagster.workers.editor.thumbnail import choose_stills

    span = context.start, context.end
    sound = find_loudness(
        context.source,
        *span,
        style,
        has_audio=context.has_audio,
        kept=tightened(context, style),
    )
    stills = choose_stills(analysis.stills, {context.clip_id: span})
    return plan_edit(context, style, sound, CPU, [], still=stills.get(context.clip_id))


def shots_of(context: EditContext, style: Style) -> list[FramedShot]:
    """How the picture of a clip is cut, as its plan has it."""
    from omniva_dagster.workers.editor.framing import frame_shots
    from omniva_dagster.workers.editor.pace import retime
    from omniva_dagster.workers.editor.plan import tightened

    line = retime(
        tightened(context, style),
        words=context.words,
        scenes=context.scenes,
        faces=context.faces,
        interests=context.interests,
    )
    return frame_shots(
        line.faces,
        line.scenes,
        0.0,
        round(line.duration, 3),
        context.source_width,
        context.source_height,
        style,
        words=line.words,
        interests=line.interests,
        joins=line.joins,
        picture=context.picture,
    )


def clip_id(number: int) -> str:
    """An id for the benchmark's own clips."""
    return f"00000000-0000-4000-8000-{number + 1:012d}"
