from __future__ import annotations

import pytest

from omniva_dagster.workers.editor.framing import FramedShot, frame_shots, framing_word
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.timeline import Face, Scene

STYLE = Style(name="test")


def seen(x: float, *times: float, size: float = 0.1, y: float = 0.3) -> list[Face]:
    """A face with its middle at ``x``."""
    return [Face(time, x - size / 2, y, size, size * 1.5, 0.9) for time in times]


def framed(
    faces: list[Face],
    scenes: list[Scene] | None = None,
    size: tuple[int, int] = (1920, 1080),
    style: Style = STYLE,
) -> list[FramedShot]:
    return frame_shots(faces, scenes or [], 10.0, 20.0, *size, style)


def middle(shot: FramedShot) -> float:
    return shot.crop.x + shot.crop.width / 2


def test_the_crop_is_centred_on_the_face() -> None:
    (shot,) = framed(seen(0.7, 11, 12, 13))
    assert shot.mode == "face"
    assert middle(shot) == pytest.approx(0.7 * 1920, abs=2)


def test_a_face_at_the_edge_keeps_the_crop_inside_the_picture() -> None:
    for x in (0.03, 0.97):
        (shot,) = framed(seen(x, 11, 12))
        assert shot.crop.x >= 0
        assert shot.crop.x + shot.crop.width <= 1920


def test_one_stray_detection_does_not_move_the_crop() -> None:
    (shot,) = framed(seen(0.7, *(10 + n / 2 for n in range(19))) + seen(0.1, 15.2))
    assert middle(shot) == pytest.approx(0.7 * 1920, abs=2)


def test_of_two_faces_far_apart_the_larger_is_kept_and_none_is_cut_in_half() -> None:
    times = (11, 12, 13, 14)
    (shot,) = framed(seen(0.2, *times, size=0.08) + seen(0.8, *times, size=0.12))
    assert middle(shot) == pytest.approx(0.8 * 1920, abs=2)


def test_two_faces_that_fit_are_both_shown() -> None:
    times = (11, 12, 13)
    (shot,) = framed(seen(0.45, *times) + seen(0.58, *times))
    assert shot.crop.x <= 0.40 * 1920
    assert shot.crop.x + shot.crop.width >= 0.63 * 1920


def test_each_shot_has_its_own_crop_and_shots_leave_no_gap() -> None:
    shots = framed(
        seen(0.3, 10.5, 11.5) + seen(0.7, 16, 17), [Scene(0, 13), Scene(13, 15), Scene(15, 30)]
    )
    assert [shot.mode for shot in shots] == ["face", "fit", "face"]
    assert [(shot.start, shot.end) for shot in shots] == [(0, 3), (3, 5), (5, 10)]
    assert framing_word(shots) == "face+fit"


def test_shots_framed_alike_come_as_one() -> None:
    shots = framed(seen(0.5, 10.5, 16), [Scene(0, 13), Scene(13, 30)])
    assert [(shot.start, shot.end) for shot in shots] == [(0, 10)]


def test_a_wide_shot_without_a_face_is_shown_whole_unless_the_style_crops() -> None:
    assert framed([])[0].mode == "fit"
    (shot,) = framed([], style=Style(name="test", faceless="centre"))
    assert shot.mode == "centre"
    assert middle(shot) == pytest.approx(960, abs=2)


def test_a_nearly_vertical_picture_is_cropped_rather_than_given_bars() -> None:
    assert framed([], size=(720, 960))[0].mode == "centre"


def test_a_vertical_picture_is_kept_whole() -> None:
    (shot,) = framed(seen(0.2, 11, 12), size=(1080, 1920))
    assert shot.mode == "whole"
    assert (shot.crop.width, shot.crop.height) == (1080, 1920)


def test_a_picture_taller_than_the_clip_is_cut_above_and_below_the_face() -> None:
    (shot,) = framed(seen(0.5, 11, 12, y=0.1), size=(1080, 2400))
    assert shot.crop.width == 1080
    assert shot.crop.y == 0


@pytest.mark.parametrize(
    "size", [(853, 479), (641, 641), (479, 853), (1281, 721), (17, 16), (3840, 2160)]
)
def test_crops_of_odd_pictures_are_even_inside_and_of_the_right_shape(
    size: tuple[int, int],
) -> None:
    for x in (0.0, 0.31, 1.0):
        (shot,) = framed(seen(x, 11, 12), size=size)
        crop = shot.crop
        assert all(side % 2 == 0 for side in (crop.x, crop.y, crop.width, crop.height))
        assert crop.x + crop.width <= size[0]
        assert crop.y + crop.height <= size[1]
        assert abs(crop.width - crop.height * 9 / 16) <= 2
