"""What a brand puts on a clip, as filters of the one encode: a logo, an intro, an outro. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from omniva_dagster.workers.editor.captions.fonts import Font
from omniva_dagster.workers.editor.colour import Colour, scaler_options, toned
from omniva_dagster.workers.editor.filters import constant, reframed, upright
from omniva_dagster.workers.editor.framing import frame_shots
from omniva_dagster.workers.editor.sound import SAMPLE_RATE, even_audio, mastered
from omniva_dagster.workers.editor.sound.loudness import NO_SOUND, Loudness
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.ffmpeg import INPUT_GUARD

_GUARD = INPUT_GUARD[1]
_THREADS = 4
# The folder of fonts, relative to that which commands run in: what {fontsdir} stands for.
FONTS = "fonts"

Corner = Literal["top_left", "top_right", "bottom_left", "bottom_right"]


@dataclass(frozen=True)
class Asset:
    """A file that commands read: where it is here, and the SHA-256 of what they have to find."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Logo:
    """A picture in a corner; ``width`` is its share of the clip's width."""

    name: str
    corner: Corner = "top_right"
    width: float = 0.16
    opacity: float = 0.85


@dataclass(frozen=True)
class Bumper:
    """A short video before or after a clip; width and height as displayed."""

    name: str
    demuxer: str
    duration: float
    width: int
    height: int
    has_audio: bool
    loudness: Loudness = NO_SOUND
    colour: Colour = field(default_factory=Colour)

    def frames(self, rate: Fraction) -> int:
        """Whole frames that it lasts in a clip of that rate."""
        return max(1, int(Fraction(str(self.duration)) * rate))


@dataclass(frozen=True)
class Branding:
    """What is put on a clip, and the font it brings. ``assets`` has every file by the name that
    commands call it, relative to the folder they run in."""

    logo: Logo | None = None
    intro: Bumper | None = None
    outro: Bumper | None = None
    font: Path | None = None
    assets: Mapping[str, Asset] = field(default_factory=dict)

    def words(self) -> list[str]:
        """Its operations, for the edit job."""
        said = []
        if self.logo:
            said.append(f"logo: {self.logo.corner}, {self.logo.width:g} of the width")
        for place, bumper in (("intro", self.intro), ("outro", self.outro)):
            if bumper:
                said.append(f"{place}: {bumper.duration:g} s")
        return said


PLAIN = Branding()


def font_assets(fonts: Sequence[Font]) -> dict[str, Asset]:
    """The files of fonts, numbered: nothing in their names can mean anything to a filter."""
    return {
        f"{FONTS}/{number}{font.path.suffix.lower()}": Asset(font.path, _digest_of(font.path))
        for number, font in enumerate(fonts)
    }


def _digest_of(path: Path) -> str:
    known = path.stat()
    return _digest(path, known.st_mtime_ns, known.st_size)


@lru_cache(maxsize=32)
def _digest(path: Path, changed: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def with_logo(picture: Any, logo: Logo | None, style: Style) -> Any:
    """``picture`` with the logo in its corner, inside the area that players leave free."""
    if logo is None:
        return picture
    import ffmpeg

    opened = ffmpeg.input(f"file:{logo.name}", f="png_pipe", protocol_whitelist=_GUARD, threads=1)
    width = round(style.width * logo.width / 2) * 2
    mark = opened["v:0"].filter("format", "rgba").filter("scale", width, -2, flags="lanczos")
    mark = mark.filter("colorchannelmixer", aa=f"{logo.opacity:g}")
    side, top, bottom = _logo_margins(style)
    x = str(side) if logo.corner.endswith("left") else f"W-w-{side}"
    y = str(top) if logo.corner.startswith("top") else f"H-h-{bottom}"
    return picture.overlay(mark, x=x, y=y, format="yuv420")


def _logo_margins(style: Style) -> tuple[int, int, int]:
    """Distances from the side, the top and the bottom: beside captions, not among them."""
    return round(style.margin_side * 0.6), round(style.height * 0.08), round(style.height * 0.18)


def joined(
    picture: Any, sound: Any, branding: Branding, frames: int, rate: Fraction, style: Style
) -> tuple[Any, Any, int]:
    """``picture`` (of ``frames`` frames) and ``sound`` between intro and outro, and how many
    frames there are in all."""
    before, after = branding.intro, branding.outro
    if before is None and after is None:
        return picture, sound, frames
    import ffmpeg

    seconds = Fraction(frames) / rate
    main = picture.filter("trim", end_frame=frames).filter("format", "yuv420p")
    parts = [] if before is None else [*_opened(before, rate, style)]
    parts += [main.filter("settb", "AVTB").filter("setsar", 1), _exact(sound, seconds)]
    parts += [] if after is None else [*_opened(after, rate, style)]
    whole = ffmpeg.concat(*parts, n=len(parts) // 2, v=1, a=1).node
    total = frames + sum(bumper.frames(rate) for bumper in (before, after) if bumper)
    return whole[0].filter("fps", f"{rate.numerator}/{rate.denominator}"), whole[1], total


def _opened(bumper: Bumper, rate: Fraction, style: Style) -> tuple[Any, Any]:
    import ffmpeg

    frames = bumper.frames(rate)
    seconds = Fraction(frames) / rate
    opened = ffmpeg.input(
        f"file:{bumper.name}", f=bumper.demuxer, protocol_whitelist=_GUARD, threads=_THREADS
    )
    lines = min(bumper.width, bumper.height)
    shots = frame_shots([], [], 0.0, float(seconds), bumper.width, bumper.height, style)
    picture = constant(upright(opened["V:0"], bumper.colour, lines), rate)
    picture = reframed(picture, shots, rate, style, scaler_options(bumper.colour))
    picture = toned(picture, bumper.colour).filter("format", "yuv420p")
    # What is declared longer than it is must not let sound and picture part.
    picture = picture.filter("tpad", stop_mode="clone", stop_duration=_text(seconds))
    picture = picture.filter("trim", end_frame=frames).filter("settb", "AVTB").filter("setsar", 1)
    return picture, _exact(_sound(opened, bumper, float(seconds), style), seconds)


def _sound(opened: Any, bumper: Bumper, seconds: float, style: Style) -> Any:
    import ffmpeg

    if bumper.has_audio:
        loud = bumper.loudness
        even = even_audio(opened["a:0"], seconds)
        return mastered(even, seconds, loud.gain, loud.ceiling, style)
    silence = ffmpeg.input(
        f"anullsrc=channel_layout=stereo:sample_rate={SAMPLE_RATE}",
        f="lavfi",
        t=f"{seconds:.3f}",
        protocol_whitelist=_GUARD,
    )
    return silence["a:0"].filter("aformat", sample_fmts="fltp", channel_layouts="stereo")


def _exact(sound: Any, seconds: Fraction) -> Any:
    """Sound of exactly as many samples as its picture lasts."""
    samples = round(seconds * SAMPLE_RATE)
    padded = sound.filter("apad", whole_len=samples).filter("atrim", end_sample=samples)
    return padded.filter("aformat", sample_fmts="fltp", channel_layouts="stereo")


def _text(seconds: Fraction) -> str:
    return f"{float(seconds):.6f}"
