"""Pantheon on a batch: one order for the same candidates, a reason for each, the best surfaced."""

from __future__ import annotations

import copy
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.cognition.pantheon import Shortlist, VoteReport
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines import lattice, pantheon
from omniva_dagster.workers.analyzer.scores.features import WEIGHTS

NOW = "2026-03-04T05:06:07Z"
GOOD = dict.fromkeys(WEIGHTS, 0.8)
values = st.integers(0, 20).map(lambda n: n / 20)
features = st.dictionaries(st.sampled_from(sorted(WEIGHTS)), values, min_size=3)


@st.composite
def batches(draw: st.DrawFn) -> list[pantheon.Case]:
    return [
        case(
            str(number),
            draw(features),
            start_time=draw(st.integers(0, 3)) * 10.0,
            confidence=draw(values),
            desirability=draw(values),
        )
        for number in range(draw(st.integers(1, 8)))
    ]


def case(name: str, seen: dict[str, float] | None = None, **changes: object) -> pantheon.Case:
    made = pantheon.Case(
        derive_id("candidate", name), seen or GOOD, evidence=(derive_id("packet", "analysis"),)
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def judged(
    cases: list[pantheon.Case],
) -> tuple[list[pantheon.Finding], list[VoteReport], Shortlist | None]:
    findings = pantheon.deliberate(cases, lattice.priority)
    reports = pantheon.reports(findings, NOW)
    with_packets = [(one, derive_id("packet", one.report_id)) for one in reports]
    return findings, reports, pantheon.shortlist(findings, with_packets, NOW)


@pytest.mark.spec("PAN-7")
@pytest.mark.spec("PAN-8")
@given(batches(), st.randoms(use_true_random=False))
def test_identical_candidates_give_identical_bytes_in_whatever_order_they_come(
    cases: list[pantheon.Case], chance: random.Random
) -> None:
    """PAN-7: reproducible unless versioned. PAN-8: deterministic order."""
    before = copy.deepcopy(cases)
    shuffled = list(cases)
    chance.shuffle(shuffled)
    one, other = judged(cases), judged(shuffled)
    assert [item.model_dump_json() for item in one[1]] == [
        item.model_dump_json() for item in other[1]
    ]
    assert (one[2] and one[2].model_dump_json()) == (other[2] and other[2].model_dump_json())
    assert cases == before, "what the judges look at is not theirs to change"


@pytest.mark.spec("PAN-2")
@given(batches())
def test_every_candidate_has_a_report_with_every_ballot_and_why(
    cases: list[pantheon.Case],
) -> None:
    """PAN-2: vote reports: consensus, dissent, rationale; columns agent, vote, confidence,
    commentary."""
    _, reports, _ = judged(cases)
    assert [report.rank for report in reports] == list(range(1, len(cases) + 1))
    assert {report.candidate_id for report in reports} == {one.candidate_id for one in cases}
    for report in reports:
        VoteReport.parse(report.dump())
        assert {one.agent for one in report.ballots} == {one.name for one in pantheon.PERSONAS}
        assert all(one.commentary for one in report.ballots)
        assert report.justification.startswith(f"number {report.rank} of {len(cases)}")
        for name in report.dissent:
            (ballot,) = (one for one in report.ballots if one.agent == name)
            assert ballot.vote <= report.consensus - 0.25 + 1e-9


@given(batches())
def test_a_candidate_more_or_less_never_turns_two_others_round(
    cases: list[pantheon.Case],
) -> None:
    whole = [one.candidate_id for one in pantheon.deliberate(cases, lattice.priority)]
    fewer = [one.candidate_id for one in pantheon.deliberate(cases[1:], lattice.priority)]
    assert fewer == [name for name in whole if name != cases[0].candidate_id]


@given(features, values, values)
def test_what_horizon_wants_more_of_never_loses_a_vote_by_it(
    seen: dict[str, float], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    less, more = pantheon.vote(seen, desirability=low), pantheon.vote(seen, desirability=high)
    assert all(a.vote <= b.vote for a, b in zip(less, more, strict=True))
    assert pantheon.vote(seen, desirability=0.5) == pantheon.vote(seen)


@pytest.mark.part("PAN-1")
def test_horizons_wish_changes_the_order_and_is_said() -> None:
    """PAN-1: takes Horizon biases."""
    plain = case("plain", dict.fromkeys(WEIGHTS, 0.62), start_time=0.0)
    wanted = case("wanted", dict.fromkeys(WEIGHTS, 0.6), start_time=9.0)
    first, _ = pantheon.deliberate([plain, wanted], lattice.priority)
    assert first.candidate_id == plain.candidate_id
    first, _ = pantheon.deliberate([plain, replace(wanted, desirability=0.9)], lattice.priority)
    assert first.candidate_id == wanted.candidate_id
    assert "Horizon's wish for its subject: +0.40" in first.justification
    said = {one.agent: one.commentary for one in first.ballots}
    assert "Horizon wants more of its subject" in said["trend"]
    assert "Horizon" not in said["risk_mitigation"], "risk is no matter of taste"


def test_a_veto_is_final_however_the_others_vote() -> None:
    torn = case("torn", {**dict.fromkeys(WEIGHTS, 1.0), "self_containedness": 0.0}, confidence=1.0)
    dull = case("dull", dict.fromkeys(WEIGHTS, 0.1))
    findings, reports, best = judged([torn, dull])
    assert [one.candidate_id for one in findings] == [dull.candidate_id, torn.candidate_id]
    assert findings[1].priority == 0.0
    assert findings[1].vetoed_by == ("risk_mitigation",)
    assert "no clip" in reports[1].justification
    assert best is not None
    assert [one.candidate_id for one in best.candidates] == [dull.candidate_id]
    assert judged([torn])[2] is None


def test_ties_go_to_the_earlier_span_and_then_to_the_smaller_id() -> None:
    cases = [case("a", start_time=5.0), case("b", start_time=2.0), case("c", start_time=2.0)]
    early = sorted(one.candidate_id for one in cases[1:])
    assert [one.candidate_id for one in pantheon.deliberate(cases, lattice.priority)] == [
        *early,
        cases[0].candidate_id,
    ]


@pytest.mark.spec("PAN-9")
def test_the_best_are_surfaced_each_with_why() -> None:
    """PAN-9: top candidates surfaced with justification."""
    cases = [case(str(n), dict.fromkeys(WEIGHTS, n / 40)) for n in range(1, 31)]
    _, reports, best = judged(cases)
    assert best is not None
    assert len(best.candidates) == pantheon.SHORTLIST
    assert [one.candidate_id for one in best.candidates] == [
        one.candidate_id for one in reports[: pantheon.SHORTLIST]
    ]
    assert all("consensus" in one.justification for one in best.candidates)
    assert "ties" in best.ordered_by


def test_of_several_about_the_same_thing_the_others_make_room_on_the_shortlist() -> None:
    cases = [case(name, dict.fromkeys(WEIGHTS, worth)) for name, worth in
             (("a", 0.70), ("b", 0.69), ("c", 0.68), ("other", 0.66))]  # fmt: skip
    findings, reports, _ = judged(cases)
    same = {one.candidate_id: "coffee" for one in cases[:3]}
    packets = [(one, derive_id("packet", one.report_id)) for one in reports]
    best = pantheon.shortlist(findings, packets, NOW, clusters=same)
    assert best is not None
    order = [one.candidate_id for one in best.candidates]
    assert order == [cases[0].candidate_id, cases[3].candidate_id] + [
        one.candidate_id for one in cases[1:3]
    ]
    assert "2 better ones are about the same thing" in best.candidates[3].justification


def test_a_persona_is_one_declaration_and_another_version_of_the_judges() -> None:
    calm = pantheon.Persona("calm", "a quiet voice", {"arousal": 1})
    panel = (*pantheon.PERSONAS, calm)
    findings = pantheon.deliberate([case("a")], lattice.priority, panel)
    (report,) = pantheon.reports(findings, NOW, panel)
    assert "calm" in {one.agent for one in report.ballots}
    assert report.judges_version != pantheon.version_of()
    assert pantheon.version_of(tuple(reversed(panel))) == pantheon.version_of(panel)


def test_a_report_is_of_its_inputs_alone() -> None:
    (one,) = judged([case("a")])[1]
    (same,) = judged([case("a")])[1]
    (other,) = judged([case("a", {**GOOD, "hook": 0.1})])[1]
    assert one == same
    assert (one.report_id, one.inputs_hash) != (other.report_id, other.inputs_hash)
