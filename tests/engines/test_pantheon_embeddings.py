"""Embeddings before the judges: exact on every machine, and no more than they are worth."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.cognition.pantheon import Shortlist
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines import lattice, pantheon
from omniva_dagster.engines.pantheon import shortlisting
from omniva_dagster.workers.analyzer.scores.features import WEIGHTS

NOW = "2026-03-04T05:06:07Z"
LONG = 8
numbers = st.integers(-(1 << 14), 1 << 14)
vectors = st.lists(numbers, min_size=LONG, max_size=LONG).map(tuple)
COFFEE, LATHE = (9, 1, 0, 0, 3, 0, 0, 0), (0, 0, 7, 2, 0, 0, 1, 0)
BUSY = pantheon.Load("editor", 40, 20, derive_id("packet", "load"))


def case(name: str, worth: float = 0.6, **more: object) -> pantheon.Case:
    made = pantheon.Case(
        derive_id("candidate", name),
        dict.fromkeys(WEIGHTS, worth),
        evidence=(derive_id("packet", name),),
    )
    return replace(made, **more)  # type: ignore[arg-type]


@st.composite
def batches(draw: st.DrawFn) -> list[pantheon.Case]:
    return [
        case(str(n), draw(st.integers(1, 9)) / 10, vector=draw(vectors), rest=draw(vectors))
        for n in range(draw(st.integers(1, 8)))
    ]


def listed(cases: Sequence[pantheon.Case], load: pantheon.Load | None = None) -> Shortlist:
    findings = pantheon.deliberate(cases, lattice.priority)
    reports = pantheon.reports(findings, NOW)
    packets = [(one, derive_id("packet", one.report_id)) for one in reports]
    best = pantheon.shortlist(findings, packets, NOW, load=load)
    assert best is not None
    return Shortlist.parse(best.dump())


def votes(one: pantheon.Case) -> dict[str, float]:
    (found,) = pantheon.deliberate([one], lattice.priority)
    return {ballot.agent: ballot.vote for ballot in found.ballots}


@given(vectors, vectors, st.randoms(use_true_random=False), st.integers(1, 9))
def test_likeness_is_the_same_whichever_way_the_numbers_are_added_up(
    one: tuple[int, ...], other: tuple[int, ...], chance: random.Random, scale: int
) -> None:
    alike = pantheon.likeness(one, other)
    assert 0 <= alike <= 1
    assert alike == round(alike, 4)
    assert alike == pantheon.likeness(other, one)
    places = list(range(LONG))
    chance.shuffle(places)
    assert alike == pantheon.likeness([one[p] for p in places], [other[p] for p in places])
    assert alike == pantheon.likeness([scale * value for value in one], other)
    if any(one):
        assert pantheon.likeness(one, one) == 1


def test_vectors_that_cannot_be_compared_are_refused_and_absent_ones_are_like_nothing() -> None:
    with pytest.raises(ValueError, match="8 and 3 numbers"):
        pantheon.likeness(COFFEE, (1, 2, 3))
    assert pantheon.likeness((), COFFEE) == pantheon.likeness((0,) * LONG, COFFEE) == 0
    assert pantheon.distinctness((), COFFEE) is None
    assert pantheon.distinctness(COFFEE, ()) is None
    assert pantheon.distinctness(COFFEE, COFFEE) == 0
    assert pantheon.distinctness(COFFEE, LATHE) == 1


@pytest.mark.part("PAN-1")
def test_who_says_what_the_rest_of_the_video_does_not_say_wins_the_explorer_alone() -> None:
    """PAN-1: takes embeddings."""
    blind = votes(case("a"))
    same, other = (votes(case("a", vector=COFFEE, rest=rest)) for rest in (COFFEE, LATHE))
    assert same["exploration"] < blind["exploration"] < other["exploration"]
    assert {k: v for k, v in same.items() if k != "exploration"} == {
        k: v for k, v in other.items() if k != "exploration"
    }
    one, two = (case("a", vector=COFFEE, rest=rest) for rest in (COFFEE, LATHE))
    assert pantheon.inputs_hash(one) != pantheon.inputs_hash(two)


@given(batches(), st.randoms(use_true_random=False))
def test_identical_embeddings_give_identical_bytes_in_whatever_order_they_come(
    cases: list[pantheon.Case], chance: random.Random
) -> None:
    shuffled = list(cases)
    chance.shuffle(shuffled)
    assert listed(cases).model_dump_json() == listed(shuffled).model_dump_json()


@given(batches())
def test_a_candidate_more_or_less_never_turns_two_others_round_with_embeddings_either(
    cases: list[pantheon.Case],
) -> None:
    whole = [one.candidate_id for one in pantheon.deliberate(cases, lattice.priority)]
    fewer = [one.candidate_id for one in pantheon.deliberate(cases[1:], lattice.priority)]
    assert fewer == [name for name in whole if name != cases[0].candidate_id]


def test_what_says_again_what_a_better_one_says_makes_room_and_is_named() -> None:
    first, again, other = (
        case("first", 0.8, vector=COFFEE),
        case("again", 0.7, vector=(9, 1, 0, 0, 4, 0, 0, 0)),
        case("other", 0.6, vector=LATHE),
    )
    best = listed([again, other, first])
    assert [one.candidate_id for one in best.candidates] == [first.candidate_id, other.candidate_id]
    (aside,) = best.set_aside or []
    assert (aside.candidate_id, aside.like) == (again.candidate_id, first.candidate_id)
    assert aside.likeness >= pantheon.TOO_LIKE
    assert aside.reason.startswith("number 2 says again what number 1 says")
    assert "1 lesser ones that say the same make room" in best.candidates[0].justification
    assert len(best.evidence) == 3, "the votes on what was set aside are evidence too"


@given(batches())
def test_no_two_on_a_shortlist_are_too_like_and_each_left_out_is_like_a_better_one(
    cases: list[pantheon.Case],
) -> None:
    best = listed(cases)
    by_id = {one.candidate_id: one for one in cases}
    shown = [by_id[one.candidate_id].vector for one in best.candidates]
    for place, one in enumerate(shown):
        assert all(pantheon.likeness(one, other) < pantheon.TOO_LIKE for other in shown[:place])
    for left in best.set_aside or []:
        alike = pantheon.likeness(by_id[left.candidate_id].vector, by_id[left.like].vector)
        assert alike == left.likeness >= pantheon.TOO_LIKE
    assert len(best.candidates) + len(best.set_aside or []) == len(cases)


def test_without_embeddings_nobody_is_set_aside() -> None:
    assert listed([case(str(n)) for n in range(4)]).set_aside is None


@pytest.mark.part("PAN-1")
def test_the_longer_the_queue_for_the_editors_the_fewer_are_surfaced() -> None:
    """PAN-1: takes Lattice context."""
    cases = [case(str(n), n / 40) for n in range(1, 31)]
    free = listed(cases, replace(BUSY, depth=20))
    assert len(free.candidates) == pantheon.SHORTLIST
    assert free.limited_by is None
    busy = listed(cases, BUSY)
    assert [one.candidate_id for one in busy.candidates] == [
        one.candidate_id for one in free.candidates[:5]
    ]
    assert busy.limited_by == "5 in place of 10: 40 wait for the editor, where 20 may"
    assert BUSY.packet_id in busy.evidence
    assert len(listed(cases, replace(BUSY, depth=10_000)).candidates) == 3


def test_a_large_batch_costs_a_bounded_number_of_comparisons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted = []

    def count(one: Sequence[int], other: Sequence[int]) -> float:
        counted.append(1)
        return 1.0

    monkeypatch.setattr(shortlisting, "likeness", count)
    cases = [case(str(n), 0.5, vector=COFFEE) for n in range(2_000)]
    assert len(listed(cases).candidates) == 1
    assert len(counted) < 100
