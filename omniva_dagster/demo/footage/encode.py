"""Frames and a soundtrack into one H.264/AAC file, the same bytes every time."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from omniva_dagster.demo.footage.pictures import FRAME_RATE, HEIGHT, WIDTH
from omniva_dagster.workers.media.ffmpeg import INPUT_GUARD, find_ffmpeg

_TIMEOUT = 600.0
_PROGRESS_EVERY = 25
# The number of threads is part of what x264 writes: it must not follow the machine's.
_THREADS = "2"
# Little moves in these pictures: superfast without its searches costs as much as ultrafast, and
# writes a third of it.
_CHEAP = "me=dia:subme=0:mbtree=0:rc-lookahead=0:weightp=0"
_PIPE_BYTES = 1 << 20


def encode(
    frames: Iterable[bytes],
    count: int,
    soundtrack: Path,
    output: Path,
    on_progress: Callable[[float], None],
) -> None:
    """Write ``count`` frames (see `pictures.frames`) and the soundtrack to ``output``, an mp4.

    Raises RuntimeError with ffmpeg's last words if it fails, or takes over ten minutes.
    """
    log = output.with_suffix(".log")
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            _command(soundtrack, output),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            pipesize=_PIPE_BYTES,
        )
        watchdog = threading.Timer(_TIMEOUT, process.kill)
        watchdog.start()
        try:
            _feed(process, frames, count, on_progress)
            code = process.wait()
        finally:
            watchdog.cancel()
            process.kill()
            process.wait()
    if code != 0:
        said = log.read_text(encoding="utf-8", errors="replace")[-500:]
        raise RuntimeError(f"ffmpeg could not encode the sample footage (code {code}): {said}")


def _feed(
    process: subprocess.Popen[bytes],
    frames: Iterable[bytes],
    count: int,
    on_progress: Callable[[float], None],
) -> None:
    assert process.stdin is not None
    # When ffmpeg ends early the pipe breaks: its exit code and its log say why.
    try:
        with suppress(BrokenPipeError):
            for index, frame in enumerate(frames):
                process.stdin.write(frame)
                if index % _PROGRESS_EVERY == 0:
                    on_progress(index / count)
    finally:
        with suppress(BrokenPipeError):
            process.stdin.close()


def _command(soundtrack: Path, output: Path) -> list[str]:
    pictures = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}"]
    pictures += ["-r", str(FRAME_RATE), *INPUT_GUARD, "-i", "pipe:0"]
    sound = [*INPUT_GUARD, "-i", str(soundtrack)]
    video = ["-c:v", "libx264", "-preset", "superfast", "-x264-params", _CHEAP, "-crf", "26"]
    video += ["-g", "125", "-threads", _THREADS, "-color_range", "tv", "-colorspace", "smpte170m"]
    video += ["-color_primaries", "smpte170m", "-color_trc", "smpte170m"]
    audio = ["-c:a", "aac", "-b:a", "128k"]
    repeatable = ["-map_metadata", "-1", "-fflags", "+bitexact"]
    repeatable += ["-flags:v", "+bitexact", "-flags:a", "+bitexact"]
    quiet = ["-hide_banner", "-nostats", "-loglevel", "error", "-y"]
    mapped = ["-map", "0:v", "-map", "1:a", *video, *audio, *repeatable]
    return [
        find_ffmpeg(),
        *quiet,
        *pictures,
        *sound,
        *mapped,
        "-movflags",
        "+faststart",
        str(output),
    ]
