"""The filters that reframe, run by ffmpeg on pictures whose every point is known."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from omniva_dagster.workers.editor.colour import Colour, read_colour, scaler_options, toned
from omniva_dagster.workers.editor.expressions import Piece, by_frame, constant
from omniva_dagster.workers.editor.filters import constant as even_rate
from omniva_dagster.workers.editor.filters import reframed, upright
from omniva_dagster.workers.editor.framing import Box, FramedShot, Waypoint, frame_shots
from omniva_dagster.workers.editor.framing.path import position
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.ffmpeg import find_ffmpeg
from omniva_dagster.workers.media.probe import MediaInfo, probe

pytestmark = pytest.mark.media

RATE = Fraction(25)
STYLE = Style(name="test", width=270, height=480)
WIDE = (640, 360)
SDR = Colour(1, 1)

Picture = NDArray[np.uint8]


def ffmpeg(*arguments: str | Path, fed: bytes = b"") -> bytes:
    command = [find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, input=fed, check=True, capture_output=True, timeout=300).stdout


def shown(
    path: Path, shots: Sequence[FramedShot], style: Style = STYLE, form: str = "rgb24"
) -> list[Picture]:
    """Every picture of the reframed video, as RGB or, by ``form``, as the planes of a format."""
    import ffmpeg as graph

    known: MediaInfo = probe(path)
    colour = read_colour(path)
    lines = min(known.width, known.height)
    stream = upright(
        graph.input(str(path))["V:0"],
        colour,
        lines,
        interlaced=known.interlaced,
        alpha=known.alpha,
    )
    stream = reframed(even_rate(stream, RATE), shots, RATE, style, scaler_options(colour))
    stream = toned(stream, colour).filter("format", "yuv420p")
    if form != "yuv420p":
        stream = stream.filter("format", form)
    raw = np.frombuffer(ffmpeg(*stream.output("-", f="rawvideo").compile()[1:]), np.uint8)
    if form == "yuv420p":
        return list(raw.reshape(-1, style.height * 3 // 2, style.width))
    return list(raw.reshape(-1, style.height, style.width, 3))


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of a wide picture that does not move, the brighter the further right."""
    ramp = np.tile(np.arange(WIDE[0]) * (255 / WIDE[0]), (WIDE[1], 1))
    return _filmed(tmp_path_factory.mktemp("still") / "still.mkv", ramp)


def _filmed(path: Path, greys: NDArray[np.float64]) -> Path:
    size = f"{greys.shape[1]}x{greys.shape[0]}"
    ffmpeg(
        "-f", "rawvideo", "-pix_fmt", "gray", "-s", size, "-r", "25", "-i", "-",
        "-vf", "scale=out_range=tv,format=yuv420p,setparams=range=tv:"
        "colorspace=bt709:color_primaries=bt709:color_trc=bt709", "-c:v", "ffv1", path,
        fed=greys.astype(np.uint8).tobytes() * 75,
    )  # fmt: skip
    return path


def column(picture: Picture, line: int = 240) -> float:
    """Which column of the source is in the middle of the picture, read off its ramp."""
    middle = picture[line - 20 : line + 20, 125:145, 1].astype(float)
    return float(middle.mean()) * WIDE[0] / 255


def test_an_expression_has_each_piece_from_its_picture_on() -> None:
    pieces = [constant(0, 10), Piece(5, 5, (10, 2)), Piece(9, 9.0, (18, 0, 1)), constant(12, 27)]
    expression = by_frame(pieces)
    values = [_evaluated(expression, n) for n in range(15)]
    assert values == [10] * 5 + [10, 12, 14, 16, 18, 19, 22, 27, 27, 27]


def test_a_thousand_pieces_are_a_shallow_tree() -> None:
    expression = by_frame([constant(10 * n, n) for n in range(1000)])
    assert _deepest(expression) <= 12
    assert _evaluated(expression, 6543) == 654


