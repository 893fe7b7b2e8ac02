from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.workers.analyzer.audio import SAMPLE_RATE
from omniva_dagster.workers.analyzer.speech.timing import Envelope, refine
from omniva_dagster.workers.media.timeline import Word


def sound_of(spoken: list[tuple[float, float]], seconds: float, noise: float = 0.001) -> np.ndarray:
    rng = np.random.default_rng(1)
    samples = rng.normal(0, noise, round(seconds * SAMPLE_RATE))
    for start, end in spoken:
        a, b = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
        samples[a:b] += rng.normal(0, 0.1, b - a)
    return samples.astype(np.float32)


SPOKEN = [(0.5 + i, 1.1 + i + 0.05 * (i % 3)) for i in range(20)]


def test_pauses_are_where_the_sound_pauses() -> None:
    found = Envelope.of(sound_of(SPOKEN, 21)).pauses
    assert len(found) == 21
    for (_, end), (start, _) in zip(found, SPOKEN, strict=False):
        assert end == pytest.approx(start, abs=0.021)


@pytest.mark.parametrize("noise", [0.1, 0.0])
def test_even_sound_and_silence_have_no_words_to_time(noise: float) -> None:
    envelope = Envelope.of(sound_of([], 20, noise))
    words = [Word("a", 1.0, 1.4, 0.9), Word("b", 1.4, 2.0, 0.9)]
    assert refine(words, envelope) == words
    assert Envelope.of(np.zeros(0, dtype=np.float32)).pauses == []


@pytest.mark.parametrize("off", [-0.12, 0.0, 0.12])
def test_words_are_put_where_they_sound_however_late_the_model_is(off: float) -> None:
    heard = [Word("w", a + off, b + off - 0.05, 0.9) for a, b in SPOKEN]
    for word, (start, end) in zip(
        refine(heard, Envelope.of(sound_of(SPOKEN, 21))), SPOKEN, strict=True
    ):
        assert word.start == pytest.approx(start, abs=0.021)
        assert word.end == pytest.approx(end, abs=0.021)


def test_the_models_lateness_is_corrected_where_nobody_pauses() -> None:
    # Two words in each stretch: the one goes over into the other 0.3 s after its beginning.
    heard = [
        word
        for a, b in SPOKEN
        for word in (Word("w", a + 0.1, a + 0.4, 0.9), Word("v", a + 0.4, b + 0.1, 0.9))
    ]
    found = refine(heard, Envelope.of(sound_of(SPOKEN, 21)))
    for word, (start, _) in zip(found[1::2], SPOKEN, strict=True):
        assert word.start == pytest.approx(start + 0.3, abs=0.03)


def test_a_closed_mouth_within_a_word_does_not_divide_it() -> None:
    spoken = [(0.5, 0.8), (0.92, 1.4), *SPOKEN[2:]]
    heard = [Word("apple", 0.5, 1.4, 0.9), *(Word("w", a, b, 0.9) for a, b in SPOKEN[2:])]
    apple = refine(heard, Envelope.of(sound_of(spoken, 21)))[0]
    assert apple.start == pytest.approx(0.5, abs=0.03)
    assert apple.end == pytest.approx(1.4, abs=0.03)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0, 0.8), st.floats(0.06, 0.9)), max_size=40),
    st.floats(-0.3, 0.3),
)
def test_words_stay_in_order_and_never_overlap(
    parts: list[tuple[float, float]], off: float
) -> None:
    words, clock = [], 0.0
    for pause, length in parts:
        start = max(clock, clock + pause + off)
        words.append(Word("w", start, start + length, 0.9))
        clock = start + length
    found = refine(words, Envelope.of(sound_of(SPOKEN, 21)))
    assert [word.text for word in found] == [word.text for word in words]
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(word.start <= word.end for word in found)
