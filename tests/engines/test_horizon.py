"""Horizon: every number a count or a distance, the same for the same history, bounded, neutral."""

from __future__ import annotations

import copy
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.campaign import Campaign, GoalsFile, Measure, campaign_of
from omniva_dagster.contracts.cognition.common import GoalWindow, Severity, Weekday
from omniva_dagster.contracts.cognition.zenith import CycleReflection
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.contracts.video import Platform
from omniva_dagster.engines.horizon import (
    NEUTRAL,
    Dossier,
    Guidance,
    Post,
    about,
    campaign_goals,
    desirability,
    guide,
    inflection,
    season_of,
    standings,
)

NOW = "2026-03-22T12:00:00Z"
FRIDAY = datetime(2026, 3, 6, 18, tzinfo=UTC)


WHOLE = {"subject": "budget", "share": 1.0}


def campaign(**changes: Any) -> Campaign:
    fields: dict[str, Any] = {
        "name": "spring",
        "since": "2026-03-01",
        "until": "2026-04-01",
        "cadence": {"clips_per_week": 7.0},
    }
    wanted = {name: value for name, value in {**fields, **changes}.items() if value is not None}
    return Campaign.parse(wanted)


def post(at: datetime, value: float | None = None, *tags: str) -> Post:
    name = f"{at.isoformat()}"
    return Post(
        derive_id("clip", name), format_timestamp(at), value, tags, derive_id("packet", name)
    )


def dossier(*posts: Post, **changes: Any) -> Dossier:
    wanted = changes.pop("campaign", campaign())
    return Dossier(
        now=changes.pop("now", NOW),
        campaign=wanted,
        goals=campaign_goals(wanted, "ada", "ops", NOW),
        goals_packet=derive_id("packet", "goals"),
        platform=Platform.YOUTUBE,
        posts=posts,
        **changes,
    )


def weights(found: Guidance) -> dict[tuple[str, int], float]:
    return {(slot.weekday.value, slot.hour): slot.adjustment for slot in found.weights.slots}


posts = st.lists(
    st.builds(
        lambda hours, value, tag: post(
            datetime(2026, 2, 20, tzinfo=UTC) + timedelta(hours=hours), value, *tag
        ),
        st.integers(0, 700),
        st.none() | st.floats(0, 1e6),
        st.lists(st.sampled_from(["budget plan", "piano", "tax"]), max_size=2, unique=True),
    ),
    max_size=40,
    unique_by=lambda item: item.clip_id,
)
campaigns = st.sampled_from(
    [
        campaign(),
        campaign(mix=[{"subject": "budget", "share": 0.5}, {"subject": "piano", "share": 0.2}]),
        campaign(growth=[{"measure": "views", "target": 500.0}], smoothing=0.2),
        campaign(windows=[{"weekdays": ["friday"], "hours": [18], "preference": 1.0}]),
    ]
)


@pytest.mark.spec("HOR-9")
@given(posts, campaigns, st.randoms(use_true_random=False))
def test_the_same_history_in_any_order_gives_the_same_documents_tagged_with_their_window(
    history: list[Post], wanted: Campaign, rng: random.Random
) -> None:
    """HOR-9: outputs tagged `goal_window`."""
    shuffled = list(history)
    rng.shuffle(shuffled)
    before = copy.deepcopy(history)
    one = guide(dossier(*history, campaign=wanted))
    assert one == guide(dossier(*shuffled, campaign=wanted))
    assert history == before
    documents = [one.weights, one.gradients, one.desirability, *one.trajectories, *one.warnings]
    window = GoalWindow(since="2026-03-01T00:00:00Z", until="2026-04-01T00:00:00Z")
    for document in documents:
        assert document.goal_window == window
        assert document.evidence[0] == derive_id("packet", "goals")
        assert type(document).parse(document.dump()) == document


@given(posts)
def test_no_hour_is_moved_by_more_than_the_season_may(history: list[Post]) -> None:
    found = guide(dossier(*history))
    assert all(abs(slot.adjustment) < 0.4 for slot in found.weights.slots)
    assert all(0 <= item.desirability <= 1 for item in found.desirability.subjects)


def _weeks(hour_values: dict[int, float], weeks: int, first: datetime = FRIDAY) -> list[Post]:
    """Posts at hours of the day, every day of so many weeks, each doing as its hour does."""
    start = first.replace(hour=0) - timedelta(days=7 * weeks)
    return [
        post(start + timedelta(days=day, hours=hour), value + day / 1000)
        for day in range(7 * weeks)
        for hour, value in hour_values.items()
    ]


