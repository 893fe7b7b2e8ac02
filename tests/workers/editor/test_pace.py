from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.workers.editor.pace import operation, retime, tighten
from omniva_dagster.workers.editor.pace.fillers import is_filler
from omniva_dagster.workers.editor.sound.quiet import quiet_parts
from omniva_dagster.workers.editor.style import Pace
from omniva_dagster.workers.media.timeline import Face, Interest, Kept, Scene, Word

PACE = Pace(pause_over=0.6, pause_to=0.25)


def said(*spans: tuple[float, float], text: str = "word") -> list[Word]:
    return [Word(text, start, end, 0.9) for start, end in spans]


def left_out(kept: list[Kept], start: float, end: float) -> list[tuple[float, float]]:
    edges = [start, *(edge for one in kept for edge in (one.start, one.end)), end]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]


def test_a_long_pause_is_shortened_to_the_pause_that_stays() -> None:
    kept = tighten(said((10, 12), (14, 16)), [(12, 14)], [], 10, 16, PACE)
    assert kept == [Kept(10, pytest.approx(12.15)), Kept(pytest.approx(13.9), 16)]
    assert operation(kept, 10, 16) == "tighten: 1 pause, 1.8 s"


def test_a_short_pause_stays_as_it_is() -> None:
    kept = tighten(said((0, 2), (2.5, 4)), [(2, 2.5)], [], 0, 4, PACE)
    assert kept == [Kept(0, 4)]
    assert operation(kept, 0, 4) == ""


def test_a_pause_that_is_not_silent_stays() -> None:
    """Laughter and music between words are not dead air."""
    assert tighten(said((0, 2), (4, 6)), [], [], 0, 6, PACE) == [Kept(0, 6)]


ROOM, SPEECH = -60.0, -32.0


def test_a_pause_in_a_room_is_quiet_and_a_laugh_in_it_is_not() -> None:
    levels = [SPEECH] * 50 + [ROOM, ROOM + 3] * 4 + [-40.0] * 5 + [ROOM] * 9 + [SPEECH] * 50
    assert quiet_parts(levels) == [(5.0, 5.8), (6.3, 7.2)]


def test_under_music_that_never_stops_nothing_is_quiet() -> None:
    assert quiet_parts([SPEECH] * 50 + [SPEECH - 12] * 20 + [SPEECH] * 50) == []
    assert quiet_parts([]) == []


def test_speech_that_the_transcript_missed_is_not_taken_for_a_pause() -> None:
    levels = [SPEECH] * 20 + [ROOM] * 2 + [SPEECH] * 15 + [ROOM] * 3 + [SPEECH] * 20
    words = said((0, 2), (4, 6))
    assert tighten(words, quiet_parts(levels), [], 0, 6, PACE) == [Kept(0, 6)]


def test_a_silence_in_which_a_word_is_heard_is_not_cut_there() -> None:
    words = said((0, 2), (3.4, 3.9), (6, 8))
    for begins, ends in left_out(tighten(words, [(2, 6)], [], 0, 8, PACE), 0, 8):
        assert all(ends <= word.start or begins >= word.end for word in words)


def test_a_clip_without_words_is_left_alone() -> None:
    assert tighten([], [(1, 9)], [], 0, 10, PACE) == [Kept(0, 10)]


def test_silence_before_the_first_word_and_after_the_last_goes_too() -> None:
    (kept,) = tighten(said((2, 5), (5.1, 9)), [(0, 2), (9, 11.1)], [], 0, 11.1, PACE)
    assert kept.start == pytest.approx(1.9)
    assert kept.end == pytest.approx(9.35)
    assert operation([kept], 0, 11.1) == "tighten: 2 pauses, 3.6 s"


def test_a_filler_between_pauses_goes_with_them() -> None:
    words = [*said((0, 2)), *said((2.3, 2.6), text="Um,"), *said((2.9, 5))]
    ((begins, ends),) = left_out(tighten(words, [], [], 0, 5, PACE, language="en"), 0, 5)
    assert 2.0 < begins <= 2.3
    assert 2.6 <= ends < 2.9


@pytest.mark.parametrize(
    "spans", [((0, 2), (2.02, 2.3), (2.6, 5)), ((0, 2), (2.4, 2.88), (2.9, 5))]
)
def test_a_filler_that_touches_a_word_stays(spans: tuple[tuple[float, float], ...]) -> None:
    words = [*said(spans[0]), *said(spans[1], text="um"), *said(spans[2])]
    assert tighten(words, [], [], 0, 5, PACE, language="en") == [Kept(0, 5)]


def test_a_laugh_before_a_filler_stays() -> None:
    words = [*said((0, 2)), *said((5.0, 5.4), text="um"), *said((5.8, 8))]
    kept = tighten(words, [(4.6, 5.0), (5.4, 5.8)], [], 0, 8, PACE, language="en")
    ((begins, _),) = left_out(kept, 0, 8)
    assert begins >= 4.6


def test_fillers_stay_where_the_pace_says_so() -> None:
    words = [*said((0, 2)), *said((2.3, 2.6), text="um"), *said((2.9, 5))]
    pace = Pace(fillers=False)
    assert tighten(words, [], [], 0, 5, pace, language="en") == [Kept(0, 5)]


