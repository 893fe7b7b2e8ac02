"""What a media file holds, measured on the file itself (PyAV: no ffprobe is needed)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError


@dataclass(frozen=True)
class MediaInfo:
    """Streams of a file; width and height as displayed: square pixels, rotation applied."""

    duration: float
    width: int
    height: int
    frame_rate: float
    has_video: bool
    has_audio: bool
    video_codec: str
    audio_codec: str


def probe(path: Path) -> MediaInfo:
    """Open the file and decode its first picture. `WorkerError` ``corrupt_media`` if it can't be.

    The duration is the container's, or the last packet's end where the container has none.
    """
    import av

    if not path.is_file() or path.stat().st_size == 0:
        raise _corrupt(path, "it is empty")
    try:
        with av.open(str(path), options={"protocol_whitelist": "file,pipe"}) as container:
            video = container.streams.video[0] if container.streams.video else None
            audio = container.streams.audio[0] if container.streams.audio else None
            duration = container.duration / av.time_base if container.duration else 0.0
            rotation = 0
            if video is not None:
                frame = next(container.decode(video), None)
                if frame is None:
                    raise _corrupt(path, "it has no picture that can be decoded")
                rotation = int(getattr(frame, "rotation", 0) or 0)
            width, height = _square(video) if video is not None else (0, 0)
            if rotation % 180:
                width, height = height, width
            rate = video.average_rate if video is not None else None
            return MediaInfo(
                duration=duration or _last_packet(path),
                width=width,
                height=height,
                frame_rate=float(rate) if rate else 0.0,
                has_video=video is not None,
                has_audio=audio is not None,
                video_codec=video.codec_context.name if video is not None else "",
                audio_codec=audio.codec_context.name if audio is not None else "",
            )
    except (av.FFmpegError, OSError, EOFError) as error:
        raise _corrupt(path, str(error)) from error


def _square(video: Any) -> tuple[int, int]:
    """Width and height in square pixels: anamorphic pictures are stored narrower or wider."""
    aspect = video.sample_aspect_ratio
    width = video.width * aspect if aspect and aspect > 0 else video.width
    return round(width), video.height


def _last_packet(path: Path) -> float:
    import av

    end = 0.0
    with av.open(str(path), options={"protocol_whitelist": "file,pipe"}) as container:
        for packet in container.demux():
            if packet.pts is not None and packet.time_base is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return end


def _corrupt(path: Path, why: str) -> WorkerError:
    return WorkerError(
        ReasonCode.CORRUPT_MEDIA,
        f"the file is not a video that can be read ({why}); it was not kept: "
        "publish it again at the source, or leave it out",
    )
