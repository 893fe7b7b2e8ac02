"""Whether a downloaded file is the whole of a video. HTTP says so only where the server does."""

from __future__ import annotations

from pathlib import Path

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.media.probe import MediaInfo, probe
from omniva_dagster.workers.scraper.model import ScrapeLimits

# A playlist or manifest would send whoever opens it to other files; media start in other ways.
_TEXT_FORMATS = (b"#", b"<", b"[", b"ffconcat", b"v=0")
_TAIL_SECONDS = 10.0
_MISSING_SECONDS = 2.0
_MISSING_SHARE = 0.02


def verify(path: Path, limits: ScrapeLimits) -> MediaInfo:
    """What the file holds. `WorkerError`: ``corrupt_media`` (no media, or its end is missing),
    ``no_video`` (sound only), ``too_large``, ``too_long``."""
    if path.stat().st_size > limits.max_bytes:
        raise too_large(limits)
    _refuse_text(path)
    media = probe(path)
    if not media.has_video:
        raise WorkerError(
            ReasonCode.NO_VIDEO, "the file has sound and no picture; leave it out of the source"
        )
    if media.duration <= 0:
        raise _corrupt("it is a single picture")
    if media.duration > limits.max_duration_seconds:
        raise too_long(media.duration, limits)
    _refuse_missing_end(path, media.duration)
    return media


def too_large(limits: ScrapeLimits) -> WorkerError:
    """The error for a file beyond the limit."""
    return WorkerError(
        ReasonCode.TOO_LARGE,
        f"it is larger than {limits.max_bytes / 2**20:.0f} MiB; "
        "raise OMNIVA_MAX_VIDEO_BYTES to take it",
    )


def too_long(duration: float, limits: ScrapeLimits) -> WorkerError:
    """The error for a video beyond the limit."""
    return WorkerError(
        ReasonCode.TOO_LONG,
        f"it lasts {duration:.0f} s, more than {limits.max_duration_seconds:.0f}; "
        "raise OMNIVA_MAX_VIDEO_SECONDS to take it",
    )


def _refuse_text(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(_TEXT_FORMATS):
        raise _corrupt("it is text")


def _refuse_missing_end(path: Path, duration: float) -> None:
    """An MP4 with its index in front opens well and lacks its end when it was cut off."""
    import av

    end = 0.0
    try:
        with av.open(str(path), options={"protocol_whitelist": "file,pipe"}) as container:
            start = (container.start_time or 0) / av.time_base
            if duration > _TAIL_SECONDS:
                container.seek(int((start + duration - _TAIL_SECONDS) * av.time_base))
            for packet in container.demux():
                if packet.pts is not None and packet.time_base is not None and packet.size:
                    last = (packet.pts + (packet.duration or 0)) * packet.time_base
                    end = max(end, float(last) - start)
    except (av.FFmpegError, OSError, EOFError) as error:
        raise _corrupt(str(error)) from error
    if duration - end > max(_MISSING_SECONDS, _MISSING_SHARE * duration):
        raise _corrupt(f"it ends at {end:.0f} s of {duration:.0f}")


def _corrupt(why: str) -> WorkerError:
    return WorkerError(
        ReasonCode.CORRUPT_MEDIA,
        f"what came is not a whole video ({why}); it was not kept: "
        "publish it again at the source, or leave it out",
    )
