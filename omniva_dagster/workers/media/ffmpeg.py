"""Finding an ffmpeg that can do the work, and running it within limits.

No shell is involved, inputs are restricted to local files by ffmpeg's own protocol whitelist, and
every run has a time limit.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError

# Given before every input: a crafted playlist or container must not make ffmpeg open the network.
INPUT_GUARD = ("-protocol_whitelist", "file,pipe")
_FILTERS_NEEDED = (" ass ", " loudnorm ", " ebur128 ", " scale ")
_KEPT_LINES = 40

OnProgress = Callable[[float], None]


@dataclass(frozen=True)
class FfmpegRun:
    """What a finished run cost and said."""

    wall_seconds: float
    cpu_seconds: float
    log: str


@lru_cache(maxsize=8)
def find_ffmpeg(configured: str = "") -> str:
    """Path of the ffmpeg to use: the configured one, else PATH's if it can burn captions, else
    the one in the ``imageio-ffmpeg`` wheel."""
    if configured:
        if shutil.which(configured) is None:
            raise WorkerError(
                ReasonCode.BAD_COMMAND,
                f"OMNIVA_FFMPEG is {configured!r}, which cannot be run; "
                "correct it, or leave it out to use the bundled one",
            )
        return configured
    on_path = shutil.which("ffmpeg")
    if on_path and _can_do_the_work(on_path):
        return on_path
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _can_do_the_work(ffmpeg: str) -> bool:
    listed = subprocess.run(
        [ffmpeg, "-hide_banner", "-filters"], capture_output=True, text=True, timeout=30
    )
    return listed.returncode == 0 and all(name in listed.stdout for name in _FILTERS_NEEDED)


def run_ffmpeg(
    arguments: Sequence[str],
    *,
    ffmpeg: str = "",
    timeout: float,
    duration: float = 0.0,
    on_progress: OnProgress | None = None,
) -> FfmpegRun:
    """Run ffmpeg with ``arguments`` (everything after the program's name).

    ``duration`` (seconds of output expected) turns ffmpeg's own progress report into fractions
    for ``on_progress``. Raises `WorkerError`: ``render_timeout`` past ``timeout`` seconds,
    ``disk_full``, or ``bad_command`` with the last lines of ffmpeg's log.
    """
    command = [ffmpeg or find_ffmpeg(), "-hide_banner", "-nostdin", "-nostats"]
    command += ["-progress", "pipe:1", *arguments]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    timed_out = threading.Event()

    def give_up() -> None:
        timed_out.set()
        process.kill()

    log: deque[str] = deque(maxlen=_KEPT_LINES)
    watchdog = threading.Timer(timeout, give_up)
    reader = threading.Thread(target=_drain, args=(process, log), daemon=True)
    watchdog.start()
    reader.start()
    try:
        _report(process, duration, on_progress)
        code = process.wait()
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()
        reader.join(timeout=5)
    said = "\n".join(log)
    if timed_out.is_set():
        raise WorkerError(
            ReasonCode.RENDER_TIMEOUT,
            f"ffmpeg was stopped after {timeout:.0f} s; raise OMNIVA_RENDER_TIMEOUT_SECONDS, "
            "or look at the source: it may be damaged",
            transient=True,
        )
    if code != 0:
        raise _failure(code, said)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return FfmpegRun(time.monotonic() - started, cpu, said)


def _drain(process: subprocess.Popen[str], log: deque[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line.rstrip())


def _report(
    process: subprocess.Popen[str], duration: float, on_progress: OnProgress | None
) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        name, _, value = line.strip().partition("=")
        if name == "out_time_us" and on_progress and duration > 0 and value.lstrip("-").isdigit():
            on_progress(min(1.0, max(0.0, int(value) / 1e6 / duration)))


def _failure(code: int, log: str) -> WorkerError:
    tail = "\n".join(log.splitlines()[-6:])
    if "No space left on device" in log:
        return WorkerError(
            ReasonCode.DISK_FULL, "the disk is full; free some space and run again", transient=True
        )
    if code < 0:
        return WorkerError(
            ReasonCode.BAD_COMMAND, f"ffmpeg was ended by signal {-code}:\n{tail}", transient=True
        )
    return WorkerError(ReasonCode.BAD_COMMAND, f"ffmpeg ended with code {code}:\n{tail}")


def processor_name() -> str:
    """What did the work, for the operation graph (EDI-4)."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            model = next(line for line in info if line.startswith("model name"))
        return f"{model.partition(':')[2].strip()} x{os.cpu_count()}"
    except (OSError, StopIteration):
        return f"unknown x{os.cpu_count()}"
