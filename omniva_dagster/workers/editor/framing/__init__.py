"""Where to cut a vertical picture out of a wide one, shot by shot. Pure.

Who is seen is found per shot (`tracks`), then who is shown when (`layouts`), then
how the crop moves, if it has to (`path`). The picture is only ever cut out, or shown whole
over its own blur; it is never stretched.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from omniva_dagster.workers.editor.framing.follow import NO_PUNCH, PUNCH, Framed, follow, glide
from omniva_dagster.workers.editor.framing.geometry import Box, Canvas, canvas_of
from omniva_dagster.workers.editor.framing.layouts import Run, lay_out, split_boxes
from omniva_dagster.workers.editor.framing.path import Waypoint
from omniva_dagster.workers.editor.framing.shot import FramedShot, Mode, framing_word, held
from omniva_dagster.workers.editor.framing.shown import face_boxes
from omniva_dagster.workers.editor.framing.tracks import find_tracks, main_tracks
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.timeline import Face, Interest, Scene, Word

__all__ = [
    "Box",
    "FramedShot",
    "Mode",
    "Waypoint",
    "face_boxes",
    "frame_shots",
    "framing_word",
    "held",
]

_SHORTEST_SHOT = 0.2
_SHORTEST_JOIN = 0.4
# A crop that keeps this much of the picture loses nothing that a viewer would miss.
_KEPT_ENOUGH = 0.6
# Enough of what is salient lies in a crop.
_SALIENT = 0.6
# A crop magnified more than this is mush: all of a small picture shows more.
_MUSH = 8.5


def frame_shots(
    faces: Sequence[Face],
    scenes: Sequence[Scene],
    start: float,
    end: float,
    width: int,
    height: int,
    style: Style,
    *,
    words: Sequence[Word] = (),
    interests: Sequence[Interest] = (),
    joins: Sequence[float] = (),
    picture: Box | None = None,
) -> list[FramedShot]:
    """The shots of the span ``start`` to ``end``, without gaps.

    All times that go in are seconds of one clock, the video's or the clip's; those that come out
    count from ``start``. ``width`` and ``height`` are of the picture as displayed. ``words`` tell
    when somebody speaks, ``joins`` are moments at which a pause was taken out of a shot: a small
    change of size hides the jump. ``picture`` is what `find_picture` found between black bars:
    nothing outside it is shown. Neighbouring shots that are framed alike come as one.
    """
    part = picture or Box(0, 0, width, height)
    faces = [
        face for face in (_face_in(part, face, width, height) for face in faces) if _is_in(face)
    ]
    interests = [_interest_in(part, known, width, height) for known in interests]
    canvas = canvas_of(part.width, part.height, style)
    framer = _Framer(start, canvas, style, words, interests, joins, picture)
    shots: list[FramedShot] = []
    for begins, ends in _bounds(scenes, start, end):
        seen = [face for face in faces if begins <= face.time < ends]
        for shot in framer.shot(seen, begins, ends):
            last = shots[-1] if shots else None
            if last and not shot.path and replace(last, start=shot.start, end=shot.end) == shot:
                shots[-1] = replace(last, end=shot.end)
            else:
                shots.append(shot)
    return shots


def _bounds(scenes: Sequence[Scene], start: float, end: float) -> list[tuple[float, float]]:
    cuts = [start]
    for cut in sorted(scene.start for scene in scenes if start < scene.start < end):
        if cut - cuts[-1] >= _SHORTEST_SHOT and end - cut >= _SHORTEST_SHOT:
            cuts.append(cut)
    return list(zip(cuts, [*cuts[1:], end], strict=True))


@dataclass(frozen=True)
class _Framer:
    """What all shots of a clip have in common."""

    origin: float
    canvas: Canvas
    style: Style
    words: Sequence[Word]
    interests: Sequence[Interest]
    joins: Sequence[float]
    picture: Box | None

    def shot(self, faces: Sequence[Face], start: float, end: float) -> list[FramedShot]:
        canvas = self.canvas
        size = canvas.crop_size()
        if size[0] >= canvas.width - 1 and size[1] >= canvas.height - 1:
            return [self._framed(start, end, "whole", canvas.box(0, 0, size))]
        if canvas.magnified(size) > _MUSH and not self._cropped_anyway(size):
            return [self._fitted(start, end)]
        tracks = main_tracks(find_tracks(faces, canvas.width, canvas.height), end - start)
        words = [word for word in self.words if word.end > start and word.start < end]
        shots = []
        for run in lay_out(tracks, start, end, canvas, words):
            shots += self._run(run)
        return shots

    def _run(self, run: Run) -> list[FramedShot]:
        if run.kind == "split":
            boxes = split_boxes(run.tracks[0], run.tracks[1], self.canvas)
            if boxes is not None:
                shot = self._framed(run.start, run.end, "split", boxes[0])
                return [replace(shot, second=self._on_source(boxes[1]))]
        if run.kind == "nobody":
            return [self._faceless(run.start, run.end)]
        edges = [run.start, *self._joins_in(run), run.end]
        return [
            self._followed(run, begins, ends, PUNCH if number % 2 else NO_PUNCH)
            for number, (begins, ends) in enumerate(itertools.pairwise(edges))
        ]

    def _joins_in(self, run: Run) -> list[float]:
        kept: list[float] = []
        for join in sorted(self.joins):
            last = kept[-1] if kept else run.start
            if join - last >= _SHORTEST_JOIN and run.end - join >= _SHORTEST_JOIN:
                kept.append(join)
        return kept

    def _followed(self, run: Run, start: float, end: float, punch: float) -> FramedShot:
        for people in (run.tracks, run.tracks[:1]):
            framed = follow(people, start, end, self.canvas, self.style, punch)
            if framed is not None:
                return self._moved(framed, start, end)
        # Too fast for a camera: better to see all of it.
        return self._faceless(start, end)

    def _moved(self, framed: Framed, start: float, end: float, still: Mode = "face") -> FramedShot:
        shot = self._framed(start, end, "follow" if framed.path else still, framed.crop)
        left, top = (self.picture.x, self.picture.y) if self.picture else (0, 0)
        path = tuple(
            replace(
                point,
                time=round(point.time - self.origin, 3),
                x=point.x + left,
                y=point.y + top,
            )
            for point in framed.path
        )
        return replace(shot, path=path)

    def _faceless(self, start: float, end: float) -> FramedShot:
        size = self.canvas.crop_size()
        places = self._salient(start, end)
        framed = glide(places, start, end, self.canvas) if places else None
        if framed is not None:
            return self._moved(framed, start, end, "interest")
        if self._cropped_anyway(size):
            return self._framed(start, end, "centre", self._middle(size))
        return self._fitted(start, end)

    def _salient(self, start: float, end: float) -> list[tuple[float, float, float]]:
        """The places (moment, x and y in pixels) that a crop has to show, if it can show nearly
        everything that is salient."""
        known = [one for one in self.interests if one.start < end and one.end > start]
        spans = [(max(start, one.start), min(end, one.end)) for one in known]
        least = 0.0 if self._cropped_anyway(self.canvas.crop_size()) else _SALIENT
        if sum(b - a for a, b in spans) < 0.5 * (end - start):
            return []
        if any(one.share < least for one in known):
            return []
        return [
            ((a + b) / 2, one.x * self.canvas.width, one.y * self.canvas.height)
            for one, (a, b) in zip(known, spans, strict=True)
        ]

    def _cropped_anyway(self, size: tuple[int, int]) -> bool:
        kept = size[0] * size[1] / (self.canvas.width * self.canvas.height)
        return self.style.faceless == "centre" or kept >= _KEPT_ENOUGH

    def _fitted(self, start: float, end: float) -> FramedShot:
        return self._framed(start, end, "fit", self._middle(self.canvas.crop_size()))

    def _middle(self, size: tuple[int, int]) -> Box:
        return self.canvas.centred(self.canvas.width / 2, self.canvas.height / 2, size)

    def _framed(self, start: float, end: float, mode: Mode, crop: Box) -> FramedShot:
        return FramedShot(
            round(start - self.origin, 6),
            round(end - self.origin, 6),
            mode,
            self._on_source(crop),
            picture=self.picture,
        )

    def _on_source(self, box: Box) -> Box:
        if self.picture is None:
            return box
        return replace(box, x=box.x + self.picture.x, y=box.y + self.picture.y)


def _face_in(part: Box, face: Face, width: int, height: int) -> Face:
    return replace(
        face,
        x=(face.x * width - part.x) / part.width,
        y=(face.y * height - part.y) / part.height,
        width=face.width * width / part.width,
        height=face.height * height / part.height,
    )


def _is_in(face: Face) -> bool:
    """Whether a face has a size, and its middle is on the picture."""
    x, y = face.x + face.width / 2, face.y + face.height / 2
    return face.width > 0 and face.height > 0 and 0 <= x <= 1 and 0 <= y <= 1


def _interest_in(part: Box, known: Interest, width: int, height: int) -> Interest:
    return replace(
        known,
        x=(known.x * width - part.x) / part.width,
        y=(known.y * height - part.y) / part.height,
    )
