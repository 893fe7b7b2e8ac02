"""The commands of a clip, with placeholders for what differs between machines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from omniva_dagster.workers.editor.brand.branding import Branding, joined, with_logo
from omniva_dagster.workers.editor.colour import Colour, scaler_options, toned
from omniva_dagster.workers.editor.encoder import Encoder
from omniva_dagster.workers.editor.filters import constant, number, reframed, upright
from omniva_dagster.workers.editor.framing import Box, FramedShot, held
from omniva_dagster.workers.editor.pace.cutting import cut_picture, cut_sound
from omniva_dagster.workers.editor.sound import SAMPLE_RATE, even_audio, mastered
from omniva_dagster.workers.editor.sound.loudness import Loudness, encoded_audio
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.editor.thumbnail import CARD_FILE
from omniva_dagster.workers.media.ffmpeg import INPUT_GUARD
from omniva_dagster.workers.media.timeline import (
    Face,
    Interest,
    Kept,
    Scene,
    Still,
    Word,
)

CAPTIONS_FILE = "captions.ass"
_GUARD = INPUT_GUARD[1]
_GOP_SECONDS = 2
# More threads of x264 would give other bytes on a machine with more processors.
_X264_THREADS = 4
# Each thread of a decoder holds pictures: on a large machine the default takes gigabytes at 4K.
_DECODER_THREADS = 4
_STILL_SECONDS = 1.0
_A_PICTURE = 0.5
# What a hardware decoder leaves in its own order of samples comes back to the software's.
_PLANAR = "yuv420p|yuv422p|yuv444p|yuv420p10le|yuv422p10le|yuv444p10le|yuv420p12le"


@dataclass(frozen=True)
class EditContext:
    """What is known about a clip and its video.

    Times are seconds of the video, width and height are of the picture as displayed (rotation and
    sample aspect ratio applied). Words, faces and scenes may reach beyond the clip; ``language``
    is an ISO 639-1 code, empty if unknown; ``picture`` is what lies between black bars, None
    where there are none; ``track`` is the number of the audio stream; ``lead`` is how long before
    a moment the file has to be opened (`media.seeking`).
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
    interests: list[Interest] = field(default_factory=list)
    silences: list[tuple[float, float]] = field(default_factory=list)
    language: str = ""
    interlaced: bool = False
    alpha: bool = False
    picture: Box | None = None
    track: int = 0
    lead: float = 0.0


@dataclass(frozen=True)
class Cut:
    """A clip as it was decided on: what is ``kept`` of the video (in its seconds), and how long
    that is without intro and outro. ``shots`` count from the clip's first moment."""

    rate: Fraction
    kept: Sequence[Kept]
    duration: float
    shots: Sequence[FramedShot]
    captioned: bool

    @property
    def frames(self) -> int:
        """Its pictures."""
        return max(1, round(self.duration * self.rate))

    def in_clip(self, moment: float) -> float:
        """Seconds of the clip at a moment of the video; at the join where it was left out."""
        before = (min(moment, one.end) - one.start for one in self.kept if one.start < moment)
        return float(sum(before))

    def in_video(self, moment: float) -> float:
        """Seconds of the video at a moment of the clip."""
        for one in self.kept:
            if moment < one.end - one.start:
                return one.start + moment
            moment -= one.end - one.start
        return self.kept[-1].end


def clip_command(
    context: EditContext,
    cut: Cut,
    style: Style,
    loudness: Loudness,
    encoder: Encoder,
    branding: Branding,
) -> tuple[list[str], float]:
    """Cut, reframe, caption, brand, fade, amplify and encode in one pass, the only encode there
    is; and how many seconds it makes."""
    import ffmpeg

    length = cut.kept[-1].end - context.start + 0.5
    lead = min(context.lead, context.start)
    source = _opened(context.start, length, lead, encoder.decoder)
    picture = constant(_upright(_planar(_since(lead, source), encoder), context), cut.rate)
    picture = cut_picture(picture, cut.kept, context.start, cut.rate)
    picture = reframed(picture, cut.shots, cut.rate, style, scaler_options(context.colour))
    picture = toned(picture, context.colour)
    picture = with_logo(picture, branding.logo, style)
    if cut.captioned:
        picture = picture.filter("ass", filename=CAPTIONS_FILE, fontsdir="{fontsdir}")
    # The last picture of a video can end a moment before its sound.
    picture = picture.filter("tpad", stop_mode="clone", stop_duration="0.1")
    sound = _sound(source, context, cut, style, loudness)
    picture, sound, frames = joined(picture, sound, branding, cut.frames, cut.rate, style)
    # Between intro and outro the clip's own length is in whole frames.
    alone = frames == cut.frames
    total = cut.duration if alone else round(float(frames / cut.rate), 3)
    fade = min(style.fade_out, total / 2)
    picture = picture.filter("fade", t="out", st=number(total - fade), d=number(fade))
    written = ffmpeg.output(
        picture.filter("format", "yuv420p"),
        sound,
        "{output}",
        **_video_options(encoder, style, cut.rate),
        **encoded_audio(style),
        **_container_options(total),
    )
    return [str(part) for part in written.compile(cmd="{ffmpeg}")], total


