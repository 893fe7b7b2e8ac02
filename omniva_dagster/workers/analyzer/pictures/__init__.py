"""What is seen in a video, from one sparing decode: shots, faces, mouths, motion, what draws the
eye, and moments for a thumbnail."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omniva_dagster.workers.analyzer.container import opened
from omniva_dagster.workers.analyzer.pictures.faces import FaceFinder, Features
from omniva_dagster.workers.analyzer.pictures.motion import Motion
from omniva_dagster.workers.analyzer.pictures.mouths import Mouths
from omniva_dagster.workers.analyzer.pictures.saliency import Salience
from omniva_dagster.workers.analyzer.pictures.shots import CutFinder, settled
from omniva_dagster.workers.analyzer.pictures.small import Shrinker, Thumb
from omniva_dagster.workers.analyzer.pictures.sparing import Reader, Shown, cuts_within
from omniva_dagster.workers.analyzer.pictures.stills import Stills
from omniva_dagster.workers.media.probe import picture_stream
from omniva_dagster.workers.media.timeline import Face, Interest, Scene, Still

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FACE_INTERVAL = 0.4
# A picture that differs from the last one looked at by less everywhere (of 255) has its faces.
_SAME = 3

OnFraction = Callable[[float], None]


@dataclass(frozen=True)
class Pictures:
    """What was seen; times in seconds, positions as fractions of the picture as displayed.

    ``scenes`` are shots that follow each other without gaps; ``faces`` are by time, every 0.4 s;
    ``end`` is where the pictures end (0: there are none); ``interests`` tile the shots, a long
    shot may have several; ``stills`` are a second apart; ``motion`` has a value a second, 0 to 1.
    """

    scenes: list[Scene]
    faces: list[Face]
    end: float
    interests: list[Interest] = field(default_factory=list)
    stills: list[Still] = field(default_factory=list)
    motion: list[float] = field(default_factory=list)


NOTHING_SEEN = Pictures([], [], 0.0)


def look(media: Path, on_progress: OnFraction | None = None) -> Pictures:
    """Decode the video's pictures once, as few of them as will do, and say what is seen.

    A file without pictures, or with a cover picture only, has none. Cuts are exact to the frame.
    Memory does not grow with the video beyond what is returned. Raises `WorkerError`
    ``corrupt_media``.
    """
    with opened(media) as container:
        stream = picture_stream(container)
        if stream is None:
            return NOTHING_SEEN
        reader = Reader(container, stream)
        watcher: _Watcher | None = None
        reported = 0.0
        for shown in reader.frames():
            watcher = watcher or _Watcher(stream, shown.frame)
            watcher.see(shown)
            reader.expect(watcher.new_doubts(), watcher.seconds_a_frame)
            if on_progress and reader.duration > 0 and shown.time - reported >= 1:
                reported = shown.time
                on_progress(min(1.0, shown.time / reader.duration))
        if watcher is None:
            return NOTHING_SEEN
        end = round(reader.end_after(watcher.close()), 3)
    return watcher.finish(end, cuts_within(media, watcher.doubts))


@dataclass(frozen=True)
class _Doubtful:
    """A look at a moment of a gap that a cut may fall in: what the pictures on its sides show."""

    since: float
    moment: float
    before: list[Face]
    after: list[Face]


class _Watcher:
    """Takes frames in order of display; each is on show until the next one."""

    def __init__(self, stream: Any, first: Any) -> None:
        self.seconds_a_frame = float(1 / Fraction(stream.average_rate or stream.guessed_rate or 25))
        self._shrinker = Shrinker(stream, first)
        self._finder = FaceFinder(*self._shrinker.face_size)
        self._cuts = CutFinder()
        self._motion = Motion()
        self._salience = Salience(self._shrinker)
        self._stills = Stills()
        self._faces: list[Face] = []
        self._doubtful: list[_Doubtful] = []
        self._held: tuple[Shown, Thumb] | None = None
        self._known: tuple[Thumb, list[Features]] | None = None
        self._mouths: Mouths | None = None
        self._pending: list[list[Face]] = []
        self._told = 0
        self._look = 0

    @property
    def doubts(self) -> list[tuple[float, float]]:
        """Where a cut may have been left out."""
        return self._cuts.doubts

    def new_doubts(self) -> list[tuple[float, float]]:
        """Those since this was asked last."""
        new = self._cuts.doubts[self._told :]
        self._told = len(self._cuts.doubts)
        return new

    def see(self, shown: Shown) -> None:
        """Take the next frame."""
        thumb = self._shrinker.thumb(shown.frame)
        gist = thumb.gist()
        new = self._cuts.add(shown.time, gist, adjacent=shown.adjacent)
        if self._held is None:
            new = True
            self._look = math.ceil(shown.time / FACE_INTERVAL)
        else:
            self._look_until(shown.time, shown if new and not shown.adjacent else None)
        self._motion.see(shown.time, gist, new=new)
        if new:
            self._salience.see(shown.time, thumb, new=True)
            self._settle_mouths()
        elif self._mouths and self._mouths.wants(shown.time):
            self._mouths.see(shown.time, self._shrinker.luma(shown.frame))
        self._held = shown, thumb

    def close(self) -> float:
        """There are no more frames; until when the last one lasts."""
        assert self._held is not None
        self._cuts.finish()
        shown = self._held[0]
        lasts = shown.frame.duration * shown.frame.time_base if shown.frame.duration else 0
        return shown.time + (float(lasts) or self.seconds_a_frame)

    def finish(self, end: float, cuts: list[float]) -> Pictures:
        """All that was seen, up to ``end``; ``cuts`` are what the doubts came to."""
        self._look_until(end, None)
        self._settle_mouths()
        edges = [0.0, *settled([*self._cuts.cuts, *cuts], end), end]
        scenes = [Scene(a, b) for a, b in itertools.pairwise(round(edge, 3) for edge in edges)]
        return Pictures(
            scenes,
            self._all_faces(edges[1:-1]),
            end,
            self._salience.interests(scenes, self._shrinker.aspect),
            self._stills.finish(),
            self._motion.finish(end),
        )

    def _look_until(self, time: float, later: Shown | None) -> None:
        """Look at the frame that is held, for the moments that come before ``time``.

        ``later`` is the next frame where a cut may have been left out between the two.
        """
        assert self._held is not None
        shown, thumb = self._held
        moments = self._moments_before(time)
        if not moments:
            return
        self._settle_mouths()
        picture = self._shrinker.displayed(shown.frame)
        features = self._features(thumb, picture)
        if later is not None:
            others = self._finder.find_features(self._shrinker.displayed(later.frame), later.time)
            self._doubtful += [
                _Doubtful(shown.time, moment, _at(moment, features), _at(moment, others))
                for moment in moments
            ]
            return
        luma = self._shrinker.luma(shown.frame)
        self._pending = [_at(moment, features) for moment in moments]
        self._mouths = Mouths(shown.time, features, luma)
        self._stills.see(shown.time, picture, features, luma)
        self._salience.see(shown.time, thumb)

    def _moments_before(self, time: float) -> list[float]:
        moments = []
        while (moment := round(self._look * FACE_INTERVAL, 3)) < time:
            moments.append(moment)
            self._look += 1
        return moments

    def _features(self, thumb: Thumb, picture: NDArray[np.uint8]) -> list[Features]:
        """The faces of a picture; those of the one before where nothing has changed since."""
        if self._known is None or not _same(self._known[0], thumb):
            self._known = thumb, self._finder.find_features(picture, 0.0)
        return self._known[1]

    def _settle_mouths(self) -> None:
        """The look that was last is over: its faces get how much their mouths moved."""
        amounts = self._mouths.amounts() if self._mouths else []
        for faces in self._pending:
            self._faces += [
                replace(face, mouth=amount) for face, amount in zip(faces, amounts, strict=True)
            ]
        self._pending, self._mouths = [], None

    def _all_faces(self, cuts: list[float]) -> list[Face]:
        found = list(self._faces)
        for doubtful in self._doubtful:
            earlier = bisect_right(cuts, doubtful.moment)
            is_after = earlier > 0 and cuts[earlier - 1] > doubtful.since
            found += doubtful.after if is_after else doubtful.before
        return sorted(found, key=lambda face: (face.time, face.x, face.y, face.width, face.height))


def _at(moment: float, features: list[Features]) -> list[Face]:
    return [replace(one.face, time=moment) for one in features]


def _same(one: Thumb, other: Thumb) -> bool:
    import cv2

    return all(
        float(cv2.absdiff(a, b).max()) <= _SAME
        for a, b in ((one.luma, other.luma), (one.blue, other.blue), (one.red, other.red))
    )
