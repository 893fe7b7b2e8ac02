"""Lattice: fair, bounded, the same in whatever order its inputs come; and a day of bursts."""

from __future__ import annotations

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts.cognition.lattice import Crossing, QueueLoad
from omniva_dagster.engines.lattice import (
    Former,
    Job,
    Member,
    Pool,
    cluster,
    crossings,
    rank,
    route,
    semantic_load,
)
from tests.engines.bursts import (
    SLA_DEPTH,
    SLA_SECONDS,
    Arrival,
    arrivals,
    fifo,
    lattice,
    one_queue,
    routed,
    simulate,
)

pytestmark = pytest.mark.takes(15)

NOW = "2026-03-04T05:06:07Z"
CPU = Pool("cpu_editor", "cpu", frozenset({"edit"}), workers=2)
GPU = Pool("gpu_editor", "cuda", frozenset({"edit"}), workers=1, speed=4.0)

jobs = st.lists(
    st.builds(
        Job,
        st.uuids().map(str),
        st.sampled_from(["ada", "bob", "eve"]),
        st.sampled_from(["edit", "analyze"]),
        st.floats(0, 1),
        st.floats(0, 10_000),
        st.floats(-1, 1),
        st.floats(1, 600),
    ),
    max_size=30,
    unique_by=lambda job: job.subject_id,
)
served = st.dictionaries(st.sampled_from(["ada", "bob"]), st.floats(0, 50), max_size=2)


