"""A task for an agent, its response, and the error object (agent contracts)."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from omniva_dagster.contracts.agents.task_types import TASK_TYPES, payload_rules, task_type
from omniva_dagster.contracts.agents.types import (
    AgentTime,
    AgentUuid,
    ErrorCode,
    IdempotencyKey,
    Name,
    same_moment,
)
from omniva_dagster.contracts.base import Document, given
from omniva_dagster.contracts.cognition.common import demand, when
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.operations.common import require
from omniva_dagster.contracts.types import Count, Opt, Score

LONGEST_MESSAGE = 10_000
HEADERS = ("created_by", "created_at")
# What may be left out on entry, and is there once the task is read.
NOT_YET: Any = None


def _registered(name: str) -> str:
    task_type(name)
    return name


RegisteredType = Annotated[
    str, AfterValidator(_registered), Field(json_schema_extra={"enum": sorted(TASK_TYPES)})
]


def _header_rule(name: str) -> dict[str, Any]:
    in_meta = {"required": ["meta"], "properties": {"meta": {"required": [name]}}}
    return {"if": {"not": {"required": [name]}}, "then": in_meta}


class TaskMeta(Document):
    """Who made a task, and when; both are there once a task is read."""

    created_by: Name = Field(default=NOT_YET, description="The actor: planner, operator ...")
    created_at: AgentTime = Field(default=NOT_YET, description="When it was made.")


class AgentTask(Document):
    """A task for an agent.

    The headers ``created_by`` and ``created_at`` are taken at the top or in ``meta``, and kept in
    ``meta``. The payload is of the type's contract.
    """

    task_id: AgentUuid = Field(description="Globally unique id of the task.")
    type: RegisteredType = Field(description="A registered task type.")
    persona_id: AgentUuid = Field(description="The persona it is done for.")
    payload: dict[str, Any] = Field(description="What is asked for, by the type's contract.")
    meta: TaskMeta = Field(default=NOT_YET, description="Who made it, and when.")
    created_by: Opt[Name] = Field(
        default=None, exclude=True, description="The same as in meta, where it is kept."
    )
    created_at: Opt[AgentTime] = Field(
        default=None, exclude=True, description="The same as in meta, where it is kept."
    )
    state_version: Count = Field(description="The version it expects to find.")
    idempotency_key: Opt[IdempotencyKey] = Field(
        default=None, description="One per effect, whatever is retried; else task_id is."
    )

    @field_validator("payload")
    @classmethod
    def _of_its_type(cls, payload: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        kind = info.data.get("type")
        return payload if kind is None else _checked(task_type(kind).payload, payload)

    @model_validator(mode="after")
    def _keeps_headers_in_meta(self) -> Self:
        top = given(created_by=self.created_by, created_at=self.created_at)
        kept = self.meta.dump() if self.meta else {}
        if not top:
            require(self, "meta")
        demand(self, *(_agreement(name, top, kept) for name in HEADERS))
        # Frozen, and yet to be put in its one form: a validator may still write what it makes.
        self.__dict__.update(meta=TaskMeta(**{**top, **kept}), created_by=None, created_at=None)
        return self

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """The schema, with the rules that refer to other messages' files, which pydantic can't."""
        schema = super().model_json_schema(*args, **options)
        return {**schema, "allOf": [*map(_header_rule, HEADERS), *payload_rules()]}

    def ask(self) -> Document:
        """The payload as a document of the type's contract."""
        return TASK_TYPES[self.type].payload.parse(self.payload)


class ResponseStatus(StrEnum):
    """Where a task stands."""

    COMPLETED = "completed"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"
    RETRIABLE = "retriable"


class ErrorObject(Document):
    """What went wrong, for programs and people."""

    code: ErrorCode = Field(description="What kind of error it is.")
    message: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_MESSAGE)] = Field(
        description="What happened, in words."
    )
    details: Opt[dict[str, Any]] = Field(default=None, description="More, for programs.")

    @classmethod
    def of(cls, error: ContractError) -> ErrorObject:
        """The error object of a refused message."""
        return cls.parse(given(**{**error.dump(), "message": error.message[:LONGEST_MESSAGE]}))


class AgentResponse(Document):
    """How a task stands.

    A completed one has its result, a failed or retriable one an error.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                when("status", "completed", {"required": ["result"]}),
                when("status", "failed", {"properties": {"errors": {"minItems": 1}}}),
                when("status", "retriable", {"properties": {"errors": {"minItems": 1}}}),
            ]
        }
    )

    task_id: AgentUuid = Field(description="The task it answers.")
    status: ResponseStatus = Field(description="Where it stands.")
    result: Opt[dict[str, Any]] = Field(default=None, description="By the type's contract.")
    errors: Annotated[list[ErrorObject], Field(max_length=100)] = Field(
        description="What went wrong; empty when nothing did."
    )
    state_version: Count = Field(description="The version after it.")
    confidence: Opt[Score] = Field(default=None, description="How sure the agent is.")

    @model_validator(mode="after")
    def _says_what_its_status_needs(self) -> Self:
        completed = self.status is ResponseStatus.COMPLETED
        unhappy = self.status in (ResponseStatus.FAILED, ResponseStatus.RETRIABLE)
        if completed:
            require(self, "result")
        demand(
            self,
            (not unhappy or bool(self.errors), "errors", f"must say why it is {self.status}"),
        )
        return self

    def answer(self, type_name: str) -> Document | None:
        """The result as a document of a task type's contract; none where there is none yet.

        Raises `ContractError` with every fault, each under ``/result``.
        """
        if self.result is None:
            return None
        try:
            return task_type(type_name).result.parse(self.result)
        except ContractError as error:
            faults = [{**fault, "pointer": "/result" + fault["pointer"]} for fault in error.faults]
            raise ContractError.invalid(f"AgentResponse to {type_name}", faults) from None


def _checked(model: type[Document], payload: dict[str, Any]) -> dict[str, Any]:
    # From JSON, where the strict models take an enum's text; pydantic puts /payload before faults.
    document = model.model_validate_json(json.dumps(payload), by_alias=True, by_name=False)
    return document.dump()


def _agreement(name: str, top: dict[str, Any], kept: dict[str, Any]) -> tuple[bool, str, str]:
    if name not in top:
        return name in kept, "meta", f"must have {name}"
    same = same_moment if name == "created_at" else str.__eq__
    agrees = name not in kept or same(top[name], kept[name])
    return agrees, name, "must agree with meta, which says otherwise"
