"""Chorus: a clip's own words in its brand's voice, within policy and the platform's limits."""

from __future__ import annotations

import copy
import unicodedata
from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.cognition.chorus import StyledMetadata
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import UploadJob
from omniva_dagster.contracts.voice import BrandVoice
from omniva_dagster.engines import chorus
from tests.contracts.support import example

texts = st.lists(st.text(max_size=300), max_size=8)
NOW = "2026-03-04T05:06:07Z"
CLIP, PACKET = derive_id("clip", "c"), derive_id("packet", "draft")
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@given(texts, st.lists(st.text(max_size=60), max_size=30), st.text(max_size=300))
def test_any_words_give_an_upload_that_the_contract_takes(
    sentences: list[str], tags: list[str], title: str
) -> None:
    wording = chorus.word(sentences, tags, title, "http://v.example/1")
    assert len(wording.title) <= chorus.TITLE_LIMIT
    assert wording.title.strip() == wording.title != ""
    assert not set("<>\n\r\0") & set(wording.title + "".join(wording.keywords))
    assert not set("<>") & set(wording.description)
    UploadJob.parse(
        {
            **example("UploadJob"),
            "title": wording.title,
            "description": wording.description,
            "keywords": wording.keywords,
        }
    )


def test_the_title_is_the_sentence_that_says_what_the_clip_is_about() -> None:
    wording = chorus.word(
        ["So, hello there my friends.", "Coffee makes you stop at the right moment.", "Yes."],
        ["coffee", "right moment"],
        "My video",
        "http://v.example/1",
    )
    assert wording.title == "Coffee makes you stop at the right moment"


def test_a_long_sentence_is_cut_at_a_word() -> None:
    wording = chorus.word(["word " * 60], [], "", "http://v.example/1")
    assert wording.title.endswith("word…")
    assert len(wording.title) <= 100


def test_the_description_names_its_source() -> None:
    wording = chorus.word(["A sentence of some length."], [], "My video", "http://v.example/1")
    assert "“My video”: http://v.example/1" in wording.description


def test_keywords_are_not_repeated_and_within_the_limits() -> None:
    wording = chorus.word([], [f"tag number {n % 20}" for n in range(60)], "t", "http://v.example")
    assert len(wording.keywords) == len(set(wording.keywords)) <= 15


def refined(
    *sentences: str,
    tags: tuple[str, ...] = (),
    title: str = "My video",
    voice: dict[str, Any] | None = None,
    language: str = "en",
    **more: Any,
) -> StyledMetadata:
    """A clip that says these sentences, refined."""
    draft = chorus.draft(sentences, tags, title, "http://v.example/1")
    styled = chorus.refine(
        CLIP,
        draft,
        chorus.agreed(BrandVoice.parse(voice or {}), None, NOW),
        language=language,
        spoken=" ".join(sentences),
        now=NOW,
        evidence=[PACKET],
        **more,
    )
    return StyledMetadata.parse(styled.dump())


def rules(styled: StyledMetadata) -> set[str]:
    return {delta.rule for delta in styled.deltas}


def broken(styled: StyledMetadata) -> list[tuple[str, str]]:
    return [(one.policy, one.field.value) for one in styled.conflicts if one.state == "unresolved"]


voices = st.fixed_dictionaries(
    {},
    optional={
        "tone": st.sampled_from(["neutral", "friendly", "playful", "authoritative"]),
        "avoid": st.lists(st.sampled_from(["tea", "Coffee", "no way", "é"]), unique=True),
        "replace": st.lists(
            st.builds(
                lambda word, use: {"word": word, "use": use},
                st.sampled_from(["tea", "the", "a b"]),
                st.text("xyz <\u202e", min_size=1, max_size=30),
            ),
            max_size=3,
        ),
        "require": st.lists(st.text("abc <>\n", min_size=1, max_size=40), unique=True, max_size=3),
        "casing": st.sampled_from(["as_spoken", "sentence", "title"]),
        "emoji": st.booleans(),
        "hashtags": st.integers(0, 15),
    },
)


@given(texts, st.lists(st.text(max_size=60), max_size=30), st.text(max_size=300), voices)
def test_any_words_in_any_voice_give_an_upload_that_contract_and_platform_take(
    sentences: list[str], tags: list[str], title: str, voice: dict[str, Any]
) -> None:
    before = copy.deepcopy((sentences, tags, voice))
    styled = refined(*sentences, tags=tuple(tags), title=title, voice=voice)
    assert styled == refined(*sentences, tags=tuple(tags), title=title, voice=voice)
    machine = styled.machine
    UploadJob.parse({**example("UploadJob"), **machine.dump()})
    assert 0 < len(machine.title) <= chorus.TITLE_LIMIT
    assert len(machine.description.encode()) <= chorus.DESCRIPTION_LIMIT
    everything = machine.title + machine.description + "".join(machine.keywords)
    assert not set("<>\u202e\u2066\u200b\ufeff") & set(everything)
    assert (sentences, tags, voice) == before
    # The deltas lead from the draft to what is sent, and nothing is changed without one.
    draft = chorus.draft(sentences, tags, title, "http://v.example/1")
    said = {
        "title": draft.title,
        "description": draft.description,
        "keywords": "\n".join(draft.keywords),
    }
    for delta in styled.deltas:
        assert delta.before == said[delta.field.value]
        said[delta.field.value] = delta.after
    assert said == machine.dump() | {"keywords": "\n".join(machine.keywords)}


