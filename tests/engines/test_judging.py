"""Pantheon and Lattice: the same features, the same ballots, within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.analysis import is_persona
from omniva_dagster.engines import lattice, pantheon
from omniva_dagster.workers.analyzer.scores.features import WEIGHTS

features = st.dictionaries(st.sampled_from(sorted(WEIGHTS)), st.floats(0, 1))


@pytest.mark.spec("PAN-7")
@given(features)
def test_identical_features_get_identical_ballots_in_one_order(values: dict[str, float]) -> None:
    """PAN-7: reproducible unless versioned."""
    one = pantheon.vote(values)
    other = pantheon.vote(dict(reversed(values.items())), tuple(reversed(pantheon.PERSONAS)))
    assert one == other
    assert [ballot.agent for ballot in one] == sorted(ballot.agent for ballot in one)


@given(features)
def test_votes_confidence_and_priority_stay_within_bounds(values: dict[str, float]) -> None:
    ballots = pantheon.vote(values)
    assert all(0 <= ballot.vote <= 1 and 0 <= ballot.confidence <= 1 for ballot in ballots)
    assert all(is_persona(ballot.agent) and ballot.commentary for ballot in ballots)
    assert 0 <= lattice.priority(values.get("hook", 0.5), ballots) <= 1


def test_every_persona_judges_features_that_are_measured() -> None:
    for persona in pantheon.PERSONAS:
        assert set(persona.weights) <= {*WEIGHTS, pantheon.DISTINCTNESS}, persona.name
        assert set(persona.insists_on) <= set(WEIGHTS), persona.name


def test_what_a_persona_insists_on_halves_its_vote() -> None:
    good = dict.fromkeys(WEIGHTS, 1.0)
    bad = {**good, "self_containedness": 0.2}
    votes = [{b.agent: b.vote for b in pantheon.vote(values)} for values in (good, bad)]
    assert votes[0]["risk_mitigation"] == 1.0
    assert votes[1]["risk_mitigation"] < 0.5


def test_what_was_not_measured_speaks_neither_for_nor_against() -> None:
    """A source without a heatmap must not lose to one that has a poor one."""
    good = dict.fromkeys(WEIGHTS, 0.9)
    unknown = {name: value for name, value in good.items() if name != "heatmap"}
    for persona, ballot in zip(pantheon.vote(good), pantheon.vote(unknown), strict=True):
        assert ballot.vote == pytest.approx(persona.vote)
        assert ballot.confidence <= persona.confidence
    nothing = pantheon.vote({})
    assert {ballot.vote for ballot in nothing} == {0.5}
    assert {ballot.confidence for ballot in nothing} == {0.0}


def test_a_guest_votes_beside_the_personas_and_cannot_take_the_place_of_one() -> None:
    personas = pantheon.vote(dict.fromkeys(WEIGHTS, 0.5))
    guests = [pantheon.guest(persona.name, 0.9, "said so") for persona in pantheon.PERSONAS]
    assert not {guest.agent for guest in guests} & {ballot.agent for ballot in personas}
    assert all(is_persona(guest.agent) for guest in guests)
    with_guest = lattice.priority(0.5, (*personas, guests[0]))
    assert with_guest > lattice.priority(0.5, personas)


def test_a_better_candidate_has_a_higher_priority() -> None:
    low, high = (pantheon.vote(dict.fromkeys(WEIGHTS, value)) for value in (0.2, 0.9))
    assert lattice.priority(0.5, low) < lattice.priority(0.5, high)


@pytest.mark.spec("PAN-6")
def test_the_perspectives_of_the_spec_are_there() -> None:
    """PAN-6: risk mitigation, exploratory push, trend-chasing."""
    names = {persona.name for persona in pantheon.PERSONAS}
    assert {"risk_mitigation", "exploration", "trend"} <= names
    assert len(names) >= 5
