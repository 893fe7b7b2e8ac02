"""Chorus on odd and hostile texts: what people read is what a rule sees, in any script."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.cognition.chorus import StyledMetadata
from omniva_dagster.engines import chorus
from omniva_dagster.engines.chorus.seeing import as_seen
from tests.engines.test_chorus import broken, refined, rules

ZWJ, ZWNJ, SHY = "\u200d", "\u200c", "\u00ad"


def said(styled: StyledMetadata) -> str:
    machine = styled.machine
    return "\n".join([machine.title, machine.description, *machine.keywords])


DISGUISED = [
    f"fu{ZWJ}ck{ZWJ}ing",
    f"fu{ZWNJ}cking",
    f"fuck{SHY}ing",
    "fu\u200bcking",
    "fu\u2060cking",
    "fuсking",  # a Cyrillic letter
    "fυcking",  # a Greek one
    "ｆｕｃｋｉｎｇ",
    "𝐟𝐮𝐜𝐤𝐢𝐧𝐠",
    "fúckïng",
    "f\u0336u\u0336c\u0336k\u0336ing",
    "f.u.c.k.i.n.g",
    "f u c k i n g",
    "FUCKING",
]


@pytest.mark.parametrize("word", DISGUISED)
def test_a_banned_word_in_disguise_is_that_word(word: str) -> None:
    styled = refined(f"That was a {word} good day out there.", tags=(word,))
    assert styled.machine.title.startswith("That was a ")
    assert "***" in styled.machine.title
    assert {one.policy for one in styled.conflicts} == {"profanity"}
    for text in (styled.machine.title, styled.machine.description):
        bare = as_seen(text, True).text.casefold()
        assert "fuck" not in bare.replace(" ", "")
    if " " not in word:
        assert styled.machine.keywords == []


@pytest.mark.parametrize(
    "sentence",
    [
        "This tea сures сancer, really.",
        f"This tea cu{ZWJ}res can{ZWJ}cer, really.",
        "This tea ｃｕｒｅｓ ｃａｎｃｅｒ, really.",
        "This tea cures\u00a0cancer, really.",
        "It is a risk\u2011free investment.",
        "You can\u02bct lose money with it.",
    ],
)
def test_a_claim_in_disguise_is_held(sentence: str) -> None:
    styled = refined(sentence)
    assert any(map(chorus.holds, styled.conflicts))
    # What is quoted is what stands there, letter by letter.
    for one in styled.conflicts:
        assert one.passage in chorus.plain(sentence)


@pytest.mark.parametrize(
    "contact",
    [
        "max＠example.org",
        "max@münchen.example",
        "почта@пример.испытание",
        "max (at) example (dot) org",
        "max[at]example[dot]org",
        "＋４９ ３０ １２３４５６７",
        "+49\u201130\u20111234567",
    ],
)
def test_contact_details_in_disguise_are_taken_out(contact: str) -> None:
    styled = refined(f"Write to {contact} today, please do.", language="de")
    assert contact not in said(styled)
    assert {one.policy for one in styled.conflicts} == {"contact_details"}


@pytest.mark.parametrize(
    "sentence",
    [
        "I ate a kiwi, a pear and a fig in the U.S.A. today.",
        "Plan A b c is as good as d.",
        "The Scunthorpe assassin classed shiitake.",
        "Привет, как дела сегодня у вас?",
        "Meet me at the station, then look at the dot on the map.",
    ],
)
def test_what_only_looks_a_little_like_it_stays(sentence: str) -> None:
    styled = refined(sentence)
    assert styled.deltas == []
    assert styled.conflicts == []


@pytest.mark.parametrize(
    ("sentence", "phrase", "language"),
    [
        ("今日は最高の日です、みんなありがとう", "最高", "ja"),
        ("วันนี้เป็นวันที่ดีที่สุดของเรา", "ดีที่สุด", "th"),
        ("오늘은 커피가 정말 맛있어요 여러분", "커피", "ko"),
        ("これはfuckです、本当に良い日でした", "fuck", "ja"),
        ("This is an іnsane day out there", "insane", "en"),
        (f"This is an in{ZWJ}sane day out there", "insane", "en"),
        ("I don\u2019t like it and so do you", "don't", "en"),
        ("I love C++ and so do you all", "c++", "en"),
        ("Das ist ein Café in der Stadt", "cafe\u0301", "de"),
    ],
)
def test_what_a_brand_avoids_is_found_in_any_script(
    sentence: str, phrase: str, language: str
) -> None:
    styled = refined(sentence, language=language, voice={"avoid": [phrase]})
    seen = as_seen(said(styled), False).text.casefold()
    assert as_seen(phrase, False).text.casefold() not in seen
    assert "avoid" in rules(styled)


def test_what_a_brand_avoids_is_a_whole_word_where_words_are_written_apart() -> None:
    assert refined("The assistant passes the class today.", voice={"avoid": ["ass"]}).deltas == []
    russian = refined("The cop sat there all day long.", voice={"avoid": ["сор"]})
    assert russian.deltas == [], "a word of another alphabet is another word"


WORDS = [
    {"rule": "profanity", "language": "de", "words": ["Scheiße"]},
    {"rule": "medical_claims", "language": "de", "words": ["heilt Krebs", "gegen Krebs hilft"]},
    {"rule": "clickbait", "language": "de", "words": ["du glaubst es nicht"]},
    {"rule": "missing_ad_disclosure", "language": "de", "words": ["gesponsert von"]},
    {"rule": "profanity", "language": "ja", "words": ["くそ"]},
    {"rule": "medical_claims", "language": "en", "words": ["dissolves tumours"]},
]


def test_an_operators_words_fall_under_the_rules_in_their_language_alone() -> None:
    voice: dict[str, Any] = {"policies": WORDS, "disclosure": "Werbung"}
    german = refined(
        "Dieser Tee heilt Krebs, das ist so.",
        "Scheiße, das ist gesponsert von Foo.",
        language="de-AT",
        voice=voice,
    )
    assert ("medical_claims", "title") in broken(german)
    assert any(map(chorus.holds, german.conflicts))
    assert "S******, das ist" in german.machine.description
    assert "Werbung" in german.machine.description
    assert "Checked for the brand's own words alone (clickbait, medical_claims" in german.human.text
    asked = refined("Ist es wahr, dass er heilt Krebs?", language="de", voice=voice)
    assert broken(asked) == []
    french = refined("Ce thé heilt Krebs, dit la pub.", language="fr", voice=voice)
    assert broken(french) == []
    english = refined("It dissolves tumours, so they say.", voice=voice)
    assert ("medical_claims", "title") in broken(english)
    japanese = refined("これはくそです、本当に良い日でした", language="ja", voice=voice)
    assert "くそ" not in said(japanese)


@pytest.mark.parametrize(
    ("sentence", "title"),
    [
        ("\u202eThis is a hidden title that turns\u202c around", None),
        ("#one #two #three #four #five", "one two three four five"),
        ("   \t\n \u3000", "My video"),
        ("\U0001f600" * 60, "My video"),
        ("!?!" * 60, "My video"),
        ("\x00\x07abc\x1b[31mred\x1b[0m title which goes on", "abcred title which goes on"),
        ("<script>alert(1)</script> hello there, friend", "alert(1) hello there, friend"),
        ("\x1b]8;;http://evil.example\x07click here\x1b]8;;\x07 for the title", None),
        ("if a < b and c > d then so it goes", "if a b and c d then so it goes"),
    ],
)
def test_an_odd_sentence_gives_a_title_that_people_can_read(
    sentence: str, title: str | None
) -> None:
    styled = refined(sentence)
    found = styled.machine.title
    assert title is None or found == title
    assert found.isprintable()
    assert any(char.isalnum() for char in found)
    assert "evil.example" not in said(styled)


@given(st.text(st.sampled_from("a \U0001f600\U0001f468\u200d\U0001f469é漢" + "b" * 4), min_size=1))
def test_a_title_is_as_long_as_a_platform_counts_it(text: str) -> None:
    title = refined(text * 9).machine.title
    assert 0 < len(title.encode("utf-16-le")) // 2 <= chorus.TITLE_LIMIT


def test_a_title_of_ten_thousand_characters_or_of_traps_for_patterns_takes_no_time() -> None:
    texts = [
        "a" * 10_000,
        "1 " * 9_000,
        "a@" * 9_000,
        "a." * 9_000 + "@",
        "+1" * 9_000,
        "x y " * 4_000,
    ]
    for text in texts:
        began = time.process_time()
        styled = refined(text, tags=(text,), title=text)
        assert time.process_time() - began < 2
        assert chorus.units(styled.machine.title) <= chorus.TITLE_LIMIT


@pytest.mark.parametrize(
    ("sentence", "language", "title"),
    [
        ("IŞIK VE SU BUGÜN İYİ", "tr", "Işık ve su bugün iyi"),
        ("ITALIA E MARE I GIORNI LUNGHI", "it", "Italia e mare i giorni lunghi"),
        ("I AM NOT SURE ABOUT IT", "en", "I am not sure about it"),
    ],
)
def test_a_shouted_title_is_quiet_by_the_rules_of_its_language(
    sentence: str, language: str, title: str
) -> None:
    assert refined(sentence, language=language).machine.title == title


def test_german_nouns_keep_their_capitals_in_sentence_case() -> None:
    styled = refined("Morgen Kommt Der Mann", language="de", voice={"casing": "sentence"})
    assert styled.machine.title == "Morgen Kommt Der Mann"


def test_tags_are_words_without_marks_each_once() -> None:
    tags = ("#tea", "Tea", "ＴＥＡ", "  ", "pot,cup", "http://evil.example/x", "🍵")
    styled = refined("A sentence of some length.", tags=tags)
    assert styled.machine.keywords == ["tea", "pot cup", "🍵"]


@given(st.text(max_size=200), st.booleans())
def test_what_is_seen_stands_where_it_says(text: str, bare: bool) -> None:
    seen = as_seen(text, bare)
    assert len(seen.at) == len(seen.text) + 1
    assert list(seen.at) == sorted(seen.at)
    for index in range(len(seen.text)):
        start, stop = seen.place(index, index + 1)
        assert 0 <= start < stop <= len(text)


def test_a_name_with_hashtags_of_another_number_is_told_as_a_change() -> None:
    styled = refined(
        "A sentence of some length.", tags=("one", "two", "three"), voice={"hashtags": 1}
    )
    assert styled.machine.description.endswith("#one")
    (delta,) = styled.deltas
    assert (delta.rule, delta.field.value) == ("hashtags", "description")


def test_what_a_voice_adds_is_plain_text_too() -> None:
    voice = {"disclosure": "Paid\x07 <b>by</b> us\u202e", "require": ["Bye\u202e <i>now</i>"]}
    styled = refined("Thanks to Foo for sponsoring this one.", voice=voice)
    assert "Paid by us" in styled.machine.description
    assert "Bye now" in styled.machine.description
    assert not set("<>\x07\u202e") & set(said(styled))