@pytest.mark.spec("CHO-3")
def test_each_change_says_what_changed_and_why() -> None:
    """CHO-3: style deltas: what and why."""
    styled = refined(
        "This Tea is great, no way around it!!! \U0001f375",
        tags=("tea",),
        voice={
            "replace": [{"word": "tea", "use": "brew"}],
            "avoid": ["great"],
            "emoji": False,
            "require": ["Follow Ada."],
        },
    )
    assert styled.machine.title == "This Brew is, no way around it!"
    assert "Follow Ada." in styled.machine.description
    assert styled.machine.keywords == ["brew"]
    assert {"replace", "avoid", "tone", "emoji", "require"} <= rules(styled)
    for delta in styled.deltas:
        assert delta.before != delta.after
        assert delta.reason in styled.human.text


@pytest.mark.spec("CHO-6")
def test_a_voice_and_a_policy_are_kept_to() -> None:
    """CHO-6: brand voice, policy."""
    sure = refined("What a day! It works!", voice={"tone": "authoritative", "casing": "title"})
    assert sure.machine.title == "What a Day. It Works"
    assert refined("STOP WASTING YOUR MONEY NOW").machine.title == "Stop wasting your money now"
    assert refined("NASA went to the moon again.").machine.title == "NASA went to the moon again"
    masked = refined("That was a fucking good day out there.")
    assert masked.machine.title == "That was a f****** good day out there"
    assert not broken(masked), "what Chorus mends holds nothing"
    other = refined("What a fucking day that was.", "It began with a quiet morning.")
    assert other.machine.title == "It began with a quiet morning"


def test_without_a_voice_or_a_breach_nothing_is_changed() -> None:
    sentences = ["Coffee makes you stop at the right moment.", "Yes!"]
    styled = refined(*sentences, tags=("coffee",))
    drafted = chorus.word(sentences, ["coffee"], "My video", "http://v.example/1")
    assert styled.deltas == []
    assert styled.machine.dump() == {
        "title": drafted.title,
        "description": drafted.description,
        "keywords": drafted.keywords,
    }


CLAIMS = [
    ("medical_claims", "This tea cures cancer."),
    ("medical_claims", "They don't want you to know it reverses type two diabetes."),
    ("medical_claims", "Stop taking your medication today."),
    ("medical_claims", "Lose 20 pounds in a week."),
    ("financial_claims", "You will double your money."),
    ("financial_claims", "It is a risk-free investment."),
    ("financial_claims", "You can make $5,000 a week from home."),
    ("financial_claims", "You can’t lose money with it."),
    ("misleading_superlatives", "It is the best pizza in the world."),
    ("misleading_superlatives", "It is 100% safe."),
    ("clickbait", "You won't believe it."),
]
NO_CLAIMS = [
    "This does not cure cancer.",
    "Garlic never cured diabetes.",
    "Does it cure cancer?",
    "It is a myth that garlic prevents cancer.",
    "Nobody can promise guaranteed returns.",
    "It was the best of times, it was the worst of times.",
    "We shoot the next scene at dawn, and I will kill the lights.",
    "The assassin from Scunthorpe ate shiitake in the cockpit, says Dickens.",
    "She makes money a topic every week.",
    "The worst cancer ward in town was closed.",
    "My doctor cured me of a bad habit.",
]


@pytest.mark.parametrize(("policy", "said"), CLAIMS)
def test_a_claim_is_found_in_title_and_description(policy: str, said: str) -> None:
    found = broken(refined(said))
    assert (policy, "title") in found
    assert (policy, "description") in found


@pytest.mark.parametrize("said", NO_CLAIMS)
def test_what_is_denied_asked_or_only_sounds_like_it_is_no_claim(said: str) -> None:
    styled = refined(said)
    assert broken(styled) == []
    assert "*" not in styled.machine.title


def test_only_what_is_declared_critical_holds_and_a_quotation_does_not() -> None:
    held = {one.policy: chorus.holds(one) for _, said in CLAIMS for one in refined(said).conflicts}
    assert held == {
        "medical_claims": True,
        "financial_claims": True,
        "misleading_superlatives": False,
        "clickbait": False,
    }
    quoted = refined("He said “this cures cancer” to everyone.").conflicts
    assert quoted
    assert not any(map(chorus.holds, quoted))