def _evaluated(expression: str, n: int) -> float:
    def choose(condition: bool, yes: float, no: float) -> float:
        return yes if condition else no

    names = {"n": n, "lt": lambda a, b: a < b, "choose": choose}
    return float(eval(expression.replace("if(", "choose("), {"__builtins__": {}}, names))


def _deepest(expression: str) -> int:
    depth = deepest = 0
    for letter in expression:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        deepest = max(deepest, depth)
    return deepest


def test_a_moving_crop_glides_between_pixels_of_the_source(still: Path) -> None:
    path = (
        Waypoint(0, 100, 0), Waypoint(0.4, 100, 0), Waypoint(2.4, 121, 0), Waypoint(3, 121, 0),
    )  # fmt: skip
    size = (202, 360)
    pictures = shown(still, [FramedShot(0, 3, "follow", Box(100, 0, *size), path)])
    assert len(pictures) == 75
    places = [column(picture) for picture in pictures]
    assert places[-2] - places[2] == pytest.approx(21, abs=1)
    steps = [b - a for a, b in pairwise(places)]
    assert max(abs(step) for step in steps[:9]) < 0.05
    assert max(abs(step) for step in steps[61:]) < 0.05
    # By the source's whole pixels (even ones, for the colours) it would be up to 2 off.
    off = [place - position(path, n / 25)[0] for n, place in enumerate(places)]
    assert max(off[10:60]) - min(off[10:60]) < 1.4
    assert np.std(off[10:60]) < 0.4


def test_a_crop_moves_up_and_down_too(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(640)[:, None] * (255 / 640), (1, 360))
    tall = _filmed(tmp_path / "tall.mkv", ramp)
    path = (Waypoint(0, 0, 0), Waypoint(3, 0, 120))
    square = Style(name="test", width=360, height=360)
    pictures = shown(tall, [FramedShot(0, 3, "follow", Box(0, 0, 360, 360), path)], square)
    rows = [picture[170:190, 100:200, 1].mean() * 640 / 255 for picture in pictures]
    assert rows[0] == pytest.approx(180, abs=4)
    assert rows[-1] - rows[0] == pytest.approx(120, abs=3)
    assert all(0 <= b - a < 3.5 for a, b in pairwise(rows))


def test_shots_of_every_kind_follow_each_other_frame_by_frame(still: Path) -> None:
    size = (202, 360)
    path = (Waypoint(1.0, 0, 0), Waypoint(1.6, 300, 0))
    shots = [
        FramedShot(0, 0.4, "face", Box(0, 0, *size)),
        FramedShot(0.4, 0.8, "face", Box(400, 0, *size)),
        FramedShot(0.8, 1.0, "fit", Box(218, 0, *size)),
        FramedShot(1.0, 1.6, "follow", Box(0, 0, *size), path),
        FramedShot(1.6, 2.2, "split", Box(0, 0, 270, 240), second=Box(370, 60, 270, 240)),
        FramedShot(2.2, 3.0, "face", Box(300, 40, 180, 320)),
    ]
    pictures = shown(still, shots)
    assert len(pictures) == 75
    for first, last, place in ((0, 9, 101), (10, 19, 501), (20, 24, 320), (55, 74, 390)):
        for picture in pictures[first : last + 1]:
            assert column(picture) == pytest.approx(place, abs=6)
    assert column(pictures[25]) < 115
    assert column(pictures[39]) == pytest.approx(392, abs=12)
    for picture in pictures[40:55]:
        assert column(picture, 120) == pytest.approx(135, abs=6)
        assert column(picture, 360) == pytest.approx(505, abs=6)


def test_interlaced_pictures_are_made_whole(tmp_path: Path) -> None:
    path = tmp_path / "interlaced.mp4"
    bar = "geq=lum='if(between(X,N*5,N*5+20),235,16)':cb=128:cr=128"
    ffmpeg(
        "-f", "lavfi", "-i", f"color=black:s=320x240:r=50:d=1,format=yuv420p,{bar}",
        "-vf", "tinterlace=interleave_top,setfield=tff",
        "-c:v", "libx264", "-crf", "4", "-flags", "+ildct+ilme", path,
    )  # fmt: skip
    assert probe(path).interlaced
    whole = Style(name="test", width=320, height=240)
    picture = shown(path, [FramedShot(0, 1, "whole", Box(0, 0, 320, 240))], whole)[10]
    luma = picture[60:180, :, 1].astype(float)
    combed = np.abs(luma[1:-1] - (luma[:-2] + luma[2:]) / 2).mean()
    assert luma.max() > 200
    assert combed < 2


