"""The one shape of an error: ``{code, message, details}`` (agent contracts, "Error contract")."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from omniva_dagster.contracts.words import in_words

if TYPE_CHECKING:
    from pydantic import ValidationError

INVALID_PAYLOAD = "INVALID_PAYLOAD"
UNKNOWN_MESSAGE_TYPE = "UNKNOWN_MESSAGE_TYPE"
HIDDEN = "(hidden)"
_SHOWN = 80
_NAMED = 8
_DEEPEST = 4
_SECRET_NAME = re.compile(
    r"token|secret|passw|cookie|authori[sz]ation|credential|key(?!word)", re.IGNORECASE
)
_USER_OF_URI = re.compile(r"//[^/@\s]*@")
_SECRET_OF_QUERY = re.compile(
    rf'([\w.-]*(?:{_SECRET_NAME.pattern})[\w.-]*=)[^&\s"]+', re.IGNORECASE
)

Fault = dict[str, Any]


class ContractError(ValueError):
    """A message that cannot be taken, with every fault it has."""

    def __init__(self, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details or {}

    @classmethod
    def invalid(cls, message_type: str, faults: list[Fault]) -> ContractError:
        """From a list of ``{pointer, message, got}``; the message names the first few."""
        named = [f"{fault['pointer'] or '/'}: {fault['message']}" for fault in faults[:_NAMED]]
        if len(faults) > _NAMED:
            named.append(f"and {len(faults) - _NAMED} more")
        text = f"not a valid {message_type}: {'; '.join(named)}"
        return cls(INVALID_PAYLOAD, text, {"faults": faults})

    @property
    def faults(self) -> list[Fault]:
        """Every fault as ``{pointer, message, got}``; empty where the type itself is unknown."""
        found: list[Fault] = self.details.get("faults", [])
        return found

    def dump(self) -> dict[str, Any]:
        """The error object as it goes over the wire."""
        return {"code": self.code, "message": self.message, "details": self.details}


def fault(location: tuple[str | int, ...], message: str) -> Fault:
    """One fault, of a value that is not worth showing."""
    return {"pointer": pointer(location), "message": message}


def faults_of(error: ValidationError) -> list[Fault]:
    """Every fault of a pydantic error as ``{pointer, message, got}`` (RFC 6901 pointers)."""
    faults = []
    for item in error.errors(include_url=False):
        kind, value, location = item["type"], item["input"], item["loc"]
        if kind == "string_pattern_mismatch" and location[-1:] == ("[key]",):
            location = location[:-1]  # pydantic's mark for "the key itself"
        found = fault(location, in_words(kind, item.get("ctx", {}), value, item["msg"]))
        if kind not in {"missing", "json_invalid", "string_unicode"}:
            secret = any(isinstance(part, str) and is_secret(part) for part in location)
            found["got"] = HIDDEN if secret else shortened(value)
        faults.append(found)
    return faults


def pointer(location: tuple[str | int, ...]) -> str:
    """A JSON Pointer (RFC 6901) from the path to a value."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def is_secret(name: str) -> bool:
    """Whether the value of a field of that name must not be shown."""
    return _SECRET_NAME.search(name) is not None


def shortened(value: Any) -> str:
    """A value as an error may show it: JSON on one line, at most 80 characters, no secrets."""
    text = json.dumps(_pruned(value, _DEEPEST), ensure_ascii=False, default=repr)
    text = _SECRET_OF_QUERY.sub(rf"\1{HIDDEN}", _USER_OF_URI.sub(f"//{HIDDEN}@", text))
    text = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _pruned(value: Any, depth: int) -> Any:
    # A fault may be about a whole document of many megabytes: only what can be seen is copied.
    if hasattr(value, "model_dump"):  # a rule between fields is about documents made already
        value = value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, str):
        return value[: _SHOWN * 4]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**_SHOWN:
        return "a number of more than 80 digits"
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        return "..."
    if isinstance(value, list):
        return [_pruned(item, depth - 1) for item in value[:_SHOWN]]
    return {
        _pruned(name, 0): HIDDEN if is_secret(str(name)) else _pruned(item, depth - 1)
        for name, item in list(value.items())[:_SHOWN]
    }
