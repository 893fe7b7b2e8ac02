"""Tasks, responses and errors of agents: the document's own examples, and what is refused."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts.agents import MESSAGES
from omniva_dagster.contracts.agents.messages import AgentResponse, AgentTask, ErrorObject
from omniva_dagster.contracts.agents.payloads import FetchTrendsPayload, GenerateVideoPayload
from omniva_dagster.contracts.agents.task_types import TASK_TYPES
from omniva_dagster.contracts.agents.types import in_utc
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.registry import MESSAGE_TYPES, parse
from omniva_dagster.contracts.types import parse_timestamp
from tests.contracts.support import (
    ROOT,
    example,
    faults,
    faults_by_pointer,
    schema_accepts,
    schemas,
    without,
)
from tests.contracts.test_strictness import mutated

QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)
PRINTED_ID = "11111111-1111-1111-1111-111111111111"
# The document's blocks in their order; each must be there, so that none is passed over.
PRINTED = (
    "AgentTask",
    "AgentResponse",
    "GenerateVideoResult",
    "FetchTrendsPayload",
    "FetchTrendsResult",
    "ErrorObject",
)


def printed_examples() -> list[dict[str, Any]]:
    """The document's JSON blocks: a comment stands for nothing, a task_id of "..." for an id."""
    text = (ROOT / "docs/spec/agent-messages.md").read_text()
    text = text.replace('"task_id": "..."', f'"task_id": "{PRINTED_ID}"')
    blocks = [block.split("```")[0] for block in text.split("```json\n")[1:]]
    return [json.loads(re.sub(r"/\*.*?\*/", "", block)) for block in blocks]


def judged(name: str, document: Any) -> bool:
    accepted = schema_accepts(name, document)
    assert (faults(name, document) == []) is accepted, document
    return accepted


def refused(name: str, document: dict[str, Any]) -> dict[str, str]:
    assert not judged(name, document)
    return faults_by_pointer(name, document)


# What the document prints


@pytest.mark.spec("AGT-1", "AGT-2", "AGT-4", "AGT-5", "AGT-6", "AGT-7", "AGT-8", "AGT-9")
def test_every_example_printed_in_the_document_is_valid() -> None:
    examples = printed_examples()
    assert len(examples) == len(PRINTED)
    for name, document in zip(PRINTED, examples, strict=True):
        # "twitter|youtube|trend_api" is three examples in one.
        choices = document["source"].split("|") if "source" in document else [None]
        for choice in choices:
            written = {**document, "source": choice} if choice else document
            assert judged(name, written)
            assert parse(name, written).dump() == written


@pytest.mark.spec("AGT-2")
def test_the_printed_task_is_read_as_it_is_written() -> None:
    task = AgentTask.parse(printed_examples()[0])
    assert task.meta.created_by == "planner"
    assert task.meta.created_at == "2026-02-05T12:00:00Z"
    asked = task.ask()
    assert isinstance(asked, GenerateVideoPayload)
    assert asked.length_seconds == 15


# Headers


HEADERS: dict[str, Any] = {"created_by": "planner", "created_at": "2026-02-05T12:00:00Z"}


@pytest.mark.spec("AGT-2")
@pytest.mark.parametrize("at_the_top", [set(), {"created_by"}, {"created_at"}, set(HEADERS)])
@pytest.mark.parametrize("in_meta", [set(), {"created_by"}, {"created_at"}, set(HEADERS)])
def test_headers_are_taken_at_both_places_and_kept_in_one(
    at_the_top: set[str], in_meta: set[str]
) -> None:
    document = without("AgentTask", "meta", **{name: HEADERS[name] for name in at_the_top})
    if in_meta:
        document["meta"] = {name: HEADERS[name] for name in in_meta}
    whole = at_the_top | in_meta == set(HEADERS)
    assert judged("AgentTask", document) is whole
    if whole:
        written = AgentTask.parse(document).dump()
        assert written["meta"] == HEADERS
        assert not HEADERS.keys() & written.keys()
        assert AgentTask.parse(written).dump() == written


