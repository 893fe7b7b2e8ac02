"""Messages of older versions, brought to the form of today (module interfaces, section 2).

A document of an older minor version is usually read as it is: what came later is optional. Where
that isn't so, a migration joins `MIGRATIONS` in the same commit as the change:

    MIGRATIONS["UploadJob"] = {(1, 3): _keywords_without_hash}

takes each `UploadJob` of version 1.3 or older to what 1.4 reads. Migrations run in the order of
their versions. A migration gets the JSON object and returns a new one; it must not read a clock,
a file or the network, so that a stored message always comes to the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.envelope import Envelope
from omniva_dagster.contracts.errors import ContractError, fault
from omniva_dagster.contracts.reading import decoded
from omniva_dagster.contracts.registry import MESSAGE_TYPES, message_type, parse
from omniva_dagster.contracts.schema import version_of
from omniva_dagster.contracts.types import SEMVER_PATTERN

Minor = tuple[int, int]
Migration = Callable[[dict[str, Any]], dict[str, Any]]

FIRST = "1.0.0"
# Bounded, for Python reads no integer of more than 4,300 digits.
_VERSION = re.compile(rf"(?=.{{5,32}}\Z){SEMVER_PATTERN[1:-1]}")
MIGRATIONS: dict[str, dict[Minor, Migration]] = {}


def read(name: str, raw: str | bytes | dict[str, Any], *, version: str = "") -> Document:
    """The message in ``raw``, whichever version of its contract it was written under.

    ``version`` is that version where the message doesn't say. Without either, a message that could
    say is of the first version, and one that has no ``schema_version`` is of today. An envelope
    says it for its payload, which is brought to the form of today too. Raises `ContractError` with
    every fault, as `registry.parse` does, and for an unknown major names those that are known.
    """
    model = message_type(name)
    opened, faults = (raw, []) if isinstance(raw, dict) else decoded(raw)
    if faults or not isinstance(opened, dict):
        return parse(name, raw)  # which says why it can't be read
    try:
        moved = _opened(opened) if model is Envelope else migrated(name, opened, version)
    except RecursionError:  # envelopes in envelopes: too many for anything to be read
        return parse(name, raw)
    return parse(name, raw if moved is opened else moved)


def migrated(name: str, document: dict[str, Any], version: str = "") -> dict[str, Any]:
    """The document in the form of today: itself if there is nothing to do, else a new one."""
    model = message_type(name)
    current, versioned = version_of(model), "schema_version" in model.model_fields
    found = document.get("schema_version", version or (FIRST if versioned else current))
    if not isinstance(found, str) or not _VERSION.fullmatch(found):
        return document  # which `parse` refuses
    written = _minor(found)
    if written[0] not in majors(name):
        raise ContractError.invalid(name, [_unreadable(name, found)])
    steps = MIGRATIONS.get(name, {})
    due = [since for since in sorted(steps) if written <= since < _minor(current)]
    for since in due:
        try:
            document = steps[since](dict(document))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # It was no valid document of its own version: a migration may rely on that.
            words = f"is of version {found} and can't be brought to {current}: {error!r}"
            raise ContractError.invalid(name, [fault((), words)]) from error
    if due and versioned:
        document = {**document, "schema_version": current}
    return document


def majors(name: str) -> list[int]:
    """The major versions of a message type that can be read, in order."""
    own = _minor(version_of(message_type(name)))[0]
    return sorted({own, *(major for major, _ in MIGRATIONS.get(name, {}))})


def _opened(envelope: dict[str, Any]) -> dict[str, Any]:
    """An envelope with its payload in the form of today, and the version that goes with it."""
    kind, payload, version = (
        envelope.get(key) for key in ("message_type", "payload", "schema_version")
    )
    if not isinstance(kind, str) or kind not in MESSAGE_TYPES or not isinstance(payload, dict):
        return envelope
    if kind == Envelope.__name__:
        moved = _opened(payload)
        version_after = moved.get("schema_version", version)
    else:
        try:
            moved = migrated(kind, payload, version if isinstance(version, str) else "")
        except ContractError as error:
            faults = [{**each, "pointer": "/payload" + each["pointer"]} for each in error.faults]
            raise ContractError.invalid(Envelope.__name__, faults) from None
        version_after = version_of(MESSAGE_TYPES[kind])
    if moved is payload:
        return envelope
    return {**envelope, "payload": moved, "schema_version": version_after}


def _minor(version: str) -> Minor:
    major, minor, _ = version.split(".")
    return int(major), int(minor)


def _unreadable(name: str, version: str) -> dict[str, Any]:
    known = " and ".join(f"{major}.x.y" for major in majors(name))
    today = version_of(message_type(name))
    return fault(
        ("schema_version",),
        f"has an unknown major version, {version}: {name} is read in {known}, and is {today} today",
    )
