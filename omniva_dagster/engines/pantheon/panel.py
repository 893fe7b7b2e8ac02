"""A batch before the judges: whoever is before whom, why, and the best of it (4.6).

The rule is range voting: a candidate's consensus is the mean of its ballots. Beside Borda counts
and medians it is the one for which adding or leaving out a candidate never turns two others round,
so that a rerun which finds one span more keeps the order of the rest; no ballot is thrown away; and
it is one pass over the candidates and a sort. Lattice's priority, which Zenith promotes by, is made
of that consensus and the analyzer's own score, so the order here is the order there. A vetoed
candidate comes after all others. Ties go to the earlier span, then to the smaller id.

A candidate's embedding enters its votes as one more feature, how little of what it says is said in
the rest of its video: that depends on the video and not on who else is a candidate. How like two
candidates are counts on the shortlist alone, of which each is to say something else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from omniva_dagster.contracts.cognition.pantheon import VoteBallot, VoteReport
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines.pantheon.ballots import (
    NEUTRAL,
    Ballot,
    consensus,
    dissenters,
    vote,
)
from omniva_dagster.engines.pantheon.likeness import distinctness
from omniva_dagster.engines.pantheon.personas import DISTINCTNESS, PERSONAS, Persona

VERSION = "4"
# From the analyzer's score and the ballots to a priority in [0, 1].
Weigh = Callable[[float, tuple[Ballot, ...]], float]


@dataclass(frozen=True, slots=True)
class Case:
    """A candidate as the judges see it; ``guests`` are ballots of judges who are no personas.

    ``vector`` is its embedding and ``rest`` that of what is said outside of it in its video, as
    whole numbers (`likeness`); empty where they are not known.
    """

    candidate_id: str
    features: Mapping[str, float]
    start_time: float = 0.0
    confidence: float = 0.0
    desirability: float = NEUTRAL
    guests: tuple[Ballot, ...] = ()
    evidence: tuple[str, ...] = ()
    vector: tuple[int, ...] = ()
    rest: tuple[int, ...] = ()

    @property
    def seen(self) -> Mapping[str, float]:
        """All that is voted on: the features, and what the embedding adds to them."""
        told = distinctness(self.vector, self.rest)
        return self.features if told is None else {**self.features, DISTINCTNESS: told}


@dataclass(frozen=True, slots=True)
class Finding:
    """What the judges say of a candidate, and its place among the others."""

    case: Case
    ballots: tuple[Ballot, ...]
    consensus: float
    dissent: tuple[str, ...]
    vetoed_by: tuple[str, ...]
    priority: float
    rank: int
    batch_size: int

    @property
    def candidate_id(self) -> str:
        """The candidate."""
        return self.case.candidate_id

    @property
    def stated_consensus(self) -> float:
        """The consensus; rounding does not take it out of the votes' range."""
        votes = [ballot.vote for ballot in self.ballots]
        return min(max(self.consensus, min(votes)), max(votes))

    @property
    def justification(self) -> str:
        """Why that place, in a sentence."""
        place = f"number {self.rank} of {self.batch_size}"
        if self.vetoed_by:
            said = "; ".join(one.commentary for one in self.ballots if one.vetoed)
            return f"{place}, and no clip: {said}"
        votes = {one.agent: one.vote for one in self.ballots}
        low, high = min(votes.values()), max(votes.values())
        most = min(votes, key=lambda name: (-votes[name], name))
        against = f"; against it: {', '.join(self.dissent)}" if self.dissent else ""
        wish = self.case.desirability - NEUTRAL
        wanted = f"; Horizon's wish for its subject: {wish:+.2f}" if wish else ""
        return (
            f"{place}: consensus {self.consensus:.2f} of {len(votes)} judges ({low:.2f} to "
            f"{high:.2f}), {most} most for it{against}; priority {self.priority:.2f} with the "
            f"analyzer's {self.case.confidence:.2f}{wanted}"
        )


def deliberate(
    cases: Iterable[Case], weigh: Weigh, personas: Sequence[Persona] = PERSONAS
) -> list[Finding]:
    """Every candidate's ballots and place, best first; in whatever order they come in."""
    heard = [_heard(case, weigh, personas) for case in cases]
    heard.sort(key=_order)
    return [
        Finding(
            case,
            ballots,
            consensus(votes),
            tuple(dissenters(votes)),
            tuple(one.agent for one in ballots if one.vetoed),
            priority,
            place,
            len(heard),
        )
        for place, (case, ballots, votes, priority) in enumerate(heard, start=1)
    ]


def version_of(personas: Sequence[Persona] = PERSONAS) -> str:
    """The judges' version: a persona that is changed is another judge."""
    declared = [asdict(one) for one in sorted(personas, key=lambda one: one.name)]
    return f"{VERSION}+{_digest(declared)[:12]}"


def inputs_hash(case: Case) -> str:
    """SHA-256 of all that was voted on, as JSON with sorted keys."""
    return _digest(
        {
            "candidate_id": case.candidate_id,
            "features": dict(case.features),
            "start_time": case.start_time,
            "confidence": case.confidence,
            "desirability": case.desirability,
            "guests": [[one.agent, one.vote] for one in sorted(case.guests, key=_by_agent)],
            "vector": case.vector,
            "rest": case.rest,
        }
    )


def reports(
    findings: Sequence[Finding], now: str, personas: Sequence[Persona] = PERSONAS
) -> list[VoteReport]:
    """A vote report of each finding of one batch, in their order."""
    version = version_of(personas)
    hashes = [inputs_hash(one.case) for one in findings]
    batch_id = derive_id("batch", version, *sorted(hashes))
    return [
        VoteReport(
            report_id=derive_id("vote_report", batch_id, one.candidate_id, *one.case.evidence),
            batch_id=batch_id,
            candidate_id=one.candidate_id,
            ballots=[
                VoteBallot(
                    agent=ballot.agent,
                    vote=ballot.vote,
                    confidence=ballot.confidence,
                    commentary=(ballot.commentary or "no comment")[:2000],
                )
                for ballot in one.ballots
            ],
            consensus=one.stated_consensus,
            dissent=list(one.dissent),
            rank=one.rank,
            batch_size=one.batch_size,
            justification=one.justification[:2000],
            judges_version=version,
            inputs_hash=digest,
            evidence=list(dict.fromkeys(one.case.evidence)),
            generated_at=now,
        )
        for one, digest in zip(findings, hashes, strict=True)
    ]


def _heard(
    case: Case, weigh: Weigh, personas: Sequence[Persona]
) -> tuple[Case, tuple[Ballot, ...], dict[str, float], float]:
    ballots = vote(case.seen, personas, case.desirability)
    if case.guests:
        ballots = tuple(sorted((*ballots, *case.guests), key=_by_agent))
    votes = {one.agent: one.vote for one in ballots}
    # A veto is final: nothing that Zenith may promote has a priority of 0.
    vetoed = any(one.vetoed for one in ballots)
    return case, ballots, votes, 0.0 if vetoed else weigh(case.confidence, ballots)


def _order(
    item: tuple[Case, tuple[Ballot, ...], dict[str, float], float],
) -> tuple[bool, float, float, str]:
    case, ballots, _, priority = item
    return any(one.vetoed for one in ballots), -priority, case.start_time, case.candidate_id


def _by_agent(ballot: Ballot) -> str:
    return ballot.agent


def _digest(value: object) -> str:
    raw = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(raw.encode("ascii")).hexdigest()
