"""Ids and times as agents write them, brought to Omniva's one form on entry.

An agent may use any canonical UUID (RFC 9562, 4) and any RFC 3339 offset; what is kept is lower
case and UTC with ``Z``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from omniva_dagster.contracts.operations.common import Spelled

UUID_PATTERN = r"^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$"
TIME_PATTERN = (
    r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
# On the first and last day of the years that a contract knows, an offset may lead out of them.
EDGE_PATTERN = r"^(1000-01-01|2999-12-31).*[0-9]$"
_SECONDS = 19


def in_utc(text: str) -> str:
    """An RFC 3339 time with any offset as ``YYYY-MM-DDTHH:MM:SS[.f]Z``, its fraction as it was.

    Offsets are whole minutes, so seconds and their fraction stay. ``ValueError`` for a day that
    does not exist.
    """
    head, tail = text[:_SECONDS].upper(), text[_SECONDS:].upper()
    offset = tail.lstrip(".0123456789")
    try:
        moment = datetime.fromisoformat(head + offset).astimezone(UTC)
    except ValueError as error:
        raise ValueError(f"is not a date of the calendar: {error}") from None
    return f"{moment:%Y-%m-%dT%H:%M:%S}{tail.removesuffix(offset)}Z"


def same_moment(one: str, other: str) -> bool:
    """Whether two times in UTC are the same, however many zeros end them."""
    return _trimmed(one) == _trimmed(other)


def _trimmed(text: str) -> str:
    return text[:-1].rstrip("0").rstrip(".") if "." in text else text[:-1]


def _within_the_years(text: str) -> str:
    if re.fullmatch(EDGE_PATTERN[1:-1], text):
        raise ValueError(
            "must be written in UTC: its offset may lead out of the years 1000 to 2999"
        )
    return text


AgentUuid = Annotated[
    str,
    Spelled(
        UUID_PATTERN,
        "must be a UUID in its canonical form, like 8d7f4c1e-3b52-4f0a-9c6d-2e1b5a907f34",
        36,
    ),
    AfterValidator(str.lower),
    Field(json_schema_extra={"format": "uuid", "minLength": 36}),
]
AgentTime = Annotated[
    str,
    Spelled(TIME_PATTERN, "must be a time of RFC 3339, like 2026-03-04T05:06:07Z or ...+02:00", 35),
    AfterValidator(_within_the_years),
    AfterValidator(in_utc),
    Field(
        json_schema_extra={
            "format": "date-time",
            "minLength": 20,
            "not": {"pattern": EDGE_PATTERN},
        }
    ),
]
IdempotencyKey = Annotated[
    str, Spelled(r"^[!-~]{1,255}$", "must be 1 to 255 ASCII characters without spaces", 255)
]
ErrorCode = Annotated[
    str,
    Spelled(r"^[A-Z][A-Z0-9_]{0,63}$", "must be a name in upper case, like INVALID_PAYLOAD", 64),
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
