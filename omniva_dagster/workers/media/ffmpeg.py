"""Finding an ffmpeg that can do the work, and running it within limits.

No shell is involved, inputs are restricted to local files by ffmpeg's own protocol whitelist, and
every run has a time limit.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError

# Given before every input: a crafted playlist or container must not make ffmpeg open the network.
INPUT_GUARD = ("-protocol_whitelist", "file,pipe")
_FILTERS_NEEDED = (" ass ", " loudnorm ", " ebur128 ", " scale ")
_KEPT_LINES = 400
# What libass says of its fonts once must not be lost among what a decoder says of a damaged file.
_FONT_LINE = "fontselect:"
_REAP_SECONDS = 0.005
# How long after a child's last report whoever watches is asked whether it is still wanted.
_TICK_SECONDS = 1.0
_GPU_BUSY = re.compile(
    r"OpenEncodeSessionEx failed|No capable devices found|CUDA_ERROR|Cannot load (libcuda|nvcuda|"
    r"libnvidia-encode|nvEncodeAPI)|No NVENC capable devices|No device available for encoder"
)
# The last is what a thread says that gets no stack.
_OUT_OF_MEMORY = (
    "Cannot allocate memory",
    "malloc of size",
    "malloc failed",
    "Resource temporarily unavailable",
)
_DISK_FULL = ("No space left on device", "Disk quota exceeded", "File too large")

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
    cwd: Path | None = None,
    memory: int | None = None,
) -> FfmpegRun:
    """Run ffmpeg with ``arguments`` (everything after the program's name).

    ``duration`` (seconds of output expected) turns ffmpeg's own progress report into fractions
    for ``on_progress``, which is also called each second of silence, and may raise to end the
    run; ``cwd`` is the folder that relative names are in; ``memory`` bounds its
    address space (bytes). Raises `WorkerError`: ``render_timeout`` past ``timeout`` seconds,
    ``disk_full``, ``gpu_starvation``, ``internal`` where it was killed or wanted more memory, or
    ``bad_command`` with the last lines of ffmpeg's log.
    """
    command = [ffmpeg or find_ffmpeg(), "-hide_banner", "-nostdin", "-nostats"]
    command += ["-progress", "pipe:1", *arguments]
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=cwd,
    )
    if memory is not None:
        # From outside: code between fork and exec is not safe in a program with threads.
        with suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_AS, (memory, memory))
    timed_out = threading.Event()
    reaping = threading.Lock()

    def kill() -> None:
        # Not process.kill(): it may reap the child, and with it what the child cost.
        with reaping:
            if process.returncode is None:
                os.kill(process.pid, signal.SIGKILL)

    def give_up() -> None:
        timed_out.set()
        kill()

    log: deque[str] = deque(maxlen=_KEPT_LINES)
    fonts: deque[str] = deque(maxlen=_KEPT_LINES)
    watchdog = threading.Timer(timeout, give_up)
    reader = threading.Thread(target=_drain, args=(process, log, fonts), daemon=True)
    watchdog.start()
    reader.start()
    try:
        _report(process, duration, on_progress)
    except BaseException:
        kill()
        raise
    finally:
        cpu = _reaped(process, reaping)
        watchdog.cancel()
        reader.join(timeout=5)
    code = process.returncode
    said = "\n".join([*fonts, *log])
    if timed_out.is_set():
        raise WorkerError(
            ReasonCode.RENDER_TIMEOUT,
            f"ffmpeg was stopped after {timeout:.0f} s; raise OMNIVA_RENDER_TIMEOUT_SECONDS, "
            "or look at the source: it may be damaged",
            transient=True,
        )
    if code != 0:
        raise _failure(code, said)
    return FfmpegRun(time.monotonic() - started, cpu, said)


def _reaped(process: subprocess.Popen[str], reaping: threading.Lock) -> float:
    """Wait for the child's end; the CPU seconds of this child alone, whatever else runs."""
    while True:
        with reaping:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                process.returncode = os.waitstatus_to_exitcode(status)
                return usage.ru_utime + usage.ru_stime
        time.sleep(_REAP_SECONDS)


def _drain(process: subprocess.Popen[str], log: deque[str], fonts: deque[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        (fonts if _FONT_LINE in line else log).append(line.rstrip())


def _report(
    process: subprocess.Popen[str], duration: float, on_progress: OnProgress | None
) -> None:
    """Call ``on_progress`` at each report, and while there is none: it may end a silent child."""
    heard: SimpleQueue[float | None] = SimpleQueue()
    threading.Thread(target=_listen, args=(process, duration, heard), daemon=True).start()
    fraction = 0.0
    while True:
        try:
            news = heard.get(timeout=_TICK_SECONDS)
        except Empty:
            news = fraction
        if news is None:
            return
        fraction = news
        if on_progress:
            on_progress(fraction)


def _listen(
    process: subprocess.Popen[str], duration: float, heard: SimpleQueue[float | None]
) -> None:
    assert process.stdout is not None
    try:
        for line in process.stdout:
            name, _, value = line.strip().partition("=")
            if name == "out_time_us" and duration > 0 and value.lstrip("-").isdigit():
                heard.put(min(1.0, max(0.0, int(value) / 1e6 / duration)))
    finally:
        heard.put(None)


def _failure(code: int, log: str) -> WorkerError:
    tail = "\n".join(log.splitlines()[-6:])
    if any(said in log for said in _DISK_FULL):
        return WorkerError(
            ReasonCode.DISK_FULL, "the disk is full; free some space and run again", transient=True
        )
    if found := _GPU_BUSY.search(log):
        return WorkerError(
            ReasonCode.GPU_STARVATION,
            f"the GPU could not be used ({found[0]}); run it again later or on another host",
            transient=True,
        )
    if any(said in log for said in _OUT_OF_MEMORY):
        return WorkerError(
            ReasonCode.INTERNAL,
            "ffmpeg wanted more memory than it may have; look at the source's size of picture, "
            f"and leave the video out if it is absurd:\n{tail}",
        )
    if code < 0:
        # Not the command's fault: killed by hand, or for memory.
        return WorkerError(
            ReasonCode.INTERNAL,
            f"ffmpeg was ended by signal {-code}; see that there is memory, and run again:\n{tail}",
            transient=True,
        )
    return WorkerError(ReasonCode.BAD_COMMAND, f"ffmpeg ended with code {code}:\n{tail}")


def processor_name() -> str:
    """What did the work, for the operation graph (EDI-4)."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as info:
            model = next(line for line in info if line.startswith("model name"))
        return f"{model.partition(':')[2].strip()} x{os.cpu_count()}"
    except (OSError, StopIteration):
        return f"unknown x{os.cpu_count()}"