@pytest.mark.spec("AGT-2")
def test_headers_that_differ_are_refused_and_the_same_moment_does_not() -> None:
    name = "AgentTask"
    differing = without(name, created_by="operator", created_at="2026-02-05T12:00:01Z")
    assert schema_accepts(name, differing)
    assert faults_by_pointer(name, differing) == {
        "/created_by": "must agree with meta, which says otherwise",
        "/created_at": "must agree with meta, which says otherwise",
    }
    for same in ("2026-02-05T14:00:00+02:00", "2026-02-05T12:00:00.000Z", "2026-02-05t12:00:00z"):
        assert judged(name, without(name, created_at=same))


@pytest.mark.spec("AGT-2")
def test_missing_headers_are_named() -> None:
    assert refused("AgentTask", without("AgentTask", "meta")) == {"/meta": "is required"}
    half = without("AgentTask", meta={"created_by": "planner"})
    assert refused("AgentTask", half) == {"/meta": "must have created_at"}


def test_a_task_made_in_python_is_in_the_same_form() -> None:
    kept = example("AgentTask")
    made = AgentTask(**without("AgentTask", "meta"), **HEADERS)
    assert made.dump() == kept
    assert made.meta.created_by == "planner"


# Ids and times


@pytest.mark.spec("AGT-2", "CON-5")
@pytest.mark.parametrize(
    ("text", "good"),
    [
        (PRINTED_ID, True),
        ("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", True),
        ("00000000-0000-0000-0000-000000000000", True),
        ("{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", False),
        ("urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8", False),
        ("6ba7b8109dad11d180b400c04fd430c8", False),
        ("6ba7b810-9dad-11d1-80b4-00c04fd430c8\n", False),
        ("6ba7b810-9dad-11d1-80b4-00c04fd430cg", False),
        ("６ba7b810-9dad-11d1-80b4-00c04fd430c8", False),
        ("", False),
    ],
)
def test_an_agent_may_use_any_canonical_uuid(text: str, good: bool) -> None:
    for name, field in [("AgentTask", "task_id"), ("AgentTask", "persona_id")]:
        assert judged(name, without(name, **{field: text})) is good
    document = without("AgentResponse", task_id=text)
    assert judged("AgentResponse", document) is good
    if good:
        assert AgentResponse.parse(document).task_id == text.lower()


TIMES = [
    ("2026-02-05T12:00:00Z", "2026-02-05T12:00:00Z"),
    ("2026-02-05t12:00:00z", "2026-02-05T12:00:00Z"),
    ("2026-02-05T12:00:00+02:00", "2026-02-05T10:00:00Z"),
    ("2026-02-05T12:00:00-00:00", "2026-02-05T12:00:00Z"),
    ("2026-01-01T00:30:00.123456789+05:45", "2025-12-31T18:45:00.123456789Z"),
    ("2024-02-28T23:59:59.5-00:01", "2024-02-29T00:00:59.5Z"),
    ("1000-01-01T00:00:00Z", "1000-01-01T00:00:00Z"),
    ("2999-12-31T23:59:59.9z", "2999-12-31T23:59:59.9Z"),
]
BAD_TIMES = [
    "2026-02-30T12:00:00+01:00",
    "2025-02-29T12:00:00Z",
    "2026-02-05T12:00:00",
    "2026-02-05 12:00:00Z",
    "2026-02-05T12:00:00+24:00",
    "2026-02-05T12:00:00+02:60",
    "2026-02-05T12:00:00+0200",
    "2026-02-05T12:00:00+02",
    "2026-02-05T24:00:00Z",
    "2016-12-31T23:59:60Z",
    "2026-02-05T12:00:00.Z",
    "2026-02-05T12:00:00.1234567890Z",
    "2026-02-05T12:00:00Z\n",
    "٢٠٢٦-02-05T12:00:00Z",
    "1000-01-01T00:00:00+01:00",
    "2999-12-31T23:59:59-01:00",
    "0999-12-31T23:59:59Z",
    "",
]


@pytest.mark.spec("AGT-2", "CON-4")
@pytest.mark.parametrize(("text", "kept"), TIMES)
def test_an_agent_may_use_any_offset_and_utc_is_kept(text: str, kept: str) -> None:
    document = without("AgentTask", meta={**HEADERS, "created_at": text})
    assert judged("AgentTask", document)
    assert AgentTask.parse(document).meta.created_at == kept
    parse_timestamp(kept)


