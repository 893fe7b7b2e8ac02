from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.workers.editor.framing import (
    Box,
    FramedShot,
    face_boxes,
    frame_shots,
    framing_word,
    held,
)
from omniva_dagster.workers.editor.framing.path import TOP_SPEED, position
from omniva_dagster.workers.editor.framing.shot import corner_at
from omniva_dagster.workers.editor.framing.shown import measure_framing
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.timeline import Face, Interest, Scene, Word

STYLE = Style(name="test")
EVERY = 0.4


def times(start: float, end: float) -> list[float]:
    """The moments at which an analysis looks at faces."""
    count = round((end - start) / EVERY)
    return [round(start + EVERY * n, 3) for n in range(count)]


def seen(
    x: float,
    start: float = 10,
    end: float = 20,
    *,
    to: float | None = None,
    size: float = 0.1,
    y: float = 0.3,
    mouth: float = 0.0,
) -> list[Face]:
    """A face with its middle at ``x``, going evenly to ``to``, that trembles as detections do."""
    moments = times(start, end)
    last = max(1, len(moments) - 1)
    middles = [x + ((x if to is None else to) - x) * n / last for n in range(len(moments))]
    return [
        Face(time, middle - size / 2 + 0.001 * (n % 3), y, size, size * 1.5, 0.9, mouth)
        for n, (time, middle) in enumerate(zip(moments, middles, strict=True))
    ]  # fmt: skip


def framed(
    faces: list[Face],
    scenes: list[Scene] | None = None,
    size: tuple[int, int] = (1920, 1080),
    style: Style = STYLE,
    **known: list[Word] | list[Interest] | list[float],
) -> list[FramedShot]:
    return frame_shots(faces, scenes or [], 10.0, 20.0, *size, style, **known)  # type: ignore[arg-type]


def middle(shot: FramedShot) -> float:
    return shot.crop.x + shot.crop.width / 2


def test_the_crop_is_centred_on_the_face_and_stands_still() -> None:
    (shot,) = framed(seen(0.7))
    assert (shot.mode, shot.path) == ("face", ())
    assert middle(shot) == pytest.approx(0.7 * 1920, abs=4)


def test_a_face_at_the_edge_keeps_the_crop_inside_the_picture() -> None:
    for x in (0.03, 0.97):
        (shot,) = framed(seen(x))
        assert shot.crop.x >= 0
        assert shot.crop.x + shot.crop.width <= 1920


def test_false_alarms_do_not_steer_the_crop() -> None:
    flash = [Face(time, 0.05, 0.2, 0.1, 0.15, 0.9) for time in (15.2, 15.6)]
    background = seen(0.62, size=0.03)
    (alone,) = framed(seen(0.7))
    (shot,) = framed(seen(0.7) + flash + background)
    assert shot == alone
    assert [shot.mode for shot in framed(flash)] == ["fit"]


def test_a_picture_on_the_wall_is_not_a_second_person() -> None:
    poster = [Face(time, 0.1, 0.2, 0.12, 0.18, 0.95) for time in times(10, 20)]
    (shot,) = framed(seen(0.7) + poster)
    assert shot.mode == "face"
    assert middle(shot) == pytest.approx(0.7 * 1920, abs=4)


def test_somebody_who_looks_away_for_a_while_keeps_the_crop() -> None:
    away = [face for face in seen(0.7) if not 13 < face.time < 16]
    (shot,) = framed(away)
    assert shot.mode == "face"


def test_when_the_face_is_gone_for_long_the_whole_picture_is_shown() -> None:
    shots = framed(seen(0.7, 10, 13))
    assert [shot.mode for shot in shots] == ["face", "fit"]
    assert shots[0].end == pytest.approx(3.4, abs=0.5)


def test_two_people_apart_who_stay_are_shown_one_above_the_other_the_left_one_on_top() -> None:
    (shot,) = framed(seen(0.8) + seen(0.2))
    assert shot.mode == "split"
    assert shot.second is not None
    for crop, x in ((shot.crop, 0.2), (shot.second, 0.8)):
        assert crop.width / crop.height == pytest.approx(1080 / 960, rel=0.02)
        assert middle(replace(shot, crop=crop)) == pytest.approx(x * 1920, abs=80)
        assert crop.y < 0.25 * 1080
        assert crop.y + crop.height > 0.46 * 1080
    assert shot.crop.x + shot.crop.width < 0.75 * 1920


