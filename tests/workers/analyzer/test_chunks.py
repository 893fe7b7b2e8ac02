from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.workers.analyzer.audio import SAMPLE_RATE
from omniva_dagster.workers.analyzer.speech.chunks import LONGEST, Chunk, halved, pack


def spans(*seconds: tuple[float, float]) -> list[tuple[int, int]]:
    return [(round(a * SAMPLE_RATE), round(b * SAMPLE_RATE)) for a, b in seconds]


@st.composite
def speech(draw: st.DrawFn) -> tuple[list[tuple[int, int]], int]:
    parts = draw(st.lists(st.tuples(st.floats(0.16, 20), st.floats(0.1, 28)), max_size=30))
    found, clock = [], 0.0
    for pause, length in parts:
        found.append((clock + pause, clock + pause + length))
        clock += pause + length
    return spans(*found), round((clock + draw(st.floats(0, 3))) * SAMPLE_RATE) + 1


@settings(deadline=None)
@given(speech())
def test_all_speech_is_in_exactly_one_chunk_of_at_most_29_seconds(
    heard: tuple[list[tuple[int, int]], int],
) -> None:
    found, length = heard
    chunks = pack(found, length)
    assert [span for chunk in chunks for span in chunk.spans] == found
    for chunk in chunks:
        assert chunk.length <= LONGEST
        for start, end in chunk.spans:
            assert any(a <= start and end <= b for a, b in chunk.pieces)
    pieces = [piece for chunk in chunks for piece in chunk.pieces]
    assert all(0 <= a < b <= length for a, b in pieces)
    assert all(a[1] <= b[0] for a, b in pairwise(pieces))


@settings(deadline=None)
@given(speech())
def test_halves_hold_what_the_whole_held(heard: tuple[list[tuple[int, int]], int]) -> None:
    for chunk in pack(*heard):
        parts = halved(chunk)
        assert [span for part in parts for span in part.spans] == list(chunk.spans)
        assert len(parts) == min(2, len(chunk.spans))
        assert parts[0].pieces[0][0] >= chunk.pieces[0][0]
        assert parts[-1].pieces[-1][1] <= chunk.pieces[-1][1]


def test_a_chunk_is_cut_in_a_long_pause_rather_than_filled() -> None:
    found = spans((0, 9), (9.2, 18), (19, 27.8), (28, 37), (37.2, 46))
    assert [len(chunk.spans) for chunk in pack(found, 46 * SAMPLE_RATE)] == [2, 3]


def test_as_few_windows_as_will_do() -> None:
    found = spans(*((10.0 * i, 10.0 * i + 2) for i in range(30)))
    assert len(pack(found, 300 * SAMPLE_RATE)) == 3


def test_times_in_a_chunk_are_found_again_in_the_whole() -> None:
    chunk = Chunk((), tuple(spans((1, 3), (10, 12))))
    assert [chunk.place(t) for t in (0.0, 1.9, 2.1, 9.0)] == [0, 0, 1, 1]
    assert chunk.moment(0.5, 0) == pytest.approx(1.5)
    assert chunk.moment(2.5, 1) == pytest.approx(10.5)
    # A word over the seam stays on the side that it was placed on.
    assert chunk.moment(1.9, 1) == pytest.approx(10.0)
    assert chunk.moment(2.2, 0) == pytest.approx(3.0)
    samples = np.arange(12 * SAMPLE_RATE, dtype=np.float32)
    laid = chunk.laid(samples)
    assert len(laid) == chunk.length == 4 * SAMPLE_RATE
    assert laid[round(2.5 * SAMPLE_RATE)] == round(10.5 * SAMPLE_RATE)
