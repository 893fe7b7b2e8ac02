"""Decoding a video's pictures without those that no other picture is made from.

Every second or third picture of a usual file is not needed to decode the rest (B-frames). Leaving
them out saves a fifth to a half of the decoding, and what is looked for (faces, shots, motion) is
seen in the others. Where a cut may have fallen among those left out, `cuts_within` decodes that
place again, whole.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.reasons import WorkerError
from omniva_dagster.workers.analyzer.container import decoded, opened, origin_of
from omniva_dagster.workers.analyzer.pictures.shots import CutFinder
from omniva_dagster.workers.analyzer.pictures.small import Shrinker
from omniva_dagster.workers.media.probe import picture_stream

# Where a place can be found again by its time; elsewhere everything is decoded at once.
_SEEKABLE = ("mp4", "matroska")
# Decoders that can leave pictures out and take that back (dav1d can't, VP9's never does).
_SPARING = ("h264", "hevc", "mpeg4", "mpeg2video", "vc1")
# At fewer pictures a second each one counts, and they cost little.
_LEAST_RATE = 15.0
_EVERYTHING, _NEEDED = "DEFAULT", "NONREF"
# So many packets may be under way: more than any codec reorders.
_MOST_WAITING = 1024
_KEYFRAMES_KEPT = 64
_AROUND_SECONDS = 0.3
# Decoding again may cost this many pictures more than leaving out has saved.
_ALLOWANCE = 300
_LONGEST_SECONDS = 12 * 3600
# So many pictures in a row past the declared end, and the rest is not looked at.
_MOST_BEYOND = 300


@dataclass(frozen=True)
class Shown:
    """A frame and its time; ``adjacent``: none was left out between it and the one before."""

    time: float
    frame: Any
    adjacent: bool


class Reader:
    """The frames of an open container's stream, sparingly as long as that pays."""

    def __init__(self, container: Any, stream: Any) -> None:
        self._container, self._stream = container, stream
        self._origin = origin_of(container)
        self.duration = float((container.duration or 0) / 1e6)
        self._sparing = (
            stream.codec_context.name in _SPARING
            and any(name in container.format.name for name in _SEEKABLE)
            and float(stream.average_rate or 0) >= _LEAST_RATE
        )
        self._spared = self._sparing
        self._waiting: list[int] = []
        self._keyframes: deque[float] = deque(maxlen=_KEYFRAMES_KEPT)
        self._saved, self._owed = 0, 0.0
        self._last_end = 0.0
        prepare(stream)
        if self._sparing:
            stream.codec_context.skip_frame = _NEEDED

    def frames(self) -> Iterator[Shown]:
        """Frames in order of display whose times make sense."""
        beyond, last = 0, -1.0
        for time, frame in decoded(self._container, self._stream, self._note):
            adjacent = self._none_left_out(frame)
            # A damaged timestamp must not make hours of pictures; negative ones are not displayed.
            if time is None or time < -0.001 or time <= last + 1e-6:
                continue
            if time > (self.duration or _LONGEST_SECONDS) + 1:
                beyond += 1
                if beyond > _MOST_BEYOND:
                    return
                continue
            # Timestamps are whole numbers of ticks: what is left of a microsecond is rounding.
            beyond, last = 0, round(max(0.0, time), 6)
            yield Shown(last, frame, adjacent)

    def end_after(self, end: float) -> float:
        """Where the pictures end, when the last one decoded ends at ``end``: some that were left
        out may follow it, and its own length may be damaged."""
        end = min(end, (self.duration or _LONGEST_SECONDS) + 1)
        return max(end, self._last_end) if self._last_end < end + 1 else end

    def expect(self, doubts: list[tuple[float, float]], seconds_a_frame: float) -> None:
        """Add up what looking again at these places will cost; if it is more than was saved,
        decode everything from here on."""
        seconds = sum(self._seconds_again(before, after) for before, after in doubts)
        self._owed += seconds / max(seconds_a_frame, 1e-3)
        if self._sparing and self._owed > self._saved + _ALLOWANCE:
            self._spare_no_more()

    def _seconds_again(self, before: float, after: float) -> float:
        start = before - _AROUND_SECONDS
        earlier = [time for time in self._keyframes if time <= start]
        return after + _AROUND_SECONDS - (earlier[-1] if earlier else 0.0)

    def _spare_no_more(self) -> None:
        self._sparing = False
        self._stream.codec_context.skip_frame = _EVERYTHING

    def _note(self, packet: Any) -> None:
        if packet.pts is None:
            # Without times it can't be known what was left out (the last, empty packet has none).
            if packet.size and self._sparing:
                self._spare_no_more()
            return
        if self._spared:
            heapq.heappush(self._waiting, packet.pts)
        if len(self._waiting) > _MOST_WAITING:
            heapq.heappop(self._waiting)
        ends = (packet.pts + (packet.duration or 0)) * packet.time_base
        self._last_end = max(self._last_end, float(ends) - self._origin)
        if packet.is_keyframe:
            self._keyframes.append(float(packet.pts * packet.time_base) - self._origin)

    def _none_left_out(self, frame: Any) -> bool:
        if frame.pts is None or not self._spared:
            return True
        left_out = -1
        while self._waiting and self._waiting[0] <= frame.pts:
            heapq.heappop(self._waiting)
            left_out += 1
        left_out = max(0, left_out)
        self._saved += left_out
        return left_out == 0


def cuts_within(media: Path, doubts: list[tuple[float, float]]) -> list[float]:
    """The cuts later than ``before`` and not later than ``after`` of each doubt, from decoding
    everything around. Where that fails, the doubt counts as a cut at its later picture."""
    cuts: list[float] = []
    for group in _together(doubts):
        try:
            found = _cuts_between(media, group[0][0], group[-1][1])
        except WorkerError:
            found = None
        if found is None:
            cuts += [after for _, after in group]
        else:
            cuts += [cut for cut in found if any(a < cut <= b + 1e-6 for a, b in group)]
    return cuts


def _together(doubts: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Doubts so near each other that one look serves them."""
    groups: list[list[tuple[float, float]]] = []
    for doubt in sorted(doubts):
        if groups and doubt[0] - groups[-1][-1][1] <= 4 * _AROUND_SECONDS:
            groups[-1].append(doubt)
        else:
            groups.append([doubt])
    return groups


def _cuts_between(media: Path, before: float, after: float) -> list[float] | None:
    start, stop = before - _AROUND_SECONDS, after + _AROUND_SECONDS
    with opened(media) as container:
        stream = picture_stream(container)
        prepare(stream)
        origin = origin_of(container)
        container.seek(int((start + origin) / stream.time_base), stream=stream)

        def need(packet: Any) -> None:
            if packet.pts is not None:
                early = float(packet.pts * packet.time_base) - origin < start
                stream.codec_context.skip_frame = _NEEDED if early else _EVERYTHING

        finder, shrinker, first = CutFinder(), None, None
        for time, frame in decoded(container, stream, need):
            if time is None or frame.is_corrupt:
                continue
            first = time if first is None else first
            if time > stop:
                break
            if time >= start:
                shrinker = shrinker or Shrinker(stream, frame)
                finder.add(time, shrinker.thumb(frame).gist())
        finder.finish()
        return finder.cuts if first is not None and first <= max(before, 0.0) else None


def prepare(stream: Any) -> None:
    """Set the stream to be decoded by all cores, without needless work."""
    stream.thread_type = "AUTO"
    # Deblocking costs a sixth of decoding. Frames that others are made from keep it: without,
    # errors add up to the next key frame, which then looks like a cut.
    stream.codec_context.options = {"skip_loop_filter": "noref"}