@pytest.mark.spec("HOR-2")
@pytest.mark.spec("HOR-10")
def test_hours_that_did_better_are_raised_and_say_by_what_count() -> None:
    """HOR-2: scheduling weights. HOR-10: explainable."""
    history = _weeks({9: 100.0, 12: 200.0, 18: 900.0}, 4)
    found = guide(dossier(*history))
    by_slot = weights(found)
    assert by_slot["friday", 18] > 0.2
    assert by_slot["friday", 9] < -0.2
    assert ("friday", 12) not in by_slot
    (slot,) = [
        one for one in found.weights.slots if (one.weekday, one.hour) == (Weekday.FRIDAY, 18)
    ]
    # Its own posts count for 4 of 4 + 5; those at 18:00 on other days for 23 of 28 of the rest.
    season = season_of(history)
    own = season.slots[4, 18]
    others = season.hours[18] - own
    assert (own.of, others.of) == (4, 23)
    rest = 23 / 28 * (2 * others.beaten - 1)
    assert slot.adjustment == round(0.4 * (4 / 9 * (2 * own.beaten - 1) + 5 / 9 * rest), 3)
    assert slot.why == (
        "+0.27: 4 posts on Friday 18:00 beat 89% of those around (counts 0.44); "
        "23 posts at 18:00 on other days beat 85% (counts 0.82)"
    )
    assert "Friday 18:00 +0.27" in found.weights.explanation


def test_few_posts_count_for_little() -> None:
    few = season_of(_weeks({9: 1.0, 18: 9.0}, 1)).effect((4, 18))
    many = season_of(_weeks({9: 1.0, 18: 9.0}, 12)).effect((4, 18))
    assert 0 < few < many < 1
    assert season_of([]).effect((4, 18)) == 0


def test_one_post_that_went_around_the_world_counts_as_one() -> None:
    history = _weeks({9: 100.0, 18: 100.0}, 4)
    viral = [*history[:-1], post(datetime(2026, 3, 5, 18, tzinfo=UTC), 1e9)]
    plain = season_of(history).effect((3, 18))
    assert season_of(viral).effect((3, 18)) - plain < 0.2


def test_a_growing_channel_does_not_make_late_posts_look_better() -> None:
    """Each is compared with those around it."""
    start = datetime(2025, 12, 1, tzinfo=UTC)
    mornings = [post(start + timedelta(days=day, hours=9), 2.0**day) for day in range(60)]
    evenings = [post(start + timedelta(days=day, hours=18), 2.0**day) for day in range(60, 100)]
    effect = season_of([*mornings, *evenings]).effect((0, 18))
    assert abs(effect) < 0.01


@pytest.mark.part("HOR-8")
def test_what_was_before_is_kept_in_part() -> None:
    """HOR-8: smooths volatility."""
    wanted = campaign(
        windows=[{"weekdays": ["friday"], "hours": [18], "preference": 1.0}], smoothing=0.75
    )
    first = weights(guide(dossier(campaign=wanted)))
    assert first == {("friday", 18): 0.4}
    second = guide(dossier(campaign=wanted, before={(4, 18): 0.0, (0, 9): 0.4}))
    assert weights(second) == {("friday", 18): 0.1, ("monday", 9): 0.3}


@pytest.mark.part("HOR-1")
def test_slots_that_operators_moved_make_the_nudges_smaller() -> None:
    """HOR-1: takes Zenith's reflections."""
    wanted = campaign(windows=[{"hours": [18], "preference": 1.0}])
    reflection = CycleReflection(
        goal_window=GoalWindow(since="2026-03-08T00:00:00Z", until="2026-03-22T00:00:00Z"),
        cycles=100,
        went_well=[],
        went_badly=["slots at 18:00 were moved"],
        overridden=[derive_id("directive", str(number)) for number in range(4)],
        evidence=[derive_id("packet", "log")],
        generated_at=NOW,
    )
    packet = derive_id("packet", "reflection")
    found = guide(dossier(campaign=wanted, reflections=((reflection, packet),)))
    assert weights(found)["friday", 18] == 0.2
    assert packet in found.weights.evidence
    assert "operators moved 4 slots" in found.weights.explanation


