"""The commands of a clip, with placeholders for what differs between machines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from omniva_dagster.workers.editor.colour import Colour, named, scaler_options, toned
from omniva_dagster.workers.editor.encoder import Encoder
from omniva_dagster.workers.editor.filters import (
    SAMPLE_RATE,
    constant,
    constant_rate,
    even_audio,
    mastered,
    number,
    reframed,
    square_pixels,
)
from omniva_dagster.workers.editor.framing import FramedShot
from omniva_dagster.workers.editor.loudness import Loudness, encoded_audio
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.ffmpeg import INPUT_GUARD
from omniva_dagster.workers.media.timeline import Face, Scene, Word

CAPTIONS_FILE = "captions.ass"
_GUARD = INPUT_GUARD[1]
_GOP_SECONDS = 2
# More threads of x264 would give other bytes on a machine with more processors.
_X264_THREADS = 4
_STILL_SECONDS = 1.0


@dataclass(frozen=True)
class EditContext:
    """What is known about a clip and its video.

    Times are seconds of the video, width and height are of the picture as displayed (rotation and
    sample aspect ratio applied). Words, faces and scenes may reach beyond the clip.
    """

    clip_id: str
    video_id: str
    source: Path
    start: float
    end: float
    source_width: int
    source_height: int
    frame_rate: float
    has_audio: bool
    words: list[Word] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)
    scenes: list[Scene] = field(default_factory=list)
    colour: Colour = field(default_factory=Colour)


def clip_command(
    context: EditContext,
    style: Style,
    loudness: Loudness,
    encoder: Encoder,
    shots: Sequence[FramedShot],
    captioned: bool,
) -> list[str]:
    """Cut, reframe, caption, fade, amplify and encode in one pass: the only encode there is."""
    import ffmpeg

    duration = round(context.end - context.start, 3)
    rate = constant_rate(context.frame_rate, style.max_frame_rate)
    source = _opened(context.start, duration + 0.5)
    picture = constant(_upright(source, context), rate)
    picture = reframed(picture, shots, rate, style, scaler_options(context.colour))
    picture = toned(picture, context.colour)
    if captioned:
        picture = picture.filter("ass", filename=CAPTIONS_FILE, fontsdir="{fontsdir}")
    fade = min(style.fade_out, duration / 2)
    picture = picture.filter("fade", t="out", st=number(duration - fade), d=number(fade))
    # The last picture of a video can end a moment before its sound.
    picture = picture.filter("tpad", stop_mode="clone", stop_duration="0.1")
    written = ffmpeg.output(
        picture.filter("format", "yuv420p"),
        _sound(source, context, style, loudness, duration),
        "{output}",
        **_video_options(encoder, style, rate),
        **encoded_audio(style),
        **_container_options(duration),
    )
    return [str(part) for part in written.compile(cmd="{ffmpeg}")]


def _opened(start: float, duration: float) -> Any:
    """The source from ``start`` on: seeking before the input is exact where pictures are
    decoded, and skips what comes before."""
    import ffmpeg

    return ffmpeg.input("{input}", ss=number(start), t=number(duration), protocol_whitelist=_GUARD)


def _upright(source: Any, context: EditContext) -> Any:
    lines = min(context.source_width, context.source_height)
    return square_pixels(named(source["V:0"], context.colour, lines))


def _sound(
    source: Any, context: EditContext, style: Style, loudness: Loudness, duration: float
) -> Any:
    import ffmpeg

    if context.has_audio:
        even = even_audio(source["a:0"], duration)
        return mastered(even, duration, loudness.gain, loudness.ceiling, style)
    silence = ffmpeg.input(
        f"anullsrc=channel_layout=stereo:sample_rate={SAMPLE_RATE}",
        f="lavfi",
        t=number(duration),
        protocol_whitelist=_GUARD,
    )
    return silence["a:0"].filter("aformat", sample_fmts="fltp", channel_layouts="stereo")


def _video_options(encoder: Encoder, style: Style, rate: Fraction) -> dict[str, Any]:
    options: dict[str, Any] = {
        "c:v": "{video_encoder}",
        "profile:v": "high",
        "pix_fmt": "yuv420p",
        "g": round(_GOP_SECONDS * rate),
        "maxrate": style.max_bitrate,
        "bufsize": style.max_bitrate,
        "colorspace": "bt709",
        "color_primaries": "bt709",
        "color_trc": "bt709",
        "color_range": "tv",
        "flags:v": "+bitexact",
    }
    if encoder.gpu:
        return options | {"preset": "p5", "rc": "vbr", "cq": style.crf + 3, "b:v": 0}
    return options | {"preset": style.preset, "crf": style.crf, "threads:v": _X264_THREADS}


def _container_options(duration: float) -> dict[str, Any]:
    return {
        "t": number(duration),
        "map_metadata": -1,
        "map_chapters": -1,
        "movflags": "+faststart",
        "fflags": "+bitexact",
        "f": "mp4",
    }


def still_command(context: EditContext, style: Style, shots: Sequence[FramedShot]) -> list[str]:
    """A still without captions, framed as its shot, the most typical of a second's pictures."""
    shot, moment = _best_moment(context, shots)
    begins = max(shot.start, min(moment - _STILL_SECONDS / 2, shot.end - _STILL_SECONDS))
    length = min(_STILL_SECONDS, shot.end - begins)
    picture = _upright(_opened(context.start + begins, length), context)
    picture = picture.filter("thumbnail", 2 * round(style.max_frame_rate))
    still = FramedShot(0.0, length, shot.mode, shot.crop)
    picture = reframed(picture, [still], Fraction(30), style, scaler_options(context.colour))
    # JPEG has the full range and BT.601's matrix by definition (JFIF 1.02).
    picture = toned(picture, context.colour).filter(
        "scale", out_color_matrix="bt601", out_range="full"
    )
    jpeg = picture.filter("format", "yuvj420p")
    options = {"c:v": "mjpeg", "q:v": 3, "frames:v": 1, "update": 1, "f": "image2"}
    written = jpeg.output(
        "{output}", map_metadata=-1, fflags="+bitexact", **options, **{"flags:v": "+bitexact"}
    )
    return [str(part) for part in written.compile(cmd="{ffmpeg}")]


def _best_moment(context: EditContext, shots: Sequence[FramedShot]) -> tuple[FramedShot, float]:
    """The shot and the second (of the clip) of its largest sure face, else of the longest shot."""
    longest = max(shots, key=lambda shot: shot.end - shot.start)
    inside = [face for face in context.faces if context.start <= face.time < context.end]
    if not inside:
        return longest, (longest.start + longest.end) / 2
    best = max(inside, key=lambda face: (face.score * face.width * face.height, -face.time))
    moment = best.time - context.start
    return next(shot for shot in shots if moment < shot.end), moment