def test_progressive_video_is_not_called_interlaced(still: Path) -> None:
    assert not probe(still).interlaced
    assert not probe(still).alpha


def test_what_is_transparent_becomes_black(tmp_path: Path) -> None:
    path = tmp_path / "alpha.mov"
    ffmpeg(
        "-f", "lavfi", "-i", "color=white:s=270x480:r=25:d=0.2,format=rgba,"
        "geq=r=200:g=40:b=40:a='if(lt(X,90),0,if(lt(X,180),128,255))'", "-c:v", "qtrle", path,
    )  # fmt: skip
    assert probe(path).alpha
    picture = shown(path, [FramedShot(0, 1, "whole", Box(0, 0, 270, 480))])[0]
    clear, half, solid = (picture[240, x].astype(int) for x in (40, 135, 230))
    assert clear.max() < 6
    assert half.tolist() == pytest.approx([100, 20, 20], abs=8)
    assert solid.tolist() == pytest.approx([200, 40, 40], abs=8)


NITS = (0, 26, 100, 203, 400, 1000, 4000)


def _pq(nits: float) -> float:
    """SMPTE ST 2084: the signal for a luminance."""
    power = (nits / 10000) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


@pytest.mark.parametrize("mode", ["whole", "fit"])
def test_a_pq_source_keeps_its_greys_in_order_and_its_whites_bright(
    mode: Any, tmp_path: Path
) -> None:
    width, height = 40 * len(NITS), 640
    line = np.array([64 + 876 * _pq(nits) for nits in NITS]).round().astype("<u2").repeat(40)
    frame = np.tile(line, (height, 1)).tobytes()
    frame += np.full(height * width // 2, 512, "<u2").tobytes()
    path = tmp_path / "pq.mp4"
    ffmpeg(
        "-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-s", f"{width}x{height}", "-r", "25",
        "-i", "-", "-vf", "setparams=colorspace=bt2020nc:color_primaries=bt2020:"
        "color_trc=smpte2084:range=tv", "-c:v", "libx265", "-x265-params",
        "log-level=error:lossless=1", path, fed=frame * 2,
    )  # fmt: skip
    assert read_colour(path) == Colour(matrix=9, transfer=16, primaries=9)
    style = Style(name="test", width=width, height=height)
    shots = [FramedShot(0, 1, mode, Box(0, 0, width, height))]
    planes = shown(path, shots, style, "yuv420p")[0]
    greys = [(float(planes[320, 40 * n + 20]) - 16) / 219 for n in range(len(NITS))]
    assert greys[0] == pytest.approx(0, abs=0.01)
    assert all(two > one for one, two in pairwise(greys))
    # BT.2408: diffuse white is 203 nits; it has to look white beside the captions' white.
    assert 0.78 < greys[3] < 0.95
    assert greys[-1] > 0.95
    assert abs(int(planes[height:].max()) - 128) <= 2


@pytest.mark.parametrize("turn", [0, 90])
def test_anamorphic_and_turned_pictures_are_as_large_as_probed(turn: int, tmp_path: Path) -> None:
    flat, path = tmp_path / "flat.mp4", tmp_path / "turned.mp4"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=426x240:r=25:d=0.2", "-vf", "setsar=853/852",
        "-c:v", "libx264", "-pix_fmt", "yuv420p", flat,
    )  # fmt: skip
    ffmpeg("-display_rotation", str(turn), "-i", flat, "-c", "copy", path)
    known = probe(path)
    shots = frame_shots([], [], 0, 0.2, known.width, known.height, STYLE)
    assert len(shown(path, shots)) == 5
    assert (known.width > known.height) is (turn == 0)
