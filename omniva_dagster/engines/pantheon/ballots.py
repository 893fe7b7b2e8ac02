"""One candidate before the judges: every persona's ballot, and what the ballots come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.engines.pantheon.personas import PERSONAS, Persona

UNDECIDED = 0.5  # the vote of a persona that was shown nothing it looks at
NEUTRAL = 0.5  # what Horizon wants neither more nor less of
GUEST = "judge_"
_DIGITS = 6  # votes are rounded, so that they are the same on every machine


@dataclass(frozen=True, slots=True)
class Ballot:
    """One persona's vote on one candidate, in the spec's columns."""

    agent: str
    vote: float
    confidence: float
    commentary: str
    vetoed: bool = False


def vote(
    features: Mapping[str, float],
    personas: Sequence[Persona] = PERSONAS,
    desirability: float = NEUTRAL,
) -> tuple[Ballot, ...]:
    """Every persona's ballot on a candidate's features (each in [0, 1]), by name.

    A feature that does not apply to the candidate is left out of ``features``. ``desirability`` is
    Horizon's, in [0, 1]: more of it never lowers a vote.
    """
    return tuple(_ballot(one, features, desirability) for one in sorted(personas, key=_by_name))


def guest(judge: str, value: float, commentary: str) -> Ballot:
    """The ballot of a registered judge, which looked at all it was shown. Its name can't be that
    of a persona."""
    return Ballot(f"{GUEST}{judge}", _bounded(value), 1.0, commentary)


def judged(candidate: ClipCandidate, ballots: Sequence[Ballot], priority: float) -> ClipCandidate:
    """The candidate with its votes and Lattice's priority."""
    votes = {ballot.agent: ballot.vote for ballot in ballots}
    return candidate.model_copy(update={"pantheon_votes": votes, "lattice_priority": priority})


def consensus(votes: Mapping[str, float]) -> float:
    """The mean of the votes; 0 when nobody voted."""
    return round(sum(votes[name] for name in sorted(votes)) / len(votes), _DIGITS) if votes else 0.0


def dissenters(votes: Mapping[str, float], margin: float = 0.25) -> list[str]:
    """Personas whose vote lies at least ``margin`` below the consensus."""
    middle = consensus(votes)
    return sorted(name for name, value in votes.items() if value <= middle - margin)


def _by_name(persona: Persona) -> str:
    return persona.name


def _bounded(value: float) -> float:
    return round(min(1.0, max(0.0, value)), _DIGITS)


def _ballot(persona: Persona, features: Mapping[str, float], desirability: float) -> Ballot:
    # What was not measured speaks neither for nor against: only what was has a part in the vote.
    known = {name: weight for name, weight in persona.weights.items() if name in features}
    shown = sum(known.values())
    parts = {name: weight * features[name] / shown for name, weight in known.items()}
    vetoed = [name for name, least in persona.vetoes.items() if features.get(name, least) < least]
    missed = [
        name for name, least in persona.insists_on.items() if features.get(name, least) < least
    ]
    value = sum(parts.values()) if parts else UNDECIDED
    sway = persona.leans * (desirability - NEUTRAL)
    return Ballot(
        agent=persona.name,
        vote=0.0 if vetoed else _bounded(value / (2 if missed else 1) + sway),
        confidence=round(shown / sum(persona.weights.values()), _DIGITS),
        commentary=_commentary(persona, parts, vetoed, missed, sway),
        vetoed=bool(vetoed),
    )


def _commentary(
    persona: Persona,
    parts: Mapping[str, float],
    vetoed: Sequence[str],
    missed: Sequence[str],
    sway: float,
) -> str:
    if vetoed:
        return f"{persona.stands_for}: vetoed, far too little {_words(vetoed)}"
    if not parts:
        said = f"{persona.stands_for}: nothing of it was measured"
    else:
        strongest = max(sorted(parts), key=lambda name: parts[name])
        said = f"{persona.stands_for}: most for {_words([strongest])}"
    if missed:
        said += f"; held against it: too little {_words(missed)}"
    if sway:
        said += f"; Horizon wants {'more' if sway > 0 else 'less'} of its subject ({sway:+.2f})"
    return said


def _words(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)
