"""What a sender reads when a message is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from omniva_dagster.contracts.errors import ContractError, pointer, shortened
from omniva_dagster.contracts.registry import parse
from tests.contracts.support import TYPES, example, faults, faults_by_pointer, schemas, without

UUID = "8d7f4c1e-3b52-4f0a-9c6d-2e1b5a907f34"
JARGON = ("Input should", "String should", "List should", "Value error", "Extra inputs", "valid ")


@pytest.mark.spec("AGT-9")
def test_a_refusal_has_a_code_a_message_and_details_that_survive_json() -> None:
    with pytest.raises(ContractError) as caught:
        parse("UploadJob", without("UploadJob", "title", privacy_status="hidden"))
    error = json.loads(json.dumps(caught.value.dump()))
    assert set(error) == {"code", "message", "details"}
    assert error["code"] == "INVALID_PAYLOAD"
    assert error["message"] == (
        "not a valid UploadJob: /title: is required; "
        "/privacy_status: must be one of public, unlisted or private"
    )
    assert error["details"]["faults"] == [
        {"pointer": "/title", "message": "is required"},
        {
            "pointer": "/privacy_status",
            "message": "must be one of public, unlisted or private",
            "got": '"hidden"',
        },
    ]


def test_every_wrong_field_is_named_at_once_by_json_pointer() -> None:
    document = example("AnalysisResult")
    document["clip_candidates"][0] |= {"start_time": "0", "end_time": -1, "a/b~c": 1}
    document |= {"virality_score": 2, "_meta_parents": ["x"], "extra": {}}
    assert set(faults_by_pointer("AnalysisResult", document)) == {
        "/clip_candidates/0/start_time",
        "/clip_candidates/0/end_time",
        "/clip_candidates/0/a~1b~0c",
        "/virality_score",
        "/_meta_parents/0",
        "/extra",
    }


def test_one_field_against_another_is_named_beside_other_faults() -> None:
    document = without("ClipCandidate", start_time=5, end_time=4, confidence="high")
    assert set(faults_by_pointer("ClipCandidate", document)) == {"/end_time", "/confidence"}


@pytest.mark.parametrize(
    ("name", "field", "value", "message"),
    [
        ("ClipCandidate", "confidence", "0.5", "must be a number, not text"),
        ("ClipCandidate", "confidence", True, "must be a number, not true or false"),
        ("ClipCandidate", "confidence", 1.5, "must be at most 1"),
        ("ClipCandidate", "end_time", 0, "must be more than 0"),
        ("ClipCandidate", "faces_detected", 1.5, "must be a whole number, not a fraction"),
        ("ClipCandidate", "semantic_tags", {}, "must be a list, not an object"),
        ("ClipCandidate", "semantic_tags", ["a", "a"], "must not hold the same item twice"),
        ("ClipCandidate", "clip_id", "7", f"must be a UUIDv4 in lower case, like {UUID}"),
        (
            "ClipCandidate",
            "clip_id",
            None,
            "must be text, not null: a field that is not set is left out",
        ),
        ("EditJob", "gpu_required", 0, "must be true or false, not a number"),
        ("EditJob", "expected_outputs", "x", "must be a list, not text"),
        ("UploadJob", "title", "a" * 121, "must have at most 120 characters, not 121"),
        ("UploadJob", "keywords", ["a"] * 16, "must hold at most 15 items, not 16"),
        (
            "UploadJob",
            "scheduled_time",
            "2026-03-04T05:06:07+02:00",
            "must be a time in UTC ending in Z, like 2026-03-04T05:06:07Z",
        ),
        (
            "UploadJob",
            "scheduled_time",
            "2026-02-30T05:06:07Z",
            "is not a date of the calendar: day is out of range for month",
        ),
        ("Directive", "reason", "", "must not be empty"),
        ("Directive", "evidence", [], "must not be empty"),
    ],
)
def test_a_fault_is_said_in_words_a_person_can_act_on(
    name: str, field: str, value: Any, message: str
) -> None:
    assert faults_by_pointer(name, {**example(name), field: value}) == {f"/{field}": message}


@pytest.mark.parametrize("name", TYPES)
def test_no_fault_speaks_the_validators_jargon(name: str) -> None:
    for field in schemas()[name]["properties"]:
        for value in (None, True, -1, 2**60, 1.5, "", "x" * 30_000, [], [1], [""], {}, {"": 1}):
            for fault in faults(name, {**example(name), field: value}):
                assert not any(word in fault["message"] for word in JARGON), fault
                assert "must match" not in fault["message"], fault


def test_values_are_shown_short_and_on_one_line() -> None:
    for value in (
        "a" * 5_000_000,
        ["b\n"] * 100_000,
        {"c": {"d": ["e" * 500] * 9}},
        10**5000,
        "\x1b[31m\u202e",
    ):
        shown = shortened(value)
        assert len(shown) <= 80
        assert shown.isprintable()


@pytest.mark.parametrize(
    "field",
    ["api_token", "client_secret", "password", "apiKey", "Cookie", "Authorization", "credentials"],
)
def test_what_looks_like_a_secret_is_not_shown(field: str) -> None:
    document = {**example("ScraperJob"), field: "hunter2", "extra": {"deep": [{field: "hunter2"}]}}
    found = faults("ScraperJob", document)
    assert {fault["pointer"] for fault in found} == {f"/{field}", "/extra"}
    assert "hunter2" not in json.dumps(found)


@pytest.mark.parametrize("uri", ["https://ada:hunter2@h/ x", "https://h/?access_token=hunter2&b= "])
def test_a_secret_inside_a_uri_is_not_shown(uri: str) -> None:
    found = faults("ScraperJob", {**example("ScraperJob"), "target_url": uri})
    assert found
    assert "hunter2" not in json.dumps(found)


def test_a_field_that_only_sounds_like_a_secret_is_shown() -> None:
    (fault,) = faults("UploadJob", {**example("UploadJob"), "keywords": "lathe"})
    assert fault["got"] == '"lathe"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff{}", "is not UTF-8: byte 0 starts no character"),
        (b'{"clip_id": "\xc3\x28"}', "is not UTF-8: byte 13 starts no character"),
        ("", "is not JSON: Expecting value at column 1"),
        ('{\n "a": 1,\n}', "is not JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"a":' * 500 + "1" + "}" * 500, "is nested too deeply"),
        ('{"title": "\\ud800"}', "half of a surrogate pair"),
        ("{} {}", "is not JSON"),
        ("\ufeff{}", "is not JSON"),
        ("{'a': 1}", "is not JSON"),
        ('{"a": ' + "9" * 5000 + "}", "more digits than can be read"),
    ],
)
def test_text_that_is_not_json_is_a_fault_of_the_whole(text: str | bytes, message: str) -> None:
    (fault,) = faults("UploadJob", text)
    assert fault["pointer"] == ""
    assert message in fault["message"]


def test_a_key_that_comes_twice_is_refused_wherever_it_is() -> None:
    text = json.dumps(example("ScraperJob")).replace(
        '"since":', '"since": "2020-01-01T00:00:00Z", "since":'
    )
    assert faults_by_pointer("ScraperJob", text) == {
        "/requested_range/since": "is there more than once"
    }
    assert faults("ScraperJob", text.encode())


def test_python_values_that_json_lacks_are_named_too() -> None:
    document = without("UploadJob", scheduled_time=datetime.now(UTC), keywords={"a"})
    found = faults_by_pointer("UploadJob", document)
    assert found == {
        "/scheduled_time": "must be a JSON value, not a Python datetime",
        "/keywords": "must be a JSON value, not a Python set",
    }
    assert faults_by_pointer("UploadJob", {**example("UploadJob"), 1: 2}) != {}
    circular: dict[str, Any] = {}
    circular["self"] = circular
    assert faults_by_pointer("UploadJob", circular) == {"": "is nested too deeply"}


def test_a_message_with_a_thousand_faults_is_still_a_message() -> None:
    with pytest.raises(ContractError) as caught:
        parse("AnalysisResult", without("AnalysisResult", keywords_detected=[1] * 1000))
    assert len(caught.value.faults) == 1000
    assert len(caught.value.message) < 1000
    assert caught.value.message.endswith("and 992 more")


@pytest.mark.parametrize(
    ("location", "expected"),
    [((), ""), (("a", 0), "/a/0"), (("m~n/o", ""), "/m~0n~1o/"), (("[key]",), "/[key]")],
)
def test_pointers_are_written_as_rfc_6901_says(location: tuple[Any, ...], expected: str) -> None:
    assert pointer(location) == expected
