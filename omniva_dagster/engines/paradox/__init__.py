"""Paradox: contradictions between documents, found and pointed at; it changes nothing (4.1).

`find` compares documents with each other, `hear` answers what Atlas, Stardust and the scheduler
report. The same facts give the same findings, in whatever order they are given, each with the
packets that show it; what to do about a finding is Zenith's to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from omniva_dagster.contracts.cognition.paradox import ConflictResolution, ConflictTrigger
from omniva_dagster.engines.paradox import cycles, duplicates, exclusive, heard, spans, times
from omniva_dagster.engines.paradox.facts import (
    ClipFact,
    Facts,
    Link,
    Order,
    Prior,
    SlotFact,
    UploadFact,
    VideoFact,
    Window,
)
from omniva_dagster.engines.paradox.heard import Message, Said
from omniva_dagster.engines.paradox.lasting import PATIENCE, escalation
from omniva_dagster.engines.paradox.rules import RULES, VERSION, resolved, to_hold
from omniva_dagster.engines.paradox.sources import source_of

__all__ = [
    "PATIENCE",
    "RULES",
    "VERSION",
    "ClipFact",
    "Facts",
    "Link",
    "Message",
    "Order",
    "Prior",
    "Said",
    "SlotFact",
    "UploadFact",
    "VideoFact",
    "Window",
    "escalation",
    "find",
    "hear",
    "source_of",
    "to_hold",
]


def find(facts: Facts) -> list[ConflictResolution]:
    """Every contradiction in the facts, by id."""
    findings = [
        *duplicates.overlapping_windows(facts.windows),
        *duplicates.same_videos(facts.videos),
        *duplicates.same_uploads(facts.uploads),
        *duplicates.same_jobs(facts.jobs),
        *spans.near_identical(facts.clips, facts.videos),
        *times.contradicting_videos(facts.videos),
        *times.contradicting_slots(facts.slots),
        *times.contradicting_jobs(facts.jobs),
        *times.early_children(facts.links),
        *exclusive.double_bookings(facts.slots),
        *exclusive.excluded_jobs(facts.jobs),
        *exclusive.opposite_orders(facts.orders),
        *cycles.waiting_jobs(facts.jobs),
        *cycles.circular_lineage(facts.links),
    ]
    return resolved(findings, facts.trigger, facts.now, facts.prior)


def hear(
    messages: Iterable[Message], trigger: ConflictTrigger, now: str, prior: Sequence[Prior] = ()
) -> list[ConflictResolution]:
    """What follows from messages that were told to Paradox, by id."""
    found = (finding for message in messages for finding in heard.findings(message))
    return resolved(found, trigger, now, prior)
