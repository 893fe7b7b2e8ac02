"""A document on its way through the pipeline, with where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from omniva_dagster.contracts.base import Document

D = TypeVar("D", bound=Document)


@dataclass(frozen=True)
class Record(Generic[D]):
    """A recorded document: what it is about, its video, and its packet in the ledger.

    ``subject_id`` names what the document is about (a closed contract such as ClipCandidate does
    not), ``video_id`` is empty for what precedes a video.
    """

    document: D
    subject_id: str
    trace_id: str
    packet_id: str
    video_id: str = ""
