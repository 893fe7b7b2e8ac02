"""The place of a document in the pipeline: a creator and a day."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Partition:
    """One creator on one UTC day (``YYYY-MM-DD``)."""

    creator: str
    day: str
