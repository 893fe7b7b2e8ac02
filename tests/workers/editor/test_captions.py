from __future__ import annotations

from itertools import pairwise

import pytest

from omniva_dagster.contracts.reasons import WorkerError
from omniva_dagster.workers.editor import fonts
from omniva_dagster.workers.editor.captions import Captions, make_captions
from omniva_dagster.workers.editor.fonts import load_font
from omniva_dagster.workers.editor.style import style_named
from omniva_dagster.workers.media.timeline import Word


def spoken(text: str, start: float = 10.0, each: float = 0.4) -> list[Word]:
    return [
        Word(word, start + n * each, start + n * each + 0.35, 0.9)
        for n, word in enumerate(text.split(" "))
    ]


def captions(words: list[Word], style: str = "clean", end: float = 40.0) -> Captions:
    return make_captions(words, 10.0, end, style_named(style), load_font("Source Sans Pro"))


def shown(ass: str) -> list[tuple[float, float, str]]:
    lines = [line.split(",", 9) for line in ass.splitlines() if line.startswith("Dialogue:")]
    return [(_seconds(line[1]), _seconds(line[2]), line[9]) for line in lines]


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def test_at_most_three_words_are_shown_at_a_time_and_none_is_lost() -> None:
    text = "one two three four five six seven eight nine ten eleven"
    events = shown(captions(spoken(text)).ass)
    assert all(1 <= len(event[2].split()) <= 3 for event in events)
    assert " ".join(event[2] for event in events) == text


def test_every_word_is_on_screen_while_it_is_spoken_and_not_80_ms_longer() -> None:
    words = spoken("so this is it. And then we went home again")
    events = shown(captions(words).ass)
    for word in words:
        begins, ends, _ = next(event for event in events if word.text in event[2].split())
        assert begins <= word.start - 10 + 0.08
        assert ends >= word.end - 10 - 0.08
    for begins, ends, text in events:
        said = [word for word in words if word.text in text.split()]
        assert begins >= min(word.start for word in said) - 10 - 0.08
        assert ends <= max(word.end for word in said) - 10 + 0.08


def test_a_caption_runs_over_no_sentence_and_no_pause() -> None:
    words = [*spoken("We won. Nobody knew"), *spoken("why yet", start=14.0)]
    assert [event[2] for event in shown(captions(words).ass)] == [
        "We won.",
        "Nobody knew",
        "why yet",
    ]


def test_words_outside_the_span_are_left_out() -> None:
    words = [*spoken("before", start=9.0), *spoken("inside"), *spoken("after", start=12.5)]
    made = captions(words, end=12.0)
    assert [event[2] for event in shown(made.ass)] == ["inside"]
    assert made.words == 1


def test_what_ass_would_read_as_a_command_is_shown_as_text() -> None:
    made = captions([Word("{\\b1}\nbold\\N", 10.0, 10.4, 0.9)])
    assert [event[2] for event in shown(made.ass)] == ["\\{/b1\\} bold/N"]


@pytest.mark.parametrize("text", ["東京", "مرحبا", "שלום", "สวัสดี"])
def test_words_the_font_cannot_write_are_left_out_and_the_note_says_so(text: str) -> None:
    made = captions([*spoken("hello"), Word(text, 11.0, 11.3, 0.9)])
    assert [event[2] for event in shown(made.ass)] == ["hello"]
    assert made.words == 1
    assert made.notes[0].startswith("1 spoken words are not shown: Source Sans Pro has no glyphs")


def test_accents_greek_and_cyrillic_are_written() -> None:
    text = "Ça Größe naïve λόγος слово “quoted”"
    made = captions(spoken(text))
    assert " ".join(event[2] for event in shown(made.ass)) == text
    assert made.notes == []


def test_an_emoji_is_dropped_from_its_word_without_a_word_lost() -> None:
    made = captions([Word("fire🔥", 10.0, 10.4, 0.9), Word("♪", 10.5, 10.9, 0.9)])
    assert [event[2] for event in shown(made.ass)] == ["fire"]


def test_nothing_to_show_makes_no_document() -> None:
    assert captions([]) == Captions("", 0, [])


def test_a_word_wider_than_the_picture_is_set_smaller_instead_of_cut_off() -> None:
    text = "Donaudampfschifffahrtsgesellschaft"
    (event,) = shown(captions(spoken(text)).ass)
    assert event[2].endswith(text)
    size = int(event[2].removeprefix("{\\fs").partition("}")[0])
    assert load_font("Source Sans Pro").width(text, size) <= 1080 - 2 * 100


def test_the_word_being_spoken_is_highlighted_where_the_style_says_so() -> None:
    events = shown(captions(spoken("one two three"), style="karaoke").ass)
    assert [event[2] for event in events] == [
        "{\\c&H3DD9FF&}one{\\c} two three",
        "one {\\c&H3DD9FF&}two{\\c} three",
        "one two {\\c&H3DD9FF&}three{\\c}",
    ]
    assert [event[0] for event in events] == [0.0, 0.4, 0.8]


def test_words_whose_times_overlap_are_never_shown_over_each_other() -> None:
    words = [Word(f"w{n}", 10 + 0.2 * n, 11 + 0.2 * n, 0.9) for n in range(9)]
    events = shown(captions(words).ass)
    assert all(one[1] <= two[0] for one, two in pairwise(events))


def test_a_missing_font_is_an_error_that_names_the_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fonts, "find_spec", lambda name: None)
    with pytest.raises(WorkerError, match="install the package font-source-sans-pro"):
        fonts.font_files("Source Sans Pro")