def _opened(start: float, duration: float, lead: float, decoder: str = "") -> Any:
    """The source from ``lead`` before ``start`` on: seeking before the input is exact where
    pictures are decoded, and skips what comes before."""
    import ffmpeg

    hardware = {"hwaccel": decoder} if decoder else {}
    return ffmpeg.input(
        "{input}",
        **({} if 0 < lead == start else {"ss": number(start - lead)}),
        t=number(duration + lead),
        threads=_DECODER_THREADS,
        protocol_whitelist=_GUARD,
        **hardware,
    )


def _since(lead: float, source: Any) -> Any:
    """The picture, its first ``lead`` seconds before the clip's clock begins."""
    picture = source["V:0"]
    return picture.filter("setpts", f"PTS-{number(lead)}/TB") if lead else picture


def _planar(picture: Any, encoder: Encoder) -> Any:
    return picture.filter("format", _PLANAR) if encoder.decoder else picture


def _upright(picture: Any, context: EditContext) -> Any:
    lines = min(context.source_width, context.source_height)
    return upright(
        picture, context.colour, lines, interlaced=context.interlaced, alpha=context.alpha
    )


def _sound(source: Any, context: EditContext, cut: Cut, style: Style, loudness: Loudness) -> Any:
    import ffmpeg

    duration = cut.duration
    if context.has_audio:
        heard, lead = source[f"a:{context.track}"], min(context.lead, context.start)
        if lead:
            heard = heard.filter("asetpts", f"PTS-{number(lead)}/TB")
        even = even_audio(heard, round(cut.kept[-1].end - context.start, 3))
        even = cut_sound(even, cut.kept, context.start)
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


def still_command(
    context: EditContext, cut: Cut, style: Style, still: Still | None = None, *, card: bool = False
) -> list[str]:
    """A still without captions, framed as its shot: at the moment of ``still``, else the most
    typical of a second's pictures. ``card`` sets the title card over it."""
    if still is not None:
        moment, length = still.time, _A_PICTURE
    else:
        typical = _typical(context, cut)
        shot = _shot_at(cut.shots, typical)
        begins = max(shot.start, min(typical - _STILL_SECONDS / 2, shot.end - _STILL_SECONDS))
        moment, length = cut.in_video(begins), min(_STILL_SECONDS, shot.end - begins)
    at = cut.in_clip(moment)
    framed = held(_shot_at(cut.shots, at), at, length)
    lead = min(context.lead, moment)
    picture = _upright(_since(lead, _opened(moment, length, lead)), context)
    if lead:
        picture = picture.filter("trim", start=0)
    if still is None:
        picture = picture.filter("thumbnail", 2 * round(style.max_frame_rate))
    picture = reframed(picture, [framed], Fraction(30), style, scaler_options(context.colour))
    picture = toned(picture, context.colour)
    if card:
        picture = picture.filter("ass", filename=CARD_FILE, fontsdir="{fontsdir}")
    # JPEG has the full range and BT.601's matrix by definition (JFIF 1.02).
    picture = picture.filter("scale", out_color_matrix="bt601", out_range="full")
    jpeg = picture.filter("format", "yuvj420p")
    options = {"c:v": "mjpeg", "q:v": 3, "frames:v": 1, "update": 1, "f": "image2"}
    written = jpeg.output(
        "{output}", map_metadata=-1, fflags="+bitexact", **options, **{"flags:v": "+bitexact"}
    )
    return [str(part) for part in written.compile(cmd="{ffmpeg}")]


def _shot_at(shots: Sequence[FramedShot], moment: float) -> FramedShot:
    return next((shot for shot in shots if moment < shot.end), shots[-1])


def _typical(context: EditContext, cut: Cut) -> float:
    """The second of the clip at which its largest sure face is seen, else the middle of its
    longest shot."""
    inside = [face for face in context.faces if context.start <= face.time < context.end]
    if inside:
        best = max(inside, key=lambda face: (face.score * face.width * face.height, -face.time))
        return cut.in_clip(best.time)
    longest = max(cut.shots, key=lambda shot: shot.end - shot.start)
    return (longest.start + longest.end) / 2
