"""One judgement from two judges: what a model refuses its schema refuses, and the reverse.

Sixty documents a type are drawn at random; ``OMNIVA_TEST_EXAMPLES=1000`` for that many.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.support import (
    SPEC_TYPES,
    TYPES,
    conditional,
    example,
    faults,
    schema_accepts,
    schemas,
    spec_validator,
)

EXAMPLES = int(os.environ.get("OMNIVA_TEST_EXAMPLES", "60"))
UUID = "8d7f4c1e-3b52-4f0a-9c6d-2e1b5a907f34"
# What JSON Schema has no words for; docs/contracts.md lists these rules.
MODEL_ONLY = (
    "must be greater than start_time",
    "must be later than since",
    "must not be before created_at",
    "has an unknown major version",
    "must have the envelope's",
    "must agree with",
    "must not be less than",
    "must not be before ",
    "must be left out: the attempts are spent",
    "must differ from ",
    "must not hold packet_id",
    "must not be old_key",
    "must hold nothing that is not in ",
    "must be less than tree_size",
    "must be in order of agent",
    "must lie between the lowest and the highest vote",
    "must not be more than batch_size",
    "must not hold the same candidate twice",
    "must not hold the same engine twice",
    "must be an engine of advice",
    "must hold engines of advice",
    "must all be of this clip_id",
)

BAD_UUIDS = (
    "",
    UUID.upper(),
    f"{{{UUID}}}",
    f"urn:uuid:{UUID}",
    UUID.replace("-", ""),
    UUID + "\n",
    " " + UUID,
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "11111111-1111-1111-1111-111111111111",
    "8d7f4c1e-3b52-4f0a-7c6d-2e1b5a907f34",
    "00000000-0000-0000-0000-000000000000",
    "８d7f4c1e-3b52-4f0a-9c6d-2e1b5a907f34",
)
GOOD_TIMES = (
    "2026-03-04T05:06:07Z",
    "2024-02-29T00:00:00Z",
    "2026-03-04T05:06:07.5Z",
    "2026-03-04T05:06:07.123456789Z",
)
BAD_TIMES = (
    "",
    "2026-02-30T00:00:00Z",
    "2025-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-03-04T24:00:00Z",
    "2016-12-31T23:59:60Z",
    "2026-03-04T05:06:07+00:00",
    "2026-03-04T05:06:07+02:00",
    "2026-03-04T05:06:07",
    "2026-03-04 05:06:07Z",
    "2026-03-04t05:06:07z",
    "2026-03-04T05:06Z",
    "2026-03-04",
    "2026-03-04T05:06:07Z\n",
    "2026-03-04T05:06:07.Z",
    "2026-03-04T05:06:07.1234567890Z",
    "٢٠٢٦-03-04T05:06:07Z",
    "20260304T050607Z",
)
GOOD_URIS = (
    "https://example.org/watch?v=a&t=1#x",
    "file:///var/lib/omniva/clip.mp4",
    "s3://bucket/key%20with%20space",
    "secret://env/NAME",
    "http://[2001:db8::1]:8080/a",
    "http://[::ffff:192.0.2.1]/",
    "https://user@host/",
    "mailto:ada@example.org",
)
BAD_URIS = (
    "",
    "example.org/watch",
    "//example.org/watch",
    "/var/lib/clip.mp4",
    "https://example.org/a b",
    "https://example.org/ä",
    "https://example.org/%zz",
    "https://example.org/\n",
    "https://[::1",
    "https://[::1]]/",
    "https://[1::2::3]/",
    "https://[fe80::1%25eth0]/",
    "https://a@b@c/",
    "https://host:port/",
    "https://example.org/a[1]",
    "https://example.org/#a#b",
    "1http://example.org",
    "https:",
    "data:text/plain;base64,aGk=",
    "DATA:,hi",
    "https://example.org/" + "a" * 4096,
)
HUGE = 10**400
SHOWS = {"uuid": "CON-5", "time": "CON-4"}


def changes() -> dict[str, list[tuple[str, str, Any, bool]]]:
    """(type, field, value, whether it is good), by the rule it is about."""
    return {
        "uuid": [("ClipCandidate", "clip_id", bad, False) for bad in BAD_UUIDS]
        + [("ClipCandidate", "clip_id", UUID, True)],
        "time": [("UploadJob", "scheduled_time", bad, False) for bad in BAD_TIMES]
        + [("UploadJob", "scheduled_time", good, True) for good in GOOD_TIMES],
        "uri": [("ScraperJob", "target_url", bad, False) for bad in BAD_URIS]
        + [("ScraperJob", "target_url", good, True) for good in GOOD_URIS],
        "number": [
            ("ClipCandidate", "confidence", True, False),
            ("ClipCandidate", "confidence", "0.5", False),
            ("ClipCandidate", "confidence", 1, True),
            ("ClipCandidate", "confidence", -0.0, True),
            ("ClipCandidate", "confidence", 1.0000001, False),
            ("ClipCandidate", "confidence", -0.0000001, False),
            ("ClipCandidate", "end_time", HUGE, False),
            ("ClipCandidate", "end_time", 1e308, False),
            ("VideoAsset", "duration_seconds", HUGE, False),
            ("VideoAsset", "frame_rate", HUGE, False),
            ("RenderedClip", "integrated_lufs", -HUGE, False),
            ("RenderedClip", "integrated_lufs", -70, True),
            ("ScheduleTask", "horizon_adjustment", -1, True),
            ("ScheduleTask", "horizon_adjustment", -1.5, False),
        ],
        "integer": [
            ("ClipCandidate", "faces_detected", 3.0, True),
            ("ClipCandidate", "faces_detected", 3.5, False),
            ("ClipCandidate", "faces_detected", False, False),
            ("ClipCandidate", "faces_detected", "3", False),
            ("ClipCandidate", "faces_detected", -1, False),
            ("ClipCandidate", "faces_detected", 2**53 - 1, True),
            ("ClipCandidate", "faces_detected", 2**53, False),
            ("ClipCandidate", "faces_detected", 2.0**53, False),
            ("ClipCandidate", "faces_detected", HUGE, False),
            ("EditJob", "estimated_duration", 0, False),
            ("EditJob", "estimated_duration", 1.0, True),
        ],
        "boolean": [
            ("EditJob", "gpu_required", 1, False),
            ("EditJob", "gpu_required", "true", False),
        ],
        "list": [
            ("ClipCandidate", "semantic_tags", ["a", "a"], False),
            ("ClipCandidate", "semantic_tags", ["a", "A"], True),
            ("ClipCandidate", "semantic_tags", [], True),
            ("ClipCandidate", "semantic_tags", "a", False),
            ("ClipCandidate", "semantic_tags", [1], False),
            ("UploadJob", "keywords", ["a"] * 15, True),
            ("UploadJob", "keywords", ["a"] * 16, False),
            ("Directive", "evidence", [], False),
        ],
        "text": [
            ("UploadJob", "title", "😀" * 120, True),
            ("UploadJob", "title", "😀" * 121, False),
            ("UploadJob", "title", "\ud800", False),
            ("UploadJob", "title", 7, False),
            ("UploadJob", "yt_video_id", "Zk3f_8wQp-A", True),
            ("UploadJob", "yt_video_id", "Zk3f_8wQp-A\n", False),
            ("UploadJob", "yt_video_id", "Zk3f_8wQp", False),
            ("Directive", "issued_by", "pantheon", False),
            ("Outcome", "stage", "Videos", False),
            ("ScraperJob", "schema_version", "1.0", False),
            ("ScraperJob", "schema_version", "1.00.0", False),
            ("ScraperJob", "schema_version", "1.0.0-beta", False),
            ("ScraperJob", "schema_version", "1.0.0\n", False),
        ],
        "enum": [
            ("ScraperJob", "platform", "YouTube", False),
            ("ScraperJob", "status", "done", False),
            ("ScraperJob", "status", "CANCELLED", True),
            ("UploadJob", "privacy_status", 1, False),
        ],
        "object": [
            ("ClipCandidate", "pantheon_votes", {}, True),
            ("ClipCandidate", "pantheon_votes", {"trend_chasing": 1}, True),
            ("ClipCandidate", "pantheon_votes", {"Trend": 1}, False),
            ("ClipCandidate", "pantheon_votes", {"": 1}, False),
            ("ClipCandidate", "pantheon_votes", {"trend\n": 1}, False),
            ("ClipCandidate", "pantheon_votes", {"trend": 1.1}, False),
            ("ClipCandidate", "pantheon_votes", [], False),
            ("Envelope", "payload", [], False),
            ("Envelope", "payload", {}, False),
            ("Envelope", "message_type", "trend_report", True),
        ],
    }


CORPUS = [
    pytest.param(
        *case,
        id=f"{rule}-{case[0]}-{case[1]}-{number}",
        marks=[pytest.mark.spec(SHOWS[rule])] if rule in SHOWS else [],
    )
    for rule, cases in changes().items()
    for number, case in enumerate(cases)
]


@pytest.mark.parametrize(("name", "field", "value", "good"), CORPUS)
def test_model_and_schema_agree_on_a_value(name: str, field: str, value: Any, good: bool) -> None:
    document = {**example(name), field: value}
    assert schema_accepts(name, document) is good
    assert (faults(name, document) == []) is good


@pytest.mark.parametrize("name", TYPES)
def test_the_example_is_valid(name: str) -> None:
    assert faults(name, example(name)) == []
    assert schema_accepts(name, example(name))


@pytest.mark.parametrize("name", TYPES)
def test_an_undeclared_field_is_refused(name: str) -> None:
    document = {**example(name), "undeclared": 1}
    assert not schema_accepts(name, document)
    assert [fault["pointer"] for fault in faults(name, document)] == ["/undeclared"]


@pytest.mark.parametrize("name", TYPES)
def test_a_required_field_is_required_and_an_optional_one_is_not(name: str) -> None:
    required = schemas()[name]["required"]
    for field in schemas()[name]["properties"].keys() - conditional(name):
        document = {key: value for key, value in example(name).items() if key != field}
        assert schema_accepts(name, document) is (field not in required), field
        assert (faults(name, document) == []) is (field not in required), field


@pytest.mark.spec("CON-2")
@pytest.mark.parametrize("name", TYPES)
def test_null_is_refused_everywhere(name: str) -> None:
    for field in schemas()[name]["properties"]:
        document = {**example(name), field: None}
        assert not schema_accepts(name, document), field
        assert "null" in faults(name, document)[0]["message"]


@pytest.mark.spec("CON-1")
@pytest.mark.parametrize("text", ["[]", "null", "1", '"text"', "true"])
@pytest.mark.parametrize("name", TYPES)
def test_a_message_is_an_object(name: str, text: str) -> None:
    assert faults(name, text)[0]["pointer"] == ""
    assert not schema_accepts(name, json.loads(text))


@pytest.mark.spec("CON-1")
def test_bytes_carried_inline_are_refused() -> None:
    document = {**example("RenderedClip"), "media_uri": "data:video/mp4;base64,AAAA"}
    assert not schema_accepts("RenderedClip", document)
    (fault,) = faults("RenderedClip", document)
    assert fault["message"] == "must refer to the bytes (https://..., file:///...), not carry them"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 5000])
@pytest.mark.parametrize("field", ["confidence", "faces_detected"])
def test_what_is_no_number_of_json_is_refused(field: str, number: str) -> None:
    document = {**example("ClipCandidate"), field: "HERE"}
    assert faults("ClipCandidate", json.dumps(document).replace('"HERE"', number))


# Documents nobody thought of: an example, changed at random.

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-3, max_value=3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(min_value=-1.5, max_value=1.5),
    st.sampled_from([0, 1, 1.0, -1, 2**53, 2**53 - 1, 2.0**53, 2**64, HUGE, -HUGE, 1e308]),
    st.text(max_size=12),
    st.sampled_from(BAD_UUIDS + BAD_TIMES + BAD_URIS + GOOD_TIMES + GOOD_URIS + (UUID,)),
    st.sampled_from(TYPES),
)
NAMES = st.text("abcZ_", max_size=4)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
ALPHABET = "0123456789abcdefABCXTZz-:.+/[]%@?#_ \n\u0660é😀"


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    if isinstance(value, dict):
        here: list[tuple[Any, Any]] = [(value, key) for key in value]
    elif isinstance(value, list):
        here = [(value, index) for index in range(len(value))]
    else:
        return []
    return here + [place for container, key in here for place in places(container[key])]


@st.composite
def mutated(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """The example of a type after one to three changes."""
    document = example(name)
    for _ in range(draw(st.integers(1, 3))):
        found = places(document)
        if not found:
            break
        container, key = draw(st.sampled_from(found))
        match draw(st.sampled_from(["replace", "edit", "remove", "add", "repeat"])):
            case "remove":
                del container[key]
            case "add" if isinstance(container, dict):
                container[draw(NAMES)] = draw(VALUES)
            case "repeat" if isinstance(container, list):
                container.append(container[key])
            case "edit" if isinstance(container[key], str):
                text = container[key]
                at = draw(st.integers(0, len(text)))
                end = at + draw(st.integers(0, 1))
                container[key] = text[:at] + draw(st.text(ALPHABET, max_size=2)) + text[end:]
            case _:
                container[key] = draw(VALUES)
    return document


@pytest.mark.parametrize("name", TYPES)
def test_model_and_schema_agree_on_documents_changed_at_random(name: str) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(mutated(name))
    def agree(document: dict[str, Any]) -> None:
        by_schema, by_model = schema_accepts(name, document), faults(name, document)
        beyond = [f for f in by_model if any(rule in f["message"] for rule in MODEL_ONLY)]
        assert by_schema is (len(by_model) == len(beyond)), (document, by_model)
        if name in SPEC_TYPES and by_schema:
            assert spec_validator(name).is_valid(document)

    agree()
