"""HaloLux: the same packets give the same words, and no word that is in none of them."""

from __future__ import annotations

import copy
import random
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts.cognition.halolux import InterpretabilityBundle
from omniva_dagster.contracts.ids import EVERYTHING, derive_id
from omniva_dagster.contracts.registry import MESSAGE_TYPES
from omniva_dagster.engines.halolux import (
    OWN,
    TELLERS,
    Evidence,
    Matter,
    Packet,
    Question,
    explain,
    unfounded,
    unfounded_in,
)
from omniva_dagster.engines.halolux.telling import tell, unknown
from tests.engines.halolux_packets import (
    CLIP,
    EXAMPLES,
    LATE,
    OVERLAPPING,
    TITLE,
    TRACE,
    VIDEO,
    WEAK,
    about,
    altered,
    creator,
    directive,
    example,
    packet,
    talk,
    without,
)

TYPES = sorted(path.stem for path in EXAMPLES.glob("*.json") if path.stem in TELLERS)
HOSTILE = [
    "“quoted”",
    "\x1b[31mred\x1b[0m",
    "<script>alert(1)</script>",
    "a\nb\r\nc\x00",
    "\u202egnirts\u202c",
    "7 of 9 and 12:34 and 0.5 on 2031-01-01T00:00:00Z",
    "",
    "…",
    "e" + "\u0301" * 40,
]


def words(bundle: InterpretabilityBundle) -> str:
    return "\n".join(one.text for one in bundle.narrative)


def test_what_the_pipeline_records_is_told_of_by_name_of_its_type() -> None:
    agents = {name for name, model in MESSAGE_TYPES.items() if ".agents." in model.__module__}
    parts = {"Envelope", "OperationalStatus", "StateTransition", "WorkerStateDigest"}
    ledger = {"LedgerPacket", "InclusionProof", "LineageLinks"}
    assert set(MESSAGE_TYPES) - set(TELLERS) <= agents | parts | ledger | {"SafetyReport"}


@pytest.mark.parametrize("name", TYPES)
def test_the_example_of_each_type_is_told_from_its_own_words(name: str) -> None:
    one = packet(name, example(name))
    said = tell(one, Evidence.of([one]))
    assert unknown(one) not in said
    for sentence in said:
        assert sentence.text.endswith(".")
        assert unfounded(sentence.text, [one]) == []
        assert not sentence.because or unfounded(sentence.because, [one]) == []


def test_a_type_without_words_is_named_plainly() -> None:
    one = packet("SomethingNew", {"value": 3})
    said = tell(one, Evidence.of([one]))
    assert said == [unknown(one)]
    assert said[0].text == f"SomethingNew {one.packet_id} was recorded by tests."
    assert unfounded(said[0].text, [one]) == []


@given(st.sampled_from(TYPES), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_hostile_words_stay_between_their_quotation_marks(name: str, rng: random.Random) -> None:
    one = packet(name, _spoiled(example(name), rng))
    _is_harmless(one)


@given(st.sampled_from(TYPES), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_a_message_that_is_not_as_its_type_should_be_is_still_told(
    name: str, rng: random.Random
) -> None:
    payload = example(name)
    for field in rng.sample(sorted(payload), k=min(3, len(payload))):
        payload[field] = rng.choice([None, [], {}, "x", 3, {"a": None}, [None]])
    _is_harmless(packet(name, payload))


def _is_harmless(one: Packet) -> None:
    question = Question(Matter.PACKET, one.subject_id, TRACE, (one.packet_id,))
    bundle = explain(question, [one])
    assert unfounded_in(bundle, [one]) == []
    text = words(bundle).replace("\n", "") + "".join(
        step.because for step in bundle.reasoning_chain
    )
    assert not {unicodedata.category(char) for char in text} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.part("HAL-11")
@pytest.mark.parametrize("subject", [CLIP, OVERLAPPING, WEAK, LATE])
def test_every_statement_cites_packets_that_say_it(subject: str) -> None:
    """HAL-11: every statement cites a packet."""
    bundle = explain(about(subject), talk())
    assert bundle.narrative
    assert unfounded_in(bundle, talk()) == []
    known = {one.packet_id for one in talk()}
    for sentence in [*bundle.narrative, *bundle.reasoning_chain, *bundle.alternatives]:
        assert set(sentence.packets) <= known


@pytest.mark.part("HAL-2")
def test_the_bundle_of_a_clip_tells_from_the_page_to_the_receipt() -> None:
    """HAL-2: bundle: narrative and JSON reasoning chain: why, evidence, discarded alternatives."""
    bundle = explain(about(CLIP), talk())
    told = words(bundle)
    order = [
        f"The span 0:10 to 0:40 of “{TITLE}” became a clip that",
        "The file came from",
        "“Who stops first? Whoever is rested.”",
        "(seconds 10.25 to 40.50)",
        "Pantheon voted audience 0.71",
        "Zenith promoted it to a clip",
        "It was cut with",
        "Its slot is",
        "It is to be called",
        "Zenith released it",
        "the receipt is",
    ]
    places = [told.index(text) for text in order]
    assert places == sorted(places)
    assert bundle.completeness == 1
    modules = [step.module for step in bundle.reasoning_chain]
    assert modules.index("analysis_results") < modules.index("zenith")
    reasons = {one.alternative: one.reason for one in bundle.alternatives}
    assert any("pantheon/trend voted 0.33" in one for one in reasons)
    assert any("0:30 to 1:02" in one and "overlaps" in why for one, why in reasons.items())
    assert InterpretabilityBundle.parse(bundle.dump()) == bundle


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        (OVERLAPPING, "it overlaps the clip 0:10 to 0:40, which has the priority 0.81"),
        (WEAK, "it is below the priority of 0.35 that a clip needs"),
        (LATE, "it came after the promotions were made"),
    ],
)
def test_a_clip_that_was_never_made_is_explained(subject: str, why: str) -> None:
    bundle = explain(about(subject), talk())
    assert "did not become a clip" in bundle.narrative[0].text
    assert why in bundle.narrative[0].text
    assert bundle.completeness == 1