@given(jobs, served, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(
    given_jobs: list[Job], had: dict[str, float], rng: random.Random
) -> None:
    shuffled = list(given_jobs)
    rng.shuffle(shuffled)
    before = copy.deepcopy((given_jobs, had))
    first = route(rank(given_jobs, 600, had), [CPU, GPU])
    assert first == route(rank(shuffled, 600, had), [GPU, CPU])
    assert (given_jobs, had) == before


@given(jobs, served)
def test_every_job_has_a_place_and_its_priority_keeps_the_order(
    given_jobs: list[Job], had: dict[str, float]
) -> None:
    ranked = rank(given_jobs, 600, had)
    assert sorted(item.job.subject_id for item in ranked) == sorted(
        job.subject_id for job in given_jobs
    )
    priorities = [item.priority for item in ranked]
    assert priorities == sorted(priorities, reverse=True)
    assert all(0 <= value <= 1 for value in priorities)


def test_worth_goals_and_waiting_each_bring_a_job_forward() -> None:
    plain = Job("a", "ada", "edit", 0.5)
    for better in (
        Job("b", "bob", "edit", 0.9),
        Job("b", "bob", "edit", 0.5, pull=0.5),
        Job("b", "bob", "edit", 0.5, waited_seconds=60),
    ):
        assert rank([plain, better], 600)[0].job == better


def test_a_creator_with_many_jobs_waits_behind_itself() -> None:
    many = [Job(f"a{number:03}", "ada", "edit", 0.9) for number in range(100)]
    one = Job("b", "bob", "edit", 0.1)
    ranked = rank([*many, one], 600)
    assert [item.job.subject_id for item in ranked].index("b") < 6
    # What a creator had already counts as much as what it has waiting.
    assert rank([many[0], one], 600, {"ada": 10})[0].job == one


def test_nobody_waits_for_ever() -> None:
    """Whatever comes after it, a job of no worth is first in the end."""
    late = Job("late", "ada", "edit", 0.0, waited_seconds=600 * 12, pull=-1.0)
    fresh = [Job(f"{n}", f"creator-{n}", "edit", 1.0, pull=1.0) for n in range(100)]
    ahead = [Job(f"own-{n}", "ada", "edit", 1.0) for n in range(50)]
    assert rank([*fresh, *ahead, late], 600)[0].job == late


def test_a_reason_names_each_part_of_the_value() -> None:
    ranked = rank([Job("a", "ada", "edit", 0.5, 300, 0.5), Job("b", "ada", "edit", 0.5)], 600)
    assert ranked[0].reason == "worth 0.30, waited 0.50 of what it may, goals +0.20"
    assert ranked[1].reason == "worth 0.30, waited 0.00 of what it may, 1 of ada before it -0.15"


def test_work_goes_where_it_is_done_first() -> None:
    ranked = rank([Job(f"{n:02}", "ada", "edit", cost_seconds=60) for n in range(12)], 600)
    found = route(ranked, [CPU, GPU])
    share = [item.pool for item in found].count("gpu_editor")
    # Rates are 2 and 4: about two thirds go to the GPU.
    assert share in (8, 9)
    busy = Pool("gpu_editor", "cuda", frozenset({"edit"}), 1, 4.0, waiting_seconds=10_000)
    assert {item.pool for item in route(ranked, [CPU, busy])} == {"cpu_editor"}


def test_a_pool_that_is_not_healthy_gets_nothing_while_another_can() -> None:
    ranked = rank([Job("a", "ada", "edit")], 600)
    down = Pool("gpu_editor", "cuda", frozenset({"edit"}), 1, 4.0, healthy=False)
    assert route(ranked, [CPU, down])[0].pool == "cpu_editor"
    (alone,) = route(ranked, [down])
    assert alone.pool == "gpu_editor"
    assert "not up" in alone.reason
    assert route(ranked, [Pool("analyzer", "a", frozenset({"analyze"}))]) == []


def test_advice_is_repeated_only_when_it_changes() -> None:
    ranked = rank([Job("a", "ada", "edit")], 600)
    (first,) = route(ranked, [CPU, GPU])
    assert first.changed
    same = {"a": Former(first.queue, first.pool, first.ranked.priority)}
    (again,) = route(ranked, [CPU, GPU], same)
    assert not again.changed
    assert again.delta == 0
    other = {"a": Former(first.queue, first.pool, 0.1)}
    assert route(ranked, [CPU, GPU], other)[0].delta > 0.05


def test_a_job_does_not_go_to_and_fro_for_a_small_gain() -> None:
    ranked = rank([Job("a", "ada", "edit", cost_seconds=60)], 600)
    near = Pool("near", "n", frozenset({"edit"}), 1, 1.1)
    here = Pool("here", "h", frozenset({"edit"}), 1, 1.0)
    assert route(ranked, [near, here])[0].pool == "near"
    assert route(ranked, [near, here], {"a": Former("h", "here", 0.5)})[0].pool == "here"


def _load(depth: int) -> QueueLoad:
    return QueueLoad(queue="edit", pool="editor", depth=depth, sla_depth=10, oldest_seconds=0.0)


def test_a_backlog_that_trembles_around_its_threshold_crosses_it_once() -> None:
    above: dict[str, bool] = {}
    seen = []
    for depth in (9, 10, 11, 10, 11, 9, 8, 7, 8, 11):
        watch = crossings([_load(depth)], above, NOW)
        above = dict.fromkeys(watch.above, True)
        seen += [(depth, crossing.direction) for crossing in watch.crossings]
    assert seen == [(11, Crossing.ABOVE), (7, Crossing.BELOW), (11, Crossing.ABOVE)]


members = st.lists(
    st.builds(
        Member,
        st.uuids().map(str),
        st.lists(
            st.sampled_from(["budget plan", "side job", "jazz chords", "piano", "tax return"]),
            max_size=3,
            unique=True,
        ).map(tuple),
        st.sampled_from(["", "saving money every month", "playing chords slowly together"]),
        st.uuids().map(str),
        st.floats(0, 1),
    ),
    max_size=20,
    unique_by=lambda member: member.candidate_id,
)


@given(members, st.randoms(use_true_random=False))
def test_clusters_are_the_same_in_any_order_and_hold_each_candidate_once(
    given_members: list[Member], rng: random.Random
) -> None:
    shuffled = list(given_members)
    rng.shuffle(shuffled)
    found = cluster(given_members)
    assert found == cluster(shuffled)
    placed = [candidate for one in found for candidate in one.candidate_ids]
    assert len(placed) == len(set(placed))
    assert all(len(one.candidate_ids) > 1 for one in found)
    assert all(0 <= one.coherence <= 1 and one.terms and one.label for one in found)


@pytest.mark.part("LAT-4")
def test_candidates_about_the_same_thing_are_found() -> None:
    """LAT-4: clustering hints for Pantheon."""
    found = cluster(
        [
            Member("a", ("budget plan", "rent"), packet_id="pa", weight=0.9),
            Member("b", ("budget plan",), packet_id="pb", weight=0.5),
            Member("c", ("jazz chords", "piano"), packet_id="pc", weight=0.8),
            Member("d", ("jazz chords",), packet_id="pd", weight=0.7),
            Member("e", ("sourdough",), packet_id="pe"),
        ]
    )
    assert [(one.label, one.candidate_ids) for one in found] == [
        ("budget plan", ("a", "b")),
        ("jazz chords", ("c", "d")),
    ]
    assert found[0].evidence == ("pa", "pb")


def test_a_subject_that_was_met_before_weighs_more() -> None:
    loads = semantic_load([("budget plan",), ("budget plan",), ("piano",), ("budget plan",)])
    assert loads[0] == loads[2] == 0
    assert 0 < loads[1] < loads[3] < 1


@pytest.mark.spec("LAT-8")
def test_a_day_of_bursts_keeps_within_its_limits_where_the_controls_do_not() -> None:
    """LAT-8: keeps queue depths within SLA."""
    bursting = [f"creator-{number:03}" for number in range(3)]
    others = [f"creator-{number:03}" for number in range(3, 100)]
    given_jobs = arrivals(1)
    fixed = simulate(given_jobs, fifo, one_queue)
    first_come = simulate(given_jobs, fifo, routed)
    ours = simulate(given_jobs, lattice, routed)
    assert ours.done == first_come.done == len(given_jobs)
    # Depth: one fixed queue overflows while half of the workers idle.
    assert fixed.deepest["cuda"] > 2 * SLA_DEPTH["cuda"]
    assert all(ours.deepest[queue] <= most for queue, most in SLA_DEPTH.items())
    # Age: first come, first served lets one creator's burst make everybody late.
    assert first_come.wait(others, 0.95) > SLA_SECONDS
    assert ours.wait(others, 0.99) < SLA_SECONDS
    assert ours.wait(others, 0.95) < SLA_SECONDS / 5
    # And those who burst are served too: what they wait for is their own work.
    assert ours.wait(bursting, 1.0) < 3 * first_come.wait(bursting, 1.0)


def test_who_brings_one_job_does_not_wait_for_who_brings_a_thousand() -> None:
    small = [f"single-{number:02}" for number in range(60)]
    given_jobs = [Arrival(0.0, "big", 1.0, 120.0, number) for number in range(1000)]
    given_jobs += [
        Arrival(60.0 * number, creator, 0.5, 120.0, 1000 + number)
        for number, creator in enumerate(small, start=1)
    ]
    given_jobs.sort(key=lambda job: job.at)
    first_come = simulate(given_jobs, fifo, routed)
    ours = simulate(given_jobs, lattice, routed)
    assert first_come.wait(small, 0.95) > 2 * SLA_SECONDS
    assert ours.wait(small, 1.0) < 300
    # The thousand are done hardly later than if nobody else had come.
    assert ours.wait(["big"], 1.0) < 1.2 * first_come.wait(["big"], 1.0)


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 10_000))
def test_a_lighter_day_is_within_its_limits_whatever_the_dice(seed: int) -> None:
    given_jobs = arrivals(seed, creators=30, daily=24.0)
    day = simulate(given_jobs, lattice, routed)
    assert day.done == len(given_jobs)
    assert all(day.deepest[queue] <= most for queue, most in SLA_DEPTH.items())
