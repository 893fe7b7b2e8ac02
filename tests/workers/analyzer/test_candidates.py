from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.workers.analyzer.spans.candidates import Span, choose, propose, worth
from omniva_dagster.workers.analyzer.text.sentences import split
from omniva_dagster.workers.media.timeline import Word
from tests.workers.analyzer.speeches import said, sentences_of, speech


def spans_of(words: list[Word], duration: float) -> list[Span]:
    return propose(split(words), words, duration)


def best_of(words: list[Word], duration: float) -> list[Span]:
    spans = spans_of(words, duration)
    return [spans[i] for i in choose(spans, [worth(0.7, span) for span in spans])]


@settings(max_examples=300, deadline=None)
@given(speech())
def test_spans_last_15_to_60_s_and_cut_no_word(said_in: tuple[list[Word], float]) -> None:
    words, duration = said_in
    for span in spans_of(words, duration):
        assert 15_000 <= span.end_ms - span.start_ms <= 60_000
        assert span.start >= 0
        assert span.end <= duration
        for i, word in enumerate(words):
            inside = span.first_word <= i < span.stop_word
            if inside:
                assert span.start <= word.start
                assert word.end <= span.end
            else:
                assert word.end <= span.start or span.end <= word.start


@settings(deadline=None)
@given(speech())
def test_spans_are_bounded_by_the_number_of_sentences(said_in: tuple[list[Word], float]) -> None:
    words, duration = said_in
    assert len(spans_of(words, duration)) <= 8 * len(split(words))


@settings(deadline=None)
@given(speech())
def test_spans_with_speech_enough_have_little_air(said_in: tuple[list[Word], float]) -> None:
    words, duration = said_in
    for span in spans_of(words, duration):
        lead = words[span.first_word].start - span.start
        tail = span.end - words[span.stop_word - 1].end
        if span.end_ms - span.start_ms > 15_000:
            assert 0 <= lead <= 0.151
            assert 0 <= tail <= 0.251


@settings(deadline=None)
@given(speech())
def test_chosen_spans_do_not_overlap_and_are_at_most_nine(
    said_in: tuple[list[Word], float],
) -> None:
    chosen = best_of(*said_in)
    assert len(chosen) <= 9
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(chosen))


weighted = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 30), st.integers(1, 20)), max_size=9
)


def as_spans(weighted: list[tuple[int, int, int]]) -> tuple[list[Span], list[int]]:
    spans = [Span(0, 1, 0, 1, start, start + length) for start, length, _ in weighted]
    return spans, [worth for *_, worth in weighted]


@settings(deadline=None)
@given(weighted, st.integers(1, 4))
def test_no_other_selection_is_worth_more(weighted: list[tuple[int, int, int]], most: int) -> None:
    spans, worths = as_spans(weighted)

    def fits(group: tuple[int, ...]) -> bool:
        ordered = sorted((spans[i].start_ms, spans[i].end_ms) for i in group)
        return all(a[1] <= b[0] for a, b in pairwise(ordered))

    groups = (g for k in range(most + 1) for g in combinations(range(len(spans)), k))
    best = max(sum(worths[i] for i in group) for group in groups if fits(group))
    chosen = choose(spans, worths, most)
    assert fits(tuple(chosen))
    assert sum(worths[i] for i in chosen) == best


@settings(deadline=None)
@given(weighted, st.randoms(use_true_random=False))
def test_the_order_of_spans_does_not_matter(
    weighted: list[tuple[int, int, int]], random: Random
) -> None:
    distinct = list({(start, length): (start, length, w) for start, length, w in weighted}.values())
    spans, worths = as_spans(distinct)
    shuffled = list(distinct)
    random.shuffle(shuffled)
    others, other_worths = as_spans(shuffled)
    assert [spans[i] for i in choose(spans, worths)] == [
        others[i] for i in choose(others, other_worths)
    ]


@pytest.mark.parametrize(("seconds", "least", "most"), [(60, 2, 3), (100, 3, 5), (600, 9, 9)])
def test_a_talk_gives_as_many_clips_as_its_length_allows(
    seconds: int, least: int, most: int
) -> None:
    chosen = best_of(sentences_of(seconds // 5, 5.0), seconds)
    assert least <= len(chosen) <= most
    assert all(19_000 <= span.end_ms - span.start_ms <= 40_000 for span in chosen)


def test_short_speech_is_extended_into_the_silence_around_it() -> None:
    words = said((4, 5, "Only"), (0, 5, "this."))
    (span,) = spans_of(words, 20.0)
    assert (span.end_ms - span.start_ms, span.start, span.end) == (15_000, 3.85, 18.85)
    (span,) = spans_of(words, 16.0)
    assert (span.start, span.end) == (1.0, 16.0)


def test_short_speech_in_a_short_video_gives_no_clip() -> None:
    words = said((1, 5, "Only"), (0, 5, "this."))
    assert spans_of(words, 14.9) == []
    assert spans_of([], 100.0) == []


def test_a_few_words_in_a_long_silence_are_no_clip() -> None:
    assert spans_of(said((10, 1, "Hello."), (30, 1, "Bye.")), 60.0) == []


def test_speech_after_the_end_of_the_pictures_is_left_out() -> None:
    words = sentences_of(10, 5.0)
    assert max(span.end for span in spans_of(words, 27.0)) <= 25.25
