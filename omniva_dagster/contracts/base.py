"""What every contract document is: closed, strict, immutable, and omitted rather than null."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from omniva_dagster.contracts.errors import ContractError, faults_of
from omniva_dagster.contracts.reading import decoded, encoded

SUPPORTED_MAJOR = 1


class Document(BaseModel):
    """Base of all contract documents (module interfaces, sections 2 and 3).

    ``VERSION`` is the version of a contract that has no ``schema_version`` of its own.
    """

    VERSION: ClassVar[str] = f"{SUPPORTED_MAJOR}.0.0"

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        validate_by_name=True,
        serialize_by_alias=True,
        defer_build=True,
    )

    @field_validator("schema_version", check_fields=False)
    @classmethod
    def _of_a_known_major(cls, version: str) -> str:
        if version.partition(".")[0] != str(SUPPORTED_MAJOR):
            raise ValueError(
                f"has an unknown major version; this release reads {SUPPORTED_MAJOR}.x.y"
            )
        return version

    @classmethod
    def parse(cls, raw: str | bytes | dict[str, Any]) -> Self:
        """The document in ``raw`` (JSON text, or the mapping it decodes to).

        Text must be UTF-8 with no key twice. Raises `ContractError` naming every wrong field at
        once, each by JSON Pointer.
        """
        text, faults = encoded(raw) if isinstance(raw, dict) else (raw, decoded(raw)[1])
        if faults:
            raise ContractError.invalid(cls.__name__, faults)
        try:
            return cls.model_validate_json(text, by_alias=True, by_name=False)
        except ValidationError as error:
            raise ContractError.invalid(cls.__name__, faults_of(error)) from None

    def dump(self) -> dict[str, Any]:
        """The JSON object, with what is not set left out."""
        return self.model_dump(mode="json", exclude_none=True)


def given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value, to be passed on: what is not set is left out, never null."""
    return {name: value for name, value in fields.items() if value is not None}


# Fields that tell when a document was made, not what it says: a rerun may differ in them alone.
CLOCK_FIELDS = frozenset(
    {
        "created_at",
        "updated_at",
        "generated_at",
        "ingested_at",
        "rendered_at",
        "issued_at",
        "published_at",
    }
)


def without_clock(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload without the fields that tell when it was made."""
    return {name: value for name, value in payload.items() if name not in CLOCK_FIELDS}