def test_a_split_waits_until_both_are_there() -> None:
    shots = framed(seen(0.2) + seen(0.8, 14, 20))
    assert [shot.mode for shot in shots] == ["face", "split"]
    assert shots[0].end == pytest.approx(4, abs=1)


def test_of_several_faces_too_far_apart_the_one_who_speaks_is_shown_and_held() -> None:
    words = [Word("so", 10 + 0.5 * n, 10.4 + 0.5 * n, 0.9) for n in range(20)]
    left = seen(0.1, 10, 14, mouth=0.5) + seen(0.1, 14.0, 20, mouth=0.02)
    right = seen(0.9, 10, 14, mouth=0.02) + seen(0.9, 14.0, 20, mouth=0.2)
    nod = [replace(f, mouth=0.55) if 17 < f.time < 17.9 else f for f in seen(0.5, mouth=0.02)]
    shots = framed(left + right + nod, words=words)
    assert [round(middle(shot) / 1920, 1) for shot in shots] == [0.2, 0.8]
    assert shots[0].end == pytest.approx(4, abs=0.6)
    assert all(shot.end - shot.start >= 1.5 for shot in shots)


def test_a_mouth_that_moves_while_nobody_is_heard_changes_nothing() -> None:
    three = seen(0.1, size=0.12) + seen(0.5, mouth=0.0) + seen(0.9, mouth=0.6)
    (shot,) = framed(three)
    assert middle(shot) == pytest.approx(0.16 * 1920, abs=8)


def test_faces_that_fit_are_all_shown() -> None:
    (shot,) = framed(seen(0.42, size=0.06) + seen(0.5, size=0.06) + seen(0.58, size=0.06))
    assert shot.crop.x <= 0.39 * 1920
    assert shot.crop.x + shot.crop.width >= 0.61 * 1920


def test_each_shot_has_its_own_crop_and_shots_leave_no_gap() -> None:
    shots = framed(
        seen(0.3, 10, 13) + seen(0.7, 15, 20), [Scene(0, 13), Scene(13, 15), Scene(15, 30)]
    )
    assert [shot.mode for shot in shots] == ["face", "fit", "face"]
    assert [(shot.start, shot.end) for shot in shots] == [(0, 3), (3, 5), (5, 10)]
    assert framing_word(shots) == "face+fit"


def test_shots_framed_alike_come_as_one() -> None:
    shots = framed([], [Scene(0, 13), Scene(13, 30)])
    assert [(shot.start, shot.end) for shot in shots] == [(0, 10)]


def test_a_wide_shot_without_a_face_is_shown_whole_unless_the_style_crops() -> None:
    assert framed([])[0].mode == "fit"
    (shot,) = framed([], style=Style(name="test", faceless="centre"))
    assert shot.mode == "centre"
    assert middle(shot) == pytest.approx(960, abs=2)


def test_without_a_face_a_crop_goes_where_nearly_everything_of_interest_is() -> None:
    (shot,) = framed([], interests=[Interest(0, 30, 0.7, 0.5, 0.9)])
    assert shot.mode == "interest"
    assert middle(shot) == pytest.approx(0.7 * 1920, abs=2)
    assert framed([], interests=[Interest(0, 30, 0.7, 0.5, 0.4)])[0].mode == "fit"


def test_what_is_of_interest_is_followed_from_place_to_place() -> None:
    places = [Interest(10, 13, 0.3, 0.5, 0.9), Interest(13, 20, 0.5, 0.5, 0.9)]
    (shot,) = framed([], interests=places)
    assert shot.mode == "follow"
    assert corner_at(shot, 0.5)[0] + shot.crop.width / 2 == pytest.approx(0.3 * 1920, abs=60)
    assert corner_at(shot, 9.5)[0] + shot.crop.width / 2 == pytest.approx(0.5 * 1920, abs=60)
    jumping = [Interest(10 + n, 11 + n, 0.2 + 0.6 * (n % 2), 0.5, 0.9) for n in range(10)]
    assert framed([], interests=jumping)[0].mode == "fit"


def test_a_pause_taken_out_of_a_shot_is_hidden_by_a_slightly_closer_view() -> None:
    shots = framed(seen(0.5), joins=[12.0, 16.0])
    assert [(shot.start, shot.end) for shot in shots] == [(0, 2), (2, 6), (6, 10)]
    sizes = [shot.crop.height for shot in shots]
    assert sizes[0] == sizes[2]
    assert sizes[0] / sizes[1] == pytest.approx(1.08, abs=0.01)