def test_where_the_packets_do_not_say_why_that_is_missing_evidence() -> None:
    promoted = {"Directive", "EditJob", "RenderedClip", "ScheduleTask", "UploadJob"}
    gone = promoted | {"PublicationReceipt"}
    left = [one for one in talk() if one.message_type not in gone and "clip_id" not in one.payload]
    bundle = explain(about(WEAK), left)
    assert "the ledger does not say by which rule" in bundle.narrative[0].text
    assert "limits" in bundle.missing_evidence[0].what
    assert bundle.completeness < 1


@pytest.mark.part("HAL-10")
@given(st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_same_packets_give_the_same_bytes_in_whatever_order(rng: random.Random) -> None:
    packets = talk()
    before = copy.deepcopy(packets)
    expected = explain(about(CLIP), packets).model_dump_json()
    rng.shuffle(packets)
    assert explain(about(CLIP), packets + packets[:3]).model_dump_json() == expected
    assert {one.packet_id: one for one in packets} == {one.packet_id: one for one in before}


def test_it_is_made_at_the_time_of_the_newest_packet() -> None:
    assert explain(about(CLIP), talk()).generated_at == "2026-03-04T10:03:05Z"


@pytest.mark.part("HAL-8", "HAL-9")
def test_each_packet_that_is_gone_is_named_and_lowers_the_score() -> None:
    """HAL-8: missing evidence. HAL-9: completeness score."""
    packets = talk()
    whole = explain(about(CLIP), packets)
    story = [
        one
        for one in packets
        if one.message_type not in ("PublicationReceipt",) and one.subject_id in (CLIP, VIDEO)
    ]
    for gone in story:
        bundle = explain(about(CLIP), without(packets, gone))
        assert 0 < bundle.completeness < 1 == whole.completeness
        assert any(gone.packet_id in one.what for one in bundle.missing_evidence)
        assert bundle.ledger_hash != whole.ledger_hash
        assert bundle.bundle_id != whole.bundle_id


def test_of_nothing_nothing_is_said() -> None:
    bundle = explain(about(CLIP), [])
    assert bundle.narrative == []
    assert bundle.alternatives == []


@pytest.mark.parametrize("subject", [CLIP, OVERLAPPING])
def test_a_packet_that_says_something_else_alters_or_refutes_the_sentence(subject: str) -> None:
    packets = talk()
    bundle = explain(about(subject), packets)
    by_id = {one.packet_id: one for one in packets}
    for sentence in bundle.narrative:
        cited = [altered(by_id[one]) for one in sentence.packets]
        others = [one for one in packets if one.packet_id not in sentence.packets]
        told = words(explain(about(subject), [*others, *cited]))
        assert sentence.text not in told.split("\n") or unfounded(sentence.text, cited)


def test_the_words_features_cuts_and_models_of_a_clip_are_told() -> None:
    told = words(explain(about(CLIP), talk()))
    rests_on, published = example("CandidateEvidence"), example("AnalysisPublished")
    assert f"In it is said “{rests_on['words']}”." in told
    first, second = rests_on["features"]
    assert f"“{first['name']}” adds 0.11, a share of 0.56 (“opens with a condition" in told
    assert f"“{second['name']}” adds 0.09, a share of 0.44" in told
    assert "its cuts were charged for “abrupt_end” with 0.06 (“only 100 ms of silence" in told
    for model in published["models"]:
        assert f"“{model['name']}” in version “{model['version']}” (“{model['role']}”)" in told


def test_how_other_spans_were_judged_is_not_told_of_a_clip_that_shares_their_shortlist() -> None:
    judged = [one for one in talk() if one.message_type in ("ClipCandidate", "CandidateEvidence")]
    listed = packet("Shortlist", example("Shortlist"), *judged, subject=VIDEO, at="10:02:00")
    packets = [
        replace(one, parents=(*one.parents, listed.packet_id))
        if one.message_type == "EditJob"
        else one
        for one in talk()
    ]
    bundle = explain(about(CLIP), [*packets, listed])
    assert "Pantheon's shortlist holds" in words(bundle)
    assert "Of the span" not in words(bundle)
    assert bundle.completeness == 1


def test_a_candidate_kept_off_the_shortlist_is_told_which_one_says_the_same() -> None:
    aside = {"candidate_id": WEAK, "like": CLIP, "likeness": 0.91, "reason": "number 3 says again"}
    shown = packet(
        "Shortlist",
        {**example("Shortlist"), "set_aside": [aside]},
        subject=VIDEO,
        at="10:02:00",
        producer="pantheon",
    )
    bundle = explain(about(WEAK), [*talk(), shown])
    assert f"Pantheon kept {WEAK} off its shortlist: “number 3 says again”." in words(bundle)
    assert f"too like {CLIP}" in " ".join(one.reason for one in bundle.alternatives)
    assert unfounded_in(bundle, [*talk(), shown]) == []
    assert "off its shortlist" not in words(explain(about(LATE), [*talk(), shown]))


shares = st.floats(0, 1).map(lambda value: round(value, 6))
parts = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["hook", "payoff", "x1"]),
        "points": shares,
        "share": shares,
        "value": shares,
        "evidence": st.text(max_size=80),
    }
)


