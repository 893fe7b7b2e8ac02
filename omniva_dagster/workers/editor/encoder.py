"""Which video encoder and decoder this machine can really run."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError

_PROBE_SECONDS = 30
_PICTURE = ("-f", "lavfi", "-i", "color=black:s=256x256:r=30:d=0.2", "-pix_fmt", "yuv420p")


@dataclass(frozen=True)
class Encoder:
    """``name`` as ffmpeg calls it: ``libx264`` or ``h264_nvenc``; ``gpu`` says which of the two.

    ``decoder`` is ffmpeg's name of the hardware that decodes the source (``cuda`` is NVDEC), empty
    where the processor does. Both decode H.264 and H.265 to the same bits, and filters run on the
    processor: the picture that is encoded is the same.
    """

    name: str
    gpu: bool
    decoder: str = ""

    @property
    def needs_gpu(self) -> bool:
        """Whether only a CUDA host can run what is planned for it."""
        return self.gpu or bool(self.decoder)

    @property
    def label(self) -> str:
        """For people: ``libx264``, ``libx264, decoded by cuda`` ..."""
        return f"{self.name}, decoded by {self.decoder}" if self.decoder else self.name


CPU = Encoder("libx264", gpu=False)
GPU = Encoder("h264_nvenc", gpu=True)
NVDEC = "cuda"


@lru_cache(maxsize=8)
def probe_encoder(ffmpeg: str, preference: str = "auto") -> Encoder:
    """The encoder to use. ``preference``: ``auto``, ``libx264`` or ``h264_nvenc``.

    Every build lists NVENC, and data-centre GPUs with CUDA may have NVDEC and no NVENC: a real
    encode and a real decode decide. ``libx264`` asks for the processor alone. Raises `WorkerError`
    ``gpu_starvation`` if NVENC is asked for and does not work here, ``bad_command`` if no encoder
    works.
    """
    wanted = {"auto": (GPU, CPU), CPU.name: (CPU,), GPU.name: (GPU,)}.get(preference)
    if wanted is None:
        raise WorkerError(
            ReasonCode.BAD_COMMAND,
            f"the encoder {preference!r} is not known; choose auto, {CPU.name} or {GPU.name}",
        )
    for encoder in wanted:
        if _works(ffmpeg, encoder):
            decoded = preference != CPU.name and _decodes(ffmpeg)
            return Encoder(encoder.name, encoder.gpu, NVDEC) if decoded else encoder
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
    return _ran(ffmpeg, *_PICTURE, "-c:v", encoder.name, "-f", "null", "-")


def _decodes(ffmpeg: str) -> bool:
    """Whether NVDEC decodes H.264 here: a picture has to come down from the GPU's memory, so that
    ffmpeg's falling back to the processor does not count."""
    with tempfile.TemporaryDirectory(prefix="omniva-probe-") as folder:
        sample = str(Path(folder) / "sample.mp4")
        if not _ran(ffmpeg, *_PICTURE, "-c:v", CPU.name, sample):
            return False
        hardware = ("-hwaccel", NVDEC, "-hwaccel_output_format", NVDEC)
        down = ("-vf", "hwdownload,format=nv12", "-f", "null", "-")
        return _ran(ffmpeg, *hardware, "-i", sample, *down)


def _ran(ffmpeg: str, *arguments: str) -> bool:
    command = [ffmpeg, "-hide_banner", "-loglevel", "error", "-nostdin", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