def test_a_nearly_vertical_picture_is_cropped_rather_than_given_bars() -> None:
    assert framed([], size=(720, 960))[0].mode == "centre"


def test_a_vertical_picture_is_kept_whole() -> None:
    (shot,) = framed(seen(0.2), size=(1080, 1920))
    assert shot.mode == "whole"
    assert (shot.crop.width, shot.crop.height) == (1080, 1920)


def test_a_tiny_picture_is_shown_whole_rather_than_magnified_to_mush() -> None:
    assert framed(seen(0.5), size=(320, 180))[0].mode == "fit"


def test_in_a_picture_taller_than_the_clip_eyes_are_at_the_upper_third() -> None:
    (shot,) = framed(seen(0.5, size=0.2, y=0.4), size=(1080, 2400))
    eyes = (0.4 + 0.4 * 0.3) * 2400
    assert (eyes - shot.crop.y) / shot.crop.height == pytest.approx(0.36, abs=0.04)


def test_a_small_face_of_a_sharp_picture_is_brought_closer_clear_of_the_captions() -> None:
    (shot,) = framed(seen(0.5, size=0.05, y=0.6), size=(3840, 2160))
    assert shot.crop.height < 0.75 * 2160
    chin = (0.6 + 0.05 * 1.5) * 2160
    assert (chin - shot.crop.y) / shot.crop.height < 0.64
    assert 1920 / shot.crop.height < 2.2


@pytest.mark.parametrize(
    "size", [(853, 479), (641, 641), (479, 853), (1281, 721), (17, 16), (3840, 2160)]
)
def test_crops_of_odd_pictures_are_even_inside_and_of_the_right_shape(
    size: tuple[int, int],
) -> None:
    for x in (0.0, 0.31, 1.0):
        (shot,) = framed(seen(x), size=size)
        crop = shot.crop
        assert all(side % 2 == 0 for side in (crop.x, crop.y, crop.width, crop.height))
        assert crop.x + crop.width <= size[0]
        assert crop.y + crop.height <= size[1]
        assert abs(crop.width - crop.height * 9 / 16) <= 2


def test_a_crop_follows_a_walk_in_one_even_move_and_rests_before_and_after() -> None:
    faces = seen(0.25, 10, 13) + seen(0.25, 13.0, 17, to=0.75) + seen(0.75, 17.0, 20)
    (shot,) = framed(faces)
    assert shot.mode == "follow"
    clock = [replace(face, time=face.time - 10) for face in faces]
    quality = measure_framing(clock, [shot], 1920, 1080, STYLE)
    assert quality.inside == 1
    assert quality.off_centre < 0.05
    assert quality.turns == 0
    assert quality.jitter < 0.0005
    for x, moment in ((0.25, 0.5), (0.75, 9.5)):
        left, _ = corner_at(shot, moment)
        assert left + shot.crop.width / 2 == pytest.approx(x * 1920, abs=0.03 * 1920)
        assert corner_at(shot, moment) == corner_at(shot, moment + 0.3)