@given(
    st.lists(parts, max_size=6),
    st.lists(parts, max_size=3),
    st.text(max_size=900) | st.sampled_from(HOSTILE),
)
@settings(max_examples=100, deadline=None)
def test_whatever_evidence_says_each_number_and_quote_of_it_is_in_its_packet(
    features: list[dict[str, Any]], charges: list[dict[str, Any]], heard: str
) -> None:
    payload = {**example("CandidateEvidence"), "features": features, "charges": charges}
    one = packet("CandidateEvidence", {**payload, "words": heard})
    said = tell(one, Evidence.of([one]))
    assert unknown(one) not in said
    assert len(said) == 1 + bool(features) + bool(heard)
    assert [unfounded(sentence.text, [one]) for sentence in said] == [[]] * len(said)


def test_the_checker_finds_what_is_in_no_packet() -> None:
    one = packet("RenderedClip", {"title": "a talk", "score": 0.714, "spans": [1.0, 2.0, 3.0]})
    assert unfounded("“a talk” scored 0.71 in 3 spans.", [one]) == []
    assert unfounded("“another talk” scored 0.71.", [one]) == ["another talk"]
    assert unfounded("It scored 0.72.", [one]) == ["0.72"]
    assert unfounded("It has 4 spans.", [one]) == ["4"]
    assert unfounded(f"It is {derive_id('x')}.", [one]) == [derive_id("x")]
    assert unfounded("It was at 2026-03-04 10:00 UTC.", [one]) == []
    assert unfounded("It was at 2026-03-04 10:01 UTC.", [one]) == ["2026-03-04 10:01"]
    assert unfounded("From 0:02 to 0:04.", [one]) == ["0:04"]
    assert unfounded("It said “a ta…”.", [one]) == []
    assert unfounded("It said “a talk.", [one]) == ["an open quotation"]


def test_holds_overrides_and_retries_are_told_in_the_order_of_time() -> None:
    packets = talk()[:-2]
    conflict = packet(
        "ConflictResolution", example("ConflictResolution"), packets[0], subject=CLIP, at="10:04:00"
    )
    held = directive("hold", CLIP, conflict, at="10:04:01")
    word = packet("OverrideRequest", example("OverrideRequest"), subject=CLIP, at="10:05:00")
    freed = directive("release", CLIP, word, conflict, at="10:05:01")
    verdict = packet(
        "ArbitrationVerdict",
        {
            **example("ArbitrationVerdict"),
            "subject_id": CLIP,
            "advice": [
                {
                    "engine": "zenith",
                    "recommends": "release: the operator says so",
                    "weight": 1.0,
                    "packet_id": word.packet_id,
                },
                {
                    "engine": "paradox",
                    "recommends": "hold: a duplicate",
                    "weight": 1.0,
                    "packet_id": conflict.packet_id,
                },
            ],
            "chosen": "zenith",
            "overridden": ["paradox"],
        },
        word,
        conflict,
        producer="zenith",
        subject=CLIP,
        at="10:05:01",
        trace=derive_id("trace", CLIP),
    )
    bundle = explain(about(CLIP), [*packets, conflict, held, word, freed, verdict])
    told = words(bundle)
    order = ["Paradox found", "Zenith held it back", "asked Zenith", "Zenith released it"]
    assert sorted(order, key=told.index) == order
    assert "Zenith followed zenith over paradox" in told
    assert any(one.advised_by == "paradox" for one in bundle.alternatives)
    assert bundle.completeness == 1
    assert unfounded_in(bundle, [*packets, conflict, held, word, freed, verdict]) == []


