"""Examples, schemas and the two judges of a document: the model and the schema file."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.registry import MESSAGE_TYPES, parse
from omniva_dagster.contracts.schema import schema_files

ROOT = Path(__file__).parents[2]
TYPES = sorted(MESSAGE_TYPES)
SPEC_TYPES = (
    "ScraperJob",
    "AnalysisResult",
    "ClipCandidate",
    "EditJob",
    "UploadJob",
    "ScheduleTask",
)


def example(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "schemas/examples" / f"{name}.json").read_text())
    return found


def without(name: str, *fields: str, **changed: Any) -> dict[str, Any]:
    """The example of a type with fields left out and others set."""
    kept = {key: value for key, value in example(name).items() if key not in fields}
    return {**kept, **changed}


@lru_cache(maxsize=1)
def schemas() -> dict[str, dict[str, Any]]:
    files = {name: json.loads(content) for name, content in schema_files().items()}
    return {name.removesuffix(".json"): file for name, file in files.items() if "$id" in file}


def compiled(
    schema: dict[str, Any], others: dict[str, dict[str, Any]]
) -> jsonschema_rs.Draft202012Validator:
    """A validator that finds other schemas by ``$id`` and asserts formats."""
    registry = jsonschema_rs.Registry([(file["$id"], file) for file in others.values()])
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, registry=registry)


@cache
def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    return compiled(schemas()[name], schemas())


@lru_cache(maxsize=1)
def spec_schemas() -> dict[str, dict[str, Any]]:
    """The six schemas printed in the specification, under the ids its relative refs need."""
    text = (ROOT / "docs/spec/module-interfaces.md").read_text()
    blocks = text.split("```json\n")[1:]
    found = [json.loads(block.split("```")[0]) for block in blocks]
    return {
        schema["title"]: {"$id": f"https://spec.example/{schema['title']}.json", **schema}
        for schema in found
    }


@cache
def spec_validator(name: str) -> jsonschema_rs.Draft202012Validator:
    return compiled(spec_schemas()[name], spec_schemas())


def schema_accepts(name: str, document: Any) -> bool:
    try:
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except ValueError:  # no JSON text at all: half of a surrogate pair, a NaN
        return False
    return validator(name).is_valid(document)


def conditional(name: str) -> set[str]:
    """Fields that only some documents of a type must have, as the rules of its schema say."""
    schema = schemas()[name]
    rules = [rule.get("then", rule) for key in ("allOf", "oneOf") for rule in schema.get(key, [])]
    dependent = schema.get("dependentRequired", {}).values()
    return {field for rule in rules for field in rule.get("required", [])}.union(*dependent)


def faults(name: str, document: Any) -> list[dict[str, Any]]:
    """Why the model refuses a document; empty when it doesn't."""
    raw = document if isinstance(document, dict | str | bytes) else json.dumps(document)
    try:
        parse(name, raw)
    except ContractError as error:
        return error.faults
    return []


def faults_by_pointer(name: str, document: Any) -> dict[str, str]:
    return {fault["pointer"]: fault["message"] for fault in faults(name, document)}
