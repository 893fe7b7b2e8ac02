"""How a clip is cut and what came out (module interfaces, 3.4 and 5.3)."""

from __future__ import annotations

from pydantic import Field

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.types import (
    Count,
    Number,
    Opt,
    Positive,
    Seconds,
    SemVer,
    Sha256,
    Timestamp,
    Uri,
    Uuid,
)


class EditJob(Document):
    """A plan whose commands are the very ones that are run (3.4).

    Each command is a ``shlex.join``ed argument vector with the placeholders ``{ffmpeg} {input}
    {output} {fontsdir} {video_encoder}``; no shell ever sees it.
    """

    clip_id: Uuid = Field(description="The promoted clip.")
    operations: list[str] = Field(description="Logical steps, in order.")
    ffmpeg_commands: list[str] = Field(description="The commands to run, in order.")
    gpu_required: bool = Field(description="Whether only a CUDA host can run it.")
    estimated_duration: Positive = Field(description="Seconds of wall time predicted.")
    expected_outputs: Opt[list[Uri]] = Field(
        default=None, description="Where the results will be in Atlas."
    )


class EditSummary(Document):
    """How the clip was made, for people and for HaloLux."""

    framing: str = Field(description="How the picture was reframed: face, split, fit ...")
    caption_words: Count = Field(description="Words burned into the picture.")
    font: str = Field(description="Font family of the captions; empty without captions.")
    encoder: str = Field(description="The video encoder that was run.")
    commands: list[str] = Field(description="The resolved commands, as run.")
    hardware: str = Field(description="Processor or GPU that ran them.")
    cpu_seconds: Seconds = Field(description="User and system time of the commands.")
    wall_seconds: Seconds = Field(description="Wall time of the commands.")


class RenderedClip(Document):
    """A finished clip in Atlas (5.3)."""

    clip_id: Uuid = Field(description="The promoted clip.")
    video_id: Uuid = Field(description="The video it was cut from.")
    editing_context_id: Uuid = Field(description="Derived from the plan: a retry has the same.")
    media_uri: Uri = Field(description="The clip, in Atlas.")
    thumbnail_uri: Uri = Field(description="A still of it, in Atlas.")
    sha256: Sha256 = Field(description="Of the clip's bytes.")
    size_bytes: Count = Field(description="Of the clip.")
    duration_seconds: Seconds = Field(description="Measured on the file.")
    width: Count = Field(description="Pixels.")
    height: Count = Field(description="Pixels.")
    integrated_lufs: Number = Field(description="Measured on the file (EBU R128).")
    true_peak_dbtp: Number = Field(description="Measured on the file.")
    edit_summary: EditSummary = Field(description="How it was made.")
    rendered_at: Timestamp = Field(description="When it was finished.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
