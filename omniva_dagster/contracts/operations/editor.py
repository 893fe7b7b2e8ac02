"""The editor: its command, the clip, its operation graph, failures (module interfaces, 5.3)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import Evidence, Line, Name, demand, when
from omniva_dagster.contracts.cognition.eclipse import RetryPlan
from omniva_dagster.contracts.editing import EditJob, EditSummary
from omniva_dagster.contracts.operations.common import Among, Uris, WorkerFailure, at_most
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.types import (
    Count,
    Opt,
    Positive,
    Seconds,
    SemVer,
    Sha256,
    Timestamp,
    Uri,
    Uuid,
)

EditReason = Annotated[
    ReasonCode,
    Among(
        (
            ReasonCode.BAD_COMMAND,
            ReasonCode.GPU_STARVATION,
            ReasonCode.RENDER_TIMEOUT,
            ReasonCode.CORRUPT_MEDIA,
            ReasonCode.DISK_FULL,
            ReasonCode.COLLISION,
            ReasonCode.NOT_RELEASED,
            ReasonCode.INTERNAL,
        )
    ),
]


class StorageRole(StrEnum):
    """What a stored file is to an edit."""

    SOURCE = "source"
    CAPTIONS = "captions"
    FONT = "font"
    OVERLAY = "overlay"
    AUDIO = "audio"


class StorageReference(Document):
    """A file that an edit reads, by place and content."""

    role: StorageRole = Field(description="What it is to the edit.")
    uri: Uri = Field(description="The file, in Atlas.")
    sha256: Sha256 = Field(description="Of the file's bytes.")


class EditCommand(Document):
    """Zenith's order to cut a clip: the job and what the worker needs beside it (5.3, Input)."""

    directive_id: Uuid = Field(description="The promotion it follows from.")
    job: EditJob = Field(description="What to cut, and how.")
    candidate_ids: Evidence = Field(description="The resolved candidates; the clip is one.")
    storage: Annotated[list[StorageReference], Field(min_length=1, max_length=100)] = Field(
        description="The files to read, the source first."
    )
    editing_context_id: Uuid = Field(description="Derived from the plan: a retry has the same.")
    retry_plan: Opt[RetryPlan] = Field(default=None, description="Eclipse's plan, on a retry.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _cuts_a_resolved_candidate(self) -> Self:
        demand(
            self,
            (
                self.job.clip_id in self.candidate_ids,
                "candidate_ids",
                "must agree with job: its clip_id is not among them",
            ),
            (
                self.storage[0].role is StorageRole.SOURCE,
                "storage",
                "must agree with its order: the source comes first",
            ),
        )
        return self


class RenderDurations(Document):
    """How long the clip is and how long it took, for Horizon."""

    clip_seconds: Seconds = Field(description="Measured on the file.")
    estimated_seconds: Seconds = Field(description="Wall time the plan predicted.")
    wall_seconds: Seconds = Field(description="Wall time it took.")
    queued_seconds: Seconds = Field(description="Wall time it waited before.")


class ClipRendered(Document):
    """A clip is finished (5.3, Output)."""

    clip_id: Uuid = Field(description="The clip.")
    video_id: Uuid = Field(description="The video it was cut from.")
    editing_context_id: Uuid = Field(description="Derived from the plan: a retry has the same.")
    rendered_uris: Uris = Field(description="The results in Atlas, the clip first.")
    edit_summary: EditSummary = Field(description="How it was made.")
    durations: RenderDurations = Field(description="How long it is, and how long it took.")
    operation_graph_packet_id: Uuid = Field(description="The packet of its operation graph.")
    rendered_at: Timestamp = Field(description="When it was finished.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class EditFailed(WorkerFailure):
    """A clip could not be cut (5.3, Error signaling).

    ``bad_command`` is deterministic: the same command fails again. ``gpu_starvation`` is transient
    and is escalated to Eclipse, which reroutes it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                when(
                    "reason_code",
                    ReasonCode.BAD_COMMAND.value,
                    {"properties": {"transient": {"const": False}}},
                ),
                when(
                    "reason_code",
                    ReasonCode.GPU_STARVATION.value,
                    {"properties": {"transient": {"const": True}, "escalated": {"const": True}}},
                ),
            ]
        }
    )

    clip_id: Uuid = Field(description="The clip.")
    editing_context_id: Uuid = Field(description="Derived from the plan: a retry has the same.")
    reason_code: EditReason = Field(description="Why.")
    escalated: bool = Field(description="Whether Eclipse is asked to reroute it.")
    failed_command: Opt[Annotated[str, StringConstraints(min_length=1, max_length=20_000)]] = Field(
        default=None, description="The command that failed, as run."
    )

    @model_validator(mode="after")
    def _is_of_its_codes_kind(self) -> Self:
        bad = self.reason_code is ReasonCode.BAD_COMMAND
        starved = self.reason_code is ReasonCode.GPU_STARVATION
        demand(
            self,
            (not (bad and self.transient), "transient", "must be false: bad_command stays bad"),
            (not starved or self.transient, "transient", "must be true: gpu_starvation passes"),
            (not starved or self.escalated, "escalated", "must be true: Eclipse reroutes it"),
        )
        return self


class ExecutedOperation(Document):
    """A command that was run."""

    operation: Line = Field(description="The logical step it did.")
    command: Annotated[str, StringConstraints(min_length=1, max_length=20_000)] = Field(
        description="The resolved command, as run."
    )
    depends_on: Annotated[list[Count], Field(max_length=100)] = Field(
        description="Earlier operations it needed, by their place in the list, from 0."
    )
    exit_code: Annotated[Count, *at_most(255)] = Field(
        description="How it ended; 128 and more: by the signal of that number less 128."
    )
    wall_seconds: Seconds = Field(description="Wall time it took.")
    cpu_seconds: Seconds = Field(description="User and system time it took.")


class Hardware(Document):
    """The machine that ran the commands."""

    processor: Line = Field(description="The processor's name.")
    cores: Positive = Field(description="Processor cores it had.")
    memory_bytes: Positive = Field(description="Memory it had.")
    gpu: Opt[Line] = Field(default=None, description="The GPU's name, if it had one.")
    encoder: Name = Field(description="The video encoder.")
    ffmpeg_version: Line = Field(description="The version of ffmpeg.")


class OperationGraph(Document):
    """What was run to make a clip, and on what, for later review (5.3, Stardust reference)."""

    clip_id: Uuid = Field(description="The clip.")
    editing_context_id: Uuid = Field(description="Derived from the plan: a retry has the same.")
    operations: Annotated[list[ExecutedOperation], Field(min_length=1, max_length=100)] = Field(
        description="The commands, in the order they were run."
    )
    hardware: Hardware = Field(description="The machine.")
    recorded_at: Timestamp = Field(description="When the last one ended.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _needs_only_what_came_before(self) -> Self:
        late = [
            place
            for place, operation in enumerate(self.operations)
            if any(needed >= place for needed in operation.depends_on)
        ]
        message = f"must agree with their order: number {late[:1]} needs one that is not before it"
        demand(self, (not late, "operations", message))
        return self