@pytest.mark.spec("AGT-2")
@pytest.mark.parametrize("text", BAD_TIMES)
def test_what_is_no_time_is_refused(text: str) -> None:
    for document in (
        without("AgentTask", meta={**HEADERS, "created_at": text}),
        without("AgentTask", "meta", **{**HEADERS, "created_at": text}),
    ):
        (pointer,) = refused("AgentTask", document)
        assert pointer in {"/meta/created_at", "/created_at"}


@settings(QUIET, max_examples=300)
@given(
    st.datetimes(datetime(1001, 1, 1), datetime(2998, 1, 1)),
    st.integers(-1439, 1439),
    st.text("0123456789", max_size=9),
)
def test_a_time_in_utc_is_the_same_moment(moment: datetime, minutes: int, fraction: str) -> None:
    sign, shift = "-" if minutes < 0 else "+", abs(minutes)
    tail = f".{fraction}" if fraction else ""
    offset = f"{sign}{shift // 60:02}:{shift % 60:02}"
    text = f"{moment.replace(microsecond=0).isoformat()}{tail}{offset}"
    kept = in_utc(text)
    assert kept.endswith(f"{tail}Z")
    assert in_utc(kept) == kept
    read = datetime.fromisoformat(text.replace(tail, "", 1) if tail else text).astimezone(UTC)
    assert parse_timestamp(kept).replace(microsecond=0) == read


# Task types


@pytest.mark.spec("AGT-2")
def test_a_type_that_is_not_registered_is_answered_with_those_that_are() -> None:
    found = refused("AgentTask", without("AgentTask", type="write_poem"))
    assert found == {"/type": "must be a registered task type: fetch_trends, generate_video"}
    assert schemas()["AgentTask"]["properties"]["type"]["enum"] == sorted(TASK_TYPES)


@pytest.mark.spec("AGT-2", "AGT-5", "AGT-7")
def test_a_payload_is_of_its_types_contract() -> None:
    trends = without("AgentTask", type="fetch_trends", payload=example("FetchTrendsPayload"))
    assert judged("AgentTask", trends)
    assert isinstance(AgentTask.parse(trends).ask(), FetchTrendsPayload)
    wrong = {"source": "myspace", "limit": 0, "a/b": 1}
    assert refused("AgentTask", {**trends, "payload": wrong}).keys() == {
        "/payload/source",
        "/payload/region",
        "/payload/limit",
        "/payload/a~1b",
    }
    assert refused("AgentTask", {**trends, "type": "generate_video"}).keys() >= {"/payload/prompt"}


@pytest.mark.spec("AGT-1")
def test_faults_of_task_and_payload_are_named_together() -> None:
    document = without("AgentTask", "task_id", persona_id="x")
    document["payload"] = {"prompt": "", "assets": [{"type": "image", "url": "a b"}]}
    assert refused("AgentTask", document).keys() == {
        "/task_id",
        "/persona_id",
        "/payload/prompt",
        "/payload/assets/0/url",
        "/payload/length_seconds",
    }


@pytest.mark.spec("AGT-1")
def test_a_payload_is_kept_in_its_one_form() -> None:
    document = without("AgentTask", payload={"prompt": "a", "length_seconds": 15.0})
    kept = AgentTask.parse(document).payload
    assert json.dumps(kept) == '{"prompt": "a", "length_seconds": 15}'


def test_every_registered_type_has_its_contracts_among_the_messages() -> None:
    for kind in TASK_TYPES.values():
        assert MESSAGE_TYPES[kind.payload.__name__] is kind.payload
        assert MESSAGE_TYPES[kind.result.__name__] is kind.result


