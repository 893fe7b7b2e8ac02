"""Pantheon: several judges, each with declared tastes, vote on every candidate (4.6).

A persona is data. The same candidate with the same features always gets the same ballots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from omniva_dagster.contracts.analysis import ClipCandidate

VERSION = "2"
UNDECIDED = 0.5  # the vote of a persona that was shown nothing it looks at
_DIGITS = 6  # votes are rounded, so that they are the same on every machine


@dataclass(frozen=True)
class Persona:
    """A judge: how much each feature matters to it, and what it will not have."""

    name: str
    stands_for: str
    weights: Mapping[str, float]
    # feature -> the least it must be; below, the vote is halved
    insists_on: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Ballot:
    """One persona's vote on one candidate, in the spec's columns."""

    agent: str
    vote: float
    confidence: float
    commentary: str


PERSONAS = (
    Persona(
        "craft",
        "clean beginnings and endings",
        {"self_containedness": 3, "payoff": 2, "boundaries": 2, "length": 2, "speech_rate": 1},
        insists_on={"self_containedness": 0.3},
    ),
    Persona(
        "audience",
        "a reason to keep watching from the first seconds on",
        {
            "heatmap": 4,
            "hook": 4,
            "arousal": 2,
            "face_presence": 2,
            "energy": 1,
            "pitch": 1,
            "bursts": 1,
            "length": 1,
        },
    ),
    Persona(
        "trend",
        "being about something people look for",
        {"keyword_density": 3, "hook": 2, "heatmap": 2, "arousal": 1},
    ),
    Persona(
        "exploration",
        "what the rest of the video does not already say",
        {"novelty": 4, "rare_words": 2, "keyword_density": 1, "visual_change": 1, "pitch": 1},
    ),
    Persona(
        "risk_mitigation",
        "nothing that needs context to be understood fairly",
        {
            "self_containedness": 4,
            "payoff": 1,
            "boundaries": 2,
            "chapters": 1,
            "face_presence": 1,
        },
        insists_on={"self_containedness": 0.5},
    ),
)


def vote(
    features: Mapping[str, float], personas: Sequence[Persona] = PERSONAS
) -> tuple[Ballot, ...]:
    """Every persona's ballot on a candidate's features (each in [0, 1]), by name.

    A feature that does not apply to the candidate is left out of ``features``.
    """
    return tuple(_ballot(persona, features) for persona in sorted(personas, key=_by_name))


def guest(judge: str, value: float, commentary: str) -> Ballot:
    """The ballot of a registered judge, which looked at all it was shown. Its name can't be that
    of a persona."""
    vote = round(min(1.0, max(0.0, value)), _DIGITS)
    return Ballot(agent=f"judge_{judge}", vote=vote, confidence=1.0, commentary=commentary)


def judged(candidate: ClipCandidate, ballots: Sequence[Ballot], priority: float) -> ClipCandidate:
    """The candidate with its votes and Lattice's priority."""
    votes = {ballot.agent: ballot.vote for ballot in ballots}
    return candidate.model_copy(update={"pantheon_votes": votes, "lattice_priority": priority})


def consensus(votes: Mapping[str, float]) -> float:
    """The mean of the votes; 0 when nobody voted."""
    return round(sum(votes.values()) / len(votes), _DIGITS) if votes else 0.0


def dissenters(votes: Mapping[str, float], margin: float = 0.25) -> list[str]:
    """Personas whose vote lies at least ``margin`` below the consensus."""
    middle = consensus(votes)
    return sorted(name for name, value in votes.items() if value <= middle - margin)


def _by_name(persona: Persona) -> str:
    return persona.name


def _ballot(persona: Persona, features: Mapping[str, float]) -> Ballot:
    # What was not measured speaks neither for nor against: only what was has a part in the vote.
    known = {name: weight for name, weight in persona.weights.items() if name in features}
    shown = sum(known.values())
    parts = {name: weight * features[name] / shown for name, weight in known.items()}
    missed = [
        name for name, least in persona.insists_on.items() if features.get(name, least) < least
    ]
    value = sum(parts.values()) if parts else UNDECIDED
    return Ballot(
        agent=persona.name,
        vote=round(min(1.0, max(0.0, value / (2 if missed else 1))), _DIGITS),
        confidence=round(shown / sum(persona.weights.values()), _DIGITS),
        commentary=_commentary(persona, parts, missed),
    )


def _commentary(persona: Persona, parts: Mapping[str, float], missed: Sequence[str]) -> str:
    if not parts:
        return f"{persona.stands_for}: nothing of it was measured"
    strongest = max(sorted(parts), key=lambda name: parts[name])
    said = f"{persona.stands_for}: most for {strongest.replace('_', ' ')}"
    return f"{said}; held against it: too little {', '.join(missed)}" if missed else said
