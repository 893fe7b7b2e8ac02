"""Spans of whole sentences that could be clips, and the best that do not overlap (pure)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from omniva_dagster.workers.analyzer.spans.cuts import Pause, places, shot_changes
from omniva_dagster.workers.analyzer.text.sentences import Sentence
from omniva_dagster.workers.media.timeline import Scene, Word

SHORTEST_MS = 15_000
LONGEST_MS = 60_000
MOST_CLIPS = 9
# A span does not reach over a longer silence than this.
BREAK_MS = 5_000
# Ends tried for each beginning: those nearest to these lengths. It bounds spans by sentences.
_LENGTHS_MS = (15_000, 20_000, 25_000, 30_000, 35_000, 40_000, 50_000, 60_000)
# And those before the longest pauses, where something has come to its end.
_MOST_RESTS = 4
_REST_MS = 600
_REST_RANK = 0.9


@dataclass(frozen=True)
class Span:
    """Sentences ``first`` to ``stop`` (exclusive), their words likewise, and padded times in ms."""

    first: int
    stop: int
    first_word: int
    stop_word: int
    start_ms: int
    end_ms: int

    @property
    def start(self) -> float:
        """Seconds."""
        return self.start_ms / 1000

    @property
    def end(self) -> float:
        """Seconds."""
        return self.end_ms / 1000


def propose(
    sentences: Sequence[Sentence],
    words: Sequence[Word],
    duration: float,
    scenes: Sequence[Scene] = (),
) -> list[Span]:
    """Spans of 15 to 60 s made of whole sentences, at most twelve for each sentence.

    Each has a little air around it, no more than its part of the pause to the next word, so that
    spans of neighbouring sentences never overlap, keeps clear of the changes of ``scenes`` where
    it can (see `cuts`), and ends within ``duration`` (seconds). Where no run of speech lasts 15 s,
    one that lasts half as long is extended into the silence around it, if there is enough.
    """
    limit = int(duration * 1000)
    edges = _edges(sentences, words, limit, shot_changes(scenes))
    ends = [end for _, end in edges]
    rests = _rests(sentences)
    runs = _runs(sentences, limit)
    spans = [
        _span(sentences, edges, i, j)
        for first, stop in runs
        for i in range(first, stop)
        for j in _stops(ends, rests, edges[i][0], i, stop)
    ]
    if spans:
        return spans
    short = (_span(sentences, edges, first, stop) for first, stop in runs)
    return [longer for span in short if (longer := _extended(span, words, limit)) is not None]


def choose(spans: Sequence[Span], worths: Sequence[int], most: int = MOST_CLIPS) -> list[int]:
    """Indices of at most ``most`` spans without overlap whose worths add up highest, by start.

    Weighted interval scheduling by dynamic programming: O(n log n) and ``most`` passes. The
    answer does not depend on the order of ``spans``.
    """
    order = sorted(range(len(spans)), key=lambda i: (spans[i].end_ms, spans[i].start_ms))
    ends = [spans[i].end_ms for i in order]
    before = [bisect_right(ends, spans[i].start_ms) for i in order]
    rows = [[0] * (len(order) + 1)]
    for _ in range(most):
        earlier, row = rows[-1], [0]
        for n, i in enumerate(order):
            row.append(max(row[n], earlier[before[n]] + worths[i]))
        rows.append(row)
    chosen: list[int] = []
    k, n = most, len(order)
    while k and n:
        if rows[k][n] == rows[k][n - 1]:
            n -= 1
        else:
            chosen.append(order[n - 1])
            k, n = k - 1, before[n - 1]
    return chosen[::-1]


def worth(merit: float, span: Span) -> int:
    """What a span adds to a selection: its merit (0 to 1), less where it is shorter than 25 s.

    A whole number, so that sums are exact. Without the discount many very short spans would
    always beat a few good ones.
    """
    share = min(1.0, 0.55 + 0.45 * (span.end_ms - span.start_ms - SHORTEST_MS) / 10_000)
    return round(1_000_000 * merit * share)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _room(words: Sequence[Word], first: int, stop: int, limit: int) -> tuple[int, int]:
    """Where the words around ``first`` to ``stop`` end and begin: 0 and ``limit`` at the edges."""
    before = _ms(words[first - 1].end) if first else 0
    after = min(limit, _ms(words[stop].start)) if stop < len(words) else limit
    return before, after


def _edges(
    sentences: Sequence[Sentence], words: Sequence[Word], limit: int, changes: Sequence[int]
) -> list[tuple[int, int]]:
    """Where a clip would begin with each sentence, and end with it."""
    if not sentences:
        return []
    ends = [0, *(_ms(sentence.end) for sentence in sentences)]
    starts = [*(_ms(sentence.start) for sentence in sentences), max(limit, ends[-1])]
    last = len(sentences)
    found = [
        places(Pause(ends[i], starts[i], first=i == 0, last=i == last), changes)
        for i in range(last + 1)
    ]
    return [(found[i][1], min(found[i + 1][0], max(limit, ends[i + 1]))) for i in range(last)]


def _rests(sentences: Sequence[Sentence]) -> list[int]:
    """Sentences before the longest pauses: of those over 0.6 s, the longest tenth of all; last,
    the end of the speech."""
    gaps = [_ms(b.start) - _ms(a.end) for a, b in pairwise(sentences)]
    if not gaps:
        return []
    least = max(_REST_MS, sorted(gaps)[int(_REST_RANK * (len(gaps) - 1))])
    return [*(i for i, gap in enumerate(gaps) if gap >= least), len(gaps)]


def _runs(sentences: Sequence[Sentence], limit: int) -> list[tuple[int, int]]:
    """Runs of sentences (first, exclusive stop) without a long silence, within the video."""
    usable = next((i for i, s in enumerate(sentences) if _ms(s.end) > limit), len(sentences))
    runs: list[tuple[int, int]] = []
    first = 0
    for i in range(1, usable + 1):
        if i == usable or _ms(sentences[i].start) - _ms(sentences[i - 1].end) > BREAK_MS:
            runs.append((first, i))
            first = i
    return runs


def _stops(ends: Sequence[int], rests: Sequence[int], start: int, i: int, stop: int) -> list[int]:
    """Exclusive ends of spans that begin with sentence ``i`` at ``start``, at most twelve."""
    low = bisect_left(ends, start + SHORTEST_MS, i, stop)
    high = bisect_right(ends, start + LONGEST_MS, i, stop) - 1
    if low > high:
        return []
    # The earliest of them: a story ends where it ends first.
    found = set(rests[bisect_left(rests, low) : bisect_right(rests, high)][:_MOST_RESTS])
    for length in _LENGTHS_MS:
        at = min(high, bisect_left(ends, start + length, low, high + 1))
        nearer = at > low and start + length - ends[at - 1] < ends[at] - start - length
        found.add(at - 1 if nearer else at)
    return [at + 1 for at in sorted(found)]


def _span(
    sentences: Sequence[Sentence], edges: Sequence[tuple[int, int]], first: int, stop: int
) -> Span:
    words = (sentences[first].first, sentences[stop - 1].stop)
    return Span(first, stop, *words, edges[first][0], edges[stop - 1][1])


def _extended(span: Span, words: Sequence[Word], limit: int) -> Span | None:
    """The span made 15 s long with the silence after it, then before it; None if that is too
    little, or if more than half of it would be silence."""
    missing = SHORTEST_MS - (span.end_ms - span.start_ms)
    if not 0 <= missing <= SHORTEST_MS // 2:
        return None
    before, after = _room(words, span.first_word, span.stop_word, limit)
    tail = min(missing, after - span.end_ms)
    lead = min(missing - tail, span.start_ms - before)
    if lead + tail < missing:
        return None
    return replace(span, start_ms=span.start_ms - lead, end_ms=span.end_ms + tail)
