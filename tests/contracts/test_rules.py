"""What JSON Schema has no words for: one field against another, versions, envelopes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.registry import MESSAGE_TYPES, parse
from omniva_dagster.contracts.schema import version_of
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from tests.contracts.support import (
    TYPES,
    conditional,
    example,
    faults,
    faults_by_pointer,
    schemas,
    without,
)

VERSIONED = [name for name in TYPES if "schema_version" in MESSAGE_TYPES[name].model_fields]


@pytest.mark.spec("OBJ-7")
@pytest.mark.parametrize("end_time", [312.48, 312.47, 0.001])
def test_a_candidate_ends_after_it_starts(end_time: float) -> None:
    document = without("ClipCandidate", start_time=312.48, end_time=end_time)
    assert faults_by_pointer("ClipCandidate", document) == {
        "/end_time": "must be greater than start_time"
    }


@pytest.mark.spec("OBJ-1")
def test_a_range_ends_after_it_begins() -> None:
    for until in ("2026-03-04T00:00:00Z", "2026-03-03T23:59:59Z"):
        requested = {"since": "2026-03-04T00:00:00Z", "until": until}
        assert faults_by_pointer(
            "ScraperJob", without("ScraperJob", requested_range=requested)
        ) == {"/requested_range/until": "must be later than since"}


@pytest.mark.spec("OBJ-1")
def test_a_job_is_not_changed_before_it_was_made() -> None:
    moment = "2026-03-05T02:00:04Z"
    same = without("ScraperJob", created_at=moment, updated_at=moment)
    assert faults("ScraperJob", same) == []
    earlier = without("ScraperJob", created_at=moment, updated_at="2026-03-05T02:00:03.999Z")
    assert faults_by_pointer("ScraperJob", earlier) == {
        "/updated_at": "must not be before created_at"
    }


@pytest.mark.spec("CON-8")
@pytest.mark.parametrize("name", VERSIONED)
@pytest.mark.parametrize("version", ["0.9.0", "2.0.0", "10.0.0"])
def test_an_unknown_major_version_is_refused_in_every_document_that_has_one(
    name: str, version: str
) -> None:
    (pointer,) = faults_by_pointer(name, {**example(name), "schema_version": version})
    assert pointer == "/schema_version"


@pytest.mark.spec("CON-8")
@pytest.mark.parametrize("name", VERSIONED)
@pytest.mark.parametrize("version", ["1.0.0", "1.0.7", "1.40.2"])
def test_older_and_newer_minor_versions_are_read(name: str, version: str) -> None:
    assert faults(name, {**example(name), "schema_version": version}) == []


@pytest.mark.spec("CON-8")
@pytest.mark.parametrize("name", [name for name in VERSIONED if name != "Envelope"])
def test_a_document_without_a_version_is_taken_as_of_today(name: str) -> None:
    read = parse(name, without(name, "schema_version"))
    assert read.dump()["schema_version"] == version_of(type(read))


@pytest.mark.spec("CON-4")
def test_times_are_written_in_utc_to_the_second() -> None:
    berlin = timezone(timedelta(hours=2))
    moment = datetime(2026, 3, 4, 7, 6, 7, 999_999, tzinfo=berlin)
    assert format_timestamp(moment) == "2026-03-04T05:06:07Z"
    with pytest.raises(ValueError, match="naive"):
        format_timestamp(moment.replace(tzinfo=None))


@pytest.mark.spec("CON-4")
def test_a_time_is_read_to_the_microsecond() -> None:
    read = parse_timestamp("2026-03-04T05:06:07.1234567Z")
    assert read == datetime(2026, 3, 4, 5, 6, 7, 123_456, tzinfo=UTC)


@pytest.mark.spec("CON-6")
@pytest.mark.parametrize(
    ("name", "further"), [("ScraperJob", {"CANCELLED"}), ("Outcome", {"CANCELLED", "SKIPPED"})]
)
def test_a_status_beyond_the_four_is_enumerated_by_the_schema_that_brings_it(
    name: str, further: set[str]
) -> None:
    common = {"PENDING", "RUNNING", "DONE", "ERROR"}
    assert set(schemas()[name]["properties"]["status"]["enum"]) == common | further
    assert faults_by_pointer(name, without(name, status="PAUSED")).keys() == {"/status"}


@pytest.mark.spec("CON-9")
@pytest.mark.parametrize("field", ["_meta_parents", "trace_id", "schema_version"])
def test_no_message_travels_without_its_provenance(field: str) -> None:
    assert faults_by_pointer("Envelope", without("Envelope", field)) == {f"/{field}": "is required"}


@pytest.mark.spec("CON-7", "CON-9")
@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("_meta_parents", []),
        ("schema_version", "1.0.1"),
        ("trace_id", "8d7f4c1e-3b52-4f0a-9c6d-2e1b5a907f34"),
    ],
)
def test_envelope_and_payload_agree_where_both_have_a_field(field: str, other: Any) -> None:
    envelope = without("Envelope", message_type="trend_report")
    envelope["payload"] = {field: envelope[field]}
    assert faults("Envelope", envelope) == []
    envelope["payload"] = {field: other}
    assert faults_by_pointer("Envelope", envelope) == {
        "/payload": f"must have the envelope's {field}"
    }


def test_an_envelopes_faults_and_its_payloads_are_named_together() -> None:
    envelope = without("Envelope", "producer")
    envelope["payload"] = without("ScheduleTask", "clip_id", priority=2, _meta_parents=["x"])
    envelope["payload"]["recommended_time"] = "soon"
    found = faults_by_pointer("Envelope", json.dumps(envelope))
    assert set(found) == {
        "/producer",
        "/payload",
        "/payload/clip_id",
        "/payload/priority",
        "/payload/recommended_time",
        "/payload/_meta_parents/0",
    }


def test_a_payload_inside_two_envelopes_is_checked_too() -> None:
    inner = without("Envelope", payload={"clip_id": 1})
    outer = without("Envelope", message_type="Envelope", payload=inner)
    assert "/payload/payload/clip_id" in faults_by_pointer("Envelope", outer)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e400"])
def test_a_payload_of_a_type_we_do_not_know_is_still_json(number: str) -> None:
    envelope = without("Envelope", message_type="trend_report", payload={"scores": [1, "HERE"]})
    text = json.dumps(envelope).replace('"HERE"', number)
    assert faults_by_pointer("Envelope", text).keys() == {"/payload/scores/1"}
    envelope["payload"]["scores"][1] = float(number)
    assert faults_by_pointer("Envelope", envelope).keys() == {"/payload/scores/1"}


def test_a_payload_of_a_type_we_do_not_know_is_left_alone() -> None:
    envelope = without("Envelope", message_type="trend_report", payload={"anything": [1]})
    assert parse("Envelope", envelope).dump()["payload"] == {"anything": [1]}


@pytest.mark.parametrize("name", TYPES)
def test_what_was_read_is_written_as_it_was(name: str) -> None:
    assert parse(name, example(name)).dump() == example(name)


@pytest.mark.spec("CON-2")
def test_what_is_not_set_is_left_out_never_null() -> None:
    for name in TYPES:
        required = {*schemas()[name]["required"], *conditional(name)}
        bare = {key: value for key, value in example(name).items() if key in required}
        assert None not in parse(name, bare).dump().values()


def test_an_unknown_type_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ContractError) as caught:
        parse("ClipCandidates", "{}")
    assert caught.value.code == "UNKNOWN_MESSAGE_TYPE"
    assert all(name in caught.value.message for name in TYPES)
