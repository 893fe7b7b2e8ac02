"""What the workers' messages are made of: secrets by reference, reasons, failures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationError,
)
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, core_schema

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import EACH_ONCE, UNIQUE, Ids
from omniva_dagster.contracts.decisions import OutcomeStatus
from omniva_dagster.contracts.types import Positive, SemVer, Timestamp, Uri


@dataclass(frozen=True)
class Among:
    """Metadata of an enum's field: only these members."""

    members: tuple[StrEnum, ...]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The enum, then this."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The enum with fewer members."""
        return {**handler(schema), "enum": [member.value for member in self.members]}

    def _checked(self, value: StrEnum) -> StrEnum:
        if value not in self.members:
            *most, last = [member.value for member in self.members]
            names = f"one of {', '.join(most)} or {last}" if most else last
            raise ValueError(f"must be {names}")
        return value


@dataclass(frozen=True)
class Spelled:
    """Metadata of a text's field: its form, and the words for what has another one.

    ``pattern`` is anchored and of plain ASCII classes, so that all engines of patterns agree.
    """

    pattern: str
    words: str
    longest: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Text, then its form."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The pattern and the length."""
        return {**handler(schema), "pattern": self.pattern, "maxLength": self.longest}

    def _checked(self, text: str) -> str:
        if len(text) > self.longest or not re.fullmatch(self.pattern[1:-1], text):
            raise ValueError(self.words)
        return text


def at_most(bound: int) -> tuple[Any, Any]:
    """Metadata of a number's field: an upper bound, narrower than its type's."""

    def checked(number: int) -> int:
        if number > bound:
            raise ValueError(f"must be at most {bound}")
        return number

    # By hand: pydantic writes no bound beside a validator.
    return AfterValidator(checked), Field(json_schema_extra={"maximum": bound})


# Never the secret itself: it is resolved at the moment of use (5.1, 5.4).
SecretRef = Annotated[
    str,
    Spelled(
        r"^secret://(env/[A-Za-z_][A-Za-z0-9_]*|file/[!-~]+)$",
        "must refer to a secret, like secret://env/NAME or secret://file/path, never hold one",
        512,
    ),
]
SecretRefs = Annotated[list[SecretRef], Field(max_length=16), EACH_ONCE, UNIQUE]
Uris = Annotated[list[Uri], Field(min_length=1, max_length=100), EACH_ONCE, UNIQUE]
LEFT_OUT: JsonDict = {"not": {}}
Message = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
ErrorStatus = Annotated[OutcomeStatus, Among((OutcomeStatus.ERROR,))]


def require(document: Document, *fields: str) -> None:
    """Refuse a document that needs these optional fields and lacks one: it "is required"."""
    missing = [
        InitErrorDetails(type="missing", loc=(name,), input=None)
        for name in fields
        if getattr(document, name) is None
    ]
    if missing:
        raise ValidationError.from_exception_data(type(document).__name__, missing)


class WorkerFailure(Document):
    """What every failure of a worker says beside its reason code (5.1 to 5.5)."""

    status: ErrorStatus = Field(
        default=OutcomeStatus.ERROR, description="What the job's status is set to."
    )
    message: Message = Field(description="What happened, and what to do about it.")
    transient: bool = Field(description="Whether the same call may succeed later.")
    attempt: Positive = Field(description="How often it was tried.")
    retries_exhausted: bool = Field(
        description="Whether automatic retries ended, so that Eclipse is alerted."
    )
    failed_at: Timestamp = Field(description="When it failed.")
    evidence: Ids = Field(default_factory=list, description="Packets about the job.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")
