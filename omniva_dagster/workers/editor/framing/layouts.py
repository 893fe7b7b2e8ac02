"""Who is shown at which moment of a shot, and how: alone, together, one above the other. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Literal

from omniva_dagster.workers.editor.framing.geometry import Area, Box, Canvas, around, half_of
from omniva_dagster.workers.editor.framing.tracks import Track, together
from omniva_dagster.workers.media.timeline import Word

Kind = Literal["follow", "split", "nobody"]

SHORTEST_RUN = 1.5
_GRID = 0.2
# Around the first and last sight of a face it is still there; out of sight for longer it is gone,
# the sooner if the shot begins or ends without it.
_AROUND, _GONE, _GONE_AT_AN_END = 0.6, 5.0, 2.5
_MARGIN = 0.98
# Who speaks: the mouth that moves most in this window, by so much more than any other.
_LISTENING, _SPOKEN, _CLEARLY, _MOVING = 0.8, 0.2, 1.3, 0.02
_SNAP = 0.4
_LAG = 0.2
# The halves of a split layout: how tall the head is in its half, at least and at best, and where
# the eyes are.
_LEAST_HEAD, _BEST_HEAD, _EYE_LINE = 0.25, 0.5, 0.42
_ALIKE, _TOGETHER_SECONDS = 1.8, 2.0
_MAGNIFIED, _MAGNIFIED_MORE = 2.4, 1.4

Label = tuple[Kind, tuple[int, ...]]


@dataclass(frozen=True)
class Run:
    """A stretch of a shot in which the same people are shown in the same way."""

    start: float
    end: float
    kind: Kind
    tracks: tuple[Track, ...] = ()


def lay_out(
    tracks: Sequence[Track], start: float, end: float, canvas: Canvas, words: Sequence[Word]
) -> list[Run]:
    """The runs of a shot, without gaps, each at least `SHORTEST_RUN` seconds if the shot is.

    ``tracks`` are the people worth showing, the most important first.
    """
    moments = [start + _GRID * (n + 0.5) for n in range(max(1, round((end - start) / _GRID)))]
    choose = _chooser(tracks, start, end, canvas, words)
    labels: list[Label] = []
    for moment in moments:
        labels.append(choose(moment, labels[-1] if labels else None))
    runs = _merged(labels)
    edges = [start, *(start + _GRID * first for _, first, _ in runs[1:]), end]
    return [
        Run(
            _on_a_word(edges[n], words) if n else start,
            _on_a_word(edges[n + 1], words) if n + 1 < len(runs) else end,
            label[0],
            tuple(tracks[number] for number in label[1]),
        )
        for n, (label, _, _) in enumerate(runs)
    ]


def split_boxes(left: Track, right: Track, canvas: Canvas) -> tuple[Box, Box] | None:
    """The crops of the upper and the lower half, or None where each would show the other too."""
    half = half_of(canvas)
    one, two = around(left.heads), around(right.heads)
    boxes = (_half_box(one, left, two, half, canvas), _half_box(two, right, one, half, canvas))
    return (boxes[0], boxes[1]) if boxes[0] and boxes[1] else None


def _chooser(
    tracks: Sequence[Track], start: float, end: float, canvas: Canvas, words: Sequence[Word]
) -> Callable[[float, Label | None], Label]:
    crop_width = canvas.crop_size()[0]
    pairs = {
        (a, b)
        for a, b in combinations(range(len(tracks)), 2)
        if _can_split(tracks[a], tracks[b], canvas)
    }

    def choose(moment: float, before: Label | None) -> Label:
        there = _present(tracks, moment, start, end)
        if not there:
            return "nobody", ()
        wide = together([tracks[n] for n in there], moment).width
        if len(there) == 1 or wide <= _MARGIN * crop_width:
            return "follow", there
        if there in pairs:
            return "split", tuple(sorted(there, key=lambda n: tracks[n].at(moment).x))
        speaker = _speaker(tracks, there, moment, words)
        if speaker is not None:
            return "follow", (speaker,)
        if before is not None and before[0] == "follow" and set(before[1]) <= set(there):
            return before
        return "follow", _main_group(tracks, there, moment, crop_width)

    return choose


def _present(tracks: Sequence[Track], moment: float, start: float, end: float) -> tuple[int, ...]:
    there = tuple(
        n
        for n, track in enumerate(tracks)
        if track.start - _AROUND <= moment <= track.end + _AROUND
    )
    if there or not tracks:
        return there
    earlier = [n for n, track in enumerate(tracks) if track.end < moment]
    later = [n for n, track in enumerate(tracks) if track.start > moment]
    last = max(earlier, key=lambda n: tracks[n].end) if earlier else None
    following = min(later, key=lambda n: tracks[n].start) if later else None
    since = start if last is None else tracks[last].end
    until = end if following is None else tracks[following].start
    if until - since > (_GONE_AT_AN_END if last is None or following is None else _GONE):
        return ()
    if last is None or following is None:
        nearest = following if last is None else last
    else:
        nearest = last if moment - since <= until - moment else following
    return () if nearest is None else (nearest,)


def _main_group(
    tracks: Sequence[Track], there: Sequence[int], moment: float, crop_width: int
) -> tuple[int, ...]:
    """The most important person, and whoever else fits beside them."""
    group = [there[0]]
    for number in there[1:]:
        wider = [*group, number]
        if together([tracks[n] for n in wider], moment).width <= _MARGIN * crop_width:
            group = wider
    return tuple(sorted(group))


def _speaker(
    tracks: Sequence[Track], there: Sequence[int], moment: float, words: Sequence[Word]
) -> int | None:
    spoken = [
        (word.start - _SPOKEN, word.end + _SPOKEN)
        for word in words
        if word.end > moment - 2 * _LISTENING and word.start < moment + 2 * _LISTENING
    ]
    ranked = sorted(((_activity(tracks[n], moment, spoken), -n) for n in there), reverse=True)
    (most, who), (next_most, _) = ranked[0], ranked[1]
    return -who if most >= _MOVING and most >= _CLEARLY * next_most else None


def _activity(track: Track, moment: float, spoken: Sequence[tuple[float, float]]) -> float:
    mouths = [
        face.mouth
        for face in track.faces
        # What a mouth does is measured after the moment the face is seen at.
        if abs(face.time + _LAG - moment) <= _LISTENING
        and any(begins <= face.time + _LAG <= ends for begins, ends in spoken)
    ]
    return fmean(mouths) if mouths else 0.0


def _merged(labels: Sequence[Label]) -> list[tuple[Label, int, int]]:
    """Runs of equal labels (label, first, end), the short ones given to their longer neighbour."""
    runs = _joined([(label, n, n + 1) for n, label in enumerate(labels)])
    while len(runs) > 1:
        short = min(range(len(runs)), key=lambda n: (runs[n][2] - runs[n][1], n))
        if (runs[short][2] - runs[short][1]) * _GRID >= SHORTEST_RUN - 1e-9:
            break
        beside = [n for n in (short - 1, short + 1) if 0 <= n < len(runs)]
        heir = max(beside, key=lambda n: (runs[n][2] - runs[n][1], -n))
        runs[short] = (runs[heir][0], *runs[short][1:])
        runs = _joined(runs)
    return runs


def _joined(runs: Sequence[tuple[Label, int, int]]) -> list[tuple[Label, int, int]]:
    joined: list[tuple[Label, int, int]] = []
    for label, first, end in runs:
        if joined and joined[-1][0] == label:
            joined[-1] = (label, joined[-1][1], end)
        else:
            joined.append((label, first, end))
    return joined


def _on_a_word(moment: float, words: Sequence[Word]) -> float:
    """A change of view comes with the word that it is for, if one starts about then."""
    near = [word.start for word in words if abs(word.start - moment) <= _SNAP]
    return min(near, key=lambda start: (abs(start - moment), start)) if near else moment


def _can_split(one: Track, two: Track, canvas: Canvas) -> bool:
    shared = min(one.end, two.end) - max(one.start, two.start)
    ratio = one.tallness / two.tallness
    if shared < _TOGETHER_SECONDS or not 1 / _ALIKE <= ratio <= _ALIKE:
        return False
    left, right = sorted((one, two), key=lambda track: around(track.heads).x)
    return split_boxes(left, right, canvas) is not None


def _half_box(head: Area, track: Track, other: Area, half: Canvas, canvas: Canvas) -> Box | None:
    """A crop of the half's shape around ``head`` without ``other``, at a sane magnification."""
    usual = sorted(area.height for area in track.heads)[len(track.heads) // 2]
    eyes = sorted(area.eyes for area in track.heads)[len(track.heads) // 2]
    whole = half.crop_size()
    magnified = max(_MAGNIFIED, _MAGNIFIED_MORE * canvas.magnified(canvas.crop_size()))
    least = max(half.shown_height / magnified, head.height, head.width * 8 / 9)
    tall = min(whole[1], max(least, usual / _BEST_HEAD))
    while tall >= least and usual / tall >= _LEAST_HEAD:
        size = half.crop_size(whole[1] / tall)
        top = min(eyes - _EYE_LINE * size[1], head.top)
        box = half.box(head.x - size[0] / 2, max(top, head.bottom - size[1]), size)
        if box.x >= other.right or box.x + box.width <= other.left:
            return box
        tall -= max(2.0, 0.04 * tall)
    return None
