"""What draws the eye, whose mouth moves, which moments make a thumbnail, how much moves."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from statistics import mean

import cv2
import numpy as np
import pytest

from omniva_dagster.workers.analyzer.pictures import look
from omniva_dagster.workers.analyzer.pictures.stills import unlikeness
from omniva_dagster.workers.media.timeline import Still
from tests.workers.analyzer.conftest import Make
from tests.workers.analyzer.moving import (
    H264,
    Frame,
    Person,
    brighter,
    encode,
    grainy,
    pan,
    syllables,
)

pytestmark = pytest.mark.media


@pytest.fixture(scope="module")
def person() -> Person:
    return Person()


def with_ball(x: float, *, size: tuple[int, int] = (320, 180)) -> Frame:
    frame = np.full((size[1], size[0], 3), (120, 110, 100), np.uint8)
    cv2.circle(frame, (int(x * size[0]), size[1] // 2), 20, (40, 60, 220), -1)
    return frame


def test_the_one_thing_in_a_picture_is_what_a_shot_is_centred_on(tmp_path: Path) -> None:
    for x in (0.2, 0.5, 0.75):
        frames = grainy([with_ball(x)] * 45, 2)
        (point,) = look(encode(frames, tmp_path / "a.mp4")).interests
        assert (point.start, point.end) == (0.0, 1.5)
        assert (point.x, point.y) == (pytest.approx(x, abs=0.06), pytest.approx(0.5, abs=0.1))
        assert point.share > 0.9


def test_what_moves_draws_the_eye_more_than_what_stands(tmp_path: Path) -> None:
    frames = []
    for i in range(90):
        frame = with_ball(0.25)
        cv2.circle(frame, (240, 60 + i % 30 * 2), 20, (220, 60, 40), -1)
        frames.append(frame)
    points = look(encode(frames, tmp_path / "a.mp4")).interests
    assert [point.x for point in points] == [pytest.approx(0.75, abs=0.08)]


def test_where_everything_is_alike_no_crop_is_better(tmp_path: Path) -> None:
    frames = list(np.random.default_rng(1).integers(0, 255, (30, 180, 320, 3), np.uint8))
    (point,) = look(encode(frames, tmp_path / "a.mp4")).interests
    assert point.share < 0.6
    plain = look(encode([np.full((180, 320, 3), 90, np.uint8)] * 30, tmp_path / "b.mp4"))
    assert [(p.x, p.y, p.share) for p in plain.interests] == [(0.5, 0.5, 0.3164)]


def test_interests_tile_the_shots_and_follow_what_moves_on(tmp_path: Path) -> None:
    frames = [with_ball(0.2)] * 150 + [with_ball(0.8)] * 150 + pan("coffee.png", 20)
    seen = look(encode(frames, tmp_path / "a.mp4"))
    assert [scene.start for scene in seen.scenes] == [0.0, 10.0]
    points = seen.interests
    assert (points[0].start, points[-1].end) == (0.0, seen.end)
    assert all(before.end == after.start for before, after in pairwise(points))
    assert 10.0 in [point.start for point in points]
    xs = [point.x for point in points]
    assert xs[0] == pytest.approx(0.2, abs=0.06)
    assert xs[1] == pytest.approx(0.8, abs=0.06)
    assert points[1].start == pytest.approx(5.0, abs=2.1)
    assert len(points) == 3


def test_of_an_upright_or_a_turned_picture_the_point_is_as_displayed(
    tmp_path: Path, make: Make
) -> None:
    frames = [with_ball(0.5, size=(180, 320))] * 20
    (upright,) = look(encode(frames, tmp_path / "a.mp4")).interests
    assert (upright.x, upright.share) == (pytest.approx(0.5, abs=0.06), 1.0)
    lying = encode([with_ball(0.2)] * 20, tmp_path / "b.mp4")
    rotated = make("ball.mp4", ["-display_rotation", "90", "-i", str(lying), "-c", "copy"])
    (point,) = look(rotated).interests
    # A quarter counterclockwise: what was on the left is now at the bottom.
    assert (point.x, point.y) == (pytest.approx(0.5, abs=0.1), pytest.approx(0.75, abs=0.1))


def mouths(path: Path) -> list[float]:
    return [face.mouth for face in look(path).faces]


def test_a_mouth_that_talks_is_told_from_one_that_does_not(person: Person, tmp_path: Path) -> None:
    talking = grainy([person.frame(mouth=syllables(i)) for i in range(60)], 3)
    silent = grainy([person.frame()] * 60, 3)
    path = tmp_path / "a.mp4"
    assert min(mouths(encode(talking, path))) > 0.5
    assert max(mouths(encode(silent, path))) < 0.1
    quiet = grainy([person.frame(mouth=syllables(i) * 0.4) for i in range(60)], 3)
    assert mean(mouths(encode(quiet, path))) > 0.25


def test_a_head_that_moves_does_not_talk(person: Person, tmp_path: Path) -> None:
    swaying = [(8 * np.sin(i / 9), 3 * np.sin(i / 6)) for i in range(60)]
    silent = grainy([person.frame(sway=sway) for sway in swaying], 3)
    assert mean(mouths(encode(silent, tmp_path / "a.mp4"))) < 0.1
    both = [person.frame(sway=sway, mouth=syllables(i)) for i, sway in enumerate(swaying)]
    assert mean(mouths(encode(both, tmp_path / "a.mp4"))) > 0.4


def test_of_two_people_the_one_who_talks_moves_the_mouth(person: Person, tmp_path: Path) -> None:
    frames = []
    for i in range(90):
        shown = [person.frame(mouth=syllables(i) * on)[:, 100:420] for on in (i < 45, i >= 45)]
        frames.append(np.hstack(shown))
    faces = look(encode(grainy(frames, 2), tmp_path / "a.mp4", 30)).faces
    for times, talks, listens in (((0.0, 1.1), 0, 1), ((1.5, 2.9), 1, 0)):
        sides = [
            [f.mouth for f in faces if times[0] <= f.time < times[1] and (f.x > 0.5) == right]
            for right in (False, True)
        ]
        assert min(sides[talks]) > 0.4 > 0.15 > max(sides[listens])


@pytest.mark.parametrize("rate", [24, 60])
def test_how_much_a_mouth_moves_does_not_hang_on_the_frame_rate(
    person: Person, tmp_path: Path, rate: int
) -> None:
    frames = [person.frame(mouth=syllables(i, rate)) for i in range(2 * rate)]
    assert mean(mouths(encode(frames, tmp_path / "a.mp4", rate))) > 0.6


def still_of(frame: Frame, path: Path) -> Still:
    stills = look(encode([frame] * 10, path, 10)).stills
    assert len({still.sharpness for still in stills}) == 1
    return stills[0]


def test_sharp_well_lit_and_wide_awake_is_better(person: Person, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    good = still_of(person.frame(), path)
    assert still_of(cv2.GaussianBlur(person.frame(), (0, 0), 4), path).sharpness < (
        good.sharpness / 2
    )
    assert still_of(brighter(person.frame(), 0.15), path).exposure < good.exposure / 2
    assert still_of(brighter(person.frame(), 1, 130), path).exposure < good.exposure / 2
    shut = still_of(person.frame(shut=True), path)
    assert shut.openness < 0.25 < 0.55 < good.openness
    assert still_of(pan("coffee.png", 1)[0], path).openness == 0.0


def test_pictures_that_look_alike_have_hashes_that_do(person: Person, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    one = still_of(person.frame(), path).likeness
    moved = still_of(brighter(person.frame(sway=(4, 2)), 1.1), path).likeness
    other = still_of(pan("coffee.png", 1)[0], path).likeness
    assert len(one) == 16
    assert unlikeness(one, moved) <= 10 < 20 < unlikeness(one, other)


def test_of_every_second_the_best_moment_is_a_still(person: Person, tmp_path: Path) -> None:
    blurred = cv2.GaussianBlur(person.frame(), (0, 0), 5)
    frames = [person.frame() if 12 <= i % 30 < 18 else blurred for i in range(120)]
    stills = look(encode(frames, tmp_path / "a.mp4")).stills
    assert [int(still.time) for still in stills] == [0, 1, 2, 3]
    assert all(still.sharpness > 0.2 for still in stills if 0.39 < still.time % 1 < 0.6)
    assert 0.4 in [still.time for still in stills]


def test_motion_is_that_of_the_pictures_and_not_of_their_number(tmp_path: Path) -> None:
    slow = look(encode(pan("chelsea.png", 60, step=1), tmp_path / "a.mp4", 30)).motion
    dense = look(encode(pan("chelsea.png", 120, step=0.5), tmp_path / "b.mp4", 60)).motion
    fast = look(encode(pan("chelsea.png", 60, step=5), tmp_path / "c.mp4", 30)).motion
    still = look(encode(pan("chelsea.png", 60, step=0), tmp_path / "d.mp4", 30)).motion
    assert len(slow) == len(dense) == len(fast) == len(still) == 2
    assert dense == pytest.approx(slow, rel=0.2)
    assert mean(fast) > 2 * mean(slow) > 20 * mean(still)
    assert all(0 <= value <= 1 for value in fast)


def test_a_cut_is_no_motion(tmp_path: Path) -> None:
    frames = pan("coffee.png", 45, step=0) + pan("astronaut.png", 45, step=0)
    assert max(look(encode(frames, tmp_path / "a.mp4")).motion) < 0.005


def test_looking_twice_shows_the_same(person: Person, tmp_path: Path) -> None:
    frames = [person.frame(mouth=syllables(i)) for i in range(30)]
    path = encode(
        frames + [cv2.resize(f, (640, 360)) for f in pan("coffee.png", 20)],
        tmp_path / "a.mp4",
        30,
        (*H264, "-sc_threshold", "0"),
    )
    assert look(path) == look(path)


MEMORY = """
import resource, sys
from pathlib import Path
from omniva_dagster.workers.analyzer.pictures import look
look(Path(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_video(make: Make) -> None:
    peaks = []
    for seconds in (6, 60):
        source = ["-f", "lavfi", "-i", f"testsrc2=s=640x360:r=10:d={seconds}"]
        path = make(f"long{seconds}.mp4", [*source, "-c:v", "libx264", "-preset", "ultrafast"])
        ran = [sys.executable, "-c", MEMORY, str(path)]
        peaks.append(int(subprocess.run(ran, check=True, capture_output=True, text=True).stdout))
    assert peaks[1] < peaks[0] + 8 * 1024