@pytest.mark.parametrize(
    ("name", "field", "value", "good"),
    [
        ("GenerateVideoPayload", "length_seconds", 3600, True),
        ("GenerateVideoPayload", "length_seconds", 3601, False),
        ("GenerateVideoPayload", "length_seconds", 0, False),
        ("GenerateVideoPayload", "assets", [], True),
        ("GenerateVideoPayload", "assets", [{"type": "image"}], False),
        ("GenerateVideoPayload", "assets", [{"type": "a", "url": "data:,hi"}], False),
        ("FetchTrendsPayload", "source", "trend_api", True),
        ("FetchTrendsPayload", "source", "Twitter", False),
        ("FetchTrendsPayload", "region", "us-ca", True),
        ("FetchTrendsPayload", "region", "US", False),
        ("FetchTrendsPayload", "limit", 1001, False),
        ("FetchTrendsResult", "trends", [], True),
        ("FetchTrendsResult", "trends", [{"id": "t", "title": "a", "score": 1.1}], False),
        ("AgentTask", "state_version", -1, False),
        ("AgentTask", "idempotency_key", "a b", False),
        ("AgentTask", "idempotency_key", "", False),
        ("AgentResponse", "confidence", 1.01, False),
        ("AgentResponse", "status", "COMPLETED", False),
        ("ErrorObject", "code", "invalid_payload", False),
        ("ErrorObject", "code", "E1_2", True),
        ("ErrorObject", "details", [], False),
    ],
)
def test_model_and_schema_agree_on_a_value(name: str, field: str, value: Any, good: bool) -> None:
    assert judged(name, without(name, **{field: value})) is good


@pytest.mark.spec("AGT-6")
def test_a_safety_report_passes_only_with_every_check() -> None:
    report = example("SafetyReport")
    report["checks"][1]["passed"] = False
    assert refused("SafetyReport", report) == {
        "/passed": "must be false: brand_safety did not pass"
    }
    assert judged("SafetyReport", {**report, "passed": False})


# Responses and errors


@pytest.mark.spec("AGT-4")
@pytest.mark.parametrize(
    ("status", "result", "error", "wrong"),
    [
        ("completed", True, False, set()),
        ("completed", False, False, {"/result"}),
        ("failed", False, True, set()),
        ("failed", False, False, {"/errors"}),
        ("retriable", False, True, set()),
        ("retriable", True, False, {"/errors"}),
        ("in_progress", False, False, set()),
    ],
)
def test_a_response_has_what_its_status_needs(
    status: str, result: bool, error: bool, wrong: set[str]
) -> None:
    document = without("AgentResponse", "result", status=status)
    document |= {"result": {}} if result else {}
    document["errors"] = [example("ErrorObject")] if error else []
    assert judged("AgentResponse", document) is (not wrong)
    assert faults_by_pointer("AgentResponse", document).keys() == wrong


@pytest.mark.spec("AGT-4", "AGT-6", "AGT-8")
def test_a_result_can_be_checked_for_a_type() -> None:
    response = AgentResponse.parse(example("AgentResponse"))
    answered = response.answer("generate_video")
    assert answered is not None
    assert answered.dump() == response.result
    with pytest.raises(ContractError) as caught:
        response.answer("fetch_trends")
    assert {"/result/trends", "/result/video_url"} <= {
        fault["pointer"] for fault in caught.value.faults
    }
    waiting = AgentResponse.parse(without("AgentResponse", "result", status="in_progress"))
    assert waiting.answer("fetch_trends") is None
    with pytest.raises(ValueError, match="fetch_trends, generate_video"):
        response.answer("write_poem")


@pytest.mark.spec("AGT-9")
def test_what_a_refusal_says_is_an_error_object() -> None:
    for document in ({}, {"x" * 20_000: 1}):
        with pytest.raises(ContractError) as caught:
            AgentTask.parse(document)
        told = ErrorObject.of(caught.value)
        assert told.code == "INVALID_PAYLOAD"
        assert judged("ErrorObject", told.dump())
    with pytest.raises(ContractError) as caught:
        parse("AgentPoem", "{}")
    assert ErrorObject.of(caught.value).code == "UNKNOWN_MESSAGE_TYPE"


@pytest.mark.part("AGT-10")
def test_an_idempotency_key_is_optional_and_not_shown_when_it_is_wrong() -> None:
    assert judged("AgentTask", without("AgentTask", "idempotency_key"))
    (fault,) = faults("AgentTask", without("AgentTask", idempotency_key="a b"))
    assert fault["got"] == "(hidden)"


@pytest.mark.parametrize("name", sorted(model.__name__ for model in MESSAGES))
def test_what_is_taken_is_written_in_a_form_that_is_read_as_the_same(name: str) -> None:
    @settings(
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(mutated(name))
    def same(document: dict[str, Any]) -> None:
        if not faults(name, document):
            written = parse(name, document).dump()
            assert schema_accepts(name, written)
            assert parse(name, written).dump() == written

    same()
