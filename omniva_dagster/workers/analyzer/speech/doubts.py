"""Where what was heard may be wrong (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from omniva_dagster.workers.media.timeline import Word

# Whisper's own bound for a window that failed (mean log probability of a token).
UNSURE_LOGPROB = -1.0
# Words that were heard right have a median probability of 0.97, wrong ones of 0.4: one of them may
# be a name, five in a row on average below a half are a stretch that was not understood.
UNSURE_PROBABILITY = 0.5
_RUN = 5

Stretch = tuple[float, float]


def doubtful(
    words: Sequence[Word], unsure: Sequence[Stretch] = (), within: float = 1.0
) -> list[Stretch]:
    """Stretches (seconds, in order, apart) in which the words are not to be relied on.

    Those are runs of five words with a mean probability below 0.5 (all of them if there are
    fewer), and what of the ``unsure`` stretches has words. Stretches nearer to each other than
    ``within`` seconds are one.
    """
    run = min(_RUN, len(words))
    sums = list(accumulate((word.probability for word in words), initial=0.0))
    found = [
        (words[i].start, words[i + run - 1].end)
        for i in range(len(words) - run + 1)
        if run and sums[i + run] - sums[i] < UNSURE_PROBABILITY * run
    ]
    found += [
        (start, end)
        for start, end in unsure
        if any(word.start < end and start < word.end for word in words)
    ]
    return _merged(found, within)


def share(stretches: Sequence[Stretch], words: Sequence[Word]) -> float:
    """What part of the words lies in the stretches, from 0 to 1."""
    inside = sum(1 for word in words if any(start <= word.start < end for start, end in stretches))
    return inside / len(words) if words else 0.0


def _merged(stretches: Iterable[Stretch], within: float) -> list[Stretch]:
    merged: list[Stretch] = []
    for start, end in sorted(stretches):
        if merged and start - merged[-1][1] <= within:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
