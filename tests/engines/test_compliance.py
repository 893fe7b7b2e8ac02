"""Paradox on drafts, and Pantheon's tastes: what they tell Chorus."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.cognition.chorus import StylePreferences
from omniva_dagster.contracts.cognition.pantheon import VoteReport
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.voice import BrandVoice
from omniva_dagster.engines import chorus
from omniva_dagster.engines.pantheon.tastes import style_of
from omniva_dagster.engines.paradox import compliance
from tests.contracts.support import example

NOW = "2026-03-04T05:06:07Z"
CLIP = derive_id("clip", "mine")


def draft(**fields: str) -> compliance.DraftFact:
    known = {
        "title": "A cup of tea",
        "description": "From “My talk”: http://v.example/1",
        "source_title": "My talk",
        "source_url": "http://v.example/1",
    }
    return compliance.DraftFact(CLIP, packet_id=derive_id("packet", "draft"), **(known | fields))


def other(name: str, title: str) -> compliance.TitleFact:
    return compliance.TitleFact(derive_id("clip", name), title, derive_id("packet", name))


def test_a_title_that_another_clip_has_is_told_with_both_packets() -> None:
    mine = draft()
    (alert,) = compliance.alerts(mine, [other("b", "a CUP  of tea."), other("c", "x")], None, NOW)
    assert alert.policy == "repeated_title"
    assert alert.evidence == [mine.packet_id, derive_id("packet", "b")]
    assert alert.passage == "A cup of tea"
    assert compliance.alerts(mine, [other("mine", "A cup of tea")], None, NOW) == []


@given(st.permutations([other(name, "A cup of tea") for name in "abcd"]))
def test_the_order_of_the_others_changes_nothing(others: list[compliance.TitleFact]) -> None:
    first = compliance.alerts(draft(), others, None, NOW)
    assert first == compliance.alerts(draft(), others[::-1], None, NOW)
    assert len(first) == 1


@pytest.mark.parametrize(
    ("licence", "asks"),
    [
        ("CC BY 4.0", True),
        ("CC-BY-SA 3.0", True),
        ("https://creativecommons.org/licenses/by/4.0/", True),
        ("Clips may be posted with attribution", True),
        ("please credit the channel", True),
        ("CC0", False),
        ("as agreed with the creator", False),
        ("free to use, no attribution needed", False),
        ("without any credit", False),
    ],
)
def test_a_licence_that_asks_for_the_source_is_known(licence: str, asks: bool) -> None:
    fact = compliance.LicenceFact(licence, derive_id("packet", "consent"))
    found = compliance.alerts(draft(description="In my own words."), [], fact, NOW)
    assert [one.policy for one in found] == (["attribution"] if asks else [])
    assert compliance.alerts(draft(), [], fact, NOW) == [], "it is named"
    by_title = draft(description="After the talk “My Talk” of hers.", source_url="")
    assert compliance.alerts(by_title, [], fact, NOW) == []
    by_chance = draft(description="Talk is cheap.", source_title="Talk")
    assert bool(compliance.alerts(by_chance, [], fact, NOW)) is asks


def report(votes: dict[str, float], dissent: list[str]) -> VoteReport:
    ballot = example("VoteReport")["ballots"][0]
    ballots = [{**ballot, "agent": name, "vote": votes[name]} for name in sorted(votes)]
    consensus = sum(votes.values()) / len(votes)
    fields: dict[str, Any] = {"ballots": ballots, "consensus": consensus, "dissent": dissent}
    return VoteReport.parse({**example("VoteReport"), **fields})


def test_a_judge_of_risk_who_speaks_against_a_clip_would_have_it_sober() -> None:
    votes = {"craft": 0.9, "risk_mitigation": 0.1, "trend": 0.95}
    wish = style_of(report(votes, ["risk_mitigation"]), NOW)
    assert wish is not None
    assert (wish.tone.value, wish.emoji) == ("authoritative", False)
    assert "risk_mitigation speaks against it (0.10)" in (wish.because or "")
    assert StylePreferences.parse(wish.dump()) == wish
    found = style_of(report(votes, []), NOW)
    assert found is not None
    assert (found.hashtags, found.tone.value) == (5, "neutral")
    assert style_of(report({"craft": 0.9, "trend": 0.5}, []), NOW) is None


def test_what_a_brand_says_goes_before_what_the_judges_wish() -> None:
    wish = style_of(report({"craft": 0.5, "trend": 0.9}, []), NOW)
    free = chorus.agreed(None, wish, NOW)
    assert (free.style.hashtags, free.who("hashtags")) == (5, "Pantheon")
    bound = chorus.agreed(BrandVoice.parse({"hashtags": 0}), wish, NOW)
    assert (bound.style.hashtags, bound.who("hashtags")) == (0, "the brand")
    open_one = chorus.agreed(BrandVoice.parse({"tone": "playful"}), wish, NOW)
    assert (open_one.style.hashtags, open_one.style.tone.value) == (5, "playful")
