"""Pantheon: candidates and biases in, every judge's ballot out (4.6)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from omniva_dagster.contracts.analysis import Persona
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    EACH_ONCE,
    UNIQUE,
    Evidence,
    Ids,
    Line,
    Name,
    Text,
    demand,
)
from omniva_dagster.contracts.types import (
    Opt,
    Positive,
    Score,
    SemVer,
    Sha256,
    Timestamp,
    Uri,
    Uuid,
)

MOST_JUDGES = 32


class EmbeddingReference(Document):
    """Where a candidate's embedding is; the vector itself is never in a message (4.6, Inputs)."""

    candidate_id: Uuid = Field(description="The candidate.")
    uri: Uri = Field(description="The vector, in Atlas.")
    sha256: Sha256 = Field(description="Of the file that holds it.")
    model: Name = Field(description="The model that made it.")
    model_version: Name = Field(description="Its version.")
    dimensions: Positive = Field(description="Length of the vector.")
    packet_id: Uuid = Field(description="The candidate's packet.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class ReviewOccasion(StrEnum):
    """Why a person asks the judges again."""

    DISSENT = "dissent"
    APPEAL = "appeal"
    POLICY = "policy"
    SPOT_CHECK = "spot_check"


class ManualReviewRequest(Document):
    """An operator asks for a vote to be looked at (4.6, Trigger Conditions)."""

    request_id: Uuid = Field(description="The request.")
    candidate_ids: Evidence = Field(description="The candidates to look at.")
    occasion: ReviewOccasion = Field(description="Why.")
    question: Text = Field(description="What the operator wants to know.")
    requested_by: Name = Field(description="Who asks.")
    disputed_report: Opt[Uuid] = Field(default=None, description="The vote report in question.")
    evidence: Ids = Field(default_factory=list, description="Packets the operator points to.")
    requested_at: Timestamp = Field(description="When.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class VoteBallot(Document):
    """One persona's vote on one candidate, in the specification's columns."""

    agent: Persona = Field(description="The persona.")
    vote: Score = Field(description="How much it is for the candidate.")
    confidence: Score = Field(description="How much of what it looks at was there to see.")
    commentary: Text = Field(description="Why.")


class VoteReport(Document):
    """What all judges say of a candidate, and where that puts it (4.6, Outputs)."""

    report_id: Uuid = Field(description="Derived from candidate, inputs and versions.")
    batch_id: Uuid = Field(description="The scoring batch it was ranked in.")
    candidate_id: Uuid = Field(description="The candidate.")
    ballots: Annotated[list[VoteBallot], Field(min_length=1, max_length=MOST_JUDGES)] = Field(
        description="One of each persona, by its name."
    )
    consensus: Score = Field(description="The judges' common vote, between their extremes.")
    dissent: Annotated[list[Persona], Field(max_length=MOST_JUDGES), EACH_ONCE, UNIQUE] = Field(
        description="Personas whose vote lies well below the consensus."
    )
    rank: Positive = Field(description="Place in its batch; 1 is first.")
    batch_size: Positive = Field(description="Candidates in the batch.")
    justification: Text = Field(description="Why that place.")
    judges_version: Name = Field(description="Same inputs and version, same votes.")
    inputs_hash: Sha256 = Field(description="Of all that was voted on, as canonical JSON.")
    evidence: Evidence = Field(description="Packets of the candidate, the load and the biases.")
    generated_at: Timestamp = Field(description="When the votes were counted.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _counts_the_votes_it_shows(self) -> Self:
        agents = [ballot.agent for ballot in self.ballots]
        votes = [ballot.vote for ballot in self.ballots]
        demand(
            self,
            (agents == sorted(set(agents)), "ballots", "must be in order of agent, each once"),
            (
                min(votes) <= self.consensus <= max(votes),
                "consensus",
                "must lie between the lowest and the highest vote",
            ),
            (
                set(self.dissent) <= set(agents),
                "dissent",
                "must hold nothing that is not in ballots",
            ),
            (self.rank <= self.batch_size, "rank", "must not be more than batch_size"),
        )
        return self


class RankedCandidate(Document):
    """A candidate's place, and why."""

    candidate_id: Uuid = Field(description="The candidate.")
    report_id: Uuid = Field(description="Its vote report.")
    consensus: Score = Field(description="The judges' common vote.")
    justification: Text = Field(description="Why it is among the best.")


class SetAside(Document):
    """A candidate that is not on a shortlist for it says what a better one says."""

    candidate_id: Uuid = Field(description="The candidate.")
    like: Uuid = Field(description="The one on the shortlist that it is too like.")
    likeness: Score = Field(description="Cosine of their embeddings.")
    reason: Text = Field(description="Why it was left out.")


class Shortlist(Document):
    """The best of a batch, in an order that the same votes always give (4.6)."""

    batch_id: Uuid = Field(description="The scoring batch.")
    video_id: Opt[Uuid] = Field(default=None, description="The video, where all come from one.")
    candidates: Annotated[list[RankedCandidate], Field(max_length=200)] = Field(
        description="Best first."
    )
    ordered_by: Line = Field(description="The rule of the order, ties included.")
    set_aside: Opt[Annotated[list[SetAside], Field(max_length=200)]] = Field(
        default=None, description="Candidates too like one of these, the better ones first."
    )
    limited_by: Opt[Line] = Field(
        default=None, description="Why fewer are shown than usual: what waits already."
    )
    evidence: Evidence = Field(description="Packets of the vote reports, and of the load.")
    generated_at: Timestamp = Field(description="When it was made.")
    schema_version: SemVer = Field(default="1.1.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _names_each_candidate_once(self) -> Self:
        named = [item.candidate_id for item in self.candidates]
        demand(
            self,
            (len(set(named)) == len(named), "candidates", "must not hold the same candidate twice"),
            (
                {one.like for one in self.set_aside or ()} <= set(named),
                "set_aside",
                "must agree with candidates: each is like one of them",
            ),
        )
        return self
