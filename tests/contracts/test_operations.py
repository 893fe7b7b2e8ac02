"""Commands, events and errors of the workers and the dashboard (module interfaces, section 5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from omniva_dagster.contracts.operations import MESSAGES
from omniva_dagster.contracts.operations.common import WorkerFailure
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.registry import MESSAGE_TYPES, parse
from tests.contracts.support import (
    example,
    faults,
    faults_by_pointer,
    schema_accepts,
    schemas,
    without,
)
from tests.contracts.test_strictness import mutated

QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)
OTHER = "8d7f4c1e-3b52-4f0a-9c6d-2e1b5a907f34"
FAILURES = sorted(model.__name__ for model in MESSAGES if issubclass(model, WorkerFailure))
SPEC_CODES = {
    "ScrapeFailed": {"network_timeout", "rate_limited", "auth_failed"},
    "AnalysisFailed": {"transcript_missing", "model_offline"},
    "EditFailed": {"bad_command", "gpu_starvation"},
    "UploadFailed": {"quota_exceeded", "content_violation"},
    "SchedulerFault": {"scheduler_fault"},
}


def refused_by_both(name: str, document: dict[str, Any]) -> dict[str, str]:
    assert not schema_accepts(name, document)
    found = faults_by_pointer(name, document)
    assert found
    return found


def refused_by_the_model(name: str, document: dict[str, Any]) -> dict[str, str]:
    """What JSON Schema has no words for."""
    assert schema_accepts(name, document)
    return faults_by_pointer(name, document)


def taken(name: str, document: dict[str, Any]) -> bool:
    accepted = schema_accepts(name, document)
    assert (faults(name, document) == []) is accepted
    return accepted


# Commands hold the closed job as it is.


@pytest.mark.parametrize(
    ("command", "field", "job"),
    [
        pytest.param("ScrapeCommand", "job", "ScraperJob", marks=pytest.mark.part("SCR-1")),
        pytest.param("AnalyzeCommand", "job", "ScraperJob", marks=pytest.mark.part("ANA-1")),
        pytest.param("EditCommand", "job", "EditJob", marks=pytest.mark.part("EDI-1")),
        pytest.param("UploadCommand", "job", "UploadJob", marks=pytest.mark.part("UPL-1")),
        pytest.param("ScheduleCommand", "task", "ScheduleTask", marks=pytest.mark.part("SCH-1")),
    ],
)
def test_a_command_holds_the_closed_job(command: str, field: str, job: str) -> None:
    assert schemas()[command]["properties"][field]["$ref"].startswith("#/$defs/")
    assert taken(command, without(command, **{field: example(job)}))
    widened = {**example(job), "retry_plan": {}}
    found = refused_by_both(command, without(command, **{field: widened}))
    assert found == {f"/{field}/retry_plan": "is not a field of this message; remove it"}


@pytest.mark.part("SCR-1")
def test_a_retry_plan_is_optional_whole_and_for_the_job_it_comes_with() -> None:
    assert taken("ScrapeCommand", without("ScrapeCommand", "retry_plan"))
    command = example("ScrapeCommand")
    command["retry_plan"]["backoff"]["multiplier"] = 0
    assert refused_by_both("ScrapeCommand", command).keys() == {"/retry_plan/backoff/multiplier"}
    command = example("ScrapeCommand")
    command["retry_plan"]["job_id"] = OTHER
    assert refused_by_the_model("ScrapeCommand", command).keys() == {"/retry_plan"}


@pytest.mark.part("SCR-2", "UPL-1")
@pytest.mark.parametrize(
    ("reference", "good"),
    [
        ("secret://env/OMNIVA_TOKEN", True),
        ("secret://file/run/secrets/youtube", True),
        ("secret://file//run/secrets/youtube", True),
        ("ya29.a0AfH6SMBx", False),
        ("https://vault.example.org/token", False),
        ("secret://env/", False),
        ("secret://env/1A", False),
        ("secret://env/A=hunter2", False),
        ("secret://file/", False),
        ("secret://file/a b", False),
        ("secret://vault/a", False),
        ("secret://env/A\n", False),
        ("SECRET://env/A", False),
        ("secret://env/" + "A" * 512, False),
    ],
)
def test_credentials_are_referred_to_never_carried(reference: str, good: bool) -> None:
    scrape = without("ScrapeCommand", credential_ref=reference)
    upload = without("UploadCommand", credential_refs=[reference])
    assert taken("ScrapeCommand", scrape) is taken("UploadCommand", upload) is good


@pytest.mark.part("SCR-2")
def test_a_token_in_place_of_a_reference_is_not_repeated_in_the_error() -> None:
    scrape = faults("ScrapeCommand", without("ScrapeCommand", credential_ref="ya29.hunter2"))
    upload = faults("UploadCommand", without("UploadCommand", credential_refs=["ya29.hunter2"]))
    assert "hunter2" not in json.dumps(scrape + upload)
    assert {each["got"] for each in scrape + upload} == {"(hidden)"}


@pytest.mark.part("UPL-1")
@pytest.mark.parametrize("field", ["token", "access_token", "credentials"])
def test_no_command_has_room_for_an_inline_token(field: str) -> None:
    for name in ("ScrapeCommand", "UploadCommand"):
        assert refused_by_both(name, {**example(name), field: "x"}).keys() == {f"/{field}"}


# Events


@pytest.mark.part("SCR-3", "SCR-5")
def test_a_created_asset_is_one_video_with_two_packets_and_an_empty_analysis() -> None:
    name = "VideoAssetCreated"
    created = example(name)
    packet = created["raw_packet_id"]
    stub = {**created["seed_analysis"], "clip_candidates": [example("ClipCandidate")]}
    stranger = {**created["seed_analysis"], "video_id": OTHER}
    uris = [created["video"]["metadata_uri"]]
    for changed, pointer in [
        ({"job_id": OTHER}, "/job_id"),
        ({"storage_uris": uris}, "/storage_uris"),
        ({"seed_analysis": stranger}, "/seed_analysis"),
        ({"seed_analysis": stub}, "/seed_analysis"),
        ({"metadata_packet_id": packet}, "/metadata_packet_id"),
    ]:
        found = refused_by_the_model(name, {**created, **changed})
        assert found.keys() == {pointer}
        assert "must agree with" in found[pointer]
    assert refused_by_both(name, {**created, "storage_uris": []}).keys() == {"/storage_uris"}


@pytest.mark.part("ANA-1")
def test_an_analysis_begins_from_a_transcript_or_from_listening_not_both() -> None:
    name, uri = "AnalyzeCommand", "file:///var/lib/omniva/media/talk.vtt"
    assert taken(name, without(name, "asr", transcript_uri=uri))
    assert refused_by_both(name, without(name, "asr")) == {"/asr": "is required"}
    assert refused_by_both(name, without(name, transcript_uri=uri)) == {
        "/transcript_uri": "must be left out where asr is given"
    }


@pytest.mark.part("ANA-3", "ANA-5")
def test_a_published_analysis_points_to_embeddings_and_names_models_and_the_raw_packet() -> None:
    name = "AnalysisPublished"
    inline = without(name, embeddings=[{"candidate_id": OTHER, "values": [0.1, 0.2]}])
    assert "/embeddings/0/values" in refused_by_both(name, inline)
    assert refused_by_both(name, without(name, models=[])) == {"/models": "must not be empty"}
    assert refused_by_both(name, without(name, "raw_packet_id")) == {
        "/raw_packet_id": "is required"
    }


@pytest.mark.part("EDI-1")
def test_an_edit_has_its_candidate_its_source_and_a_context_that_a_retry_shares() -> None:
    name = "EditCommand"
    assert refused_by_both(name, without(name, "editing_context_id")).keys() == {
        "/editing_context_id"
    }
    assert refused_by_both(name, without(name, candidate_ids=[])).keys() == {"/candidate_ids"}
    assert refused_by_the_model(name, without(name, candidate_ids=[OTHER])) == {
        "/candidate_ids": "must agree with job: its clip_id is not among them"
    }
    backwards = example(name)["storage"][::-1]
    assert refused_by_the_model(name, without(name, storage=backwards)).keys() == {"/storage"}


@pytest.mark.part("EDI-2")
@pytest.mark.parametrize("field", ["rendered_uris", "edit_summary", "durations"])
def test_a_rendered_clip_has_uris_summary_and_durations(field: str) -> None:
    assert refused_by_both("ClipRendered", without("ClipRendered", field)) == {
        f"/{field}": "is required"
    }


@pytest.mark.part("EDI-4")
@pytest.mark.parametrize("depends_on", [[1], [5], [0, 1]])
def test_an_operation_needs_only_operations_before_it(depends_on: list[int]) -> None:
    graph = example("OperationGraph")
    graph["operations"][1]["depends_on"] = depends_on
    assert refused_by_the_model("OperationGraph", graph).keys() == {"/operations"}


@pytest.mark.part("EDI-4")
def test_an_operation_graph_names_commands_and_hardware() -> None:
    name = "OperationGraph"
    assert refused_by_both(name, without(name, operations=[])).keys() == {"/operations"}
    assert refused_by_both(name, without(name, "hardware")).keys() == {"/hardware"}
    graph = example(name)
    graph["operations"][0]["exit_code"] = 256
    assert refused_by_both(name, graph) == {"/operations/0/exit_code": "must be at most 255"}


@pytest.mark.part("UPL-2")
def test_a_confirmation_is_scheduled_or_live_with_youtubes_id() -> None:
    name = "PublicationConfirmed"
    receipt = example(name)["receipt"]
    for status, good in [("SCHEDULED", True), ("LIVE", True), ("DONE", False)]:
        assert taken(name, without(name, receipt={**receipt, "status": status})) is good
    del receipt["yt_video_id"]
    assert refused_by_the_model(name, without(name, receipt=receipt)).keys() == {"/receipt"}
    assert taken(name, without(name, receipt={**receipt, "target": "outbox"}))


@pytest.mark.part("UPL-4")
@pytest.mark.parametrize("field", ["asset_uri", "chorus_packet_id", "slot"])
def test_a_confirmation_refers_to_the_asset_and_to_chorus(field: str) -> None:
    name = "PublicationConfirmed"
    assert refused_by_both(name, without(name, field)) == {f"/{field}": "is required"}


@pytest.mark.part("SCH-2")
@pytest.mark.parametrize(
    ("mutation", "commitment", "previous", "wrong"),
    [
        ("scheduled", True, False, {}),
        ("rescheduled", True, True, {}),
        ("skipped", False, False, {}),
        ("skipped", False, True, {}),
        ("scheduled", False, False, {"/commitment_time"}),
        ("scheduled", True, True, {"/previous_time"}),
        ("rescheduled", False, False, {"/commitment_time", "/previous_time"}),
        ("skipped", True, False, {"/commitment_time"}),
    ],
)
def test_a_mutation_commits_to_a_time_unless_the_clip_is_skipped(
    mutation: str, commitment: bool, previous: bool, wrong: set[str]
) -> None:
    document = without("QueueMutation", "commitment_time", "previous_time", mutation=mutation)
    document |= {"commitment_time": "2026-03-05T17:00:00Z"} if commitment else {}
    document |= {"previous_time": "2026-03-05T15:00:00Z"} if previous else {}
    assert schema_accepts("QueueMutation", document) is (not wrong)
    assert faults_by_pointer("QueueMutation", document).keys() == set(wrong)


@pytest.mark.part("SCH-4")
def test_a_mutation_links_the_goal_window_that_motivated_it() -> None:
    name = "QueueMutation"
    assert refused_by_both(name, without(name, "goal_window")).keys() == {"/goal_window"}
    backwards = {"since": "2026-03-09T00:00:00Z", "until": "2026-03-02T00:00:00Z"}
    assert refused_by_the_model(name, without(name, goal_window=backwards)).keys() == {
        "/goal_window/until"
    }


# Failures


@pytest.mark.part("SCR-4", "ANA-4", "EDI-3", "UPL-3", "SCH-3")
@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_takes_its_workers_codes_and_no_others(name: str) -> None:
    codes = set(schemas()[name]["properties"]["reason_code"]["enum"])
    assert SPEC_CODES[name] <= codes < set(ReasonCode)
    for code in ReasonCode:
        document = without(name, reason_code=code.value)
        by_code = faults_by_pointer(name, document).get("/reason_code", "")
        assert by_code.startswith("must be") is (code not in codes), code
        assert schema_accepts(name, document) is (faults(name, document) == []), code


@pytest.mark.part("SCR-4", "ANA-4")
@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_sets_the_job_to_error_and_nothing_else(name: str) -> None:
    assert refused_by_both(name, without(name, status="DONE")) == {"/status": "must be ERROR"}
    assert refused_by_both(name, without(name, "message")).keys() == {"/message"}


@pytest.mark.part("SCR-4")
@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_says_whether_retries_are_exhausted(name: str) -> None:
    assert refused_by_both(name, without(name, "retries_exhausted")).keys() == {
        "/retries_exhausted"
    }


@pytest.mark.part("EDI-3")
@pytest.mark.parametrize(
    ("code", "transient", "escalated", "wrong"),
    [
        ("bad_command", False, False, set()),
        ("bad_command", True, False, {"/transient"}),
        ("gpu_starvation", True, True, set()),
        ("gpu_starvation", False, True, {"/transient"}),
        ("gpu_starvation", True, False, {"/escalated"}),
        ("gpu_starvation", False, False, {"/transient", "/escalated"}),
        ("disk_full", True, False, set()),
        ("disk_full", False, False, set()),
    ],
)
def test_bad_commands_are_deterministic_and_starvation_is_transient_and_escalated(
    code: str, transient: bool, escalated: bool, wrong: set[str]
) -> None:
    document = without("EditFailed", reason_code=code, transient=transient, escalated=escalated)
    assert schema_accepts("EditFailed", document) is (not wrong)
    assert faults_by_pointer("EditFailed", document).keys() == wrong


@pytest.mark.part("UPL-3")
@pytest.mark.parametrize("code", ["quota_exceeded", "content_violation"])
def test_an_upload_the_platform_refuses_asks_zenith_and_shows_evidence(code: str) -> None:
    name = "UploadFailed"
    silent = without(name, reason_code=code, direction_requested=False)
    assert refused_by_both(name, silent).keys() == {"/direction_requested"}
    assert refused_by_both(name, without(name, evidence=[])).keys() == {"/evidence"}
    assert taken(name, {**silent, "reason_code": "network_timeout"})


@pytest.mark.part("SCH-3")
def test_a_double_booking_is_of_two_clips_and_invites_paradox() -> None:
    name = "SchedulerFault"
    one = without(name, clip_ids=[OTHER], paradox_invited=False)
    assert refused_by_both(name, one).keys() == {"/clip_ids", "/paradox_invited"}
    assert taken(name, {**one, "constraint": "daily_quota"})


# Dashboard


@pytest.mark.part("DAS-2")
@pytest.mark.parametrize(
    ("kind", "wanted", "priority", "wrong"),
    [
        ("approve", False, False, set()),
        ("approve", True, False, {"/wanted"}),
        ("approve", False, True, {"/priority"}),
        ("override", True, True, set()),
        ("override", False, False, {"/wanted"}),
        ("guidance", False, True, set()),
        ("guidance", True, False, {"/wanted"}),
    ],
)
def test_an_operator_approves_overrides_or_guides(
    kind: str, wanted: bool, priority: bool, wrong: set[str]
) -> None:
    document = without("OperatorAction", "wanted", "priority", kind=kind)
    document |= {"wanted": "hold"} if wanted else {}
    document |= {"priority": 0.9} if priority else {}
    assert schema_accepts("OperatorAction", document) is (not wrong)
    assert faults_by_pointer("OperatorAction", document).keys() == wrong


@pytest.mark.part("DAS-2", "CON-12")
def test_an_operator_goes_through_zenith() -> None:
    direct = without("OperatorAction", routed_through="editor")
    assert refused_by_both("OperatorAction", direct).keys() == {"/routed_through"}


@pytest.mark.part("DAS-4")
def test_an_action_names_what_the_operator_was_shown() -> None:
    for document in (without("OperatorAction", "seen"), without("OperatorAction", seen=[])):
        assert refused_by_both("OperatorAction", document).keys() == {"/seen"}


@pytest.mark.part("DAS-1", "DAS-3")
def test_alerts_and_metrics_refer_to_packets() -> None:
    assert refused_by_both("OperatorAlert", without("OperatorAlert", evidence=[])) == {
        "/evidence": "must not be empty"
    }
    metrics = example("MetricsSnapshot")
    metrics["workers"][0]["worker"] = "zenith"
    assert refused_by_both("MetricsSnapshot", metrics).keys() == {"/workers/0/worker"}
    unknown = without("MetricsSnapshot", explanation_ids=["not-a-packet"])
    assert refused_by_both("MetricsSnapshot", unknown).keys() == {"/explanation_ids/0"}


@pytest.mark.spec("CON-8")
def test_every_message_has_a_version_and_is_registered() -> None:
    for model in MESSAGES:
        assert MESSAGE_TYPES[model.__name__] is model
        assert "schema_version" in model.model_fields


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
