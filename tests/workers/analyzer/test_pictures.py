import struct
from itertools import pairwise
from pathlib import Path

import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
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


PATTERN = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2"]


@pytest.mark.parametrize(
    ("name", "coded"),
    [
        ("alpha.webm", ["-c:v", "libvpx-vp9", "-auto-alt-ref", "0", "-pix_fmt", "yuva420p"]),
        ("alpha.mov", ["-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"]),
        ("palette.mov", ["-c:v", "png", "-pix_fmt", "pal8"]),
        ("gray.mkv", ["-c:v", "ffv1", "-pix_fmt", "gray16le"]),
        ("packed.mov", ["-c:v", "rawvideo", "-pix_fmt", "uyvy422"]),
        ("deep.mov", ["-c:v", "png", "-pix_fmt", "rgb48be"]),
        ("animated.gif", []),
        ("tiny.mp4", ["-vf", "scale=16:16", "-c:v", "libx264"]),
        ("dot.mkv", ["-vf", "scale=1:1", "-c:v", "ffv1", "-pix_fmt", "bgr0"]),
        ("line.mkv", ["-vf", "scale=1999:3", "-c:v", "ffv1", "-pix_fmt", "yuv444p"]),
    ],
)
def test_pictures_of_any_format_and_size_are_seen(make: Make, name: str, coded: list[str]) -> None:
    seen = look(make(name, [*PATTERN, *coded]))
    assert seen.end == pytest.approx(2.0, abs=0.02)
    assert len(seen.motion) == len(seen.stills) == 2


def test_a_face_in_ten_bits_of_a_wide_range_is_found(make: Make, portrait: Path) -> None:
    still = ["-loop", "1", "-framerate", "5", "-t", "1", "-i", str(portrait)]
    range_ = ["-color_trc", "smpte2084", "-color_primaries", "bt2020", "-colorspace", "bt2020nc"]
    coded = ["-c:v", "libx265", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p10le"]
    assert len(look(make("hdr.mp4", [*still, *coded, *range_])).faces) == 3


def test_of_a_file_that_breaks_off_the_rest_is_seen(make: Make, talk: Path) -> None:
    whole = make("whole.mp4", ["-i", str(talk), "-an", "-c", "copy", "-movflags", "+faststart"])
    data = whole.read_bytes()
    part = whole.with_name("part.mp4")
    part.write_bytes(data[: len(data) // 3])
    seen, all_ = look(part), look(whole)
    assert 2 < seen.end < all_.end / 2
    assert seen.scenes[-1].end == seen.interests[-1].end == seen.end
    assert [s.start for s in seen.scenes] == [s.start for s in all_.scenes if s.start < seen.end]


def test_damage_in_the_middle_does_not_end_the_video(make: Make, talk: Path) -> None:
    whole = make("undamaged.mp4", ["-i", str(talk), "-an", "-c", "copy", "-movflags", "+faststart"])
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    damaged = whole.with_name("damaged.mp4")
    damaged.write_bytes(data)
    assert look(damaged).end == look(whole).end


@pytest.mark.parametrize("content", [b"", b"\x00" * 4096, b"#EXTM3U\n/etc/hostname\n"])
def test_what_is_no_video_is_refused_without_naming_a_path(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret-name.mp4"
    path.write_bytes(content)
    with pytest.raises(WorkerError) as caught:
        look(path)
    assert caught.value.code is ReasonCode.CORRUPT_MEDIA
    assert "secret-name" not in caught.value.message


@pytest.mark.parametrize(("declared", "end"), [(1000, 1.6), (4_000_000, 44.3)])
def test_a_declared_duration_that_is_not_true_makes_no_pictures(
    make: Make, talk: Path, declared: int, end: float
) -> None:
    whole = make("true.mp4", ["-i", str(talk), "-an", "-c", "copy", "-movflags", "+faststart"])
    data = bytearray(whole.read_bytes())
    for box, offset, scale in ((b"mvhd", 20, 1), (b"tkhd", 24, 1), (b"mdhd", 20, 10)):
        at = data.index(box) + offset
        data[at : at + 4] = struct.pack(">I", declared * scale)
    lying = whole.with_name(f"lying-{declared}.mp4")
    lying.write_bytes(data)
    assert look(lying).end == pytest.approx(end, abs=0.2)
