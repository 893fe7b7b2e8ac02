"""Opening a media file and decoding what can be decoded of it (PyAV)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError


@contextmanager
def opened(media: Path) -> Iterator[Any]:
    """The open PyAV container; local files only. `WorkerError` ``corrupt_media`` if it can't be."""
    import av

    try:
        with av.open(str(media), options={"protocol_whitelist": "file,pipe"}) as container:
            yield container
    except (av.FFmpegError, OSError, EOFError) as error:
        # Its text alone: the whole message names a path of this machine.
        said = getattr(error, "strerror", None) or type(error).__name__
        raise corrupt(said) from error


def corrupt(why: str) -> WorkerError:
    """The error for a file that cannot be decoded."""
    return WorkerError(
        ReasonCode.CORRUPT_MEDIA,
        f"the video cannot be decoded ({why}); fetch it again, or leave it out",
    )


def decoded(
    container: Any, stream: Any, on_packet: Callable[[Any], None] | None = None
) -> Iterator[tuple[float | None, Any]]:
    """Frames of a stream with their times, in seconds from the start of the video.

    Damaged packets are skipped and a file that breaks off ends there. Without a timestamp
    the time is None. ``on_packet`` is told of each packet before it is decoded.
    """
    import av

    origin = origin_of(container)
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.FFmpegError, EOFError):
            return
        if packet is None:
            return
        if on_packet:
            on_packet(packet)
        try:
            frames = packet.decode()
        except (av.FFmpegError, EOFError):
            continue
        for frame in frames:
            yield (None if frame.time is None else float(frame.time) - origin), frame


def origin_of(container: Any) -> float:
    """Seconds at which the container's own clock stands when the video starts."""
    import av

    return float((container.start_time or 0) / av.time_base)
