"""The differences of two schemas of one message, and the version each of them asks for.

The question is always the same: is every document that the old schema takes taken by the new one,
with the same meaning? If not, the change needs a new major version; if the new schema takes more, a
new minor one; if only words differ, a patch at most (module interfaces, section 2). The rules are
listed in ``docs/contracts.md``. A keyword without a rule counts as narrower: a new major version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from omniva_dagster.contracts.errors import pointer

Schema = dict[str, Any]
Location = tuple[str | int, ...]


class Bump(IntEnum):
    """The smallest step of a version that a change needs."""

    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True)
class Change:
    """One difference: where in the schema (RFC 6901), what it needs, and what it is."""

    pointer: str
    bump: Bump
    what: str


_WORDS = {"title", "description", "examples", "$comment"}
_NAMED = ("properties", "patternProperties")
_LEAST = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_MOST = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
# `$id` and `$schema` name the set of schemas, `$defs` is reached through `$ref`.
_ELSEWHERE = {"$schema", "$id", "$defs", "required", *_NAMED, "enum", "const"}


def changes(old: Schema, new: Schema, location: Location = ()) -> Iterator[Change]:
    """Every difference of two schemas of the same thing."""
    yield from _of_values(old, new, location)
    yield from _of_required(old, new, location)
    for keyword in _NAMED:
        yield from _of_fields(keyword, old, new, location)
    for keyword in [*old, *(keyword for keyword in new if keyword not in old)]:
        if keyword not in _ELSEWHERE and old.get(keyword) != new.get(keyword):
            yield from _of_keyword(keyword, old, new, (*location, keyword))


def _of_keyword(keyword: str, old: Schema, new: Schema, here: Location) -> Iterator[Change]:
    before, after = old.get(keyword), new.get(keyword)
    if keyword in _WORDS:
        yield Change(pointer(here), Bump.PATCH, f"{keyword} was reworded")
    elif keyword == "default":
        yield from _of_default(old, new, here)
    elif keyword == "items" and isinstance(before, dict) and isinstance(after, dict):
        yield from changes(before, after, here)
    elif keyword == "allOf":
        yield from _of_rules(old, new, here)
    elif keyword in {"anyOf", "oneOf"} and before and after:
        yield from _of_branches(keyword, before, after, here)
    elif keyword == "type":
        widened = before is not None and (after is None or (before, after) == _WIDER_TYPE)
        yield _step(here, widened, f"type was {_shown(before)}, is {_shown(after)}")
    elif keyword == "additionalProperties":
        yield from _of_openness(before, after, here)
    elif keyword in _LEAST | _MOST and before is not None and after is not None:
        widened = after < before if keyword in _LEAST else after > before
        yield _step(here, widened, f"{keyword} was {_shown(before)}, is {_shown(after)}")
    elif after is None:
        yield _step(here, True, f"{keyword} {_shown(before)} is no more")
    else:
        # Two patterns, formats or references can't be compared: taken as narrower.
        said = f"was {_shown(before)}, is" if before is not None else "is new:"
        yield _step(here, False, f"{keyword} {said} {_shown(after)}")


_WIDER_TYPE = ("integer", "number")


def _of_required(old: Schema, new: Schema, location: Location) -> Iterator[Change]:
    before, after = old.get("required", []), new.get("required", [])
    for name in after:
        # A field that is new and required is named once, below.
        if name not in before and name in old.get("properties", {}):
            yield Change(
                pointer((*location, "required")), Bump.MAJOR, f"{name} was optional, is required"
            )
    for name in before:
        if name not in after and name in new.get("properties", {}):
            yield Change(
                pointer((*location, "required")), Bump.MINOR, f"{name} was required, is optional"
            )


def _of_fields(keyword: str, old: Schema, new: Schema, location: Location) -> Iterator[Change]:
    before, after = old.get(keyword, {}), new.get(keyword, {})
    required = new.get("required", [])
    for name in [*before, *(name for name in after if name not in before)]:
        here = (*location, keyword, name)
        if name not in after:
            yield Change(pointer(here), Bump.MAJOR, "the field was removed")
        elif name in before:
            yield from changes(before[name], after[name], here)
        elif name in required:
            yield Change(pointer(here), Bump.MAJOR, "the field is new and required")
        else:
            yield Change(pointer(here), Bump.MINOR, "the field is new and optional")


def _of_values(old: Schema, new: Schema, location: Location) -> Iterator[Change]:
    before, after = _allowed(old), _allowed(new)
    here = pointer((*location, "const" if "const" in new else "enum"))
    if before is None and after is not None:
        yield Change(here, Bump.MAJOR, f"only {_listed(after)} may stand here now")
    elif after is None and before is not None:
        yield Change(here, Bump.MINOR, "any value may stand here now")
    elif before is not None and after is not None:
        gone = [value for value in before if value not in after]
        come = [value for value in after if value not in before]
        if gone:
            yield Change(here, Bump.MAJOR, f"{_listed(gone)} may no longer stand here")
        if come:
            yield Change(here, Bump.MINOR, f"{_listed(come)} may stand here too")


def _of_default(old: Schema, new: Schema, here: Location) -> Iterator[Change]:
    if here[-2:] == ("schema_version", "default"):
        return  # the version itself
    # A stored document without the field would say something else.
    said = f"the default was {_shown(old.get('default'))}, is {_shown(new.get('default'))}"
    yield Change(pointer(here), Bump.MAJOR if "default" in old else Bump.MINOR, said)


def _of_openness(before: Any, after: Any, here: Location) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from changes(before, after, here)
    elif after in (None, True):
        yield Change(pointer(here), Bump.MINOR, "the object was opened to further fields")
    elif before is False:
        yield Change(pointer(here), Bump.MINOR, "further fields of one form may be there")
    else:
        yield Change(pointer(here), Bump.MAJOR, "the object was closed to further fields")


def _of_branches(keyword: str, before: Any, after: Any, here: Location) -> Iterator[Change]:
    if len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from changes(old, new, (*here, index))
        return
    gone = [branch for branch in before if branch not in after]
    what = f"{keyword} has {len(after)} branches, not {len(before)}"
    yield _step(here, not gone, what)


def _of_rules(old: Schema, new: Schema, here: Location) -> Iterator[Change]:
    """Rules of the form if-then; the payload rules of an envelope go by its messages instead."""
    former = {_text(rule.get("if")): rule for rule in old.get("allOf", []) if not of_payload(rule)}
    for index, rule in enumerate(new.get("allOf", [])):
        where, known = (*here, index), former.pop(_text(rule.get("if")), None)
        if of_payload(rule):
            continue
        if known is None:
            what = f"a rule was added: if {_shown(rule.get('if'))}"
            yield _step(where, _about_new_values(rule, old), what)
        elif rule != known:
            yield from changes(known.get("then", known), rule.get("then", rule), (*where, "then"))
    for condition in former:
        yield Change(pointer(here), Bump.MINOR, f"a rule is no more: if {_shown(condition)}")


def of_payload(rule: Schema) -> bool:
    """Whether a rule is one of an envelope's, which says what a payload of some type must be."""
    return "message_type" in rule.get("if", {}).get("properties", {})


def _about_new_values(rule: Schema, old: Schema) -> bool:
    """Whether a rule speaks only of values that the old schema did not take at all."""
    fields = old.get("properties", {})
    for name, condition in rule.get("if", {}).get("properties", {}).items():
        before, meant = _allowed(fields.get(name, {})), _allowed(condition)
        if before is not None and meant and not any(value in before for value in meant):
            return True
    return False


def _allowed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _step(here: Location, widened: bool, what: str) -> Change:
    return Change(pointer(here), Bump.MINOR if widened else Bump.MAJOR, what)


def _listed(values: list[Any]) -> str:
    return ", ".join(map(_shown, values))


def _shown(value: Any) -> str:
    text = "nothing" if value is None else _text(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
