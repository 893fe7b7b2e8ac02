"""The plan of a clip: an `EditJob` whose commands are the very ones that will be run. Pure.

One command encodes the clip (decode, reframe, captions, fades and loudness in a single pass:
encoding is four fifths of the cost), one takes its thumbnail.
"""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass

from omniva_dagster.contracts.editing import EditJob
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.editor.captions import Captions, make_captions
from omniva_dagster.workers.editor.commands import (
    CAPTIONS_FILE,
    EditContext,
    clip_command,
    still_command,
)
from omniva_dagster.workers.editor.encoder import Encoder
from omniva_dagster.workers.editor.filters import constant_rate, number
from omniva_dagster.workers.editor.fonts import load_font
from omniva_dagster.workers.editor.framing import frame_shots, framing_word
from omniva_dagster.workers.editor.loudness import Loudness
from omniva_dagster.workers.editor.style import Style

__all__ = ["CAPTIONS_FILE", "EditContext", "EditPlan", "editing_context_id", "plan_edit"]

_SECONDS_PER_FRAME = {False: 0.025, True: 0.006}
_START_SECONDS = 2


@dataclass(frozen=True)
class EditPlan:
    """The job and all that its commands refer to; ``notes`` say what a person should know.

    ``loudness_target`` (LUFS) is what the clip has to measure, None where nothing is asked.
    """

    job: EditJob
    captions_ass: str
    framing: str
    caption_words: int
    font: str
    notes: list[str]
    duration: float
    width: int
    height: int
    loudness_target: float | None
    true_peak_max: float


def plan_edit(
    context: EditContext,
    style: Style,
    loudness: Loudness,
    encoder: Encoder,
    expected_outputs: list[str],
) -> EditPlan:
    """Plan a clip: the same arguments always give the same plan.

    ``loudness`` comes from `find_loudness`, ``encoder`` from `probe_encoder`. Raises `WorkerError`
    ``bad_command`` for a span or a picture that nothing can be cut from.
    """
    _refuse_nonsense(context)
    duration = round(context.end - context.start, 3)
    shots = frame_shots(
        context.faces,
        context.scenes,
        context.start,
        context.end,
        context.source_width,
        context.source_height,
        style,
    )
    captions = make_captions(
        context.words, context.start, context.end, style, load_font(style.font)
    )
    rate = constant_rate(context.frame_rate, style.max_frame_rate)
    clip = clip_command(context, style, loudness, encoder, shots, bool(captions.words))
    framing = framing_word(shots)
    job = EditJob(
        clip_id=context.clip_id,
        operations=_operations(context, style, loudness, encoder, framing, captions),
        ffmpeg_commands=[shlex.join(clip), shlex.join(still_command(context, style, shots))],
        gpu_required=encoder.gpu,
        estimated_duration=math.ceil(
            _START_SECONDS + duration * rate * _SECONDS_PER_FRAME[encoder.gpu]
        ),
        expected_outputs=expected_outputs,
    )
    return EditPlan(
        job=job,
        captions_ass=captions.ass,
        framing=framing,
        caption_words=captions.words,
        font=style.font if captions.words else "",
        notes=[*captions.notes, *([loudness.note] if loudness.note else [])],
        duration=duration,
        width=style.width,
        height=style.height,
        loudness_target=loudness.target,
        true_peak_max=style.true_peak_max,
    )


def editing_context_id(plan: EditPlan, source_sha256: str) -> str:
    """The id of a render (5.3): the same for every retry, another if anything would look or
    sound different."""
    job = plan.job
    return derive_id(
        "edit", source_sha256, job.clip_id, plan.font, plan.captions_ass, *job.ffmpeg_commands
    )


def _refuse_nonsense(context: EditContext) -> None:
    if not 0 <= context.start < context.end:
        raise WorkerError(
            ReasonCode.BAD_COMMAND,
            f"a clip cannot run from {context.start} to {context.end} s; plan it again",
        )
    if min(context.source_width, context.source_height) < 16:
        raise WorkerError(
            ReasonCode.BAD_COMMAND,
            f"the picture is {context.source_width}x{context.source_height}: nothing can be cut "
            "from it; leave the video out",
        )


def _operations(
    context: EditContext,
    style: Style,
    loudness: Loudness,
    encoder: Encoder,
    framing: str,
    captions: Captions,
) -> list[str]:
    limited = "" if loudness.ceiling is None else f", limited to {loudness.ceiling:g} dBFS"
    steps = [
        f"cut {number(context.start)} s to {number(context.end)} s",
        f"reframe to {style.width}x{style.height}: {framing}",
        f"captions: {captions.words} words" if captions.words else "",
        f"fade out {number(style.fade_out)} s",
        f"loudness: {loudness.gain:+.2f} dB{limited}" if context.has_audio else "silent sound",
        f"encode: {encoder.name}",
        "thumbnail",
    ]
    return [step for step in steps if step]
