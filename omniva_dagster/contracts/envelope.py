"""The envelope every message travels in (module interfaces, 2 and 7)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.types import SemVer, Timestamp, Uuid


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

    @field_validator("payload")
    @classmethod
    def _agrees(cls, payload: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        own = {
            "schema_version": info.data.get("schema_version"),
            "trace_id": info.data.get("trace_id"),
            "_meta_parents": info.data.get("meta_parents"),
        }
        differing = [
            name
            for name, value in own.items()
            if value is not None and name in payload and payload[name] != value
        ]
        if differing:
            raise ValueError(f"must have the envelope's {' and '.join(differing)}")
        return payload
