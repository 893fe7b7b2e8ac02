"""Laughter, by its sound and by its words (pure)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from omniva_dagster.workers.analyzer.scores.prosody import Prosody
from omniva_dagster.workers.analyzer.text.words import key
from omniva_dagster.workers.media.timeline import Word

# "hahaha", "jejeje", "хаха": how transcripts of many languages write it.
_WRITTEN = re.compile(
    r"(?:h[aeio]h?|j[aei]|[хx][аеиоa]){2,}|ha-ha(?:-ha)*|www+|哈{2,}|ㅋ{2,}|ㅎ{2,}"
)
# Music pulses for longer.
_LONGEST_SECONDS = 6.0
_MOST_SPOKEN = 0.5


def laughs(words: Sequence[Word], prosody: Prosody | None) -> list[tuple[float, float]]:
    """Stretches (start, end in seconds) in order: written laughter, and voices that pulse like it
    for up to 6 s while hardly a word is said."""
    written = [(w.start, w.end) for w in words if _WRITTEN.fullmatch(key(w.text))]
    starts = [word.start for word in words]
    heard = [
        (start, end)
        for start, end in (prosody.pulses if prosody else [])
        if end - start <= _LONGEST_SECONDS
        and _spoken(words, starts, start, end) <= _MOST_SPOKEN * (end - start)
    ]
    return sorted(written + heard)


def _spoken(words: Sequence[Word], starts: Sequence[float], start: float, end: float) -> float:
    """Seconds of words between two moments; words do not overlap each other."""
    first = max(0, bisect_left(starts, start) - 1)
    stop = bisect_left(starts, end)
    return sum(max(0.0, min(end, w.end) - max(start, w.start)) for w in words[first:stop])
