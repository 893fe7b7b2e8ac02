"""What is known about a video, and the spans worth clipping (module interfaces, 3.2 and 3.3)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.types import MAX_NUMBER, Count, Opt, Score, Seconds, Timestamp, Uuid

PERSONA_PATTERN = r"^[a-z_]+$"
Persona = Annotated[str, StringConstraints(pattern=PERSONA_PATTERN)]


def _unique(items: list[str]) -> list[str]:
    if len(set(items)) != len(items):
        raise ValueError("must not hold the same item twice")
    return items


UniqueStrings = Annotated[
    list[str], AfterValidator(_unique), Field(json_schema_extra={"uniqueItems": True})
]


class ClipCandidate(Document):
    """A span of a video that might become a clip (3.3).

    Embedded in an AnalysisResult it is not judged yet: ``pantheon_votes`` is empty and
    ``lattice_priority`` is 0.
    """

    start_time: Seconds = Field(description="Seconds from the start of the video.")
    end_time: Annotated[float, Field(gt=0, le=MAX_NUMBER)] = Field(
        description="Seconds from the start of the video; greater than start_time."
    )
    confidence: Score = Field(description="The analyzer's score of the span.")
    subject_focus: str = Field(description="What the span shows: speaker, group, scene ...")
    faces_detected: Count = Field(description="The most faces seen at one time in the span.")
    semantic_tags: UniqueStrings = Field(description="Phrases the span is about.")
    pantheon_votes: dict[Persona, Score] = Field(
        description="Vote of each persona; empty until Pantheon has voted."
    )
    lattice_priority: Score = Field(description="Lattice's priority; 0 until routed.")
    clip_id: Opt[Uuid] = Field(default=None, description="Set when Zenith promotes the candidate.")

    @field_validator("end_time")
    @classmethod
    def _after_the_start(cls, end_time: float, info: ValidationInfo) -> float:
        if end_time <= info.data.get("start_time", -1):
            raise ValueError("must be greater than start_time")
        return end_time


class AnalysisResult(Document):
    """What the analyzer found in a video (3.2)."""

    video_id: Uuid = Field(description="The video analyzed.")
    transcript: str = Field(description="All that was said.")
    keywords_detected: list[str] = Field(description="Phrases of the transcript, best first.")
    virality_score: Score = Field(description="The best candidate's confidence.")
    relevance_score: Score = Field(description="How much of what is said is on its keywords.")
    clip_candidates: list[ClipCandidate] = Field(description="Spans found, by start time.")
    meta_parents: Opt[list[Uuid]] = Field(
        default=None, alias="_meta_parents", description="Packets this was made from."
    )
    generated_at: Opt[Timestamp] = Field(default=None, description="When it was made.")


def is_persona(name: str) -> bool:
    """Whether a name may be a key of ``pantheon_votes``."""
    return re.fullmatch(PERSONA_PATTERN[1:-1], name) is not None
