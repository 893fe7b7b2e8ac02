"""Which moment becomes a thumbnail, and the title card over it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.workers.editor.captions.fonts import load_font
from omniva_dagster.workers.editor.commands import Cut
from omniva_dagster.workers.editor.filters import constant_rate
from omniva_dagster.workers.editor.plan import plan_edit
from omniva_dagster.workers.editor.render import render
from omniva_dagster.workers.editor.style import style_named
from omniva_dagster.workers.editor.thumbnail import (
    ALIKE,
    card_words,
    choose_stills,
    distance,
    make_card,
)
from omniva_dagster.workers.media.timeline import Kept, Still, Word
from tests.workers.editor.conftest import CPU, NO_SOUND, Talk, context_of, pictures, planned

CLEAN = style_named("clean")
FONT = load_font(CLEAN.font)


def still(time: float, likeness: int = 0, **known: float) -> Still:
    values = {"sharpness": 0.8, "exposure": 0.8, "openness": 0.8, **known}
    return Still(time, likeness=f"{likeness:016x}", **values)


def test_a_blurred_a_dark_and_a_blinking_moment_each_lose_to_a_fair_one() -> None:
    fair = still(9.0, sharpness=0.6, exposure=0.6, openness=0.6)
    for weak in ("sharpness", "exposure", "openness"):
        flawed = replace(still(5.0, sharpness=1, exposure=1, openness=1), **{weak: 0.1})
        assert choose_stills([flawed, fair], {"a": (0, 20)}) == {"a": fair}


def test_a_thumbnail_is_from_inside_its_clip_and_off_its_edges() -> None:
    moments = [still(time) for time in (0.0, 9.9, 10.1, 19.9, 20.1, 30.0)]
    assert choose_stills(moments, {"a": (10, 20)}) == {}
    inside = still(15.0, sharpness=0.3)
    assert choose_stills([*moments, inside], {"a": (10, 20)}) == {"a": inside}


def test_clips_of_one_video_do_not_get_look_alikes_where_there_is_another() -> None:
    best, twin = still(5, 0b0, sharpness=1.0), still(25, 0b11, sharpness=1.0)
    other = still(28, 2**40 - 1, sharpness=0.5)
    spans = {"b": (20.0, 40.0), "a": (0.0, 20.0)}
    assert choose_stills([best, twin, other], spans) == {"a": best, "b": other}
    assert choose_stills([best, twin], spans) == {"a": best, "b": twin}


@given(
    st.lists(
        st.builds(still, st.floats(0, 60), st.integers(0, 2**64 - 1)), max_size=30, unique=True
    ),
    st.permutations(["a", "b", "c"]),
)
def test_the_choice_is_the_same_in_whatever_order_it_is_asked_for(
    moments: list[Still], order: list[str]
) -> None:
    spans = {"a": (0.0, 20.0), "b": (20.0, 40.0), "c": (40.0, 60.0)}
    chosen = choose_stills(moments, {name: spans[name] for name in order})
    assert chosen == choose_stills(list(reversed(moments)), spans)
    before: list[Still] = []
    for name, one in sorted(chosen.items()):
        start, end = spans[name]
        assert start < one.time < end
        others = [each for each in moments if start + 0.3 <= each.time <= end - 0.3]
        if _alike(one, before):
            assert all(_alike(other, before) for other in others)
        before.append(one)


def _alike(one: Still, others: list[Still]) -> bool:
    return any(distance(one, other) <= ALIKE for other in others)


@pytest.mark.media
def test_the_very_moment_chosen_is_shown_framed_as_its_shot(talk: Talk, tmp_path: Path) -> None:
    context = context_of(talk.path, 0.5, 7.5, faces=talk.faces, scenes=talk.scenes)
    plan = plan_edit(context, CLEAN, NO_SOUND, CPU, [], still=still(5.0))
    assert " -ss 5 " in plan.job.ffmpeg_commands[1]
    made = render(plan, talk.path, tmp_path, encoder=CPU, timeout=300)
    ((_, shown),) = pictures(made.thumbnail)
    red, green, _ = shown[960, 540]
    assert red < 60 < green


def test_a_moment_is_framed_by_where_it_lies_once_pauses_are_taken_out() -> None:
    kept = [Kept(10.0, 12.0), Kept(20.0, 24.0)]
    cut = Cut(constant_rate(25, 60), kept, 6.0, (), captioned=False)
    assert [cut.in_clip(moment) for moment in (10.0, 11.5, 15.0, 20.0, 23.0)] == [
        0.0, 1.5, 2.0, 2.0, 5.0,
    ]  # fmt: skip
    assert [cut.in_video(moment) for moment in (0.0, 1.5, 2.0, 5.0)] == [10.0, 11.5, 20.0, 23.0]
    assert cut.frames == 150


def words(text: str) -> list[Word]:
    return [Word(word, n * 0.4, n * 0.4 + 0.3, 0.9) for n, word in enumerate(text.split())]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Why does it float? Nobody knows.", "Why does it float?"),
        ("It was the best of times. Then", "It was the best of times"),
        ("one " * 30, "one one one one one one one one one one one one..."),
        ("W" * 90 + " end.", "W" * 90 + "..."),
        ("", ""),
    ],
)
def test_a_card_says_the_first_sentence_and_never_half_a_word(said: str, shown: str) -> None:
    assert card_words(words(said), 0.0, 60.0) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Short",
        "A title of quite some length that has to be set in several lines of text",
        "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente in one word",
        "W" * 69,
    ],
)
def test_every_line_of_a_card_fits_into_the_safe_area_or_is_as_small_as_may_be(text: str) -> None:
    card = make_card(text, CLEAN, FONT)
    (style,) = re.findall(r"^Style: Card,[^,]*,([0-9.]+),", card, re.MULTILINE)
    (event,) = re.findall(r"^Dialogue: .*?,Card,,0,0,0,,(.*)$", card, re.MULTILINE)
    lines = event.split("\\N")
    assert len(lines) <= 4
    room = CLEAN.width - 2 * CLEAN.margin_side
    assert all(FONT.width(line, float(style)) <= room for line in lines) or float(style) <= 56
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_what_is_said_cannot_style_the_card() -> None:
    card = make_card("{\\b1}\\N %{x} {\\pos(0,0)}", CLEAN, FONT)
    event = card.splitlines()[-1].rpartition(",,")[2]
    assert "\\{/b1\\}" in event
    assert not re.search(r"(?<!\\){", event)
    assert "\\pos" not in event


def test_a_card_in_letters_that_the_font_lacks_is_left_out() -> None:
    assert make_card("これは", CLEAN, FONT) == ""


def test_without_a_known_moment_the_command_looks_for_a_typical_one() -> None:
    context = context_of(Path("/nowhere.mp4"), 0, 20)
    assert "thumbnail=" in planned(context).job.ffmpeg_commands[1]
