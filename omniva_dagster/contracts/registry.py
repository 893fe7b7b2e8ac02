"""Every message type by name: the one place where a new message joins."""

from __future__ import annotations

from typing import Any

from omniva_dagster.contracts.analysis import AnalysisResult, ClipCandidate
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.decisions import Directive, Outcome
from omniva_dagster.contracts.editing import EditJob, RenderedClip
from omniva_dagster.contracts.envelope import Envelope
from omniva_dagster.contracts.errors import UNKNOWN_MESSAGE_TYPE, ContractError
from omniva_dagster.contracts.publishing import PublicationReceipt, ScheduleTask, UploadJob
from omniva_dagster.contracts.video import ScraperJob, VideoAsset

MESSAGE_TYPES: dict[str, type[Document]] = {
    model.__name__: model
    for model in (
        ScraperJob,
        VideoAsset,
        AnalysisResult,
        ClipCandidate,
        Directive,
        EditJob,
        RenderedClip,
        ScheduleTask,
        UploadJob,
        PublicationReceipt,
        Outcome,
        Envelope,
    )
}


def message_type(name: str) -> type[Document]:
    """The contract of that name; `ContractError` listing the known names otherwise."""
    if name not in MESSAGE_TYPES:
        known = ", ".join(sorted(MESSAGE_TYPES))
        raise ContractError(
            UNKNOWN_MESSAGE_TYPE, f"there is no message type {name!r}; known: {known}"
        )
    return MESSAGE_TYPES[name]


def parse(name: str, raw: str | bytes | dict[str, Any]) -> Document:
    """The document in ``raw``, of the type called ``name``; an envelope's payload is parsed too."""
    document = message_type(name).parse(raw)
    if isinstance(document, Envelope) and document.message_type in MESSAGE_TYPES:
        message_type(document.message_type).parse(document.payload)
    return document
