"""Bringing a source's colours to BT.709, which players assume for a clip of this size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.media.probe import picture_stream

_HD_LINES = 720
# ITU-T H.273: code points of the transfer characteristics of PQ and HLG, and "unspecified".
_HDR_TRANSFERS = (16, 18)
_UNSPECIFIED = 2


@dataclass(frozen=True)
class Colour:
    """A picture's matrix, transfer and primaries as ITU-T H.273 code points; 2 is unspecified."""

    matrix: int = _UNSPECIFIED
    transfer: int = _UNSPECIFIED
    primaries: int = _UNSPECIFIED


def read_colour(path: Path) -> Colour:
    """How the colours of a video's first picture are meant. `WorkerError` ``corrupt_media``."""
    import av

    try:
        with av.open(str(path), options={"protocol_whitelist": "file,pipe"}) as container:
            stream = picture_stream(container)
            frame = next(container.decode(stream) if stream is not None else iter(()))
            return Colour(int(frame.colorspace), int(frame.color_trc), int(frame.color_primaries))
    except (av.FFmpegError, OSError, EOFError, StopIteration) as error:
        raise WorkerError(
            ReasonCode.CORRUPT_MEDIA,
            f"no picture of {path.name} can be decoded; fetch the video again",
        ) from error


def named(stream: Any, colour: Colour, lines: int) -> Any:
    """Give a picture that says too little its usual meaning: ffmpeg would take untagged HD for
    SD's BT.601, and maps no high dynamic range whose matrix or primaries it isn't told."""
    if colour.transfer in _HDR_TRANSFERS:
        return _completed(stream, colour)
    if colour.matrix != _UNSPECIFIED or lines < _HD_LINES:
        return stream
    return stream.filter(
        "setparams", colorspace="bt709", color_primaries="bt709", color_trc="bt709"
    )


def _completed(stream: Any, colour: Colour) -> Any:
    missing = {}
    if colour.matrix == _UNSPECIFIED:
        missing["colorspace"] = "bt2020nc"
    if colour.primaries == _UNSPECIFIED:
        missing["color_primaries"] = "bt2020"
    return stream.filter("setparams", **missing) if missing else stream


def scaler_options(colour: Colour) -> dict[str, str]:
    """What the scaler is to convert to; a high dynamic range is left to `toned`."""
    if colour.transfer in _HDR_TRANSFERS:
        return {}
    return {"out_color_matrix": "bt709", "out_range": "tv"}


def toned(stream: Any, colour: Colour) -> Any:
    """Map a high-dynamic-range picture (ITU-R BT.2100) to the range that H.264 players show."""
    if colour.transfer not in _HDR_TRANSFERS:
        return stream
    # zscale takes a picture with coarse chroma that was cropped at an odd place for a darker one.
    fine = stream.filter("format", "yuv444p12le|gbrp12le")
    linear = fine.filter("zscale", transfer="linear", npl=203).filter("format", "gbrpf32le")
    mapped = linear.filter("tonemap", "mobius", desat=0)
    return mapped.filter("zscale", transfer="bt709", matrix="bt709", primaries="bt709", range="tv")
