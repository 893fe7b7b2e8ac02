"""Invented speech for property tests: words in order, in whole milliseconds."""

from __future__ import annotations

from hypothesis import strategies as st

from omniva_dagster.workers.media.timeline import Word


def said(*parts: tuple[float, float, str]) -> list[Word]:
    """Words from (pause before, length, text), in seconds."""
    words, clock = [], 0
    for pause, length, text in parts:
        start = clock + round(pause * 1000)
        clock = start + round(length * 1000)
        words.append(Word(text, start / 1000, clock / 1000, 0.9))
    return words


def sentences_of(count: int, seconds: float, pause: float = 0.4) -> list[Word]:
    """``count`` sentences of ten words; each with its pause lasts ``seconds``."""
    length = (seconds - pause) / 10
    one = [(pause, length, "Clips"), *[(0.0, length, "matter")] * 8, (0.0, length, "today.")]
    return said(*one * count)


@st.composite
def speech(draw: st.DrawFn) -> tuple[list[Word], float]:
    """Words, some a long time apart, and the length of the video they are said in."""
    parts = draw(
        st.lists(
            st.tuples(
                st.one_of(st.just(0.0), st.floats(0, 1.2), st.floats(0, 9)),
                st.floats(0.06, 4),
                st.sampled_from(["so", "yes.", "why?", "clip,", "word", "done!", "好。"]),
            ),
            max_size=90,
        )
    )
    words = said(*parts)
    end = words[-1].end if words else 0.0
    return words, round(end + draw(st.floats(-3, 20)), 3) if end > 3 else end + 20
