"""Bringing a source's colours to BT.709, which players assume for a clip of this size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError

_HD_LINES = 720
# ITU-T H.273: code points of the transfer characteristics of PQ and HLG, and "unspecified".
_HDR_TRANSFERS = (16, 18)
_UNSPECIFIED = 2


@dataclass(frozen=True)
class Colour:
    """A picture's matrix and transfer as ITU-T H.273 code points; 2 is unspecified."""

    matrix: int = _UNSPECIFIED
    transfer: int = _UNSPECIFIED


def read_colour(path: Path) -> Colour:
    """How the colours of a video's first picture are meant. `WorkerError` ``corrupt_media``."""
    import av

    try:
        with av.open(str(path), options={"protocol_whitelist": "file,pipe"}) as container:
            frame = next(container.decode(container.streams.video[0]))
            return Colour(int(frame.colorspace), int(frame.color_trc))
    except (av.FFmpegError, OSError, EOFError, IndexError, StopIteration) as error:
        raise WorkerError(
            ReasonCode.CORRUPT_MEDIA,
            f"no picture of {path.name} can be decoded; fetch the video again",
        ) from error


def named(stream: Any, colour: Colour, lines: int) -> Any:
    """Give an untagged HD picture its usual meaning: ffmpeg would take it for SD's BT.601."""
    if colour.matrix != _UNSPECIFIED or lines < _HD_LINES:
        return stream
    return stream.filter(
        "setparams", colorspace="bt709", color_primaries="bt709", color_trc="bt709"
    )


def scaler_options(colour: Colour) -> dict[str, str]:
    """What the scaler is to convert to; a high dynamic range is left to `toned`."""
    if colour.transfer in _HDR_TRANSFERS:
        return {}
    return {"out_color_matrix": "bt709", "out_range": "tv"}


def toned(stream: Any, colour: Colour) -> Any:
    """Map a high-dynamic-range picture (ITU-R BT.2100) to the range that H.264 players show."""
    if colour.transfer not in _HDR_TRANSFERS:
        return stream
    linear = stream.filter("zscale", transfer="linear", npl=203).filter("format", "gbrpf32le")
    mapped = linear.filter("tonemap", "mobius", desat=0)
    return mapped.filter("zscale", transfer="bt709", matrix="bt709", primaries="bt709", range="tv")
