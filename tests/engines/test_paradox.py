"""Paradox's rules over any corpus: what is planted is found, nothing else is, nothing changes."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts.cognition.paradox import (
    ConflictKind,
    ConflictResolution,
    ConflictTrigger,
    RecommendedAction,
    ResolutionStatus,
)
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines import paradox
from tests.engines.paradox_corpus import NOW, PLANTS, Corpus, Expected, clean

seeds = st.integers(0, 2**32).map(random.Random)
# A shared machine may take its time.
unhurried = settings(max_examples=50, deadline=None)
planted = st.lists(st.sampled_from(PLANTS), min_size=1, max_size=8)


def grown(rng: random.Random, plants: Iterable[object]) -> tuple[Corpus, set[Expected]]:
    corpus = clean(rng, rng.randint(1, 9))
    return corpus, {plant(corpus, rng, tag) for tag, plant in enumerate(plants)}  # type: ignore[operator]


def found(conflicts: Iterable[ConflictResolution]) -> set[Expected]:
    return {(item.kind, frozenset(item.affected_ids)) for item in conflicts}


def evidence(facts: paradox.Facts) -> set[str]:
    """Every packet that the facts are from."""
    fields = (facts.windows, facts.videos, facts.clips, facts.slots, facts.uploads, facts.jobs)
    known = {item.packet_id for items in fields for item in items}
    return known | {end for link in facts.links for end in (link.child, link.parent)}


@unhurried
@given(seeds)
def test_nothing_is_invented_in_a_clean_corpus(rng: random.Random) -> None:
    assert paradox.find(clean(rng, 9).facts()) == []


@pytest.mark.spec("PAR-2")
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__.strip("_"))
def test_every_kind_of_conflict_is_found(plant: object) -> None:
    """PAR-2: emits conflict_resolution: duplicates, conflicting timestamps, circular dependencies;
    severity, block/quarantine/ignore, affected ids."""
    corpus, expected = grown(random.Random(1), [plant])
    (conflict,) = paradox.find(corpus.facts())
    assert found([conflict]) == expected
    assert conflict.severity
    assert conflict.recommended_action in RecommendedAction
    assert ConflictResolution.parse(conflict.dump()) == conflict


@settings(max_examples=150, deadline=None)
@given(seeds, planted)
def test_what_is_planted_is_found_and_nothing_else(
    rng: random.Random, plants: list[object]
) -> None:
    corpus, expected = grown(rng, plants)
    assert found(paradox.find(corpus.facts())) == expected


@unhurried
@given(seeds, planted, seeds)
def test_the_order_of_the_input_does_not_matter(
    rng: random.Random, plants: list[object], other: random.Random
) -> None:
    corpus, _ = grown(rng, plants)
    assert paradox.find(corpus.facts()) == paradox.find(corpus.facts(shuffle=other))


@pytest.mark.part("PAR-8")
@unhurried
@given(seeds, planted)
def test_the_facts_are_not_changed(rng: random.Random, plants: list[object]) -> None:
    """PAR-8: never mutates job state."""
    facts = grown(rng, plants)[0].facts()
    before = copy.deepcopy(facts)
    first = paradox.find(facts)
    assert facts == before
    assert paradox.find(facts) == first


@pytest.mark.spec("PAR-7")
@unhurried
@given(seeds, planted)
def test_it_is_an_error_only_when_the_advice_is_to_halt(
    rng: random.Random, plants: list[object]
) -> None:
    """PAR-7: ERROR only when the action is to halt."""
    for conflict in paradox.find(grown(rng, plants)[0].facts()):
        halts = conflict.recommended_action is RecommendedAction.BLOCK
        assert (conflict.status is ResolutionStatus.ERROR) == halts


@pytest.mark.spec("PAR-9")
@unhurried
@given(seeds, planted)
def test_every_finding_points_to_packets_that_show_it(
    rng: random.Random, plants: list[object]
) -> None:
    """PAR-9: points to Stardust records."""
    facts = grown(rng, plants)[0].facts()
    for conflict in paradox.find(facts):
        assert conflict.evidence
        assert set(conflict.evidence) <= evidence(facts)
        assert conflict.detected_at == NOW
        assert conflict.found_by.startswith("paradox/")


@unhurried
@given(seeds, planted)
def test_of_duplicates_the_oldest_goes_on_and_the_others_are_held(
    rng: random.Random, plants: list[object]
) -> None:
    for conflict in paradox.find(grown(rng, plants)[0].facts()):
        held = paradox.to_hold(conflict)
        if conflict.recommended_action is RecommendedAction.IGNORE:
            assert held == []
        elif conflict.kind in (ConflictKind.DUPLICATE, ConflictKind.MUTUALLY_EXCLUSIVE):
            assert held == conflict.affected_ids[1:]
        else:
            assert held == conflict.affected_ids


def test_a_large_pile_is_looked_through_in_linear_time() -> None:
    """Ten thousand of everything, half of them the same: seconds, not hours."""
    import time

    rng = random.Random(2)
    corpus = clean(rng, 300)
    for plant in PLANTS[:6]:
        for tag in range(400):
            plant(corpus, rng, tag)
    began = time.process_time()
    small = paradox.find(corpus.facts())
    spent = time.process_time() - began
    assert len(small) > 1500
    assert spent < 10


@pytest.mark.parametrize("ids", ["ab", "ba"])
def test_what_atlas_holds_was_there_before_what_arrives_in_the_same_second(ids: str) -> None:
    here, arriving = (derive_id("video", letter) for letter in ids)
    facts = [
        paradox.VideoFact(
            subject_id=video_id,
            video_id=video_id,
            creator="ada",
            day="2026-03-04",
            ingested_at=NOW,
            packet_id=derive_id("packet", video_id),
            sha256="0" * 64,
            arriving=video_id == arriving,
        )
        for video_id in sorted((here, arriving))
    ]
    (conflict,) = paradox.find(paradox.Facts(NOW, ConflictTrigger.INGESTION, videos=tuple(facts)))
    assert conflict.affected_ids == [here, arriving]