def test_english_words_are_not_looked_for_in_another_language_and_that_is_said() -> None:
    styled = refined("Das cures cancer, steht auf dem Plakat in Wien.", language="de")
    assert broken(styled) == []
    assert "policies on words are English, and this clip is in “de”" in styled.human.text


def test_contact_details_are_taken_out_in_any_language() -> None:
    styled = refined(
        "Ruf mich an unter +49 30 1234567 heute.", "Oder max@example.org schreiben.", language="de"
    )
    said = styled.machine.title + styled.machine.description
    assert "1234567" not in said
    assert "max@" not in said
    assert "http://v.example/1" in said, "the link to the source stays"
    assert {one.policy for one in styled.conflicts} == {"contact_details"}
    assert all(one.resolution for one in styled.conflicts)
    assert "max@" not in styled.human.text.split("Changed:")[1]


@pytest.mark.parametrize(
    "said",
    [
        "From 1984 to 2001 we sold 1,000,000 of them.",
        "On 2026-03-04 at 12:30:45 it began again.",
        "Chapter 3.14.159 is about version 10.0.0.1 of it.",
    ],
)
def test_years_sums_and_dates_are_no_phone_numbers(said: str) -> None:
    assert "contact_details" not in rules(refined(said))


@pytest.mark.parametrize(
    ("said", "paid"),
    [
        ("This video is sponsored by Foo.", True),
        ("Thanks to Foo for sponsoring this one.", True),
        ("Use code ADA20 for ten percent off.", True),
        ("This is not sponsored by anybody.", False),
        ("We use code to draw the picture.", False),
    ],
)
def test_what_somebody_paid_for_says_so(said: str, paid: bool) -> None:
    styled = refined("A sentence of some length.", said)
    assert ("Includes paid promotion." in styled.machine.description) is paid
    again = refined("A sentence of some length.", said, voice={"disclosure": "Werbung #ad"})
    assert ("Werbung #ad" in again.machine.description) is paid


def test_what_is_cut_is_cut_between_characters_as_people_see_them() -> None:
    for sign in (FAMILY, "e\u0301\u0323", "\U0001f1e9\U0001f1ea", "\u1112\u1161\u11ab", "नि"):
        cut = chorus.cut(sign * 60, 100)
        whole = regex.findall(r"\X", cut)
        assert len(cut) <= 100
        assert whole[-1] == "…"
        assert set(whole[:-1]) == {sign}


def test_hidden_and_turning_characters_go_and_scripts_stay_as_they_are() -> None:
    assert chorus.plain("safe\u202eexe.\u2066 a\u200bb \ufeff") == "safeexe. ab"
    for said in ("می\u200cخواهم", "שלום עולם", "مرحبا بالعالم", "नमस्ते", FAMILY):
        assert chorus.plain(said) == said
    assert len(chorus.plain("Z" + "\u0300" * 90)) < 8
    assert unicodedata.is_normalized("NFC", chorus.plain("e\u0301"))


@pytest.mark.spec("CHO-7")
@pytest.mark.spec("CHO-8")
def test_one_payload_has_what_machines_send_and_what_people_read() -> None:
    """CHO-7: unresolved conflicts highlighted. CHO-8: human and machine forms, one payload for the
    uploader."""
    styled = refined("This tea cures cancer, really.", tags=("tea",))
    text = styled.human.text
    assert styled.machine.title in text
    assert styled.machine.description in text
    waiting = [one for one in styled.conflicts if chorus.holds(one)]
    assert waiting
    for one in waiting:
        assert f"omniva review resolve {one.conflict_id}" in text.split("Unresolved:")[1]


def test_an_answer_settles_a_conflict_and_no_other() -> None:
    styled = refined("This tea cures cancer, really.")
    first, second = (one for one in styled.conflicts if chorus.holds(one))
    again = refined("This tea cures cancer, really.", answers={first.conflict_id: "ada: a quote"})
    assert [one.conflict_id for one in again.conflicts if chorus.holds(one)] == [second.conflict_id]
    (settled,) = (one for one in again.conflicts if one.conflict_id == first.conflict_id)
    assert settled.resolution == "ada: a quote"


@pytest.mark.part("CHO-1")
def test_what_paradox_alerts_to_is_a_conflict_until_the_words_are_gone() -> None:
    """CHO-1: takes Paradox compliance alerts."""
    alert = chorus.Alert(
        derive_id("alert", "a"), derive_id("packet", "alert"), "trademark", "not ours",
        Severity.CRITICAL, "SuperCola",
    )  # fmt: skip
    styled = refined("We drank SuperCola all day long.", alerts=[alert])
    (conflict,) = styled.conflicts
    assert chorus.holds(conflict)
    assert (conflict.alert_id, conflict.policy) == (alert.alert_id, "trademark")
    voice = {"replace": [{"word": "SuperCola", "use": "lemonade"}]}
    (mended,) = refined("We drank SuperCola all day long.", alerts=[alert], voice=voice).conflicts
    assert not chorus.holds(mended)
