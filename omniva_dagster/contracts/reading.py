"""JSON text, read strictly: what RFC 8259 leaves to each reader is a fault here.

UTF-8 only, no key twice, no NaN or Infinity, no number beyond a double (RFC 7493, I-JSON).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from omniva_dagster.contracts.errors import Fault, fault

_TOO_DEEP = "is nested too deeply"
Location = tuple[str | int, ...]


class _Repeated(dict[str, Any]):
    """An object of which some keys came more than once."""

    keys_repeated: list[str]


class _Reader:
    """One reading of one text; ``suspect`` once something in it has to be looked for."""

    def __init__(self) -> None:
        self.suspect = False

    def read(self, text: str) -> Any:
        return json.loads(
            text,
            object_pairs_hook=self._object,
            parse_float=self._float,
            parse_constant=self._float,
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        self.suspect = True
        doubled = _Repeated(found)
        times = Counter(name for name, _ in pairs)
        doubled.keys_repeated = [name for name in found if times[name] > 1]
        return doubled

    def _float(self, text: str) -> float:
        number = float(text)
        self.suspect = self.suspect or not math.isfinite(number)
        return number


def decoded(raw: str | bytes) -> tuple[Any, list[Fault]]:
    """The value of a JSON text, and why it can't be taken as one (empty when it can)."""
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, [fault((), f"is not UTF-8: byte {error.start} starts no character")]
    reader = _Reader()
    try:
        value = reader.read(text)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in text.strip() else ""
        return None, [fault((), f"is not JSON: {error.msg} at {line}column {error.colno}")]
    except RecursionError:
        return None, [fault((), _TOO_DEEP)]
    except ValueError:
        return None, [fault((), "holds a number of more digits than can be read")]
    return value, list(_faults(value, ())) if reader.suspect else []


def encoded(value: dict[str, Any]) -> tuple[str, list[Fault]]:
    """The JSON text of a mapping, and what in it has no form in JSON."""
    try:
        return json.dumps(value, allow_nan=False), []
    except RecursionError:
        return "", [fault((), _TOO_DEEP)]
    except (TypeError, ValueError):
        try:
            return "", list(_faults(value, ())) or [fault((), "is not JSON")]
        except RecursionError:
            return "", [fault((), _TOO_DEEP)]


def _faults(value: Any, location: Location) -> Iterator[Fault]:
    if isinstance(value, dict):
        yield from _faults_of_object(value, location)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _faults(item, (*location, index))
    elif isinstance(value, float) and not math.isfinite(value):
        yield fault(location, f"must be a finite number, not {value}")
    elif not isinstance(value, str | int | float | None):
        yield fault(location, f"must be a JSON value, not a Python {type(value).__name__}")


def _faults_of_object(value: dict[Any, Any], location: Location) -> Iterator[Fault]:
    for name in getattr(value, "keys_repeated", ()):
        yield fault((*location, name), "is there more than once")
    for name, item in value.items():
        if isinstance(name, str):
            yield from _faults(item, (*location, name))
        else:
            yield fault(location, f"must have text as keys, not a Python {type(name).__name__}")
