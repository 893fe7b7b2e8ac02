"""How far before a moment a file has to be opened for its pictures to be there at that moment.

ffmpeg seeks to a key frame before the moment where a container has an index of them. Transport
streams have none, and some indexes begin late: there it lands behind the last key frame, and shows
nothing before the next.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from omniva_dagster.workers.media.probe import picture_stream

# Seconds tried, one after the other.
_LEADS = (0.0, 2.0, 5.0, 10.0, 20.0, 40.0)
_SPARE = 1.0


def lead_before(path: Path, start: float, end: float) -> float:
    """Seconds before each moment from ``start`` to ``end`` that opening has to begin; 0 where
    seeking is exact, ``end`` where only the beginning of the file will do."""
    import av

    try:
        with av.open(str(path), options={"protocol_whitelist": "file,pipe"}) as container:
            stream = picture_stream(container)
            if stream is None or _lands(container, stream, start, start):
                return 0.0
            for lead in _LEADS[1:]:
                if lead < start and _lands(container, stream, start - lead, start):
                    return max(lead, _longest_wait(container, stream, end) + _SPARE)
    except (av.FFmpegError, OSError, EOFError):
        # What is wrong with the file is said by those who need its contents.
        return 0.0
    return end


def _lands(container: Any, stream: Any, at: float, moment: float) -> bool:
    """Whether the first key frame after seeking to ``at`` is not later than ``moment``."""
    container.seek(round(at * 1e6) + (container.start_time or 0))
    found = next(_key_frames(container, stream), None)
    return found is not None and found <= moment + 1e-3


def _longest_wait(container: Any, stream: Any, end: float) -> float:
    """The longest time between key frames from here to ``end``."""
    times = []
    for time in _key_frames(container, stream):
        times.append(time)
        if time > end:
            break
    return max((b - a for a, b in pairwise(times)), default=0.0)


def _key_frames(container: Any, stream: Any) -> Any:
    origin = (container.start_time or 0) / 1e6
    for packet in container.demux(stream):
        if packet.is_keyframe and packet.pts is not None:
            yield float(packet.pts * packet.time_base) - origin