def test_a_head_that_sways_does_not_move_the_crop() -> None:
    faces = [replace(face, x=face.x + 0.02 * (-1) ** (n // 2)) for n, face in enumerate(seen(0.5))]
    (shot,) = framed(faces)
    assert shot.mode == "face"


def test_a_path_starts_anew_at_a_cut() -> None:
    walk = seen(0.2, 10, 15, to=0.6) + seen(0.8, 15, 20)
    first, second = framed(walk, [Scene(0, 15), Scene(15, 30)])
    assert (first.mode, second.mode) == ("follow", "face")
    assert middle(second) == pytest.approx(0.8 * 1920, abs=4)


def test_detections_without_a_size_or_off_the_picture_are_no_faces() -> None:
    broken = [Face(time, 0.5, 0.5, 0.0, 0.0, 0.9) for time in times(10, 20)]
    outside = [Face(time, 1.4, -0.5, 0.1, 0.1, 0.9) for time in times(10, 20)]
    assert framed(broken + outside) == framed([])


def test_a_head_too_fast_for_a_camera_is_shown_in_the_whole_picture() -> None:
    runner = [
        Face(round(10 + 0.2 * n, 3), min(0.8, max(0.1, 0.1 + 0.07 * (n - 20))), 0.2, 0.12, 0.3, 0.9)
        for n in range(50)
    ]
    assert {shot.mode for shot in framed(runner)} == {"fit"}


def test_a_shot_held_for_a_still_is_framed_as_it_was_at_that_moment() -> None:
    (shot,) = framed(seen(0.25, to=0.75))
    still = held(shot, 5.0, 0.5)
    assert (still.start, still.end, still.mode, still.path) == (0, 0.5, "face", ())
    assert abs(still.crop.x - position(shot.path, 5.0)[0]) <= 2
    (split,) = framed(seen(0.8) + seen(0.2))
    assert held(split, 1.0, 1.0) == replace(split, start=0.0, end=1.0)


def test_captions_are_told_where_faces_are_on_the_finished_picture() -> None:
    faces = seen(0.7, 0, 10)
    shots = frame_shots(faces, [], 0, 10, 1920, 1080, STYLE)
    boxes = face_boxes([*faces, Face(5.2, 0.6, 0.7, 0.1, 0.1, 0.9)], shots, 1920, 1080, STYLE)
    assert boxes[0][0] == 0
    assert boxes[-1][1] >= 9.7
    for _, _, box in boxes:
        assert box.x + box.width / 2 == pytest.approx(540, abs=20)
        assert box.width == pytest.approx(0.1 * 1920 * 1080 / shots[0].crop.width, abs=12)
        assert box.y >= 0
    fitted = [FramedShot(0, 10, "fit", Box(656, 0, 606, 1080))]
    (low, *_) = face_boxes(faces, fitted, 1920, 1080, STYLE)
    assert low[2].y == pytest.approx(656 + 0.3 * 607, abs=4)


SIZES = st.tuples(st.integers(240, 4000), st.integers(240, 2400))
WALKS = st.lists(st.floats(0.02, 0.98), min_size=2, max_size=6)


@settings(max_examples=60, deadline=None)
@given(size=SIZES, stops=WALKS, tall=st.floats(0.06, 0.4), y=st.floats(0.0, 0.8))
def test_whatever_the_walk_crops_stay_inside_even_in_shape_bounded_in_speed_and_without_gaps(
    size: tuple[int, int], stops: list[float], tall: float, y: float
) -> None:
    width, height = size
    wide = tall * 0.75 * height / width
    faces = []
    for n, (one, two) in enumerate(pairwise(stops)):
        for k in range(10):
            x = one + (two - one) * k / 10
            faces.append(Face(round(4.0 * n + 0.4 * k, 3), x - wide / 2, y, wide, tall, 0.9))
    length = 4.0 * (len(stops) - 1)
    shots = frame_shots(faces, [Scene(0, 2.9), Scene(2.9, 99)], 0, length, width, height, STYLE)
    assert shots[0].start == 0
    assert shots[-1].end == length
    assert all(one.end == two.start for one, two in pairwise(shots))
    for shot in shots:
        for box in (shot.crop, *([shot.second] if shot.second else [])):
            assert all(side % 2 == 0 for side in (box.x, box.y, box.width, box.height))
            assert 0 <= box.x <= box.x + box.width <= width
            assert 0 <= box.y <= box.y + box.height <= height
        if shot.mode != "split":
            assert abs(shot.crop.width - shot.crop.height * 9 / 16) <= 2
        _assert_sane(shot, faces, width, height)


def _assert_sane(shot: FramedShot, faces: list[Face], width: int, height: int) -> None:
    if not shot.path:
        return
    crop, count = shot.crop, round((shot.end - shot.start) * 20)
    places = [corner_at(shot, shot.start + n / 20) for n in range(count + 1)]
    for x, y in places:
        assert -1 <= x <= width - crop.width + 1
        assert -1 <= y <= height - crop.height + 1
    for (x, y), (next_x, next_y) in pairwise(places):
        assert abs(next_x - x) * 20 <= 1.05 * TOP_SPEED * crop.width + 8
        assert abs(next_y - y) * 20 <= 1.05 * TOP_SPEED * crop.height + 8
    steps = [abs(two.x - one.x) * width for one, two in pairwise(faces)]
    if max(steps) > 1.4 * faces[0].height * height:
        # Nobody walks like that: it is taken for several people.
        return
    for face in faces:
        if shot.start + 0.4 < face.time < shot.end - 0.4 and face.width * width < crop.width:
            left, _ = corner_at(shot, face.time)
            centre = (face.x + face.width / 2) * width
            assert left - 2 <= max(0.0, centre)
            assert centre <= left + crop.width + 2
