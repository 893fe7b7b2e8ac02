"""The scalar types every contract is written in (module interfaces, section 2).

JSON Schema's ``format`` is an annotation by default and most checkers are lax even when it is
asserted, so each type carries a pattern of plain ASCII classes beside its format, and what a
pattern cannot say (a real calendar date) is a validator.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

if TYPE_CHECKING:
    from typing import Optional as Opt
else:

    class Opt:
        """``Opt[T]``: a field that may be left out but is never ``null`` (CON-2).

        For the type checker it is ``Optional[T]``; for pydantic it is ``T`` with a default of
        ``None`` that is never validated, so an explicit ``null`` is refused and the generated
        schema has no ``null`` branch.
        """

        def __class_getitem__(cls, item: Any) -> Any:
            return item


UUID4_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
TIMESTAMP_PATTERN = (
    r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z$"
)
SEMVER_PATTERN = r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"
SLUG_PATTERN = r"^[a-z][a-z0-9_-]{0,62}$"
# RFC 3986: a scheme, then only characters a URI may hold, with whole percent-escapes.
URI_PATTERN = r"^[A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-Fa-f]{2}|\[|\])+$"


def parse_timestamp(text: str) -> datetime:
    """An aware UTC datetime from ``YYYY-MM-DDTHH:MM:SS[.f]Z``; ``ValueError`` otherwise."""
    if not re.fullmatch(TIMESTAMP_PATTERN[1:-1], text):
        raise ValueError("must be an RFC 3339 timestamp in UTC, like 2026-03-04T05:06:07Z")
    head, _, fraction = text[:-1].partition(".")
    moment = datetime.strptime(head, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return moment.replace(microsecond=int(f"{fraction:0<6}"[:6])) if fraction else moment


def format_timestamp(moment: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SSZ``: every stream of ours has whole seconds (CON-4)."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place in a contract")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _real_date(text: str) -> str:
    try:
        parse_timestamp(text)
    except ValueError as error:
        raise ValueError(f"is not a date of the calendar: {error}") from None
    return text


def _integral(value: Any) -> Any:
    # JSON has one number type: 3.0 is an integer in JSON Schema, so it is one here.
    return int(value) if isinstance(value, float) and value.is_integer() else value


Uuid = Annotated[
    str,
    StringConstraints(pattern=UUID4_PATTERN, min_length=36, max_length=36),
    Field(json_schema_extra={"format": "uuid"}),
]
Timestamp = Annotated[
    str,
    StringConstraints(pattern=TIMESTAMP_PATTERN, min_length=20, max_length=30),
    AfterValidator(_real_date),
    Field(json_schema_extra={"format": "date-time"}),
]
Uri = Annotated[
    str,
    StringConstraints(pattern=URI_PATTERN, max_length=4096),
    Field(json_schema_extra={"format": "uri"}),
]
SemVer = Annotated[str, StringConstraints(pattern=SEMVER_PATTERN, max_length=32)]
Sha256 = Annotated[str, StringConstraints(pattern=SHA256_PATTERN, min_length=64, max_length=64)]
Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
# Bounds stand before the validator: after it pydantic writes them into the schema as "ge".
Count = Annotated[int, Field(ge=0), BeforeValidator(_integral, json_schema_input_type=int)]
Positive = Annotated[int, Field(ge=1), BeforeValidator(_integral, json_schema_input_type=int)]
Score = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]

__all__ = [
    "Count",
    "Opt",
    "Positive",
    "Score",
    "Seconds",
    "SemVer",
    "Sha256",
    "Slug",
    "Timestamp",
    "Uri",
    "Uuid",
    "format_timestamp",
    "parse_timestamp",
]
