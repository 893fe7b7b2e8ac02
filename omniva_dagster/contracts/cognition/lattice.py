"""Lattice: load in, priorities and routes out; intents that Zenith turns into commands (4.4)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    Evidence,
    Line,
    Lines,
    Name,
    Signed,
    Text,
)
from omniva_dagster.contracts.types import (
    Count,
    Positive,
    Score,
    Seconds,
    SemVer,
    Timestamp,
    Uuid,
)


class QueueLoad(Document):
    """How full a queue is."""

    queue: Name = Field(description="The queue.")
    pool: Name = Field(description="The worker pool that serves it.")
    depth: Count = Field(description="Jobs that wait.")
    sla_depth: Positive = Field(description="Jobs that may wait.")
    oldest_seconds: Seconds = Field(description="How long the first of them has waited.")


class PoolUtilization(Document):
    """How busy a worker pool is; 1 is all it has."""

    pool: Name = Field(description="The worker pool.")
    workers: Count = Field(description="Workers that are up.")
    busy: Count = Field(description="Workers that have a job.")
    cpu: Score = Field(description="Share of its processors in use.")
    memory: Score = Field(description="Share of its memory in use.")
    gpu: Score = Field(description="Share of its GPUs in use; 0 without any.")


class WorkloadSnapshot(Document):
    """Where work waits and what the workers have left (4.4, Inputs)."""

    queues: Annotated[list[QueueLoad], Field(max_length=200)] = Field(description="By name.")
    pools: Annotated[list[PoolUtilization], Field(max_length=200)] = Field(description="By name.")
    observed_at: Timestamp = Field(description="When it was so.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class Crossing(StrEnum):
    """Which way a threshold was crossed."""

    ABOVE = "above"
    BELOW = "below"


class BacklogCrossing(Document):
    """A queue's depth has crossed its threshold (4.4, Trigger Conditions)."""

    queue: Name = Field(description="The queue.")
    depth: Count = Field(description="Jobs that wait now.")
    threshold: Positive = Field(description="The depth that was crossed.")
    direction: Crossing = Field(description="Which way.")
    observed_at: Timestamp = Field(description="When it was seen.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class PriorityDelta(Document):
    """How much more or less urgent a job is than it was (4.4, Outputs)."""

    routing_sequence: Count = Field(description="Grows by one with each of Lattice's outputs.")
    subject_id: Uuid = Field(description="The candidate, clip or video.")
    delta: Signed = Field(description="What to add to its priority.")
    reason: Text = Field(description="Why.")
    evidence: Evidence = Field(description="Packets of the scores and loads it rests on.")
    issued_at: Timestamp = Field(description="When it was proposed.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class RoutingIntent(Document):
    """Where a job should go; Zenith turns it into a command (4.4, Outputs)."""

    routing_sequence: Count = Field(description="Grows by one with each of Lattice's outputs.")
    subject_id: Uuid = Field(description="The candidate, clip or video.")
    queue: Name = Field(description="The queue it should wait in.")
    pool: Name = Field(description="The worker pool that should do it: gpu_editor ...")
    priority: Score = Field(description="Its place in the queue; 1 is first.")
    reason: Text = Field(description="Why there.")
    evidence: Evidence = Field(description="Packets of the scores and loads it rests on.")
    issued_at: Timestamp = Field(description="When it was proposed.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class ClusteringHint(Document):
    """Candidates that are about the same thing, for Pantheon (4.4, Outputs)."""

    routing_sequence: Count = Field(description="Grows by one with each of Lattice's outputs.")
    cluster: Line = Field(description="What they are about.")
    candidate_ids: Evidence = Field(description="The candidates, the most typical first.")
    terms: Lines = Field(description="Phrases they share, the most telling first.")
    coherence: Score = Field(description="How alike they are.")
    evidence: Evidence = Field(description="Packets of the candidates.")
    issued_at: Timestamp = Field(description="When it was proposed.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
