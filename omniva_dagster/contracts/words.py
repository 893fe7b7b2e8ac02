"""Faults in words a person can act on, in place of the validator's own."""

from __future__ import annotations

from typing import Any

from omniva_dagster.contracts import types

_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "an object",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "an object",
    "string_type": "text",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_FORMS = {
    types.UUID4_PATTERN: (
        "must be a UUIDv4 in lower case, like 8d7f4c1e-3b52-4f0a-9c6d-2e1b5a907f34"
    ),
    types.TIMESTAMP_PATTERN: "must be a time in UTC ending in Z, like 2026-03-04T05:06:07Z",
    types.DAY_PATTERN: "must be a day, like 2026-03-04",
    types.SEMVER_PATTERN: "must be a version of three numbers, like 1.0.0",
    types.SHA256_PATTERN: "must be a SHA-256: 64 hexadecimal digits in lower case",
    types.SLUG_PATTERN: "must begin with a letter and hold only a-z, 0-9, _ and -, at most 63",
    types.COLOUR_PATTERN: 'must be a colour in quotes, like "#FFD93D"',
    types.FILE_PATTERN: (
        "must be a path below the kit's folder: letters, digits, _ . - and blanks, no .."
    ),
    types.URI_PATTERN: "must be a whole URI, like https://example.org/watch or file:///clips/1.mp4",
    "^[a-z_]+$": "must hold only letters a to z and underscores",
    "^[A-Za-z][A-Za-z0-9_]{0,63}$": "must be a name of letters, digits and _, at most 64",
    "^[A-Za-z0-9_-]{11}$": "must be an id of YouTube: 11 letters, digits, _ or -",
    "^zenith$": "must be zenith: nobody else commits",
}
_NULL = "null: a field that is not set is left out"
_FIXED = {
    "extra_forbidden": "is not a field of this message; remove it",
    "finite_number": "must be a finite number that a double can hold",
    "missing": "is required",
    "string_unicode": "is not UTF-8",
}


def in_words(kind: str, context: dict[str, Any], value: Any, message: str) -> str:
    """What is wrong with ``value``: pydantic's error type, context and message put plainly."""
    if kind in _FIXED:
        return _FIXED[kind]
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}, not {_kind_of(value, _EXPECTED[kind])}"
    if kind in _BOUNDS:
        name, phrase = _BOUNDS[kind]
        return f"must be {phrase} {_plain(context[name])}"
    if kind in {"enum", "literal_error"}:
        names = context["expected"].replace("'", "")
        return f"must be one of {names}" + (f", not {_NULL}" if value is None else "")
    if kind == "string_pattern_mismatch":
        return _FORMS.get(context["pattern"], f"must match {context['pattern']}")
    if kind == "json_invalid":
        return _of_syntax(str(context["error"]))
    return _of_length(kind, context, value) or message.removeprefix("Value error, ")


def _of_length(kind: str, context: dict[str, Any], value: Any) -> str:
    match kind:
        case "string_too_long":
            return f"must have at most {context['max_length']} characters, not {len(value)}"
        case "string_too_short" | "too_short" if context["min_length"] == 1:
            return "must not be empty"
        case "string_too_short":
            return f"must have at least {context['min_length']} characters, not {len(value)}"
        case "too_long":
            return f"must hold at most {context['max_length']} items, not {len(value)}"
        case "too_short":
            return f"must hold at least {context['min_length']} items, not {len(value)}"
    return ""


def _of_syntax(error: str) -> str:
    if error.startswith("recursion limit"):
        return "is nested too deeply"
    if "surrogate" in error or "hex escape" in error:
        return f"is not JSON: half of a surrogate pair stands alone ({error})"
    return f"is not JSON: {error}"


def _kind_of(value: Any, expected: str) -> str:
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, float) and expected == "a whole number":
        return "a fraction"
    if isinstance(value, int | float):
        return "a number"
    for kind, name in ((str, "text"), (list, "a list"), (dict, "an object")):
        if isinstance(value, kind):
            return name
    return f"a Python {type(value).__name__}"


def _plain(bound: Any) -> str:
    return str(int(bound)) if float(bound).is_integer() else str(bound)
