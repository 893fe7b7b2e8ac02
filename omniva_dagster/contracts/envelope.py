"""The envelope every message travels in (module interfaces, 2 and 7; DESIGN: Ids, time, envelope)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.types import SemVer, Timestamp, Uuid

SUPPORTED_MAJOR = 1


class Envelope(Document):
    """A message with its provenance. ``message_id`` is the id of its Stardust packet."""

    message_id: Uuid = Field(description="Id of the message and of its packet.")
    message_type: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")] = (
        Field(description="Name of the payload's contract.")
    )
    schema_version: SemVer = Field(description="Version of the payload's contract.")
    trace_id: Uuid = Field(description="The workflow it belongs to.")
    meta_parents: list[Uuid] = Field(
        alias="_meta_parents", description="Packets this message came from."
    )
    producer: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="The module that emitted it."
    )
    emitted_at: Timestamp = Field(description="When it was emitted.")
    payload: dict[str, Any] = Field(description="The document.")

    @model_validator(mode="after")
    def _agrees_with_payload(self) -> Self:
        own = {
            "schema_version": self.schema_version,
            "trace_id": self.trace_id,
            "_meta_parents": self.meta_parents,
        }
        for name, value in own.items():
            if name in self.payload and self.payload[name] != value:
                raise ValueError(f"{name} differs between envelope and payload")
        if int(self.schema_version.split(".")[0]) != SUPPORTED_MAJOR:
            raise ValueError(
                f"schema_version {self.schema_version} has an unknown major version; "
                f"this release reads {SUPPORTED_MAJOR}.x"
            )
        return self