def test_what_held_all_work_is_told_of_a_clip_that_waited_for_it() -> None:
    packets = talk()[:-1]
    panic = packet("PanicSignal", example("PanicSignal"), subject=EVERYTHING, at="10:04:00")
    everything = directive("hold", EVERYTHING, panic, at="10:04:01")
    other = directive("hold", creator(), panic, at="09:00:00")
    told = words(explain(about(CLIP), [*packets, panic, everything, other]))
    assert "pressed the panic button" in told
    assert "Of all work: Zenith held it back" in told
    assert "Of the creator's work" not in told


@pytest.mark.parametrize(("kind", "status"), [("hold", "is held back"), ("cancel", "is cancelled")])
def test_a_clip_that_is_stopped_says_so_first_and_how_to_undo_it(kind: str, status: str) -> None:
    conflict = packet("ConflictResolution", example("ConflictResolution"), at="10:04:00")
    stopped = directive(kind, CLIP, conflict, at="10:04:01")
    first = explain(about(CLIP), [*talk()[:-2], conflict, stopped]).narrative[0].text
    assert status in first
    assert "omniva override release" in first


@pytest.mark.part("UPL-3")
def test_a_refused_upload_is_told_with_the_platforms_reason() -> None:
    """UPL-3: quota_exceeded, content_violation, evidence to HaloLux, direction from Zenith."""
    packets = talk()[:-1]
    failed = packet("UploadFailed", example("UploadFailed"), packets[-1], at="10:04:00")
    bundle = explain(about(CLIP), [*packets, failed])
    assert example("UploadFailed")["reason_code"] in words(bundle)
    assert unfounded_in(bundle, [*packets, failed]) == []


def test_a_video_is_told_in_brief_and_each_span_by_its_place() -> None:
    bundle = explain(about(VIDEO, Matter.VIDEO), talk())
    assert bundle.narrative[0].text.startswith(f"Of “{TITLE}”, 1 clips were made, 1 of them")
    assert "Of the span 0:10 to 0:40: Zenith promoted it" in words(bundle)
    assert "It was cut with" not in words(bundle)
    assert unfounded_in(bundle, talk()) == []


def test_a_directive_is_told_with_what_it_rests_on_and_what_came_after() -> None:
    packets = talk()
    (promoted,) = (one for one in packets if one.payload.get("kind") == "promote")
    question = Question(
        Matter.DIRECTIVE,
        CLIP,
        TRACE,
        (promoted.packet_id,),
        str(promoted.payload["directive_id"]),
    )
    bundle = explain(question, packets)
    assert bundle.directive_id == promoted.payload["directive_id"]
    assert "Pantheon voted" in words(bundle)
    assert "Zenith released it" in words(bundle)
    assert unfounded_in(bundle, packets) == []


def test_a_circle_of_packets_comes_to_an_end() -> None:
    one, other = packet("RawCapture", {"a": 1}), packet("RawCapture", {"b": 2})
    circle = [
        replace(one, parents=(other.packet_id, one.packet_id)),
        replace(other, parents=(one.packet_id,)),
    ]
    assert len(Evidence.of(circle).packets) == 2
    assert explain(about(CLIP), circle).narrative


def test_more_than_can_be_told_is_said_to_be_more() -> None:
    packets = [
        packet("OperatorAlert", {**example("OperatorAlert"), "message": f"alert {n}"})
        for n in range(700)
    ]
    bundle = explain(about(CLIP), packets)
    assert len(bundle.narrative) == 500
    assert bundle.narrative[-1].text == "More was recorded than is told here."
    assert len(bundle.narrative[-1].packets) == 201


def test_its_own_words_are_no_evidence() -> None:
    own = [packet(name, example(name)) for name in sorted(OWN)]
    assert explain(about(CLIP), [*talk(), *own]) == explain(about(CLIP), talk())


def _spoiled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        return {name: _spoiled(item, rng) for name, item in value.items()}
    if isinstance(value, list):
        return [_spoiled(item, rng) for item in value]
    if isinstance(value, str) and not value[:4].isdigit() and rng.random() < 0.5:
        return value + rng.choice(HOSTILE) if rng.random() < 0.5 else rng.choice(HOSTILE)
    return value
