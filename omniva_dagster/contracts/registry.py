"""Every message type by name: the one place where a new message joins."""

from __future__ import annotations

import re
from typing import Any

from omniva_dagster.contracts import agents, cognition, operations
from omniva_dagster.contracts.analysis import AnalysisResult, ClipCandidate
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.consent import ConsentRecord
from omniva_dagster.contracts.decisions import Directive, Outcome
from omniva_dagster.contracts.editing import EditJob, RenderedClip
from omniva_dagster.contracts.envelope import Envelope
from omniva_dagster.contracts.errors import UNKNOWN_MESSAGE_TYPE, ContractError, Fault
from omniva_dagster.contracts.publishing import PublicationReceipt, ScheduleTask, UploadJob
from omniva_dagster.contracts.reading import decoded
from omniva_dagster.contracts.video import RawCapture, ScraperJob, VideoAsset

_MODELS: tuple[type[Document], ...] = (
    ScraperJob,
    RawCapture,
    VideoAsset,
    AnalysisResult,
    ClipCandidate,
    Directive,
    EditJob,
    RenderedClip,
    ScheduleTask,
    UploadJob,
    PublicationReceipt,
    ConsentRecord,
    Outcome,
    Envelope,
    *cognition.MESSAGES,
    *operations.MESSAGES,
    *agents.MESSAGES,
)
MESSAGE_TYPES: dict[str, type[Document]] = {model.__name__: model for model in _MODELS}


def snake_case(name: str) -> str:
    """``ClipCandidate`` as ``clip_candidate``: how the specification writes of events."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


_BY_SNAKE_CASE = {snake_case(name): model for name, model in MESSAGE_TYPES.items()}


def message_type(name: str) -> type[Document]:
    """The contract of that name, ``ConflictResolution`` or ``conflict_resolution``.

    `ContractError` listing the known names otherwise.
    """
    model = MESSAGE_TYPES.get(name) or _BY_SNAKE_CASE.get(name)
    if model is None:
        known = ", ".join(sorted(MESSAGE_TYPES))
        raise ContractError(
            UNKNOWN_MESSAGE_TYPE, f"there is no message type {name!r}; known: {known}"
        )
    return model


def parse(name: str, raw: str | bytes | dict[str, Any]) -> Document:
    """The document in ``raw``, of the type called ``name``; an envelope's payload is parsed too.

    Raises `ContractError` with every fault, those of a payload under ``/payload``.
    """
    model = message_type(name)
    if model is not Envelope:
        return model.parse(raw)
    faults: list[Fault] = []
    try:
        document = Envelope.parse(raw)
    except ContractError as error:
        faults = error.faults
    known = {fault["pointer"] for fault in faults}
    # A fault of the whole, as of text that is nested too deeply: nothing in it can be looked at.
    opened = None if "" in known else raw if isinstance(raw, dict) else decoded(raw)[0]
    faults += [fault for fault in _faults_of_payload(opened) if fault["pointer"] not in known]
    if faults:
        raise ContractError.invalid(name, faults)
    return document


def _faults_of_payload(envelope: Any) -> list[Fault]:
    """The faults of what an envelope holds, if it is of a known type."""
    if not isinstance(envelope, dict):
        return []
    kind, payload = envelope.get("message_type"), envelope.get("payload")
    if not isinstance(kind, str) or kind not in MESSAGE_TYPES or not isinstance(payload, dict):
        return []
    try:
        parse(kind, payload)
    except ContractError as error:
        return [{**fault, "pointer": "/payload" + fault["pointer"]} for fault in error.faults]
    return []
