"""The scalar types every contract is written in (module interfaces, section 2).

JSON Schema's ``format`` is an annotation by default and most checkers are lax even when it is
asserted, so each type carries a pattern of plain ASCII classes beside its format, and what a
pattern cannot say (a real calendar date) is a validator.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import IPv6Address
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
DAY_PATTERN = r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
SEMVER_PATTERN = r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"
SLUG_PATTERN = r"^[a-z][a-z0-9_-]{0,62}$"
COLOUR_PATTERN = r"^#[0-9A-Fa-f]{6}$"
# No absolute path, no "..", no hidden file, nothing that a shell or a filter graph would read.
FILE_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9 _.-]*(/[A-Za-z0-9_][A-Za-z0-9 _.-]*){0,4}$"
_PLAIN = r"A-Za-z0-9._~!$&'()*+,;="
_ESCAPE = r"%[0-9A-Fa-f]{2}"
# RFC 3986, 3: scheme, then authority and path or a path alone, then query and fragment. An asserted
# "format": "uri" is stricter than this in one point, the inside of an IPv6 literal: see _real_uri.
URI_PATTERN = (
    r"^[A-Za-z][A-Za-z0-9+.-]*:"
    rf"(//(([{_PLAIN}:-]|{_ESCAPE})*@)?(\[[0-9A-Fa-f:.]+\]|([{_PLAIN}-]|{_ESCAPE})*)(:[0-9]*)?"
    rf"(/([{_PLAIN}:@/-]|{_ESCAPE})*)?"
    rf"|/?([{_PLAIN}:@-]|{_ESCAPE})([{_PLAIN}:@/-]|{_ESCAPE})*|/)"
    rf"(\?([{_PLAIN}:@/?-]|{_ESCAPE})*)?(#([{_PLAIN}:@/?-]|{_ESCAPE})*)?$"
)
# Bytes are referred to, never carried inline (CON-1); a data: URI carries them.
INLINE_PATTERN = r"^[Dd][Aa][Tt][Aa]:"
# RFC 7493, 2.2: beyond this, JSON readers disagree about a number, and RFC 8785 has no form for it.
MAX_NUMBER = 2**53 - 1


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


def _real_day(text: str) -> str:
    try:
        parse_timestamp(f"{text}T00:00:00Z")
    except ValueError:
        raise ValueError("is not a day of the calendar") from None
    return text


def _real_uri(text: str) -> str:
    if re.match(INLINE_PATTERN, text):
        raise ValueError("must refer to the bytes (https://..., file:///...), not carry them")
    literal = re.match(r"[^:]*://([^/?#\[]*@)?\[([^\]]*)\]", text)
    if literal:
        try:
            IPv6Address(literal[2])
        except ValueError:
            raise ValueError(f"[{literal[2]}] is not an IPv6 address") from None
    return text


def _integral(value: Any) -> Any:
    # JSON has one number type: 3.0 is an integer in JSON Schema, so it is one here.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _also(**keywords: Any) -> Any:
    # What the pattern already says to pydantic, for schema readers whose `$` lets a newline by.
    return Field(json_schema_extra=keywords)


Uuid = Annotated[
    str,
    StringConstraints(pattern=UUID4_PATTERN),
    _also(format="uuid", minLength=36, maxLength=36),
]
Timestamp = Annotated[
    str,
    StringConstraints(pattern=TIMESTAMP_PATTERN),
    AfterValidator(_real_date),
    _also(format="date-time", minLength=20, maxLength=30),
]
Day = Annotated[
    str,
    StringConstraints(pattern=DAY_PATTERN),
    AfterValidator(_real_day),
    _also(format="date", minLength=10, maxLength=10),
]
Uri = Annotated[
    str,
    StringConstraints(pattern=URI_PATTERN, max_length=4096),
    AfterValidator(_real_uri),
    _also(format="uri", **{"not": {"pattern": INLINE_PATTERN}}),
]
SemVer = Annotated[str, StringConstraints(pattern=SEMVER_PATTERN, max_length=32)]
Sha256 = Annotated[
    str, StringConstraints(pattern=SHA256_PATTERN), _also(minLength=64, maxLength=64)
]
Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
_Count = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
_Positive = Annotated[int, Field(ge=1, le=MAX_NUMBER)]
# Without the input type named once more, the validator would hide the bounds from the schema.
Count = Annotated[_Count, BeforeValidator(_integral, json_schema_input_type=_Count)]
Positive = Annotated[_Positive, BeforeValidator(_integral, json_schema_input_type=_Positive)]
Number = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]
Score = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=MAX_NUMBER)]

__all__ = [
    "MAX_NUMBER",
    "Count",
    "Day",
    "Number",
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
