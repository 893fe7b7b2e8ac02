"""The plan of a clip: an `EditJob` whose commands are the very ones that will be run. Pure.

One command encodes the clip (decode, reframe, captions, brand, fades and loudness in a single
pass: encoding is four fifths of the cost), one takes its thumbnail.
"""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import dataclass, field

from omniva_dagster.contracts.editing import EditJob
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.editor.brand.branding import PLAIN, Branding, font_assets
from omniva_dagster.workers.editor.captions import Captions, make_captions
from omniva_dagster.workers.editor.captions.fonts import load_font, read_font
from omniva_dagster.workers.editor.commands import (
    CAPTIONS_FILE,
    Cut,
    EditContext,
    clip_command,
    still_command,
)
from omniva_dagster.workers.editor.encoder import Encoder
from omniva_dagster.workers.editor.filters import constant_rate, number
from omniva_dagster.workers.editor.framing import face_boxes, frame_shots, framing_word
from omniva_dagster.workers.editor.pace import operation, retime, tighten
from omniva_dagster.workers.editor.sound.loudness import Loudness
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.editor.thumbnail import CARD_FILE, card_words, make_card
from omniva_dagster.workers.media.timeline import Kept, Still

__all__ = [
    "CAPTIONS_FILE",
    "CARD_FILE",
    "EditContext",
    "EditPlan",
    "editing_context_id",
    "plan_edit",
    "tightened",
]

_SECONDS_PER_FRAME = {False: 0.025, True: 0.006}
_START_SECONDS = 2


@dataclass(frozen=True)
class EditPlan:
    """The job and all that its commands refer to; ``notes`` say what a person should know.

    ``loudness_target`` (LUFS) is what the clip has to measure, None where nothing is asked.
    ``assets`` has the SHA-256 of each file that commands read beside the source, by the name they
    call it; ``files`` says where they were when it was planned, which is no part of the plan
    elsewhere. ``faces`` are the PostScript names of its fonts, ``decoder`` the hardware that
    decodes.
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
    encoder: str = "libx264"
    decoder: str = ""
    card_ass: str = ""
    faces: list[str] = field(default_factory=list)
    assets: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def plan_edit(
    context: EditContext,
    style: Style,
    loudness: Loudness,
    encoder: Encoder,
    expected_outputs: list[str],
    *,
    branding: Branding = PLAIN,
    still: Still | None = None,
) -> EditPlan:
    """Plan a clip: the same arguments always give the same plan.

    ``loudness`` comes from `find_loudness`, ``encoder`` from `probe_encoder`, ``style`` and
    ``branding`` from `read_brand`, ``still`` from `choose_stills`. Raises `WorkerError`
    ``bad_command`` for a span or a picture that nothing can be cut from.
    """
    _refuse_nonsense(context)
    rate = constant_rate(context.frame_rate, style.max_frame_rate)
    kept = tightened(context, style)
    line = retime(
        kept,
        words=context.words,
        scenes=context.scenes,
        faces=context.faces,
        interests=context.interests,
    )
    duration = round(line.duration, 3)
    size = (context.source_width, context.source_height)
    shots = frame_shots(
        line.faces,
        line.scenes,
        0.0,
        duration,
        *size,
        style,
        words=line.words,
        interests=line.interests,
        joins=line.joins,
        picture=context.picture,
    )
    font = read_font(branding.font) if branding.font else load_font(style.font, style.weight)
    captions = make_captions(
        line.words,
        0.0,
        duration,
        style,
        font,
        face_boxes(line.faces, shots, *size, style),
        language=context.language,
    )
    said = card_words(line.words, 0.0, duration) if style.title_card else ""
    card = make_card(said, style, font) if said else ""
    cut = Cut(rate, kept, duration, shots, bool(captions.words))
    clip, total = clip_command(context, cut, style, loudness, encoder, branding)
    picture = still_command(context, cut, style, still, card=bool(card))
    used = [*captions.fonts, *([font] if card else [])]
    fonts = list({one.path: one for one in used}.values())
    assets = {**branding.assets, **font_assets(fonts)}
    job = EditJob(
        clip_id=context.clip_id,
        operations=_operations(context, cut, style, loudness, encoder, captions, branding),
        ffmpeg_commands=[shlex.join(clip), shlex.join(picture)],
        gpu_required=encoder.needs_gpu,
        estimated_duration=math.ceil(
            _START_SECONDS + total * rate * _SECONDS_PER_FRAME[encoder.gpu]
        ),
        expected_outputs=expected_outputs,
    )
    return EditPlan(
        job=job,
        captions_ass=captions.ass,
        framing=framing_word(shots),
        caption_words=captions.words,
        font=", ".join(dict.fromkeys(one.family for one in fonts)),
        notes=[*captions.notes, *([loudness.note] if loudness.note else [])],
        duration=total,
        width=style.width,
        height=style.height,
        loudness_target=_target(loudness, branding),
        true_peak_max=style.true_peak_max,
        encoder=encoder.name,
        decoder=encoder.decoder,
        card_ass=card,
        faces=[one.postscript_name for one in fonts],
        assets={name: asset.sha256 for name, asset in assets.items()},
        files={name: str(asset.path) for name, asset in assets.items()},
    )


def tightened(context: EditContext, style: Style) -> list[Kept]:
    """What stays of a clip's span: all of it, or without its pauses where the style says so.

    For `find_loudness`, which has to hear what will be heard.
    """
    if style.pace is None:
        return [Kept(context.start, context.end)]
    return tighten(
        context.words,
        context.silences,
        context.scenes,
        context.start,
        context.end,
        style.pace,
        language=context.language,
        rate=constant_rate(context.frame_rate, style.max_frame_rate),
    )


def editing_context_id(plan: EditPlan, source_sha256: str) -> str:
    """The id of a render (5.3): the same for every retry, another if anything would look or
    sound different."""
    job = plan.job
    assets = json.dumps(plan.assets, sort_keys=True)
    return derive_id(
        "edit",
        source_sha256,
        job.clip_id,
        plan.font,
        plan.captions_ass,
        plan.card_ass,
        assets,
        *job.ffmpeg_commands,
    )


def _target(loudness: Loudness, branding: Branding) -> float | None:
    """What the finished file has to measure: nothing, if a part of it misses its target."""
    bumpers = [each.loudness for each in (branding.intro, branding.outro) if each]
    missed = any(each.target is None and each.gain for each in bumpers)
    return None if missed else loudness.target


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
    cut: Cut,
    style: Style,
    loudness: Loudness,
    encoder: Encoder,
    captions: Captions,
    branding: Branding,
) -> list[str]:
    limited = "" if loudness.ceiling is None else f", limited to {loudness.ceiling:g} dBFS"
    steps = [
        f"cut {number(context.start)} s to {number(context.end)} s",
        operation(cut.kept, context.start, context.end),
        f"reframe to {style.width}x{style.height}: {framing_word(cut.shots)}",
        f"captions: {captions.words} words" if captions.words else "",
        *branding.words(),
        f"fade out {number(style.fade_out)} s",
        f"loudness: {loudness.gain:+.2f} dB{limited}" if context.has_audio else "silent sound",
        f"encode: {encoder.label}",
        "thumbnail",
    ]
    return [step for step in steps if step]
