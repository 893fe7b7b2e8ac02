"""Faces seen one moment at a time, joined to the people they belong to. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from statistics import fmean, median

from omniva_dagster.workers.editor.framing.geometry import Area, around, between, head_of
from omniva_dagster.workers.media.timeline import Face

# Somebody who is not seen for so long (turned away, hidden) is still the same one at that place.
_LONGEST_GAP = 3.0
_SAMPLING = 0.4
# How far a face gets, in its own sizes: at once, and for every second out of sight.
_STEP, _STRIDE, _FURTHEST = 1.0, 1.8, 2.8
_SIZE_CHANGE = 1.9

# A detection has to last to be somebody: so many seconds, or this part of a short shot.
_LASTING, _LASTING_SHARE = 1.0, 0.3
_BACKGROUND = 0.45
_LEAST_WEIGHT = 0.04
_SMALLEST = 0.035
# A head is never perfectly still: pictures on a wall are (in widths of the face, each sample).
_STILLNESS, _MUTE, _POSTER = 0.006, 0.02, 0.2


@dataclass
class Track:
    """One person over time: their faces in order of time, and their heads in pixels."""

    faces: list[Face] = field(default_factory=list)
    heads: list[Area] = field(default_factory=list)

    @property
    def start(self) -> float:
        """The moment of the first face."""
        return self.faces[0].time

    @property
    def end(self) -> float:
        """The moment of the last face."""
        return self.faces[-1].time

    @property
    def seconds(self) -> float:
        """How long the person is on screen."""
        return self.end - self.start + _SAMPLING

    @property
    def weight(self) -> float:
        """How much of the viewer's eye it draws: time by area by certainty."""
        seen = min(self.seconds, _SAMPLING * 2.5 * len(self.faces))
        return seen * fmean(face.width * face.height * face.score for face in self.faces)

    @property
    def tallness(self) -> float:
        """The usual height of the face, as a fraction of the picture's."""
        return median(face.height for face in self.faces)

    def at(self, time: float) -> Area:
        """Where the head is, between what was seen before and after; still at either end."""
        later = bisect_right(self.faces, time, key=lambda face: face.time)
        if later == 0:
            return self.heads[0]
        if later == len(self.faces):
            return self.heads[-1]
        before, after = self.faces[later - 1].time, self.faces[later].time
        share = (time - before) / (after - before)
        return between(self.heads[later - 1], self.heads[later], share)


def find_tracks(faces: Sequence[Face], width: int, height: int) -> list[Track]:
    """The people in the faces of one shot, by their first moment and from left to right.

    Nearest pairs are joined first, by distance and size. ``width`` and ``height`` are the
    picture's, as displayed.
    """
    tracks: list[Track] = []
    ordered = sorted(faces, key=lambda face: (face.time, face.x, face.y, face.width))
    for time, group in groupby(ordered, key=lambda face: face.time):
        seen = list(group)
        taken = _joined(tracks, seen, time, width, height)
        for face in seen:
            track = taken.get(id(face)) or Track()
            if not track.faces:
                tracks.append(track)
            track.faces.append(face)
            track.heads.append(head_of(face, width, height))
    for track in tracks:
        track.heads = _calmed(track.heads)
    return sorted(tracks, key=lambda track: (track.start, track.faces[0].x))


def main_tracks(tracks: Sequence[Track], seconds: float) -> list[Track]:
    """Those of a shot of ``seconds`` that a viewer looks at, the most important first.

    What flashes up for a moment is a false alarm; faces far smaller than the main one, or
    perfectly still beside one that lives, are background.
    """
    lasting = min(_LASTING, _LASTING_SHARE * seconds)
    sure = [track for track in tracks if track.seconds >= lasting and track.tallness >= _SMALLEST]
    sure = [track for track in sure if len(track.faces) > 1 or seconds < 2 * _LASTING]
    lively = [track for track in sure if not _looks_painted(track)]
    weights = {
        id(track): track.weight * (_POSTER if lively and _looks_painted(track) else 1.0)
        for track in sure
    }
    sure.sort(key=lambda track: (-weights[id(track)], track.start, track.faces[0].x))
    if not sure:
        return []
    main = sure[0]
    return [
        track
        for track in sure
        if track is main
        or (
            weights[id(track)] >= _LEAST_WEIGHT * weights[id(main)]
            and track.tallness >= _BACKGROUND * main.tallness
            and not (lively and _looks_painted(track))
        )
    ]