@pytest.mark.part("HOR-4")
def test_a_cadence_that_falls_behind_is_warned_about_and_pulls() -> None:
    """HOR-4: early drift warnings."""
    now = datetime(2026, 3, 22, 12, tzinfo=UTC)
    behind = guide(dossier(*[post(now - timedelta(days=3 * day)) for day in range(1, 5)]))
    (warning,) = behind.warnings
    assert (warning.goal, warning.metric) == ("cadence", "clips_per_week")
    assert (warning.expected, warning.observed, warning.drift) == (7.0, 2.0, -0.714)
    assert warning.severity is Severity.CRITICAL
    assert behind.gradients.gradients[0].gradient == 0.714
    kept = guide(dossier(*[post(now - timedelta(days=day)) for day in range(1, 15)]))
    assert kept.warnings == ()
    assert (behind.weights.delay_cost or 0) > (kept.weights.delay_cost or 0)
    assert kept.weights.daily_target == 1.0


def test_a_campaign_that_just_began_is_not_behind() -> None:
    found = guide(dossier(now="2026-03-02T12:00:00Z"))
    assert found.warnings == ()
    assert found.gradients.gradients[0].gradient == 0


@pytest.mark.part("HOR-3")
def test_the_way_to_each_goal_and_what_to_do_are_told() -> None:
    """HOR-3: trajectory recommendations."""
    wanted = campaign(growth=[{"measure": "views", "target": 1000.0}])
    before = [post(datetime(2026, 2, day, tzinfo=UTC), 200.0) for day in range(1, 11)]
    lately = [post(datetime(2026, 3, day, tzinfo=UTC), 250.0) for day in range(5, 15)]
    found = guide(dossier(*before, *lately, campaign=wanted))
    cadence, growth = found.trajectories
    assert cadence.points[0].expected == 0
    assert cadence.points[-1].expected == 31.0
    assert (growth.points[0].expected, growth.points[-1].expected) == (200.0, 1000.0)
    assert growth.points[-1].at == "2026-04-01T00:00:00Z"
    standing = next(
        item
        for item in standings(dossier(*before, *lately, campaign=wanted))
        if item.name == "growth: views"
    )
    assert standing.observed == 250.0
    assert 700 < standing.expected < 800
    assert any(warning.goal == "growth: views" for warning in found.warnings)
    assert "desirability" in growth.recommendation


@pytest.mark.part("HOR-8")
def test_subjects_that_the_mix_lacks_and_those_that_did_well_are_wanted() -> None:
    """HOR-8: gives Pantheon desirability metrics."""
    wanted = campaign(mix=[{"subject": "budget", "share": 0.5}])
    start = datetime(2026, 3, 2, tzinfo=UTC)
    history = [
        post(
            start + timedelta(days=day), 900.0 if day % 2 else 100.0, "piano" if day % 2 else "tax"
        )
        for day in range(18)
    ]
    found = guide(dossier(*history, campaign=wanted))
    subjects = {item.subject: item.desirability for item in found.desirability.subjects}
    assert subjects["budget"] == 0.9
    assert subjects["piano"] > NEUTRAL > subjects["tax"]
    assert desirability(subjects, ["household budget plan"]) == 0.9
    assert desirability(subjects, ["sourdough"]) == NEUTRAL
    assert any(warning.goal == "mix: budget" for warning in found.warnings)
    assert "fewer than wanted" in found.desirability.explanation


def test_a_subject_is_met_by_all_of_its_words() -> None:
    assert about(["a Household Budget plan"], "budget plan")
    assert not about(["plan", "budget"], "budget plan")
    assert not about(["budgets"], "budget")
    assert not about(["anything"], "")


