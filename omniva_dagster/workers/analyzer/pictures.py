"""The pictures of a video: shots and faces, from one decode of the file."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from omniva_dagster.workers.analyzer.container import decoded, opened, picture_stream
from omniva_dagster.workers.analyzer.faces import FaceFinder
from omniva_dagster.workers.media.timeline import Face, Scene

# One look at the faces every 0.4 s; YuNet misses small ones below about 640 x 360.
FACE_INTERVAL = 0.4
_FACE_PIXELS = 640 * 360
# So few pixels, averaged, that noise and the pulse of key frames do not look like cuts.
_CUT_PIXELS = 128 * 72
_SHORTEST_SCENE = 0.5
_LONGEST_SECONDS = 12 * 3600

OnFraction = Callable[[float], None]


@dataclass(frozen=True)
class Pictures:
    """Shots that follow each other without gaps, faces by time (every 0.4 s), and the time in
    seconds at which the pictures end: 0 if there are none."""

    scenes: list[Scene]
    faces: list[Face]
    end: float


NOTHING_SEEN = Pictures([], [], 0.0)


def look(media: Path, on_progress: OnFraction | None = None) -> Pictures:
    """Decode the video's pictures once and find its hard cuts and its faces.

    Positions are fractions of the picture as displayed (rotation and pixel shape applied). A file
    without pictures, or with a cover picture only, has none. Raises `WorkerError`
    ``corrupt_media``.
    """
    with opened(media) as container:
        stream = picture_stream(container)
        if stream is None:
            return NOTHING_SEEN
        stream.thread_type = "AUTO"
        # Deblocking costs a sixth of decoding. Frames that others are made from keep it: without,
        # errors add up to the next key frame, which then looks like a cut.
        stream.codec_context.options = {"skip_loop_filter": "noref"}
        duration = (container.duration or 0) / 1e6
        watcher: _Watcher | None = None
        reported = 0.0
        for time, frame in decoded(container, stream):
            # A damaged timestamp must not make hours of pictures; negative ones are not displayed.
            if time is None or not -0.001 <= time <= (duration or _LONGEST_SECONDS) + 1:
                continue
            watcher = watcher or _Watcher(stream, frame)
            watcher.see(max(0.0, time), frame)
            if on_progress and duration > 0 and time - reported >= 1:
                reported = time
                on_progress(min(1.0, time / duration))
        return watcher.finish() if watcher else NOTHING_SEEN


class _Watcher:
    """Takes frames in order of display; each is on show until the next one."""

    def __init__(self, stream: Any, first: Any) -> None:
        from av.video.reformatter import VideoReformatter

        self._rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
        self._turns = round((getattr(first, "rotation", 0) or 0) / 90) % 4
        aspect = first.width / first.height * float(stream.sample_aspect_ratio or 1)
        self._face_size = _fitting(aspect, _FACE_PIXELS)
        turned = self._face_size if self._turns % 2 == 0 else self._face_size[::-1]
        self._finder = FaceFinder(*turned)
        self._to_faces, self._to_cuts = VideoReformatter(), VideoReformatter()
        self._cut_size = _fitting(aspect, _CUT_PIXELS)
        self._detector = _detector()
        self._cuts: list[float] = []
        self._faces: list[Face] = []
        self._held: Any = None
        self._time = -1.0
        self._look = 0

    def see(self, time: float, frame: Any) -> None:
        if time <= self._time:
            return
        if self._held is None:
            self._look = math.ceil(time / FACE_INTERVAL)
        else:
            self._faces_until(time)
        self._cuts += self._cuts_at(time, frame)
        self._held, self._time = frame, time

    def finish(self) -> Pictures:
        if self._held is None:
            return NOTHING_SEEN
        shown = self._held.duration * self._held.time_base if self._held.duration else 0
        end = round(self._time + float(shown or 1 / self._rate), 3)
        self._faces_until(end)
        edges = [0.0, *(cut for cut in self._cuts if 0 < cut < end), end]
        scenes = [Scene(a, b) for a, b in itertools.pairwise(edges)]
        return Pictures(scenes, self._faces, end)

    def _cuts_at(self, time: float, frame: Any) -> list[float]:
        from scenedetect.common import FrameTimecode, Timecode

        picture = self._picture(self._to_cuts, frame, self._cut_size, "AREA")
        moment = FrameTimecode(Timecode(round(time * 1000), Fraction(1, 1000)), fps=self._rate)
        return [round(cut.seconds, 3) for cut in self._detector.process_frame(moment, picture)]

    def _faces_until(self, time: float) -> None:
        found: list[Face] | None = None
        while (moment := round(self._look * FACE_INTERVAL, 3)) < time:
            if found is None:
                picture = self._picture(self._to_faces, self._held, self._face_size, "BILINEAR")
                upright = _upright(picture, self._turns)
                found = self._finder.find(upright, moment)
            self._faces += [replace(face, time=moment) for face in found]
            self._look += 1

    @staticmethod
    def _picture(reformatter: Any, frame: Any, size: tuple[int, int], way: str) -> Any:
        small = reformatter.reformat(frame, *size, format="bgr24", interpolation=way)
        return small.to_ndarray()


def _detector() -> Any:
    from scenedetect.detectors import AdaptiveDetector

    return AdaptiveDetector(min_scene_len=_SHORTEST_SCENE)


def _upright(picture: Any, turns: int) -> Any:
    import numpy as np

    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


def _fitting(aspect: float, pixels: int) -> tuple[int, int]:
    """Width and height of that aspect and area, even, and neither too thin to look at."""
    aspect = min(10.0, max(0.1, aspect))
    height = math.sqrt(pixels / aspect)
    return max(2, round(height * aspect / 2) * 2), max(2, round(height / 2) * 2)