def _joined(
    tracks: Sequence[Track], seen: Sequence[Face], time: float, width: int, height: int
) -> dict[int, Track]:
    pairs = sorted(
        (distance, number, order)
        for number, track in enumerate(tracks)
        for order, face in enumerate(seen)
        if (distance := _distance(track, face, time, width, height)) is not None
    )
    taken: dict[int, Track] = {}
    for _, number, order in pairs:
        track, face = tracks[number], seen[order]
        if id(face) not in taken and all(other is not track for other in taken.values()):
            taken[id(face)] = track
    return taken


def _distance(track: Track, face: Face, time: float, width: int, height: int) -> float | None:
    """How far the face is from where the track's would be, in faces; None if too far."""
    last = track.faces[-1]
    gap = time - last.time
    ratio = face.height / last.height if last.height > 0 else 0.0
    if gap > _LONGEST_GAP or not 1 / _SIZE_CHANGE < ratio < _SIZE_CHANGE:
        return None
    size = max(face.width * width, face.height * height, last.height * height)
    apart = min(
        _apart(x, y, face, width, height) / size
        for x, y in (_centre(last), _expected(track.faces, gap))
    )
    return apart if apart <= min(_FURTHEST, _STEP + _STRIDE * gap) else None


def _apart(x: float, y: float, face: Face, width: int, height: int) -> float:
    at_x, at_y = _centre(face)
    return float((((at_x - x) * width) ** 2 + ((at_y - y) * height) ** 2) ** 0.5)


def _centre(face: Face) -> tuple[float, float]:
    return face.x + face.width / 2, face.y + face.height / 2


def _expected(faces: Sequence[Face], gap: float) -> tuple[float, float]:
    """Where the face would be if it went on as it did; nobody goes on for long."""
    last = _centre(faces[-1])
    if len(faces) < 2 or gap > 3 * _SAMPLING:
        return last
    before, elapsed = _centre(faces[-2]), faces[-1].time - faces[-2].time
    share = min(2.0, gap / elapsed)
    return last[0] + (last[0] - before[0]) * share, last[1] + (last[1] - before[1]) * share


def _calmed(heads: Sequence[Area]) -> list[Area]:
    """Each where it is, in the usual size of the three around it: sizes jump between sights."""
    triples = [heads[max(0, n - 1) : n + 2] for n in range(len(heads))]
    return [_sized(head, three) for head, three in zip(heads, triples, strict=True)]


def _sized(head: Area, like: Sequence[Area]) -> Area:
    half = median(area.width for area in like) / 2
    above = median(area.eyes - area.top for area in like)
    below = median(area.bottom - area.eyes for area in like)
    return Area(head.x - half, head.eyes - above, head.x + half, head.eyes + below, head.eyes)


def _looks_painted(track: Track) -> bool:
    if len(track.faces) < 5 or max(face.mouth for face in track.faces) > _MUTE:
        return False
    steps = [
        (abs(b.x - a.x) + abs(b.y - a.y) + abs(b.width - a.width)) / a.width
        for a, b in pairwise(track.faces)
        if a.width > 0
    ]
    return bool(steps) and fmean(steps) < _STILLNESS


def together(tracks: Sequence[Track], time: float) -> Area:
    """The area of all these people's heads at a moment."""
    return around(track.at(time) for track in tracks)
