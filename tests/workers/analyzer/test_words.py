from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.workers.analyzer.text.words import join, key, tidy
from omniva_dagster.workers.media.timeline import Word

any_word = st.builds(
    Word,
    text=st.sampled_from([" so", " yes.", "…", "", " word,", " -", "好。"]),
    start=st.floats(-1, 40),
    end=st.floats(-1, 40),
    probability=st.floats(0, 1),
)


@settings(deadline=None)
@given(st.lists(any_word, max_size=60), st.floats(0, 40))
def test_tidy_words_follow_each_other_within_the_video(heard: list[Word], duration: float) -> None:
    words = tidy(heard, duration)
    clock = 0.0
    for word in words:
        assert clock <= word.start < word.end <= duration
        assert round(word.start * 1000) / 1000 == word.start
        assert word.text == word.text.strip() != ""
        clock = word.end


@settings(deadline=None)
@given(st.lists(any_word, max_size=40), st.floats(1, 40))
def test_tidying_again_changes_nothing_but_squeezed_words(
    heard: list[Word], duration: float
) -> None:
    once = tidy(heard, duration)
    assert tidy(once, duration + 60) == [
        w if w.end - w.start >= 0.06 else twice
        for w, twice in zip(once, tidy(once, duration + 60), strict=True)
    ]


def test_a_word_without_length_begins_in_the_pause_before_it() -> None:
    words = tidy([Word("times.", 2.3, 2.9, 1), Word("It", 3.16, 3.16, 1)], 10)
    assert (words[1].start, words[1].end) == (3.1, 3.16)


def test_a_word_stretched_over_silence_is_cut_back_to_its_sound() -> None:
    last, first = tidy([Word("end.", 1, 21, 1), Word("Then", 30, 50, 1)], 60)
    assert last.start == 1
    assert last.end < 4
    assert first.end == 50
    assert first.start > 47


def test_stray_punctuation_joins_the_word_before() -> None:
    assert [w.text for w in tidy([Word("well", 0, 1, 1), Word(" ...", 1, 1.2, 1)], 5)] == [
        "well..."
    ]


def test_blanks_stand_between_words_only_where_the_script_has_them() -> None:
    def text(*parts: str) -> str:
        return join([Word(part, i, i + 1, 1) for i, part in enumerate(parts)])

    assert text("Good", "morning.") == "Good morning."
    assert text("今日", "は", "いい", "天気", "です。") == "今日はいい天気です。"
    assert text("我", "用", "Python", "写") == "我用 Python 写"
    assert text("좋은", "아침") == "좋은 아침"


def test_spellings_of_one_word_have_one_key() -> None:
    assert key("“Wisdom,”") == key("WISDOM") == "wisdom"
    assert key("don't") == "don't"
    assert key("…") == ""
