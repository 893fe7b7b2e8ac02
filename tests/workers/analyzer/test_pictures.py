from itertools import pairwise
from pathlib import Path

import pytest

from omniva_dagster.workers.analyzer.pictures import NOTHING_SEEN, look
from omniva_dagster.workers.media.timeline import Face
from tests.workers.analyzer.conftest import CUTS, Make

pytestmark = pytest.mark.media


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def middle(faces: list[Face]) -> tuple[float, float]:
    return mean([f.x + f.width / 2 for f in faces]), mean([f.y + f.height / 2 for f in faces])


def starts(path: Path) -> list[float]:
    seen = look(path)
    for before, after in pairwise(seen.scenes):
        assert before.end == after.start
    assert (seen.scenes[0].start, seen.scenes[-1].end) == (0.0, seen.end)
    return [scene.start for scene in seen.scenes[1:]]


def test_hard_cuts_are_found_to_the_frame_and_faces_where_they_are(talk: Path) -> None:
    told: list[float] = []
    seen = look(talk, told.append)
    assert [scene.start for scene in seen.scenes] == [0.0, *CUTS, 15.0]
    assert seen.end == pytest.approx(44.3, abs=0.11)
    times = [face.time for face in seen.faces]
    assert len(times) == len(set(times))
    assert not any(CUTS[0] <= t < CUTS[1] or CUTS[2] <= t < 15 for t in times)
    assert len([t for t in times if t < 4]) == 10
    x, y = middle(seen.faces)
    assert (x, y) == (pytest.approx(0.44, abs=0.04), pytest.approx(0.37, abs=0.06))
    assert told == sorted(told)
    assert told[-1] > 0.9


def test_positions_are_those_of_the_picture_as_displayed(make: Make, portrait: Path) -> None:
    still = ["-loop", "1", "-framerate", "5", "-t", "2", "-i", str(portrait)]
    upright = make("upright.mp4", [*still, "-vf", "crop=320:512:70:0,format=yuv420p"])
    turned = make("turned.mp4", [*still, "-vf", "crop=320:512:70:0,format=yuv420p,transpose=1"])
    rotated = make("rotated.mp4", ["-display_rotation", "90", "-i", str(turned), "-c", "copy"])
    expected, found = look(upright).faces, look(rotated).faces
    assert len(expected) == len(found) == 5
    assert middle(found) == pytest.approx(middle(expected), abs=0.02)
    assert mean([f.height for f in found]) == pytest.approx(
        mean([f.height for f in expected]), abs=0.03
    )


def test_pixels_that_are_not_square_do_not_hide_a_face(make: Make, portrait: Path) -> None:
    still = ["-loop", "1", "-framerate", "5", "-t", "1", "-i", str(portrait)]
    squeezed = "scale=160:512,setsar=16/5,format=yuv420p"
    seen = look(make("squeezed.mp4", [*still, "-vf", squeezed]))
    assert len(seen.faces) == 3
    assert middle(seen.faces)[0] == pytest.approx(0.44, abs=0.04)


def test_odd_dimensions_and_one_frame_a_second_are_fine(make: Make, talk: Path) -> None:
    odd = ["-vf", "scale=351:197,fps=1:start_time=0:round=down", "-pix_fmt", "yuv444p"]
    path = make("odd.mp4", ["-i", str(talk), "-an", "-t", "12", *odd])
    assert starts(path) == [4.0, 9.0]
    # Every picture is on show for a second, so faces are there at each look in between.
    assert len([f for f in look(path).faces if f.time < 4]) == 10


def test_cuts_are_placed_by_timestamps_where_the_frame_rate_varies(make: Make, talk: Path) -> None:
    dropped = "select='lt(t,6)+not(mod(n,3))'"
    path = make("vfr.mkv", ["-i", str(talk), "-an", "-vf", dropped, "-fps_mode", "vfr", "-t", "14"])
    assert starts(path) == pytest.approx([4.0, 9.0, 13.0], abs=0.31)


def test_a_still_picture_is_one_scene(make: Make, portrait: Path) -> None:
    still = ["-loop", "1", "-framerate", "2", "-t", "3", "-i", str(portrait)]
    assert starts(make("still.mp4", [*still, "-vf", "format=yuv420p"])) == []


def test_sound_without_pictures_shows_nothing(make: Make, portrait: Path) -> None:
    sound = make("sound.m4a", ["-f", "lavfi", "-t", "1", "-i", "sine"])
    assert look(sound) == NOTHING_SEEN
    cover = ["-i", str(sound), "-i", str(portrait), "-map", "0", "-map", "1", "-c:v", "mjpeg"]
    covered = make("covered.m4a", [*cover, "-disposition:v", "attached_pic", "-c:a", "copy"])
    assert look(covered) == NOTHING_SEEN
