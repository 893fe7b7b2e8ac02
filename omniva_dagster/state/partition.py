"""Where a document stands in the pipeline, and what a step works on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Partition:
    """One creator on one UTC day (``YYYY-MM-DD``)."""

    creator: str
    day: str


@dataclass(frozen=True)
class Subject:
    """What a step works on: its id, a title or URL for people, its workflow and its video."""

    subject_id: str
    label: str
    trace_id: str = ""
    video_id: str = ""
