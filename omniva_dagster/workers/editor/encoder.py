"""Which video encoder this machine can really run."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import lru_cache

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError

_PROBE_SECONDS = 30


@dataclass(frozen=True)
class Encoder:
    """``name`` as ffmpeg calls it: ``libx264`` or ``h264_nvenc``."""

    name: str
    gpu: bool


CPU = Encoder("libx264", gpu=False)
GPU = Encoder("h264_nvenc", gpu=True)


@lru_cache(maxsize=8)
def probe_encoder(ffmpeg: str, preference: str = "auto") -> Encoder:
    """The encoder to use. ``preference``: ``auto``, ``libx264`` or ``h264_nvenc``.

    Every build lists NVENC, and data-centre GPUs with CUDA may have none: a real encode decides.
    Raises `WorkerError` ``gpu_starvation`` if NVENC is asked for and does not work here,
    ``bad_command`` if no encoder works.
    """
    wanted = {"auto": (GPU, CPU), CPU.name: (CPU,), GPU.name: (GPU,)}.get(preference)
    if wanted is None:
        raise WorkerError(
            ReasonCode.BAD_COMMAND,
            f"the encoder {preference!r} is not known; choose auto, {CPU.name} or {GPU.name}",
        )
    for encoder in wanted:
        if _works(ffmpeg, encoder):
            return encoder
    if wanted == (GPU,):
        raise WorkerError(
            ReasonCode.GPU_STARVATION,
            f"{GPU.name} does not work on this host; run it on a GPU host with NVENC, "
            "or set the encoder to auto",
            transient=True,
        )
    raise WorkerError(
        ReasonCode.BAD_COMMAND,
        f"{ffmpeg} cannot encode H.264; use one that has libx264, or leave OMNIVA_FFMPEG out",
    )


def _works(ffmpeg: str, encoder: Encoder) -> bool:
    command = [ffmpeg, "-hide_banner", "-loglevel", "error", "-nostdin", "-f", "lavfi"]
    command += ["-i", "color=black:s=256x256:r=30:d=0.2", "-pix_fmt", "yuv420p"]
    command += ["-c:v", encoder.name, "-f", "null", "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
