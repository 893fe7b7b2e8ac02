from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.workers.analyzer.spans.candidates import propose
from omniva_dagster.workers.analyzer.spans.cuts import (
    FLASH_MS,
    Pause,
    flashes,
    places,
    shot_changes,
)
from omniva_dagster.workers.analyzer.spans.penalties import LARGEST, Penalty, kept, penalties
from omniva_dagster.workers.analyzer.text.sentences import split
from omniva_dagster.workers.media.timeline import Scene, Word
from tests.workers.analyzer.speeches import said, sentences_of, speech


def scenes_at(*cuts: float, end: float = 1000.0) -> list[Scene]:
    return [Scene(a, b) for a, b in pairwise([0.0, *cuts, end])]


@settings(deadline=None)
@given(
    st.integers(0, 5000),
    st.integers(0, 5000),
    st.lists(st.integers(0, 11_000), max_size=12).map(sorted),
)
def test_a_clip_ends_and_begins_within_the_pause_and_never_over_the_next(
    start: int, length: int, changes: list[int]
) -> None:
    ending, beginning = places(Pause(start, start + length), changes)
    assert start <= ending <= beginning <= start + length


def test_without_shot_changes_a_clip_has_a_little_air() -> None:
    assert places(Pause(1000, 3000), []) == (1250, 2850)
    assert places(Pause(1000, 1100), []) == (1050, 1050)
    assert places(Pause(0, 2000, first=True), [])[1] == 1850
    assert places(Pause(9000, 9100, last=True), [])[0] == 9100


def test_a_cut_snaps_to_a_shot_change_in_the_pause() -> None:
    # The last frame of the old shot, the first of the new one.
    assert places(Pause(1000, 1700), [1450]) == (1448, 1450)
    assert places(Pause(1000, 4000), [3700]) == (1250, 3700)
    assert places(Pause(1000, 4000), [1500]) == (1498, 3850)


def test_a_cut_moves_away_from_a_shot_change_that_is_in_the_words() -> None:
    assert places(Pause(1000, 4000), [4100])[1] == 4100 - FLASH_MS
    assert places(Pause(1000, 4000), [960])[0] == 960 + FLASH_MS
    # There is no room for it.
    assert places(Pause(1000, 1040), [1100]) == (1020, 1020)


def test_on_the_shot_change_nothing_flashes() -> None:
    assert not flashes(1400, [1400])
    assert not flashes(1398, [1400])
    assert flashes(1250, [1400])
    assert flashes(1550, [1400])
    assert not flashes(1700, [1400])
    assert not flashes(1700, [])


@settings(deadline=None, max_examples=150)
@given(speech(), st.lists(st.floats(0.1, 200), max_size=20))
def test_shots_never_make_a_clip_cut_a_word(
    said_in: tuple[list[Word], float], cuts: list[float]
) -> None:
    words, duration = said_in
    scenes = scenes_at(*sorted({round(cut, 3) for cut in cuts}))
    for span in propose(split(words), words, duration, scenes):
        assert 15_000 <= span.end_ms - span.start_ms <= 60_000
        for i, word in enumerate(words):
            if span.first_word <= i < span.stop_word:
                assert span.start <= word.start
                assert word.end <= span.end
            else:
                assert word.end <= span.start or span.end <= word.start


def charged(words: list[Word], *cuts: float, language: str = "en") -> list[dict[str, float]]:
    sentences = split(words, language)
    scenes = scenes_at(*cuts)
    return [
        {p.name: p.share for p in penalties(s, sentences, words, shot_changes(scenes), language)}
        for s in propose(sentences, words, words[-1].end + 1, scenes)
    ]


def test_a_clean_cut_costs_nothing() -> None:
    assert charged(sentences_of(6, 5.0)) == [{}] * len(charged(sentences_of(6, 5.0)))


def test_each_fault_of_a_cut_has_its_name_and_price() -> None:
    short = [(0.4, 0.3, "Yes.")]
    rest = [*[(0.0, 2.0, "matter")] * 7, (0.0, 2.0, "today.")]
    leaning = charged(said(*short, (0.4, 2.0, "because"), *rest))
    assert {"dependent_opening": LARGEST["dependent_opening"]} in leaning
    # Nothing came before that it could lean on.
    assert charged(said((0.4, 2.0, "because"), *rest)) == [{}]
    broken = said((0.4, 2.0, "Clips"), *[(0.0, 2.0, "matter")] * 8)
    assert charged(broken) == [{"open_ending": LARGEST["open_ending"]}]
    breathless = said(*[(0.0, 2.0, "Clips"), *[(0.0, 2.0, "matter")] * 8, (0.0, 2.0, "today.")] * 3)
    found = charged(breathless)
    assert {"abrupt_start", "abrupt_end"} <= {name for item in found for name in item}
    clean = said((0.4, 2.0, "Clips"), *[(0.0, 2.0, "matter")] * 7, (0.0, 2.0, "today."))
    assert charged(clean, 0.6, 18.45) == [{}]
    assert charged(clean, 0.35) == [{}]
    crowded = said((0.04, 2.0, "Clips"), *[(0.0, 2.0, "matter")] * 7, (0.0, 2.0, "today."))
    assert charged(crowded, 0.2) == [{"shot_change_at_start": LARGEST["shot_change_at_start"]}]


def test_penalties_of_a_language_that_is_not_known_are_not_those_of_english() -> None:
    rest = [*[(0.0, 2.0, "matter")] * 7, (0.0, 2.0, "today.")]
    words = said((0.4, 0.3, "Yes."), (0.4, 2.0, "So"), *rest)
    assert {} not in charged(words)[1:]
    assert charged(words, language="xx") == [{}, {}]


def test_however_bad_its_cuts_a_span_keeps_some_worth() -> None:
    assert sum(share for name, share in LARGEST.items() if name != "long_rest") < 0.95
    everything = [Penalty(name, share, "") for name, share in LARGEST.items()]
    assert kept(everything) == 0.1
    assert kept([]) == 1.0


@pytest.mark.parametrize("pause", [0.7, 1.5])
def test_a_clip_may_end_before_a_long_pause_whatever_its_length(pause: float) -> None:
    # Three sentences end a story at 27 s, where no usual length ends.
    words = sentences_of(3, 9.0, pause=0.1) + [
        Word(w.text, w.start + 27 + pause, w.end + 27 + pause, w.probability)
        for w in sentences_of(30, 1.0, pause=0.1)
    ]
    spans = propose(split(words), words, 80.0)
    assert any(s.first == 0 and s.stop == 3 for s in spans)
