"""The one shape of an error: ``{code, message, details}`` (agent contracts, "Error contract")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

INVALID_PAYLOAD = "INVALID_PAYLOAD"
UNKNOWN_MESSAGE_TYPE = "UNKNOWN_MESSAGE_TYPE"
_SHOWN = 80


class ContractError(ValueError):
    """A message that cannot be taken, with every fault it has."""

    def __init__(self, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details or {}

    @classmethod
    def invalid(cls, message_type: str, faults: list[dict[str, Any]]) -> ContractError:
        """From a list of ``{pointer, message, got}``."""
        named = "; ".join(f"{fault['pointer'] or '/'}: {fault['message']}" for fault in faults)
        return cls(INVALID_PAYLOAD, f"not a valid {message_type}: {named}", {"faults": faults})

    def dump(self) -> dict[str, Any]:
        """The error object as it goes over the wire."""
        return {"code": self.code, "message": self.message, "details": self.details}


def faults_of(error: ValidationError) -> list[dict[str, Any]]:
    """Every fault of a pydantic error as ``{pointer, message, got}`` (RFC 6901 pointers)."""
    faults = []
    for item in error.errors(include_url=False, include_context=False):
        missing = item["type"] == "missing"
        fault = {"pointer": pointer(item["loc"]), "message": _in_words(item["type"], item["msg"])}
        if not missing and item["type"] != "json_invalid":
            fault["got"] = shortened(item["input"])
        faults.append(fault)
    return faults


def pointer(location: tuple[str | int, ...]) -> str:
    """A JSON Pointer (RFC 6901) from the path to a value."""
    return "".join(
        "/" + str(part).replace("~", "~0").replace("/", "~1")
        for part in location
        if part != "[key]"  # pydantic's mark for "the key itself"
    )


def shortened(value: Any) -> str:
    """A value as an error may show it: one line, at most 80 characters."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _in_words(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "is not a field of this message; remove it"
    if kind == "missing":
        return "is required"
    if kind == "none_required":
        return "must be left out"
    return message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