@pytest.mark.parametrize(
    ("text", "language", "filler"),
    [
        ("Um,", "en", True),
        ("um", "de", False),
        ("um", "pt", False),
        ("um", "", False),
        ("Ähm...", "de", True),
        ("euh", "fr", True),
        ("えっと、", "ja", True),
        ("uhm", "", True),
        ("umbrella", "en", False),
        ("...", "en", False),
    ],
)
def test_what_a_filler_is_depends_on_the_language(text: str, language: str, filler: bool) -> None:
    assert is_filler(text, language) is filler


def test_a_cut_near_a_shot_change_is_moved_onto_it() -> None:
    scenes = [Scene(0, 12.05), Scene(12.05, 14.0), Scene(14.0, 16)]
    kept = tighten(said((10, 12), (14.05, 16)), [(12, 14.05)], scenes, 10, 16, PACE)
    ((begins, ends),) = left_out(kept, 10, 16)
    assert begins == 12.05
    assert ends == pytest.approx(14.0)


def test_a_cut_near_a_shot_change_during_speech_moves_away_from_it() -> None:
    scenes = [Scene(0, 11.98), Scene(11.98, 16)]
    kept = tighten(said((10, 12), (14, 16)), [(12, 14)], scenes, 10, 16, PACE)
    ((begins, _),) = left_out(kept, 10, 16)
    assert begins == pytest.approx(12.18)


def test_a_clip_of_fifteen_seconds_stays_one() -> None:
    words = said((0, 4), (6, 10), (11, 16.5))
    kept = tighten(words, [(4, 6), (10, 11)], [], 0, 16.5, PACE, rate=Fraction(25))
    assert sum(one.end - one.start for one in kept) == pytest.approx(15.0, abs=0.041)
    assert sum(one.end - one.start for one in kept) >= 15.0


@st.composite
def talks(draw: st.DrawFn) -> tuple[list[Word], list[tuple[float, float]], list[Scene], float]:
    words, at = [], draw(st.floats(0, 3))
    for _ in range(draw(st.integers(1, 25))):
        length = draw(st.floats(0.05, 2))
        words.append(Word(draw(st.sampled_from(["so", "um", "then"])), at, at + length, 0.9))
        at += length + draw(st.sampled_from([0.0, 0.05, 0.3, 0.7, 1.5, 4.0]))
    silences = [(one.end, two.start) for one, two in pairwise(words) if draw(st.booleans())]
    changes = sorted(draw(st.lists(st.floats(0.1, at + 1), max_size=8, unique=True)))
    scenes = [Scene(one, two) for one, two in pairwise([0.0, *changes, at + 5])]
    return words, silences, scenes, at


@settings(max_examples=200, deadline=None)
@given(talks(), st.sampled_from([None, Fraction(25), Fraction(30000, 1001)]))
def test_whatever_is_said_the_cuts_keep_their_promises(
    talk: tuple[list[Word], list[tuple[float, float]], list[Scene], float],
    rate: Fraction | None,
) -> None:
    words, silences, scenes, length = talk
    start, end = 0.5, max(2.0, length - 0.5)
    kept = tighten(words, silences, scenes, start, end, PACE, language="en", rate=rate)
    assert kept[0].start >= start
    assert kept[-1].end <= end
    assert all(one.end < two.start for one, two in pairwise(kept))
    total = sum(one.end - one.start for one in kept)
    assert total >= min(15.0, end - start) - 1e-6 or end - start < 15
    frame = float(1 / rate) if rate else 1e-6
    if len(kept) > 1 or kept != [Kept(start, end)]:
        assert all(one.end - one.start >= 0.5 - 1e-6 for one in kept)
    for begins, ends in left_out(kept, start, end):
        for word in words:
            outside = ends <= word.start + 1e-6 or begins >= word.end - 1e-6
            whole = begins <= max(word.start, start) and min(word.end, end) <= ends
            assert outside or (whole and word.text == "um")
        for scene in scenes[1:]:
            for edge, outwards in ((begins, -1), (ends, 1)):
                distance = (scene.start - edge) * outwards
                at_clip_edge = edge in (start, end)
                assert distance <= frame or distance >= 0.2 - frame - 1e-6 or at_clip_edge


def test_everything_known_of_the_video_is_brought_to_the_clips_clock() -> None:
    kept = [Kept(10, 12), Kept(14, 16), Kept(17, 20)]
    line = retime(
        kept,
        words=[*said((9, 9.5), (11, 11.5)), *said((12.5, 13), text="um"), *said((14.5, 15))],
        scenes=[Scene(0, 13), Scene(13, 16.5), Scene(16.5, 18), Scene(18, 30)],
        faces=[Face(t, 0.1, 0.1, 0.2, 0.2, 0.9) for t in (9.0, 11.0, 13.5, 14.0, 19.0)],
        interests=[Interest(0, 13, 0.5, 0.5, 0.9), Interest(12.5, 13.5, 0.1, 0.1, 0.9)],
    )
    assert line.duration == 7.0
    assert [(word.start, word.end) for word in line.words] == [(1.0, 1.5), (2.5, 3.0)]
    assert line.scenes == [Scene(0, 2), Scene(2, 4), Scene(4, 5), Scene(5, 7)]
    assert [face.time for face in line.faces] == [1.0, 2.0, 6.0]
    assert line.interests == [Interest(0, 2, 0.5, 0.5, 0.9)]
    assert line.joins == []


def test_a_join_within_a_shot_is_told_to_the_framing() -> None:
    line = retime([Kept(10, 12), Kept(14, 16)], scenes=[Scene(0, 30)])
    assert line.joins == [2.0]
    assert line.scenes == [Scene(0, 4)]
