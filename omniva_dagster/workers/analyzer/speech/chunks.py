"""What a speech model hears at once: stretches of speech put together to at most half a minute.

Whisper looks at 30 s of sound whatever is in it, so its cost is the number of windows. Speech is
packed into as few as possible, long pauses shortened, and divided in pauses: words on a window's
edge are lost or heard twice. Positions are samples at 16 kHz (pure).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omniva_dagster.workers.analyzer.audio import SAMPLE_RATE

if TYPE_CHECKING:
    from omniva_dagster.workers.analyzer.audio import Samples

Stretch = tuple[int, int]

# Whisper's window is 30 s; the rest is room for rounding.
LONGEST = 29 * SAMPLE_RATE
# Air around speech: Whisper mishears words that begin or end with the sound itself.
_AIR = round(0.4 * SAMPLE_RATE)
# A window may rather be cut in a pause of this length than filled to its end.
_BREATH = round(0.5 * SAMPLE_RATE)
_HASTE = 1.5


@dataclass(frozen=True)
class Chunk:
    """Speech that is heard together: ``spans`` of it, and the ``pieces`` of sound around them.

    Pieces follow each other without overlap, each begins where it is in the sound; laid end to
    end they last at most `LONGEST`.
    """

    spans: tuple[Stretch, ...]
    pieces: tuple[Stretch, ...]

    @property
    def length(self) -> int:
        """Samples of its pieces together."""
        return sum(end - start for start, end in self.pieces)

    def laid(self, samples: Samples) -> Samples:
        """Its pieces of ``samples``, end to end."""
        import numpy as np

        return np.concatenate([samples[start:end] for start, end in self.pieces])

    def place(self, seconds: float) -> int:
        """Which piece is heard at ``seconds`` after the beginning of the chunk."""
        at = seconds * SAMPLE_RATE
        for i, (start, end) in enumerate(self.pieces):
            if at < end - start:
                return i
            at -= end - start
        return len(self.pieces) - 1

    def moment(self, seconds: float, piece: int) -> float:
        """When, in the whole sound, ``seconds`` into the chunk is, within that piece."""
        start, end = self.pieces[piece]
        before = sum(end - start for start, end in self.pieces[:piece])
        at = start + seconds * SAMPLE_RATE - before
        return min(end, max(start, at)) / SAMPLE_RATE


def pack(spans: Sequence[Stretch], length: int) -> list[Chunk]:
    """Spans of speech, in order, each at most 28 s, as few chunks of it as make good cuts.

    A chunk more is worth it where a pause shorter than half a second would be cut otherwise.
    ``length`` is that of the whole sound. O(n) spans times those of one chunk.
    """
    edges = _edges(spans, 0, length)
    costs, begins = [0.0], [0]
    for stop in range(1, len(spans) + 1):
        gap = spans[stop][0] - spans[stop - 1][1] if stop < len(spans) else _BREATH
        cost, begin = min(_ways(edges, costs, stop))
        costs.append(cost + 1 + _HASTE * max(0.0, 1 - gap / _BREATH))
        begins.append(begin)
    chunks: list[Chunk] = []
    stop = len(spans)
    while stop:
        first = begins[stop]
        chunks.append(Chunk(tuple(spans[first:stop]), tuple(_joined(edges[first:stop]))))
        stop = first
    return chunks[::-1]


def halved(chunk: Chunk) -> tuple[Chunk, ...]:
    """The chunk as two, divided at the longest pause near its middle; itself if it is one span."""
    if len(chunk.spans) < 2:
        return (chunk,)
    whole = chunk.spans[-1][1] - chunk.spans[0][0]

    def worth(i: int) -> float:
        gap = chunk.spans[i][0] - chunk.spans[i - 1][1]
        off = abs((chunk.spans[i][0] - chunk.spans[0][0]) / whole - 0.5)
        return min(gap, 2 * _BREATH) / _BREATH - 4 * off

    middle = max(range(1, len(chunk.spans)), key=worth)
    edges = _edges(chunk.spans, chunk.pieces[0][0], chunk.pieces[-1][1])
    return tuple(
        Chunk(chunk.spans[part], tuple(_joined(edges[part])))
        for part in (slice(middle), slice(middle, None))
    )


def _ways(edges: Sequence[Stretch], costs: Sequence[float], stop: int) -> list[tuple[float, int]]:
    """What it costs to begin the chunk that ends before ``stop`` with each earlier span."""
    ways: list[tuple[float, int]] = []
    taken = 0
    for first in range(stop - 1, -1, -1):
        taken += edges[first][1] - edges[first][0]
        if taken > LONGEST and ways:
            break
        ways.append((costs[first], first))
    return ways


def _edges(spans: Sequence[Stretch], low: int, high: int) -> list[Stretch]:
    """Spans with air around them, within ``low`` and ``high``; neighbours share a short pause."""
    edges = []
    for i, (start, end) in enumerate(spans):
        before = (start - spans[i - 1][1]) // 2 if i else start - low
        after = (spans[i + 1][0] - end + 1) // 2 if i + 1 < len(spans) else high - end
        edges.append((start - min(_AIR, before), end + min(_AIR, after)))
    return edges


def _joined(edges: Sequence[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for start, end in edges:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