@pytest.mark.part("HOR-7")
def test_a_turn_of_the_trend_is_seen() -> None:
    """HOR-7: on trend inflection."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rng = random.Random(5)
    before = [post(start + timedelta(days=day), rng.lognormvariate(5, 1)) for day in range(36)]
    up = [post(start + timedelta(days=40 + day), 5000.0) for day in range(12)]
    down = [post(start + timedelta(days=40 + day), 1.0) for day in range(12)]
    rising, falling = inflection([*before, *up]), inflection([*before, *down])
    assert rising is not None
    assert rising.rising
    assert (rising.better, rising.of) == (12, 12)
    assert falling is not None
    assert not falling.rising
    assert inflection(before) is None
    found = guide(dossier(*before, *down, now="2026-03-20T00:00:00Z"))
    (turned,) = [warning for warning in found.warnings if warning.goal == "trend"]
    assert "turned down: 0 of the 12 newest" in turned.message


def test_a_steady_trend_rarely_looks_like_a_turn() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    alarms = 0
    for seed in range(300):
        rng = random.Random(seed)
        steady = [post(start + timedelta(days=d), rng.lognormvariate(5, 1)) for d in range(48)]
        alarms += inflection(steady) is not None
    assert alarms / 300 < 0.1


def test_the_campaign_that_names_a_creator_goes_before_the_one_for_all() -> None:
    goals = GoalsFile(
        campaigns=[campaign(), campaign(name="own", creators=["bob"], until="2026-03-10")]
    )
    assert campaign_of(goals, "ada", "2026-03-04") == goals.campaigns[0]
    assert campaign_of(goals, "bob", "2026-03-04") == goals.campaigns[1]
    assert campaign_of(goals, "bob", "2026-03-10") == goals.campaigns[0]
    assert campaign_of(goals, "ada", "2026-04-01") is None


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"until": "2026-03-01"}, "/until", "later than since"),
        ({"cadence": None}, "/cadence", "wants something"),
        (
            {"mix": [{"subject": "a", "share": 0.7}, {"subject": "b", "share": 0.4}]},
            "/mix",
            "at most 1",
        ),
        (
            {"mix": [{"subject": "A", "share": 0.1}, {"subject": "a", "share": 0.1}]},
            "/mix",
            "once",
        ),
        ({"mix": [{"subject": "!!!", "share": 0.1}]}, "/mix", "have a word"),
        ({"windows": [{"hours": [24]}]}, "/windows/0/hours/0", "at most 23"),
        ({"name": "Spring Sale"}, "/name", "must match"),
        ({"cadence": {"clips_per_week": 0.0}}, "/cadence/clips_per_week", "more than 0"),
        ({"budget": 3}, "/budget", "not a field"),
    ],
)
def test_a_campaign_that_makes_no_sense_is_refused_by_its_field(
    changes: dict[str, Any], pointer: str, said: str
) -> None:
    fields = campaign().dump() | changes
    with pytest.raises(ContractError) as caught:
        Campaign.parse({name: value for name, value in fields.items() if value is not None})
    (fault,) = caught.value.faults
    assert fault["pointer"] == pointer
    assert said in fault["message"]


def test_two_campaigns_of_one_creator_at_a_time_are_refused() -> None:
    with pytest.raises(ContractError, match="spring and summer overlap for all creators"):
        GoalsFile.parse({"campaigns": [campaign().dump(), campaign(name="summer").dump()]})


def test_subjects_that_begin_alike_are_two_goals() -> None:
    """Names are bounded; what is cut off must not make one of two."""
    subjects = [f"{'very ' * 14}{end}" for end in ("old", "new")]
    made = [post(FRIDAY + timedelta(hours=9 * n), 100.0, subjects[0]) for n in range(20)]
    mix = [{"subject": subject, "share": 0.4} for subject in subjects]
    found = guide(dossier(*made, campaign=campaign(mix=mix)))
    wanted = {item.subject: item.desirability for item in found.desirability.subjects}
    assert wanted[subjects[0]] < NEUTRAL < wanted[subjects[1]]
    assert len({item.goal for item in found.gradients.gradients}) == 3


def test_growth_is_measured_by_each_goals_own_measure() -> None:
    times = [FRIDAY + timedelta(hours=9 * n) for n in range(20)]
    goals = [{"measure": "views", "target": 100.0}, {"measure": "likes", "target": 10.0}]
    found = standings(
        dossier(
            *(post(at, 100.0) for at in times),
            campaign=campaign(growth=goals),
            measured={Measure.LIKES: [post(at, 2.0) for at in times]},
        )
    )
    observed = {item.name: item.observed for item in found}
    assert observed["growth: likes"] == 2
    assert observed["growth: views"] == 100


def test_a_goal_that_is_met_pulls_neither_way_and_says_so_without_a_sign() -> None:
    made = [post(FRIDAY + timedelta(days=n), 100.0, "budget") for n in range(16)]
    found = guide(dossier(*made, campaign=campaign(cadence=None, mix=[WHOLE])))
    assert f"{found.gradients.gradients[0].gradient:+.2f}" == "+0.00"


def test_posts_that_all_did_alike_teach_nothing() -> None:
    made = [post(FRIDAY + timedelta(hours=7 * n), 100.0, "budget") for n in range(60)]
    found = guide(dossier(*made))
    assert found.weights.slots == []
    assert found.desirability.subjects == []
    assert found.inflection is None
