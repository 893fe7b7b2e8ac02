"""How urgent a candidate is beside the others of its batch."""

from __future__ import annotations

from omniva_dagster.engines.pantheon import Ballot, consensus

_DIGITS = 6


def priority(confidence: float, ballots: tuple[Ballot, ...], desirability: float = 1.0) -> float:
    """Priority in [0, 1]: the judges' consensus before the analyzer's score, scaled by what
    Horizon finds desirable (1 is neutral)."""
    votes = {ballot.agent: ballot.vote for ballot in ballots}
    value = (0.7 * consensus(votes) + 0.3 * confidence) * desirability
    return round(min(1.0, max(0.0, value)), _DIGITS)
