"""The dashboard: what operators do and see (module interfaces, 5.6)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    Evidence,
    Ids,
    Line,
    Name,
    Severity,
    Text,
    demand,
    when,
)
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.operations.common import LEFT_OUT, require
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.types import (
    Count,
    Opt,
    Score,
    Seconds,
    SemVer,
    Sha256,
    Timestamp,
    Uuid,
)


class ActionKind(StrEnum):
    """What an operator can say."""

    APPROVE = "approve"
    OVERRIDE = "override"
    GUIDANCE = "guidance"


class Route(StrEnum):
    """Whom an operator's word goes through: nobody else commits."""

    ZENITH = "zenith"


class OperatorAction(Document):
    """An operator's word, for Zenith to enforce (5.6, Output); a packet of its own."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                when(
                    "kind",
                    ActionKind.APPROVE.value,
                    {"properties": {"wanted": LEFT_OUT, "priority": LEFT_OUT}},
                ),
                when("kind", ActionKind.OVERRIDE.value, {"required": ["wanted"]}),
                when("kind", ActionKind.GUIDANCE.value, {"properties": {"wanted": LEFT_OUT}}),
            ]
        }
    )

    action_id: Uuid = Field(description="One act of one operator.")
    kind: ActionKind = Field(description="Whether it approves, overrides or guides.")
    operator: Name = Field(description="Who acted.")
    subject_id: Uuid = Field(description="What it is about; a clip's id for clips.")
    wanted: Opt[DirectiveKind] = Field(
        default=None, description="What an override would have ordered; of overrides alone."
    )
    priority: Opt[Score] = Field(default=None, description="A manual priority; not of approvals.")
    reason: Text = Field(description="Why, or the guidance itself.")
    seen: Evidence = Field(description="Packets the operator was shown: the path replays.")
    routed_through: Route = Field(default=Route.ZENITH, description="Zenith enforces it.")
    acted_at: Timestamp = Field(description="When it was done.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _says_what_its_kind_says(self) -> Self:
        overrides = self.kind is ActionKind.OVERRIDE
        approves = self.kind is ActionKind.APPROVE
        if overrides:
            require(self, "wanted")
        demand(
            self,
            (overrides or self.wanted is None, "wanted", "must be left out: only overrides order"),
            (
                not approves or self.priority is None,
                "priority",
                "must be left out: an approval changes nothing",
            ),
        )
        return self


class OperatorAlert(Document):
    """A person must look (5.6, Error signaling: ``operator_alert``); HaloLux tells of it."""

    alert_id: Uuid = Field(description="Derived from what it is about: raised twice, shown once.")
    severity: Severity = Field(description="How much it matters.")
    source: Name = Field(description="The engine or worker that raised it.")
    title: Line = Field(description="What happened, in a line.")
    message: Text = Field(description="What happened, and what to do about it.")
    review_required: bool = Field(description="Whether work waits for an operator's word.")
    reason_code: Opt[ReasonCode] = Field(default=None, description="The failure behind it.")
    subject_ids: Ids = Field(description="The documents it is about; empty for the whole.")
    evidence: Evidence = Field(description="Packets that show it.")
    raised_at: Timestamp = Field(description="When it was raised.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class Worker(StrEnum):
    """The five worker pools (5.1 to 5.5)."""

    SCRAPER = "scraper"
    ANALYZER = "analyzer"
    EDITOR = "editor"
    UPLOADER = "uploader"
    SCHEDULER = "scheduler"


class WorkerMetrics(Document):
    """How one worker pool stands."""

    worker: Worker = Field(description="The worker pool.")
    queued: Count = Field(description="Jobs that wait.")
    running: Count = Field(description="Jobs in work.")
    done: Count = Field(description="Jobs done since the window began.")
    failed: Count = Field(description="Jobs failed since the window began.")
    median_seconds: Opt[Seconds] = Field(
        default=None, description="Median wall time of those done; absent when none was."
    )


class LineageDigest(Document):
    """The ledger in a few numbers."""

    packets: Count = Field(description="Packets in the ledger.")
    root_hash: Sha256 = Field(description="Root of its Merkle tree at that size.")
    unsequenced: Count = Field(description="Packets that wait to be put in order.")


class MetricsSnapshot(Document):
    """What the dashboard shows at one moment; a stream of these is live (5.6, Input)."""

    sequence: Count = Field(description="Grows by one with each snapshot of a stream.")
    window_began_at: Timestamp = Field(description="Since when jobs are counted.")
    taken_at: Timestamp = Field(description="When it was taken.")
    workers: Annotated[list[WorkerMetrics], Field(max_length=5)] = Field(
        description="How each worker pool stands."
    )
    explanation_ids: Ids = Field(description="Packets of HaloLux's latest bundles.")
    lineage: LineageDigest = Field(description="How the ledger stands.")
    alert_ids: Ids = Field(description="Alerts that are still open.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
