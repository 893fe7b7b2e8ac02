"""JSON Schema (Draft 2020-12) of every message, generated from the models.

The files say all that JSON Schema can say. What it can't (one field against another, a known major
version) only the models check; ``docs/contracts.md`` lists it.
"""

from __future__ import annotations

import json
from typing import Any

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.brand import BrandKit
from omniva_dagster.contracts.campaign import GoalsFile
from omniva_dagster.contracts.envelope import Envelope
from omniva_dagster.contracts.registry import MESSAGE_TYPES, snake_case
from omniva_dagster.contracts.voice import BrandVoice

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BASE_ID = "https://schemas.omniva.example/1/"
INDEX = "index.json"

Schema = dict[str, Any]
# What people write and nothing sends: it has a schema file, for editors, and is no message type.
CONFIGURATION: tuple[type[Document], ...] = (BrandKit, BrandVoice, GoalsFile)
# Order of keywords in a file: what a reader asks first comes first.
_ORDER = (
    *("$schema", "$id", "title", "description", "type", "format", "enum", "required"),
    *("minimum", "exclusiveMinimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
)


def schema_of(model: type[Document]) -> Schema:
    """The closed schema of a message, other messages referred to by their file."""
    generated = model.model_json_schema(by_alias=True)
    inlined = generated.pop("$defs", {})
    messages: set[str] = set()
    body = _Tidier(inlined, messages).tidy(generated)
    name = model.__name__
    schema = {"$schema": DIALECT, "$id": f"{BASE_ID}{name}.json", "title": name, **body}
    if model is Envelope:
        messages.update(MESSAGE_TYPES)
        schema["allOf"] = [_payload_rule(kind) for kind in MESSAGE_TYPES]
    if messages:
        schema["$defs"] = {snake_case(name): {"$ref": f"{name}.json"} for name in sorted(messages)}
    return _ordered(schema)


def schema_files() -> dict[str, bytes]:
    """Every file of ``schemas/`` by name: one a message, ``index.json`` that lists them, and one
    for each kind of configuration."""
    models = (*MESSAGE_TYPES.values(), *CONFIGURATION)
    files = {f"{model.__name__}.json": _pretty(schema_of(model)) for model in models}
    files[INDEX] = _pretty({"types": [_entry(model) for model in MESSAGE_TYPES.values()]})
    return files


def version_of(model: type[Document]) -> str:
    """The version of a contract: the default of its ``schema_version``, or its ``VERSION``."""
    field = model.model_fields.get("schema_version")
    return field.default if field and isinstance(field.default, str) else model.VERSION


class _Tidier:
    """Rewrites what pydantic generates; collects the messages that are referred to."""

    def __init__(self, inlined: dict[str, Schema], messages: set[str]) -> None:
        self._inlined = inlined
        self._messages = messages

    def tidy(self, node: Schema) -> Schema:
        if "$ref" in node:
            return self._referred(node)
        tidied = {keyword: self._value(keyword, value) for keyword, value in node.items()}
        tidied.pop("title", None)
        if tidied.get("default", "") is None:
            del tidied["default"]
        if tidied.get("additionalProperties") is True:
            del tidied["additionalProperties"]
        elif "patternProperties" in tidied:
            tidied["additionalProperties"] = False
        return _ordered(tidied)

    def _referred(self, node: Schema) -> Schema:
        name = node["$ref"].rpartition("/")[2]
        beside = {keyword: value for keyword, value in node.items() if keyword != "$ref"}
        if name not in MESSAGE_TYPES:
            return self.tidy({**self._inlined[name], **beside})
        self._messages.add(name)
        return {"$ref": f"#/$defs/{snake_case(name)}", **self.tidy(beside)}

    def _value(self, keyword: str, value: Any) -> Any:
        if keyword in {"properties", "patternProperties"}:
            return {name: self.tidy(schema) for name, schema in value.items()}
        if keyword == "description":
            return _one_line(value)
        if keyword in {"anyOf", "oneOf", "allOf", "prefixItems"}:
            return [self.tidy(schema) for schema in value]
        if keyword in {"items", "additionalProperties"} and isinstance(value, dict):
            return self.tidy(value)
        return value


def _payload_rule(kind: str) -> Schema:
    return {
        "if": {"properties": {"message_type": {"const": kind}}},
        "then": {"properties": {"payload": {"$ref": f"#/$defs/{snake_case(kind)}"}}},
    }


def _one_line(text: str) -> str:
    paragraph = text.split("\n\n")[0]
    return " ".join(paragraph.split()).replace("``", "`")


def _ordered(schema: Schema) -> Schema:
    first = {keyword: schema[keyword] for keyword in _ORDER if keyword in schema}
    return first | {keyword: schema[keyword] for keyword in schema if keyword not in first}


def _entry(model: type[Document]) -> Schema:
    name = model.__name__
    return {
        "name": name,
        "schema_version": version_of(model),
        "file": f"{name}.json",
        "id": f"{BASE_ID}{name}.json",
    }


def _pretty(document: Schema) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
