"""Chorus: a clip's own words, within the contract's and the platform's limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.publishing import UploadJob
from omniva_dagster.engines import chorus
from tests.contracts.support import example

texts = st.lists(st.text(max_size=300), max_size=8)


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
