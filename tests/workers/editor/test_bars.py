"""Black bars that are part of the source's picture."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from omniva_dagster.contracts.reasons import WorkerError
from omniva_dagster.workers.editor.framing import Box, FramedShot, face_boxes, frame_shots
from omniva_dagster.workers.editor.framing.bars import find_picture
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.ffmpeg import find_ffmpeg
from omniva_dagster.workers.media.timeline import Face, Interest
from tests.workers.editor.test_reframing import shown

STYLE = Style(name="test", width=270, height=480)
LETTERBOX = "scale=640:268,pad=640:360:0:46:black"


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    folder = tmp_path_factory.mktemp("bars")

    def make(name: str, way: str, source: str = "testsrc2=s=640x360:r=25:d=2") -> Path:
        path = folder / f"{name}.mp4"
        command = [find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi"]
        command += [
            "-i",
            source,
            "-vf",
            f"{way},setsar=1,format=yuv420p",
            "-c:v",
            "libx264",
            "-g",
            "10",
        ]
        subprocess.run([*command, str(path)], check=True, timeout=300)
        return path

    return make


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "way", "inside"),
    [
        ("letterbox", LETTERBOX, (0, 46, 640, 268)),
        ("pillarbox", "scale=204:360,pad=640:360:218:0:black", (218, 0, 204, 360)),
        ("window", "scale=480:270,pad=640:360:80:45:black", (80, 45, 480, 270)),
    ],
)
def test_bars_are_found_to_a_few_pixels(
    name: str, way: str, inside: tuple[int, ...], filmed: Callable[..., Path]
) -> None:
    found = find_picture(filmed(name, way), 0, 2)
    assert found is not None
    assert (found.x, found.y, found.width, found.height) == pytest.approx(inside, abs=8)
    assert inside[0] <= found.x
    assert inside[1] <= found.y
    assert found.x + found.width <= inside[0] + inside[2]
    assert found.y + found.height <= inside[1] + inside[3]


@pytest.mark.media
@pytest.mark.parametrize(
    "way",
    [
        "null",
        "geq=lum=20:cb=128:cr=128",
        # Somebody before black, off the middle; and a title that grows.
        "scale=200:300,pad=640:360:320:60:black",
        "geq=lum='if(lt(abs(X-320),60+N*4)*lt(abs(Y-180),30+N*2),235,16)':cb=128:cr=128",
    ],
)
def test_what_is_dark_otherwise_is_not_taken_for_bars(
    way: str, filmed: Callable[..., Path]
) -> None:
    assert find_picture(filmed(f"dark{len(way)}", way), 0, 2) is None


def test_a_file_that_is_no_video_is_called_corrupt(tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"no video" * 100)
    with pytest.raises(WorkerError, match="no picture"):
        find_picture(tmp_path / "no.mp4", 0, 2)


@pytest.mark.media
def test_no_black_bar_of_the_source_gets_into_the_clip(filmed: Callable[..., Path]) -> None:
    path = filmed("letterbox", LETTERBOX)
    inside = find_picture(path, 0, 2)
    face = [Face(0.4 * n, 0.6, 0.3 + 0.001 * (n % 2), 0.1, 0.25, 0.9) for n in range(5)]
    for faces in (face, []):
        shots = frame_shots(faces, [], 0, 2, 640, 360, STYLE, picture=inside)
        assert shots[0].mode == ("face" if faces else "fit")
        picture = shown(path, shots)[20]
        assert picture[:6].mean() > 40
        assert picture[-6:].mean() > 40
        if not faces:
            middle = round(270 * 268 / 640)
            assert picture[240 - middle // 2 + 4].mean() > 60


def test_places_are_those_of_the_whole_source_with_or_without_bars() -> None:
    inside = Box(0, 138, 1920, 804)
    face = [Face(0.4 * n, 0.65, 0.3 + 0.001 * (n % 2), 0.1, 0.2, 0.9) for n in range(20)]
    (shot,) = frame_shots(face, [], 0, 8, 1920, 1080, STYLE, picture=inside)
    _assert_inside(shot, inside)
    assert shot.crop.x + shot.crop.width / 2 == pytest.approx(0.7 * 1920, abs=6)
    ((_, _, box), *_) = face_boxes(face, [shot], 1920, 1080, STYLE)
    assert box.x + box.width / 2 == pytest.approx(135, abs=6)
    walk = [Face(0.4 * n, 0.1 + 0.035 * n, 0.3, 0.1, 0.2, 0.9) for n in range(20)]
    (moving,) = frame_shots(walk, [], 0, 8, 1920, 1080, STYLE, picture=inside)
    assert moving.mode == "follow"
    assert min(point.y for point in moving.path) >= 138
    point = [Interest(0, 8, 0.3, 0.5, 0.9)]
    (still,) = frame_shots([], [], 0, 8, 1920, 1080, STYLE, interests=point, picture=inside)
    _assert_inside(still, inside)
    assert still.crop.x + still.crop.width / 2 == pytest.approx(0.3 * 1920, abs=6)


def _assert_inside(shot: FramedShot, inside: Box) -> None:
    assert shot.crop.y >= inside.y
    assert shot.crop.y + shot.crop.height <= inside.y + inside.height
