"""Cuts to the frame, whatever the codec, and nothing else taken for one."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from omniva_dagster.workers.analyzer.container import opened
from omniva_dagster.workers.analyzer.pictures import look, sparing
from omniva_dagster.workers.analyzer.pictures.shots import CutFinder, settled
from omniva_dagster.workers.analyzer.pictures.sparing import Reader
from omniva_dagster.workers.media.probe import picture_stream
from tests.workers.analyzer.moving import H264, Frame, brighter, encode, pan, picture

pytestmark = pytest.mark.media

# First frames of shots.
CUTS = [31, 54, 62, 97, 131]
LATE_KEYS = ("-g", "250", "-sc_threshold", "0", "-bf", "3", "-b_strategy", "0")


@pytest.fixture(scope="module")
def reel() -> list[Frame]:
    """Six moving shots, the shortest of eight frames."""
    shots = [
        ("coffee.png", 31, 0.5, (0, 0)),
        ("chelsea.png", 23, 2.0, (0, 0)),
        ("motorcycle_left.png", 8, 1.0, (30, 20)),
        ("astronaut.png", 35, 1.0, (0, 0)),
        ("motorcycle_right.png", 34, 3.0, (0, 60)),
        ("coffee.png", 29, 1.0, (150, 90)),
    ]
    return [f for name, count, step, at in shots for f in pan(name, count, step=step, at=at)]


def cuts(path: Path) -> list[float]:
    return [scene.start for scene in look(path).scenes[1:]]


def on_frames(rate: float) -> object:
    return pytest.approx([cut / rate for cut in CUTS], abs=0.45 / rate)


CODED = {
    "x264": ("a.mp4", H264),
    "x264 without key frames at cuts": ("b.mp4", (*H264, *LATE_KEYS)),
    "open groups": ("c.mkv", (*H264, *LATE_KEYS, "-g", "24", "-x264-params", "open-gop=1")),
    "key frames only": ("d.mp4", (*H264, "-g", "1")),
    "strongly compressed": ("e.mp4", (*H264, "-crf", "36", "-g", "12")),
    "transport stream": ("f.ts", (*H264, *LATE_KEYS)),
    "mpeg4": ("g.mp4", ("-c:v", "mpeg4", "-q:v", "8", "-bf", "2", "-g", "60")),
    "vp9": ("h.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-pix_fmt", "yuv420p")),
    "x265": ("i.mp4", ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "bframes=3")),
    "interlaced": ("j.mp4", (*H264, "-flags", "+ilme+ildct", "-x264-params", "tff=1")),
    "ten bits": ("k.mkv", ("-c:v", "ffv1", "-pix_fmt", "yuv422p10le")),
    "red, green, blue": ("l.mkv", ("-c:v", "ffv1", "-pix_fmt", "gbrp")),
}


@pytest.mark.parametrize("coded", CODED)
def test_cuts_are_found_to_the_frame(reel: list[Frame], tmp_path: Path, coded: str) -> None:
    name, arguments = CODED[coded]
    assert cuts(encode(reel, tmp_path / name, 30, arguments)) == on_frames(30)


@pytest.mark.parametrize("rate", [1, 12, 24, 30000 / 1001])
def test_cuts_are_found_at_any_rate(reel: list[Frame], tmp_path: Path, rate: float) -> None:
    assert cuts(encode(reel, tmp_path / "a.mp4", rate, (*H264, *LATE_KEYS))) == on_frames(rate)


def test_cuts_are_found_at_a_hundred_and_twenty_frames_a_second(
    reel: list[Frame], tmp_path: Path
) -> None:
    slowed = [frame for frame in reel for _ in range(4)]
    path = encode(slowed, tmp_path / "a.mp4", 120, (*H264, *LATE_KEYS))
    assert cuts(path) == pytest.approx([cut / 30 for cut in CUTS], abs=0.004)


def test_cuts_are_found_where_frames_are_missing(reel: list[Frame], tmp_path: Path) -> None:
    whole = encode(reel, tmp_path / "whole.mkv", 30, ("-c:v", "ffv1"))
    path = tmp_path / "vfr.mkv"
    kept = "select='not(between(mod(n,37),3,8))*not(eq(mod(n,5),2))'"
    from omniva_dagster.workers.media.ffmpeg import run_ffmpeg

    some = ["-vf", kept, "-fps_mode", "vfr", *H264, *LATE_KEYS]
    run_ffmpeg(["-v", "error", "-i", str(whole), *some, str(path)], timeout=300)
    with av.open(str(path)) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    first_kept = [min(t for t in times if t > cut / 30 - 0.001) for cut in CUTS]
    assert cuts(path) == pytest.approx(first_kept, abs=0.002)


def test_faces_change_with_the_cut_though_it_falls_among_pictures_left_out(tmp_path: Path) -> None:
    # At 1.2 s, when faces are looked at, between two pictures that others are made from.
    person, thing = pan("astronaut.png", 40, step=0), pan("coffee.png", 40, step=0)
    for first in range(34, 38):
        frames = thing[:first] + person[: 80 - first]
        path = encode(frames, tmp_path / f"{first}.mp4", 30, (*H264, *LATE_KEYS))
        seen = [face.time for face in look(path).faces]
        assert seen == [t for t in (0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.4) if t >= first / 30 - 1e-3]


def left_out(path: Path) -> list[bool]:
    with opened(path) as container:
        reader = Reader(container, picture_stream(container))
        return [not shown.adjacent for shown in reader.frames()]


def test_pictures_that_no_other_needs_are_not_decoded(reel: list[Frame], tmp_path: Path) -> None:
    path = encode(reel, tmp_path / "a.mp4", 30, (*H264, *LATE_KEYS))
    gaps = left_out(path)
    assert len(gaps) < 0.7 * len(reel)
    assert any(gaps)
    assert look(path).end == pytest.approx(len(reel) / 30, abs=0.002)


def test_where_looking_again_would_cost_more_everything_is_decoded_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["coffee.png", "chelsea.png", "astronaut.png", "motorcycle_left.png"]
    montage = [frame for i in range(24) for frame in pan(names[i % 4], 10, step=0.5)]
    path = encode(montage, tmp_path / "a.mp4", 30, (*H264, *LATE_KEYS))
    expected = pytest.approx([i / 3 for i in range(1, 24)], abs=0.015)
    monkeypatch.setattr(sparing, "_ALLOWANCE", 10_000)
    assert cuts(path) == expected
    monkeypatch.setattr(sparing, "_ALLOWANCE", 0)
    again: list[tuple[float, float]] = []

    def counted(media: Path, doubts: list[tuple[float, float]]) -> list[float]:
        again.extend(doubts)
        return sparing.cuts_within(media, doubts)

    monkeypatch.setattr("omniva_dagster.workers.analyzer.pictures.cuts_within", counted)
    assert cuts(path) == expected
    assert len(again) <= 2


def flashed(frames: list[Frame], count: int) -> list[Frame]:
    return [brighter(f, 1.3, 90) if 30 <= i < 30 + count else f for i, f in enumerate(frames)]


def whip(count: int, step: int) -> list[Frame]:
    """Stands, is torn aside, stands."""
    names = ["coffee.png", "chelsea.png", "astronaut.png", "motorcycle_left.png"]
    wide = np.hstack([pan(name, 1)[0] for name in names])
    last = wide.shape[1] - 320
    at = [0] * 30 + [min(last, i * step) for i in range(1, count)] + [last] * 30
    return [np.ascontiguousarray(wide[:, x : x + 320]) for x in at]


def captioned(frames: list[Frame]) -> list[Frame]:
    shown = [frame.copy() for frame in frames]
    for frame in shown[30:60]:
        frame[130:165, 30:290] = 255
    return shown


LOW = (*H264, "-preset", "ultrafast", "-crf", "40", "-g", "12", "-sc_threshold", "0")
NO_CUTS = {
    "a flash of one frame": (lambda: flashed(pan("chelsea.png", 80), 1), H264),
    "a flash of four frames": (lambda: flashed(pan("chelsea.png", 80), 4), H264),
    "a light that goes on": (
        lambda: [brighter(f, 1.5) if i > 40 else f for i, f in enumerate(pan("chelsea.png", 80))],
        H264,
    ),
    "a fast pan": (lambda: whip(32, 32), H264),
    "a faster pan": (lambda: whip(16, 64), H264),
    "pulsing key frames": (lambda: pan("coffee.png", 90, step=0.3), LOW),
    "a caption": (lambda: captioned(pan("chelsea.png", 80)), H264),
    "noise": (
        lambda: list(np.random.default_rng(1).integers(0, 255, (45, 180, 320, 3), np.uint8)),
        H264,
    ),
}


@pytest.mark.parametrize("what", NO_CUTS)
def test_what_is_no_cut_is_not_taken_for_one(tmp_path: Path, what: str) -> None:
    frames, coded = NO_CUTS[what]
    for arguments in (coded, (*coded, *LATE_KEYS)):
        assert cuts(encode(frames(), tmp_path / "a.mp4", 30, arguments)) == []


def gist(frame: Frame) -> np.ndarray:
    small = frame[::10, ::10].astype(np.float32)
    return np.stack([small.mean(axis=2), small[..., 0] - small[..., 2], small[..., 1]])


def test_a_cut_among_pictures_left_out_is_a_doubt() -> None:
    one, other = gist(pan("coffee.png", 1)[0]), gist(pan("chelsea.png", 1)[0])
    finder = CutFinder()
    for i in range(20):
        finder.add(i * 0.1, one if i < 10 else other, adjacent=i != 10)
    finder.finish()
    assert finder.cuts == []
    assert finder.doubts == [(pytest.approx(0.9), pytest.approx(1.0))]


def test_memory_of_the_past_is_bounded() -> None:
    finder = CutFinder()
    picture_ = gist(picture("coffee.png")[:180, :320])
    for i in range(5000):
        finder.add(i / 1000, picture_)
    assert len(finder._near) < 200


def test_shots_shorter_than_can_be_seen_are_none() -> None:
    assert settled([3.0, 1.0, 1.1, 1.15, 5.0, 0.0, 7.0], 5.0) == [1.0, 3.0]
