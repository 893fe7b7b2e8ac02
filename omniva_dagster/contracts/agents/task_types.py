"""The registered task types: the one place where a new one joins.

A new type is a payload and a result (documents of `contracts.agents.payloads`, listed in
``MESSAGES``) and a line of ``TASK_TYPES``; tasks, schemas and error messages follow.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from omniva_dagster.contracts.agents.payloads import (
    FetchTrendsPayload,
    FetchTrendsResult,
    GenerateVideoPayload,
    GenerateVideoResult,
)
from omniva_dagster.contracts.base import Document


class TaskType(NamedTuple):
    """What a task of a type asks for, and what its completion answers."""

    payload: type[Document]
    result: type[Document]


TASK_TYPES: dict[str, TaskType] = {
    "generate_video": TaskType(GenerateVideoPayload, GenerateVideoResult),
    "fetch_trends": TaskType(FetchTrendsPayload, FetchTrendsResult),
}


def task_type(name: str) -> TaskType:
    """The registered type of that name; `ValueError` listing the registered ones otherwise."""
    if name not in TASK_TYPES:
        raise ValueError(f"must be a registered task type: {', '.join(sorted(TASK_TYPES))}")
    return TASK_TYPES[name]


def payload_rules() -> list[dict[str, Any]]:
    """JSON Schema's form of it: the payload of each type, by the payload's file."""
    return [
        {
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {"properties": {"payload": {"$ref": f"{kind.payload.__name__}.json"}}},
        }
        for name, kind in TASK_TYPES.items()
    ]
