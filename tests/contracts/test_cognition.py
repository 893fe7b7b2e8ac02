"""The engines' documents: what each says, and what it must not be able to say (section 4)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts import cognition
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.eclipse import Remediation
from omniva_dagster.contracts.registry import MESSAGE_TYPES, parse
from tests.contracts.support import (
    example,
    faults,
    faults_by_pointer,
    schema_accepts,
    schemas,
    without,
)

NAMES = [model.__name__ for model in cognition.MESSAGES]
PACKET = "8d7f4c1e-3b52-4f0a-9c6d-2e1b5a907f34"
OTHER = "2f1c6a0e-97d3-4b1f-8a54-60cf3d1b7e29"

# What each engine accepts and emits: section 4's words, and the message that carries them.
MESSAGES_OF_SECTION_4 = {
    "PAR-1": "VideoAsset ClipCandidate WorkerStateDigest ScraperJob AnalysisResult EditJob",
    "PAR-2": "ConflictResolution",
    "PAR-5": "AtlasCollision",
    "ECL-1": "WorkerErrorEvent TimeoutAlert AbnormalLog HealthDeviation ConflictEscalation",
    "ECL-2": "RetryPlan",
    "ECL-3": "FallbackStrategy",
    "ECL-4": "QuarantineInstruction",
    "ECL-6": "Heartbeat",
    "ECL-7": "PanicSignal",
    "ECL-8": "HealingProposal",
    "ECL-9": "ReadinessSignal",
    "STA-1": "Envelope TelemetrySample DagsterEvent",
    "STA-2": "LedgerPacket",
    "STA-3": "Checkpoint InclusionProof KeyRotation",
    "STA-5": "LedgerInconsistency",
    "STA-7": "LineageLinks",
    "LAT-1": "AnalysisResult WorkloadSnapshot GoalGradients",
    "LAT-2": "PriorityDelta",
    "LAT-3": "RoutingIntent",
    "LAT-4": "ClusteringHint",
    "LAT-6": "BacklogCrossing",
    "HOR-1": "CampaignGoals EngagementRecord SeasonalityProfile CycleReflection",
    "HOR-2": "SchedulingWeights",
    "HOR-3": "GoalTrajectory",
    "HOR-4": "DriftWarning",
    "HOR-8": "DesirabilityMetrics",
    "PAN-1": "ClipCandidate EmbeddingReference WorkloadSnapshot ClusteringHint DesirabilityMetrics",
    "PAN-2": "VoteReport",
    "PAN-4": "ManualReviewRequest",
    "PAN-9": "Shortlist",
    "CHO-1": "DraftMetadata StylePreferences ComplianceAlert",
    "CHO-2": "StyledMetadata",
    "CHO-3": "StyleDelta",
    "CHO-7": "ComplianceConflict",
    "HAL-1": "ExplanationRequest",
    "HAL-2": "InterpretabilityBundle",
    "ZEN-1": "OverrideRequest OperationalStatus",
    "ZEN-2": "Directive",
    "ZEN-3": "CommitmentLog",
    "ZEN-4": "ArbitrationVerdict",
    "ZEN-7": "CrisisEscalation",
    "ZEN-8": "StateTransition",
}


def test_every_input_and_output_of_section_4_has_its_message() -> None:
    named = {name for names in MESSAGES_OF_SECTION_4.values() for name in names.split()}
    assert named <= set(MESSAGE_TYPES)
    assert set(NAMES) <= named


@pytest.mark.parametrize("name", NAMES)
def test_no_required_field_can_be_missing_and_no_field_null_or_undeclared(name: str) -> None:
    for field in schemas()[name]["required"]:
        document = without(name, field)
        assert not schema_accepts(name, document), field
        assert faults_by_pointer(name, document).get(f"/{field}") == "is required"
    for field in (*schemas()[name]["properties"], "undeclared"):
        document = {**example(name), field: None}
        assert not schema_accepts(name, document), field
        assert f"/{field}" in faults_by_pointer(name, document)


def lists(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for field, node in schema["properties"].items():
        if node.get("type") == "array":
            yield field, node


@pytest.mark.part("STA-6")
@pytest.mark.parametrize("name", NAMES)
def test_every_list_and_every_text_has_an_end(name: str) -> None:
    for field, node in lists(schemas()[name]):
        assert node["maxItems"] <= 1000, field
    for field, node in schemas()[name]["properties"].items():
        if node.get("type") == "string" and "enum" not in node and "const" not in node:
            assert "maxLength" in node or "pattern" in node, field


@pytest.mark.parametrize("name", [name for name in NAMES if "evidence" in example(name)])
def test_a_packet_is_pointed_to_once_and_a_decision_never_rests_on_nothing(name: str) -> None:
    twice = {**example(name), "evidence": [PACKET, PACKET]}
    assert not schema_accepts(name, twice)
    assert faults_by_pointer(name, twice) == {"/evidence": "must not hold the same item twice"}
    if "evidence" in schemas()[name]["required"]:
        nothing = {**example(name), "evidence": []}
        assert not schema_accepts(name, nothing)
        assert faults_by_pointer(name, nothing) == {"/evidence": "must not be empty"}


def inside(name: str, path: str, value: Any) -> dict[str, Any]:
    """The example of a type with one value deep inside set."""
    document = example(name)
    node: Any = document
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    for part in way:
        node = node[part]
    node[last] = value
    return document


REFUSED_BY_BOTH = [
    ("PAR-2", "ConflictResolution", "kind", "paradoxical"),
    ("PAR-2", "ConflictResolution", "severity", "fatal"),
    ("PAR-2", "ConflictResolution", "recommended_action", "cancel"),
    ("PAR-2", "ConflictResolution", "affected_ids", [PACKET]),
    ("PAR-7", "ConflictResolution", "recommended_action", "quarantine"),
    ("PAR-7", "ConflictResolution", "recommended_action", "ignore"),
    ("PAR-7", "ConflictResolution", "status", "DONE"),
    ("PAR-9", "ConflictResolution", "evidence", ["not a packet"]),
    ("ECL-1", "WorkerErrorEvent", "reason_code", "bad_luck"),
    ("ECL-1", "WorkerErrorEvent", "attempt", 0),
    ("ECL-2", "RetryPlan", "attempts", 0),
    ("ECL-2", "RetryPlan", "backoff/initial_seconds", 0),
    ("ECL-2", "RetryPlan", "backoff/multiplier", 0.9),
    ("ECL-2", "RetryPlan", "backoff/jitter", "full"),
    ("ECL-2", "RetryPlan", "budget_seconds", 0),
    ("ECL-3", "FallbackStrategy", "kind", "planet"),
    ("ECL-4", "QuarantineInstruction", "subject_kind", "viewer"),
    ("ECL-6", "Heartbeat", "sla_seconds", 0),
    ("ECL-7", "PanicSignal", "scope", "all"),
    ("ECL-7", "PanicSignal", "subjects", []),
    ("ECL-8", "HealingProposal", "steps", []),
    ("ECL-10", "RetryPlan", "remediation", ["format_disk"]),
    ("ECL-10", "RetryPlan", "remediation", ["cache_flush", "cache_flush"]),
    ("STA-2", "LedgerPacket", "content_hash", "0" * 63),
    ("STA-2", "LedgerPacket", "leaf_index", -1),
    ("STA-3", "Checkpoint", "signature", "c2hvcnQ="),
    ("STA-3", "InclusionProof", "path", ["0" * 64] * 65),
    ("STA-6", "LedgerPacket", "message_uri", "data:application/json,{}"),
    ("STA-6", "LedgerPacket", "payload", {"clip_id": PACKET}),
    ("LAT-1", "WorkloadSnapshot", "pools/0/gpu", 1.01),
    ("LAT-2", "PriorityDelta", "delta", 1.01),
    ("LAT-2", "PriorityDelta", "delta", -1.01),
    ("LAT-4", "ClusteringHint", "candidate_ids", []),
    ("LAT-9", "RoutingIntent", "routing_sequence", -1),
    ("LAT-9", "RoutingIntent", "routing_sequence", 1.5),
    ("HOR-1", "SeasonalityProfile", "slots/0/hour", 24),
    ("HOR-1", "SeasonalityProfile", "slots/0/weekday", "Thursday"),
    ("HOR-2", "SchedulingWeights", "slots/0/adjustment", 1.5),
    ("HOR-2", "SchedulingWeights", "slots/0/hour", 24),
    ("HOR-9", "SchedulingWeights", "goal_window", {"since": "2026-03-02T00:00:00Z"}),
    ("PAN-2", "VoteReport", "ballots", []),
    ("PAN-2", "VoteReport", "ballots/0/vote", 1.01),
    ("PAN-2", "VoteReport", "ballots/0/agent", "Audience"),
    ("PAN-2", "VoteReport", "ballots/0/commentary", ""),
    ("PAN-9", "VoteReport", "rank", 0),
    ("CHO-7", "ComplianceConflict", "state", "resolved"),
    ("CHO-8", "StyledMetadata", "machine/title", "a" * 121),
    ("CHO-8", "StyledMetadata", "machine/keywords", ["a"] * 16),
    ("CHO-8", "StyledMetadata", "machine/description", "a" * 5001),
    ("CHO-8", "StyledMetadata", "human/text", ""),
    ("HAL-2", "InterpretabilityBundle", "completeness", 1.01),
    ("HAL-8", "InterpretabilityBundle", "completeness", 1),
    ("HAL-9", "InterpretabilityBundle", "missing_evidence", []),
    ("HAL-11", "InterpretabilityBundle", "narrative/0/packets", []),
    ("HAL-11", "InterpretabilityBundle", "reasoning_chain/0/packets", []),
    ("HAL-11", "InterpretabilityBundle", "alternatives/0/packets", []),
    ("ZEN-1", "OverrideRequest", "kind", "delete"),
    ("ZEN-4", "ArbitrationVerdict", "chosen", "oracle"),
    ("ZEN-4", "ArbitrationVerdict", "overridden", []),
    ("ZEN-8", "StateTransition", "to_status", "PAUSED"),
]


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        pytest.param(*case, id=f"{spec}-{case[0]}-{number}", marks=pytest.mark.part(spec))
        for number, (spec, *case) in enumerate(REFUSED_BY_BOTH)
    ],
)
def test_model_and_schema_refuse_what_must_not_be_said(name: str, path: str, value: Any) -> None:
    document = inside(name, path, value)
    assert faults(name, document)
    assert not schema_accepts(name, document)


BALLOTS = [
    {"agent": "trend", "vote": 0.5, "confidence": 1, "commentary": "a"},
    {"agent": "craft", "vote": 0.7, "confidence": 1, "commentary": "b"},
]
REFUSED_BY_THE_MODEL = [
    ("PAR-2", "WorkerStateDigest", "updated_at", "2026-03-05T02:00:03Z", "before created_at"),
    ("PAR-5", "AtlasCollision", "offered_sha256", None, "must differ from held_sha256"),
    ("ECL-1", "TimeoutAlert", "elapsed_seconds", 899, "must not be less than limit_seconds"),
    ("ECL-1", "AbnormalLog", "last_seen", "2026-03-05T02:00:09Z", "before first_seen"),
    ("ECL-2", "RetryPlan", "backoff/max_seconds", 29, "must not be less than initial_seconds"),
    ("ECL-2", "RetryPlan", "attempts", 1, "must not be less than attempts_made"),
    ("ECL-2", "RetryPlan", "attempts", 2, "must be left out: the attempts are spent"),
    ("ECL-3", "FallbackStrategy", "to_target", "cuda", "must differ from from_target"),
    ("ECL-4", "QuarantineInstruction", "until", "2026-03-05T02:07:50Z", "later than since"),
    ("STA-2", "LedgerPacket", "parents", None, "must not hold packet_id"),
    ("STA-2", "LedgerPacket", "missing_parents", [PACKET], "that is not in parents"),
    ("STA-3", "InclusionProof", "leaf_index", 4, "must be less than tree_size"),
    ("STA-7", "LineageLinks", "children", None, "must not hold packet_id"),
    ("STA-7", "LineageLinks", "parents", None, "must not hold packet_id"),
    ("HOR-9", "DriftWarning", "goal_window/until", "2026-03-02T00:00:00Z", "later than since"),
    ("PAN-2", "VoteReport", "consensus", 0.9, "between the lowest and the highest vote"),
    ("PAN-2", "VoteReport", "dissent", ["craft"], "that is not in ballots"),
    ("PAN-8", "VoteReport", "ballots", BALLOTS, "must be in order of agent, each once"),
    ("PAN-9", "VoteReport", "rank", 10, "must not be more than batch_size"),
    ("PAN-9", "Shortlist", "candidates/1/candidate_id", None, "the same candidate twice"),
    ("CHO-3", "StyleDelta", "after", None, "must differ from before"),
    ("CHO-8", "StyledMetadata", "deltas/0/clip_id", PACKET, "must all be of this clip_id"),
    ("CHO-8", "StyledMetadata", "conflicts/0/clip_id", PACKET, "must all be of this clip_id"),
    ("ZEN-3", "CommitmentLog", "directives", [OTHER], "that is not in directives"),
    ("ZEN-4", "ArbitrationVerdict", "chosen", "chorus", "must be an engine of advice"),
    ("ZEN-4", "ArbitrationVerdict", "overridden", ["pantheon"], "other than chosen"),
    ("ZEN-4", "ArbitrationVerdict", "overridden", ["chorus"], "other than chosen"),
    ("ZEN-4", "ArbitrationVerdict", "advice/1/engine", "pantheon", "the same engine twice"),
    ("ZEN-8", "StateTransition", "to_status", "PENDING", "must differ from from_status"),
]
# Where the forbidden value is another field's: that field.
SAME_AS = {
    "offered_sha256": lambda document: document["held_sha256"],
    "parents": lambda document: [document["packet_id"]],
    "children": lambda document: [document["packet_id"]],
    "candidates/1/candidate_id": lambda document: document["candidates"][0]["candidate_id"],
    "after": lambda document: document["before"],
}


@pytest.mark.parametrize(
    ("name", "path", "value", "message"),
    [
        pytest.param(*case, id=f"{spec}-{case[0]}-{number}", marks=pytest.mark.part(spec))
        for number, (spec, *case) in enumerate(REFUSED_BY_THE_MODEL)
    ],
)
def test_one_field_against_another_is_refused_by_the_model_alone(
    name: str, path: str, value: Any, message: str
) -> None:
    value = SAME_AS[path](example(name)) if value is None else value
    document = inside(name, path, value)
    assert schema_accepts(name, document), "JSON Schema can say it: it belongs to the other table"
    found = faults_by_pointer(name, document)
    assert any(message in said for said in found.values()), found
    assert "" not in found


@pytest.mark.part("PAR-7")
@pytest.mark.parametrize("action", ["quarantine", "ignore"])
def test_a_conflict_is_an_error_only_when_it_halts(action: str) -> None:
    document = without("ConflictResolution", recommended_action=action, status="DONE")
    assert faults("ConflictResolution", document) == []
    assert schema_accepts("ConflictResolution", document)
    wrong = {**document, "status": "ERROR"}
    assert faults_by_pointer("ConflictResolution", wrong) == {
        "/status": f"must be DONE where the recommended action is {action}"
    }
    assert not schema_accepts("ConflictResolution", wrong)


@pytest.mark.part("PAR-2")
def test_a_document_may_contradict_itself_but_not_be_its_own_duplicate() -> None:
    for kind, alone in (
        ("conflicting_timestamps", True),
        ("circular_dependency", True),
        ("duplicate", False),
        ("mutually_exclusive", False),
    ):
        document = without("ConflictResolution", kind=kind, affected_ids=[PACKET])
        assert (faults("ConflictResolution", document) == []) is alone
        assert schema_accepts("ConflictResolution", document) is alone


@pytest.mark.part("ECL-7")
def test_the_panic_button_stops_all_or_what_it_names() -> None:
    everything = without("PanicSignal", scope="all", subjects=[])
    assert faults("PanicSignal", everything) == []
    assert schema_accepts("PanicSignal", everything)
    for scope in ("worker", "creator"):
        nothing = without("PanicSignal", scope=scope, subjects=[])
        assert faults_by_pointer("PanicSignal", nothing) == {
            "/subjects": f"must name at least one {scope}"
        }
        assert not schema_accepts("PanicSignal", nothing)


@pytest.mark.part("ECL-2")
def test_a_plan_whose_attempts_are_spent_names_no_next_one() -> None:
    document = without("RetryPlan", "next_attempt_at", attempts_made=5)
    assert faults("RetryPlan", document) == []


@pytest.mark.part("ECL-10")
@pytest.mark.parametrize(
    "name", ["RetryPlan", "FallbackStrategy", "QuarantineInstruction", "HealingProposal"]
)
def test_each_of_eclipses_documents_takes_every_remedy(name: str) -> None:
    assert {"restart_required", "cache_flush"} <= {item.value for item in Remediation}
    document = {**example(name), "remediation": [item.value for item in Remediation]}
    assert faults(name, document) == []
    assert schema_accepts(name, document)


@pytest.mark.part("STA-2")
def test_a_packet_has_a_sequencing_time_only_with_its_place_in_the_log() -> None:
    waiting = without("LedgerPacket", "leaf_index", "sequenced_at")
    assert faults("LedgerPacket", waiting) == []
    assert schema_accepts("LedgerPacket", waiting)
    placeless = without("LedgerPacket", "leaf_index")
    assert set(faults_by_pointer("LedgerPacket", placeless)) == {"/sequenced_at"}
    assert not schema_accepts("LedgerPacket", placeless)


@pytest.mark.part("HOR-9")
def test_whatever_horizon_emits_names_its_goal_window() -> None:
    emitted = ("SchedulingWeights", "GoalTrajectory", "DriftWarning")
    for name in (*emitted, "GoalGradients", "DesirabilityMetrics"):
        assert "goal_window" in schemas()[name]["required"]


@pytest.mark.part("HOR-1", "HOR-2")
@pytest.mark.parametrize(("hour", "good"), [(0, True), (23, True), (23.0, True), (24, False)])
def test_an_hour_is_one_of_a_day(hour: float, good: bool) -> None:
    document = inside("SchedulingWeights", "slots/0/hour", hour)
    assert (faults("SchedulingWeights", document) == []) is good
    assert schema_accepts("SchedulingWeights", document) is good


@pytest.mark.part("PAN-2")
def test_a_ballot_has_the_columns_of_the_specification() -> None:
    ballot = schemas()["VoteReport"]["properties"]["ballots"]["items"]
    assert set(ballot["properties"]) == {"agent", "vote", "confidence", "commentary"}
    assert sorted(ballot["required"]) == sorted(ballot["properties"])


@pytest.mark.part("CHO-8")
def test_the_machines_form_goes_into_an_upload_job_as_it_is() -> None:
    machine = example("StyledMetadata")["machine"]
    assert faults("UploadJob", without("UploadJob", **machine)) == []
    upload = schemas()["UploadJob"]["properties"]
    styled = schemas()["StyledMetadata"]["properties"]["machine"]["properties"]
    bounds = ("maxLength", "maxItems")
    for field, node in styled.items():
        for bound in bounds:
            assert node.get(bound) == upload[field].get(bound), field


@pytest.mark.part("CHO-7")
def test_a_conflict_is_resolved_only_when_it_says_how() -> None:
    told = without("ComplianceConflict", state="resolved", resolution="ada took the line out")
    assert faults("ComplianceConflict", told) == []
    assert schema_accepts("ComplianceConflict", told)
    untold = without("ComplianceConflict", state="resolved")
    assert faults_by_pointer("ComplianceConflict", untold) == {
        "/state": "must be unresolved where there is no resolution"
    }


@pytest.mark.part("HAL-8", "HAL-9")
@pytest.mark.parametrize(
    ("missing", "completeness", "good"),
    [(0, 1, True), (0, 0.99, False), (1, 1, False), (1, 0.99, True), (1, 0, True)],
)
def test_an_explanation_is_complete_exactly_when_nothing_is_missing(
    missing: int, completeness: float, good: bool
) -> None:
    document = example("InterpretabilityBundle")
    document["missing_evidence"] = document["missing_evidence"][:missing]
    document["completeness"] = completeness
    assert (faults("InterpretabilityBundle", document) == []) is good
    assert schema_accepts("InterpretabilityBundle", document) is good


@pytest.mark.part("ZEN-1")
def test_an_override_to_another_slot_names_the_slot() -> None:
    moved = without("OverrideRequest", kind="reschedule")
    assert faults("OverrideRequest", moved) == []
    nowhere = without("OverrideRequest", "scheduled_time", kind="reschedule")
    assert set(faults_by_pointer("OverrideRequest", nowhere)) == {"/kind"}
    assert not schema_accepts("OverrideRequest", nowhere)


def test_a_rule_that_the_schema_says_too_is_found_beside_an_unknown_version() -> None:
    document = without("ConflictResolution", status="DONE", schema_version="2.0.0")
    assert set(faults_by_pointer("ConflictResolution", document)) == {"/status", "/schema_version"}


def test_every_broken_rule_of_a_document_is_named_at_once() -> None:
    document = without("VoteReport", consensus=0.9, dissent=["craft"], rank=10)
    assert set(faults_by_pointer("VoteReport", document)) == {"/consensus", "/dissent", "/rank"}


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)
SCORES = st.floats(0, 1)


@pytest.mark.part("PAN-2")
@settings(max_examples=60, deadline=None)
@given(votes=st.dictionaries(st.text("abc_", min_size=1), SCORES, min_size=1), said=TEXTS)
def test_any_vote_report_is_read_as_it_was_written(votes: dict[str, float], said: str) -> None:
    ballots = [
        {"agent": agent, "vote": votes[agent], "confidence": 1.0, "commentary": said}
        for agent in sorted(votes)[:32]
    ]
    middle = sorted(ballot["vote"] for ballot in ballots)[len(ballots) // 2]
    document = without("VoteReport", ballots=ballots, dissent=[], consensus=middle)
    returned(parse("VoteReport", json.dumps(document)), document)


@pytest.mark.part("HAL-2")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.lists(st.uuids(version=4), min_size=1, unique=True))))
def test_any_narrative_is_read_as_it_was_written(narrative: list[tuple[str, list[Any]]]) -> None:
    sentences = [{"text": text, "packets": list(map(str, ids))} for text, ids in narrative]
    document = without("InterpretabilityBundle", narrative=sentences)
    returned(parse("InterpretabilityBundle", json.dumps(document)), document)


def returned(read: Document, document: dict[str, Any]) -> None:
    assert read.dump() == document
    assert type(read).parse(json.dumps(read.dump())) == read
    assert schema_accepts(type(read).__name__, document)
