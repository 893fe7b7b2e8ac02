"""What a media file holds, measured on the file itself (PyAV: no ffprobe is needed)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError

_PICTURES = 4


@dataclass(frozen=True)
class MediaInfo:
    """Streams of a file; width and height as displayed: square pixels, rotation applied.

    ``interlaced``: pictures are two half-pictures taken one after the other. ``alpha``: they have
    transparent parts that come out of the decoder as such. ``track`` is the number of the audio
    stream that is heard.
    """

    duration: float
    width: int
    height: int
    frame_rate: float
    has_video: bool
    has_audio: bool
    video_codec: str
    audio_codec: str
    interlaced: bool = False
    alpha: bool = False
    track: int = 0


def probe(path: Path) -> MediaInfo:
    """Open the file and decode its first picture. `WorkerError` ``corrupt_media`` if it can't be.

    The duration is the container's, or the last packet's end where the container has none.
    """
    import av

    if not path.is_file() or path.stat().st_size == 0:
        raise _corrupt(path, "it is empty")
    try:
        with av.open(str(path), options={"protocol_whitelist": "file,pipe"}) as container:
            video = picture_stream(container)
            sounds = container.streams.audio
            audio = sounds[sound_track(container)] if sounds else None
            duration = container.duration / av.time_base if container.duration else 0.0
            frames: list[Any] = []
            if video is not None:
                frames = _first_pictures(container, video)
                if not frames:
                    raise _corrupt(path, "it has no picture that can be decoded")
            rotation = int(getattr(frames[0], "rotation", 0) or 0) if frames else 0
            width, height = _square(video, rotation) if video is not None else (0, 0)
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
                interlaced=any(frame.interlaced_frame for frame in frames),
                alpha=bool(frames) and any(c.is_alpha for c in frames[0].format.components),
                track=sound_track(container),
            )
    except (av.FFmpegError, OSError, EOFError) as error:
        raise _corrupt(path, str(error)) from error


def picture_stream(container: Any) -> Any:
    """The first video stream of an open container that is not a cover picture; None if there is
    none. ffmpeg calls it ``V:0``."""
    import av

    cover = av.stream.Disposition.attached_pic
    return next((s for s in container.streams.video if not s.disposition & cover), None)


def sound_track(container: Any) -> int:
    """Which of an open container's audio streams is heard: the first that players take by
    default, else the first. ffmpeg calls it ``a:<number>``."""
    import av

    default = av.stream.Disposition.default
    marked = (n for n, s in enumerate(container.streams.audio) if s.disposition & default)
    return next(marked, 0)


def _first_pictures(container: Any, video: Any) -> list[Any]:
    """A few, because the first may be whole where those that follow are interlaced. Only the
    first one has to be sound."""
    import av

    pictures = container.decode(video)
    frames = list(islice(pictures, 1))
    with suppress(av.FFmpegError):
        frames += islice(pictures, _PICTURES - 1)
    return frames


def _square(video: Any, rotation: int) -> tuple[int, int]:
    """Width and height in square pixels, upright: what is stored narrower or wider than it is
    shown is turned first and then made as wide as it should be, as ffmpeg does it."""
    aspect = video.sample_aspect_ratio
    if not aspect or aspect <= 0:
        aspect = 1
    if rotation % 180:
        return round(video.height / aspect), video.width
    return round(video.width * aspect), video.height


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
