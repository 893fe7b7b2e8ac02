"""The files of a brand kit, each looked at before anything is planned with it.

They come from people who may have them from elsewhere: a path leads nowhere else, sizes are
bounded before anything is decoded, and what is no picture or video is refused with a reason.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from omniva_dagster.contracts.reasons import WorkerError
from omniva_dagster.workers.editor.captions.fonts import read_font
from omniva_dagster.workers.editor.colour import Colour, read_colour
from omniva_dagster.workers.media.probe import probe

SHORTEST_VIDEO, LONGEST_VIDEO = 0.3, 10.0
_LARGEST_PICTURE = 4096
_LARGEST_VIDEO = 4096
_PNG = b"\x89PNG\r\n\x1a\n"
_MOV_BRAND = b"ftyp"
_EBML = b"\x1aE\xdf\xa3"


class Refused(ValueError):  # noqa: N818 - it reads as what happened
    """Why a file of a kit cannot be used."""


@dataclass(frozen=True)
class VideoFile:
    """An intro or outro; width and height as displayed."""

    demuxer: str
    duration: float
    width: int
    height: int
    has_audio: bool
    colour: Colour
    sha256: str


def read_inside(folder: Path, named: str, most: int) -> bytes:
    """The bytes of a file under ``folder``. `Refused` if it is elsewhere, too large, or no file."""
    root = folder.resolve()
    try:
        path = (root / named).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise Refused(f"there is no file {named!r} in the kit's folder") from None
    if not path.is_relative_to(root):
        raise Refused(f"{named!r} leads out of the kit's folder: copy the file into it")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(f"{named!r} cannot be read ({error.strerror})") from None
    with os.fdopen(descriptor, "rb") as file:
        known = os.fstat(file.fileno())
        if not stat.S_ISREG(known.st_mode):
            raise Refused(f"{named!r} is not a file")
        content = file.read(most + 1) if known.st_size <= most else b""
    if known.st_size > most or len(content) > most:
        raise Refused(f"{named!r} is larger than {_size(most)}: make it smaller")
    if not content:
        raise Refused(f"{named!r} is empty")
    return content


def _size(most: int) -> str:
    return f"{most // 2**20} MiB" if most >= 2**20 else f"{most // 2**10} KiB"


def checked_logo(raw: bytes) -> str:
    """The SHA-256 of a PNG that decodes whole. `Refused` otherwise."""
    import av

    if not raw.startswith(_PNG) or len(raw) < 33:
        raise Refused("is not a PNG: export the logo as one")
    width, height = struct.unpack_from(">II", raw, 16)
    if not (0 < width <= _LARGEST_PICTURE and 0 < height <= _LARGEST_PICTURE):
        raise Refused(f"is {width}x{height}: at most {_LARGEST_PICTURE} pixels either way")
    if b"IEND" not in raw[-16:]:
        raise Refused("is a broken PNG (its end is missing): export the logo again")
    try:
        with av.open(BytesIO(raw), "r", "png_pipe", {"err_detect": "crccheck"}) as held:
            frame = next(held.decode(video=0), None)
    except (av.FFmpegError, OSError, EOFError, IndexError) as error:
        raise Refused(f"is a broken PNG ({error}): export the logo again") from None
    if frame is None or (frame.width, frame.height) != (width, height):
        raise Refused("is a broken PNG: export the logo again")
    return hashlib.sha256(raw).hexdigest()


def checked_font(raw: bytes) -> str:
    """The family of a font file. `Refused` if captions can't be set in it."""
    with tempfile.TemporaryDirectory(prefix="omniva-brand-") as folder:
        path = Path(folder) / "the-font"
        path.write_bytes(raw)
        try:
            return read_font(path).family
        except WorkerError as error:
            raise Refused(error.message) from None


def checked_video(raw: bytes) -> VideoFile:
    """What an intro or outro is. `Refused` if it can't stand before or after a clip."""
    demuxer = _demuxer(raw)
    with tempfile.TemporaryDirectory(prefix="omniva-brand-") as folder:
        path = Path(folder) / f"bumper.{demuxer}"
        path.write_bytes(raw)
        try:
            known = probe(path)
            if not known.has_video:
                raise Refused("has no picture: an intro or outro is a video")
            colour = read_colour(path)
        except WorkerError:
            raise Refused("is not a video that can be read: export it again as mp4") from None
    if not SHORTEST_VIDEO <= known.duration <= LONGEST_VIDEO:
        raise Refused(
            f"lasts {known.duration:.1f} s: from {SHORTEST_VIDEO:g} to {LONGEST_VIDEO:g} s is right"
        )
    if not 16 <= min(known.width, known.height) <= max(known.width, known.height) <= _LARGEST_VIDEO:
        raise Refused(f"is {known.width}x{known.height}: at most {_LARGEST_VIDEO} either way")
    return VideoFile(
        demuxer=demuxer,
        duration=round(known.duration, 3),
        width=known.width,
        height=known.height,
        has_audio=known.has_audio,
        colour=colour,
        sha256=hashlib.sha256(raw).hexdigest(),
    )


def _demuxer(raw: bytes) -> str:
    """Which of two demuxers reads it: a playlist, which names other files, is neither's."""
    if raw[4:8] == _MOV_BRAND:
        return "mov"
    if raw.startswith(_EBML):
        return "matroska"
    raise Refused("is neither mp4, mov, mkv nor webm: export it as mp4")
