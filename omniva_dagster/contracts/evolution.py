"""Whether a change of the contracts has the version it needs (module interfaces, section 2)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from omniva_dagster.contracts.changes import (
    Bump,
    Change,
    Location,
    Schema,
    changes,
    of_payload,
)
from omniva_dagster.contracts.errors import pointer

Version = tuple[int, int, int]


@dataclass(frozen=True)
class Verdict:
    """What one message type has come to. ``before`` or ``after`` is empty where there is none."""

    name: str
    before: str
    after: str
    changes: tuple[Change, ...]
    bumped: bool

    @property
    def needs(self) -> Bump | None:
        """The greatest step any of the changes needs; nothing when none is there."""
        return max((change.bump for change in self.changes), default=None)


@dataclass(frozen=True)
class Release:
    """Message types at one time: their schemas and versions, and the major all are read under."""

    schemas: Mapping[str, Schema]
    versions: Mapping[str, str]

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> Release:
        """From the files of a ``schemas`` folder by name. ``ValueError`` if they aren't such."""
        try:
            entries = json.loads(files["index.json"])["types"]
            schemas = {entry["name"]: json.loads(files[entry["file"]]) for entry in entries}
            versions = {entry["name"]: entry["schema_version"] for entry in entries}
            for version in versions.values():
                numbers(version)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"no folder of schema files: {error!r}") from error
        return cls(schemas, versions)


def compare(old: Release, new: Release) -> list[Verdict]:
    """A verdict on every message type that changed, came or went, by name.

    A message that holds another one changes with it; an envelope does not, since its
    ``schema_version`` is its payload's.
    """
    changed = {
        name: list(changes(old.schemas[name], new.schemas[name]))
        for name in old.schemas.keys() & new.schemas.keys()
    }
    _spread(changed, new.schemas)
    verdicts = [
        _changed(name, old.versions[name], new.versions[name], found)
        for name, found in changed.items()
        if found or old.versions[name] != new.versions[name]
    ]
    came = Change("", Bump.MINOR, "the message is new")
    went = Change("", Bump.MAJOR, "the message was removed")
    verdicts += [
        Verdict(name, "", new.versions[name], (came,), bumped=True)
        for name in new.schemas.keys() - old.schemas.keys()
    ]
    # A message that went has no version left to bump: that is for a new major of all.
    verdicts += [
        Verdict(name, old.versions[name], "", (went,), bumped=_major(new) > _major(old))
        for name in old.schemas.keys() - new.schemas.keys()
    ]
    return sorted(verdicts, key=lambda verdict: verdict.name)


def numbers(version: str) -> Version:
    """``1.4.0`` as three numbers; ``ValueError`` otherwise."""
    major, minor, patch = (int(part) for part in version.split("."))
    return major, minor, patch


def suffices(before: str, after: str, needs: Bump | None) -> bool:
    """Whether a version went up by as much as is needed, and in no case down."""
    old, new = numbers(before), numbers(after)
    held = {None: 0, Bump.PATCH: 0, Bump.MINOR: 2, Bump.MAJOR: 1}[needs]
    return new >= old if held == 0 else new[:held] > old[:held]


def _changed(name: str, before: str, after: str, found: list[Change]) -> Verdict:
    needs = max((change.bump for change in found), default=None)
    return Verdict(name, before, after, tuple(found), suffices(before, after, needs))


def _major(release: Release) -> int:
    return min((numbers(version)[0] for version in release.versions.values()), default=0)


def _spread(changed: dict[str, list[Change]], schemas: Mapping[str, Schema]) -> None:
    # Messages hold messages that hold messages: again until nothing is added.
    added = True
    while added:
        added = False
        for name, found in changed.items():
            for where, inner in held_messages(schemas[name]):
                bump = max((change.bump for change in changed.get(inner, ())), default=Bump.PATCH)
                known = [change for change in found if change.pointer == where]
                if bump > Bump.PATCH and not any(change.bump >= bump for change in known):
                    found.append(Change(where, bump, f"it holds {inner}, which changed"))
                    added = True


def held_messages(schema: Schema) -> Iterator[tuple[str, str]]:
    """(pointer, name) of every message that a message holds; an envelope's payload is none."""
    names = {
        f"#/$defs/{key}": target["$ref"].removesuffix(".json")
        for key, target in schema.get("$defs", {}).items()
        if "$ref" in target
    }
    for where, reference in _references(schema, ()):
        if reference in names or reference.endswith(".json"):
            yield where, names.get(reference, reference.removesuffix(".json"))


def _references(node: object, location: Location) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for index, inner in enumerate(node):
            yield from _references(inner, (*location, index))
    elif isinstance(node, dict) and not of_payload(node):
        for keyword, inner in node.items():
            if keyword == "$ref" and isinstance(inner, str):
                yield pointer((*location, keyword)), inner
            elif location or keyword != "$defs":
                yield from _references(inner, (*location, keyword))
