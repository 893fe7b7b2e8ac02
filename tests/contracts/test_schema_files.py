"""The schema files: closed, complete, and nowhere laxer than the specification's six."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from omniva_dagster.contracts.registry import MESSAGE_TYPES, message_type, snake_case
from omniva_dagster.contracts.schema import schema_files, version_of
from tests.contracts.support import (
    SPEC_TYPES,
    TYPES,
    compiled,
    example,
    schema_accepts,
    schemas,
    spec_schemas,
    spec_validator,
)

# No pattern language can compare these two: samples do, below.
EQUIVALENT_PATTERNS = {r"^\d+\.\d+\.\d+$": r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$"}
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
UPPER_BOUNDS = ("maximum", "maxLength", "maxItems")


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema, itself included."""
    yield schema
    for keyword in ("properties", "patternProperties", "$defs"):
        for inner in schema.get(keyword, {}).values():
            yield from nodes(inner)
    for keyword in ("items", "then", "not"):
        if isinstance(schema.get(keyword), dict):
            yield from nodes(schema[keyword])
    for keyword in ("allOf", "anyOf", "oneOf"):
        for inner in schema.get(keyword, []):
            yield from nodes(inner)


def looser(ours: dict[str, Any], spec: dict[str, Any], where: str) -> list[str]:
    """Where ``ours`` lets more through than ``spec``, field by field."""
    found = []
    for keyword in ("type", "format", "enum", "default", "$ref"):
        if keyword in spec and ours.get(keyword) != spec[keyword]:
            found.append(f"{where}: {keyword}")
    if spec.get("uniqueItems") and not ours.get("uniqueItems"):
        found.append(f"{where}: uniqueItems")
    pattern = spec.get("pattern")
    if pattern and ours.get("pattern") != EQUIVALENT_PATTERNS.get(pattern, pattern):
        found.append(f"{where}: pattern")
    found += [
        f"{where}: {bound}"
        for bound in LOWER_BOUNDS
        if bound in spec and ours.get(bound, float("-inf")) < spec[bound]
    ]
    found += [
        f"{where}: {bound}"
        for bound in UPPER_BOUNDS
        if bound in spec and ours.get(bound, float("inf")) > spec[bound]
    ]
    if sorted(ours.get("required", [])) != sorted(spec.get("required", [])):
        found.append(f"{where}: required")
    for keyword in ("properties", "patternProperties"):
        if set(ours.get(keyword, {})) != set(spec.get(keyword, {})):
            found.append(f"{where}: {keyword}")
        for name, inner in spec.get(keyword, {}).items():
            found += looser(ours.get(keyword, {}).get(name, {}), inner, f"{where}/{name}")
    if "items" in spec:
        found += looser(ours.get("items", {}), spec["items"], f"{where}/items")
    return found


@pytest.mark.parametrize("name", TYPES)
def test_a_schema_is_draft_2020_12_with_its_id_and_title(name: str) -> None:
    schema = schemas()[name]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"https://schemas.omniva.example/1/{name}.json"
    assert schema["title"] == name
    assert jsonschema_rs.meta.is_valid(schema)


@pytest.mark.spec("CON-2")
@pytest.mark.parametrize("name", TYPES)
def test_every_object_is_closed_and_nothing_may_be_null(name: str) -> None:
    for node in nodes(schemas()[name]):
        if "properties" in node and "type" in node:
            assert node["additionalProperties"] is False
        if "patternProperties" in node:
            assert node["additionalProperties"] is False
        assert node.get("type") != "null"
        assert node.get("default", "") is not None
        assert "anyOf" not in node


@pytest.mark.parametrize("name", TYPES)
def test_a_field_has_a_line_of_description_and_no_generated_title(name: str) -> None:
    schema = schemas()[name]
    for field, node in schema["properties"].items():
        assert node["description"].strip(), field
        assert "title" not in node, field
    for node in nodes(schema):
        assert "\n" not in node.get("description", "")


@pytest.mark.spec("OBJ-8")
def test_analysis_result_refers_to_clip_candidate_as_the_specification_does() -> None:
    ours, spec = schemas()["AnalysisResult"], spec_schemas()["AnalysisResult"]
    assert ours["$defs"] == spec["$defs"] == {"clip_candidate": {"$ref": "ClipCandidate.json"}}
    assert ours["properties"]["clip_candidates"]["items"] == {"$ref": "#/$defs/clip_candidate"}
    bad = example("AnalysisResult")
    bad["clip_candidates"][0]["confidence"] = 1.5
    assert not schema_accepts("AnalysisResult", bad)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.spec(f"OBJ-{number}"))
        for name, number in zip(SPEC_TYPES, (1, 2, 3, 4, 5, 6), strict=True)
    ],
)
def test_the_schema_is_at_least_as_strict_as_the_specifications(name: str) -> None:
    assert looser(schemas()[name], spec_schemas()[name], name) == []
    assert spec_validator(name).is_valid(example(name))


def test_the_comparison_sees_a_bound_an_enum_and_a_required_field_that_went() -> None:
    spec = spec_schemas()["UploadJob"]
    ours = json.loads(json.dumps(schemas()["UploadJob"]))
    del ours["properties"]["title"]["maxLength"]
    ours["properties"]["privacy_status"]["enum"].append("hidden")
    ours["required"].remove("keywords")
    assert looser(ours, spec, "u") == [
        "u: required",
        "u/title: maxLength",
        "u/privacy_status: enum",
    ]


@pytest.mark.parametrize("version", ["1.0.0", "0.0.0", "10.20.30"])
def test_the_pattern_of_versions_lets_no_more_through_than_the_specifications(version: str) -> None:
    for pattern in EQUIVALENT_PATTERNS.items():
        for each in pattern:
            assert compiled({"pattern": each}, {}).is_valid(version)
            assert not compiled({"pattern": each}, {}).is_valid(f"{version}.1")
            assert not compiled({"pattern": each}, {}).is_valid(f"v{version}")


def test_the_index_lists_every_type_with_version_file_and_id() -> None:
    files = schema_files()
    index = json.loads(files["index.json"])
    assert sorted(entry["name"] for entry in index["types"]) == TYPES
    for entry in index["types"]:
        assert json.loads(files[entry["file"]])["$id"] == entry["id"]
        assert entry["schema_version"] == version_of(MESSAGE_TYPES[entry["name"]])


@pytest.mark.spec("CON-3")
def test_fields_are_snake_case_and_enums_are_lower_case_or_statuses() -> None:
    for name in TYPES:
        for node in nodes(schemas()[name]):
            for field in node.get("properties", {}):
                assert snake_case(field) == field
            values = node.get("enum", [])
            upper = [value for value in values if value != value.lower()]
            assert not upper or upper == values, f"{name}: {values}"


def test_files_are_the_same_bytes_each_time_and_end_with_a_newline() -> None:
    first, second = schema_files(), schema_files()
    assert first == second
    assert all(content.endswith(b"}\n") for content in first.values())


@pytest.mark.parametrize("name", sorted(MESSAGE_TYPES))
def test_the_documentation_names_every_message(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")
    assert f"`{name}`" in page


def test_a_message_is_found_by_either_spelling_of_its_name() -> None:
    for name, model in MESSAGE_TYPES.items():
        assert message_type(name) is message_type(snake_case(name)) is model
