"""What the engines' documents are made of: bounded words, pointers, windows, rules."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, ValidationError
from pydantic.config import JsonDict
from pydantic_core import InitErrorDetails, PydanticCustomError

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.types import MAX_NUMBER, Count, Timestamp, Uuid
from omniva_dagster.contracts.video import TimeRange

T = TypeVar("T")
Rule = tuple[bool, str, str]
MISSING = "is required"
LAST_HOUR = 23


def _each_once(items: list[T]) -> list[T]:
    if len(set(items)) != len(items):
        raise ValueError("must not hold the same item twice")
    return items


def _of_a_day(hour: int) -> int:
    if hour > LAST_HOUR:
        raise ValueError(f"must be at most {LAST_HOUR}")
    return hour


EACH_ONCE = AfterValidator(_each_once)
UNIQUE = Field(json_schema_extra={"uniqueItems": True})
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
# Pointers to Stardust packets, or ids of documents: references, never copies (4.3).
Ids = Annotated[list[Uuid], Field(max_length=1000), EACH_ONCE, UNIQUE]
Evidence = Annotated[list[Uuid], Field(min_length=1, max_length=1000), EACH_ONCE, UNIQUE]
Lines = Annotated[list[Line], Field(max_length=100), EACH_ONCE, UNIQUE]
PositiveSeconds = Annotated[float, Field(gt=0, le=MAX_NUMBER)]
Signed = Annotated[float, Field(ge=-1, le=1)]
# The bound stands in the schema by hand: after a validator, pydantic would not write it there.
Hour = Annotated[Count, AfterValidator(_of_a_day), Field(json_schema_extra={"maximum": LAST_HOUR})]


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Engine(StrEnum):
    """The nine engines of the cognitive plane (section 4)."""

    PARADOX = "paradox"
    ECLIPSE = "eclipse"
    STARDUST = "stardust"
    LATTICE = "lattice"
    HORIZON = "horizon"
    PANTHEON = "pantheon"
    CHORUS = "chorus"
    HALOLUX = "halolux"
    ZENITH = "zenith"


class JobType(StrEnum):
    """The contract of a job, by its message type in snake case."""

    SCRAPER_JOB = "scraper_job"
    ANALYSIS_RESULT = "analysis_result"
    EDIT_JOB = "edit_job"
    SCHEDULE_TASK = "schedule_task"
    UPLOAD_JOB = "upload_job"


class Weekday(StrEnum):
    """A day of the week, in UTC."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class GoalWindow(TimeRange):
    """The span of time a goal applies to: ``since`` is inside, ``until`` is not (4.5)."""

    since: Timestamp = Field(description="The first moment of the window.")
    until: Timestamp = Field(description="The first moment after the window.")


def when(field: str, value: str, then: JsonDict) -> JsonDict:
    """JSON Schema for: where ``field`` is ``value``, ``then`` holds too."""
    return {"if": {"properties": {field: {"const": value}}, "required": [field]}, "then": then}


def demand(document: Document, *rules: Rule) -> None:
    """Refuse a document that breaks a rule between its fields, each named by its field.

    A rule is (whether it holds, the field at fault, what is wrong with it or ``MISSING``). Raises
    pydantic's ``ValidationError``, which a validator around it takes over, pointers and all. A
    model's validator is not run while a field is at fault: what JSON Schema says too is better
    left to the field's own validator, so that both find it whatever else is wrong.
    """
    broken = [
        InitErrorDetails(
            type="missing"
            if message == MISSING
            else PydanticCustomError("rule", "{rule}", {"rule": message}),
            loc=(field,),
            input=getattr(document, field),
        )
        for holds, field, message in rules
        if not holds
    ]
    if broken:
        raise ValidationError.from_exception_data(type(document).__name__, broken)
