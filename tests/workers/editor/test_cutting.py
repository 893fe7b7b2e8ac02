from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import ffmpeg
import numpy as np
import pytest

from omniva_dagster.workers.editor.filters import constant
from omniva_dagster.workers.editor.pace.cutting import cut_picture, cut_sound
from omniva_dagster.workers.editor.sound import even_audio
from omniva_dagster.workers.media.ffmpeg import INPUT_GUARD, run_ffmpeg
from omniva_dagster.workers.media.timeline import Kept
from tests.workers.editor.conftest import brightness, pictures, run

pytestmark = pytest.mark.media

START = 2.0
EVERY = 1.5
# Eleven stretches, none of them on the grid of a frame rate.
KEPT = [Kept(START + 1.5 * n + 0.013 * n % 0.1, START + 1.5 * n + 0.731) for n in range(11)]


@pytest.fixture(scope="module")
def clapper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flash and a beep together, every 1.5 s (at 0.8 s, 2.3 s, ...), and a low hum between."""
    path = tmp_path_factory.mktemp("clapper") / "clapper.mkv"
    due = "lt(mod({}+0.7,1.5),0.05)"
    run(
        "-f", "lavfi", "-i",
        f"color=black:s=64x64:r=100:d=20,format=gray,geq=lum='255*{due.format('T')}'",
        "-f", "lavfi", "-i",
        f"aevalsrc='0.05*sin(500*t)+0.7*sin(6000*t)*{due.format('t')}':s=48000:d=20",
        "-c:v", "ffv1", "-c:a", "pcm_s16le", path,
    )  # fmt: skip
    return path


def source_at(clapper: Path, folder: Path, rate: str) -> Path:
    path = folder / "source.mkv"
    chosen = {
        "varying": "select='gt(mod(n,100),60)*not(mod(n,2))+lte(mod(n,100),60)*not(mod(n,3))'"
    }.get(rate, f"fps={rate}")
    run("-i", clapper, "-vf", chosen, "-fps_mode", "vfr", "-c:v", "ffv1", "-c:a", "copy", path)
    return path


def cut(source: Path, kept: Sequence[Kept], rate: Fraction, target: Path) -> Path:
    span = kept[-1].end - START
    opened = ffmpeg.input(
        f"file:{source}", ss=START, t=span + 0.5, protocol_whitelist=INPUT_GUARD[1]
    )
    duration = sum(one.end - one.start for one in kept)
    picture = cut_picture(constant(opened["V:0"], rate), kept, START, rate)
    sound = cut_sound(even_audio(opened["a:0"], span), kept, START)
    options = {"c:v": "ffv1", "c:a": "pcm_f32le", "t": f"{duration:.6f}"}
    written = ffmpeg.output(picture, sound, f"file:{target}", **options).overwrite_output()
    run_ffmpeg(written.get_args(), timeout=300)
    return target


def heard(path: Path) -> np.ndarray:
    """The left channel of a file whose sound is interleaved stereo."""
    import av

    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1).reshape(-1, 2)[:, 0]


def rises(levels: np.ndarray, threshold: float, apart: float, rate: float) -> list[float]:
    """The moments at which a signal comes up after having been down for a while."""
    above = np.flatnonzero(levels > threshold) / rate
    quiet_before = np.diff(above, prepend=-np.inf) > apart
    return [float(moment) for moment in above[quiet_before]]


RATES = {
    "25": Fraction(25),
    "30000/1001": Fraction(30000, 1001),
    "60": Fraction(60),
    "varying": Fraction(50),
}


def apart(path: Path, rate: Fraction) -> list[float]:
    """How much later than its beep each flash is, in seconds."""
    flashes = rises(np.array(brightness(path)), 128, 0.1, float(rate))
    beeps = rises(np.abs(heard(path)), 0.3, 0.1, 48000)
    assert len(flashes) == len(beeps)
    return [flash - beep for flash, beep in zip(flashes, beeps, strict=True)]


@pytest.mark.parametrize("name", RATES)
def test_picture_and_sound_are_as_far_apart_after_ten_cuts_as_before(
    name: str, clapper: Path, tmp_path: Path
) -> None:
    rate = RATES[name]
    source = source_at(clapper, tmp_path, name)
    whole = cut(source, [Kept(START, KEPT[-1].end)], rate, tmp_path / "whole.mkv")
    on_frames = [Kept(_on_frame(one.start, rate), _on_frame(one.end, rate)) for one in KEPT]
    made = cut(source, on_frames, rate, tmp_path / "cut.mkv")
    assert apart(made, rate) == pytest.approx(apart(whole, rate), abs=0.001)
    anywhere = cut(source, KEPT, rate, tmp_path / "anywhere.mkv")
    assert apart(anywhere, rate) == pytest.approx(apart(whole, rate), abs=float(1 / rate) + 0.001)


def _on_frame(seconds: float, rate: Fraction) -> float:
    return START + float(round((seconds - START) * rate) / rate)


@pytest.mark.parametrize("name", ["25", "30000/1001"])
def test_sound_is_as_long_as_what_is_kept_to_the_sample_and_the_picture_to_the_frame(
    name: str, clapper: Path, tmp_path: Path
) -> None:
    rate = RATES[name]
    made = cut(source_at(clapper, tmp_path, name), KEPT, rate, tmp_path / "cut.mkv")
    duration = sum(one.end - one.start for one in KEPT)
    assert len(heard(made)) == pytest.approx(duration * 48000, abs=1)
    assert len(brightness(made)) == pytest.approx(duration * rate, abs=1)


def test_the_pictures_that_stay_are_the_very_ones(tmp_path: Path) -> None:
    source = tmp_path / "numbered.mkv"
    picture = "color=black:s=32x32:r=25:d=8,format=gray,geq=lum='N'"
    run("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "anullsrc=d=8", "-c:v", "ffv1", source)
    kept = [Kept(2.0, 3.0), Kept(3.4, 4.0), Kept(5.0, 6.0)]
    made = cut(source, kept, Fraction(25), tmp_path / "cut.mkv")
    assert brightness(made) == [*range(50, 75), *range(85, 100), *range(125, 150)]
    times = [seconds for seconds, _ in pictures(made)]
    assert times == pytest.approx([n / 25 for n in range(65)], abs=0.001)


def test_a_cut_makes_no_click(tmp_path: Path) -> None:
    """A hard cut in a tone steps by up to twice its height from one sample to the next."""
    source = tmp_path / "tone.mkv"
    tone = "aevalsrc='0.5*sin(2*PI*101.7*t)':s=48000:d=12"
    run("-f", "lavfi", "-i", "color=black:s=32x32:r=25:d=12", "-f", "lavfi", "-i", tone, source)
    kept = [Kept(START + 0.9 * n, START + 0.9 * n + 0.637) for n in range(9)]
    sound = heard(cut(source, kept, Fraction(25), tmp_path / "cut.mkv"))
    steepest = 0.5 * 2 * np.pi * 101.7 / 48000
    # Both tones at their heights for a moment, and the cross-fade's own slope.
    assert np.abs(np.diff(sound[480:-480])).max() < 2.5 * steepest + 0.5 / 192
    assert np.abs(sound).max() < 0.5 * 2**0.5 + 0.01


def test_nothing_to_leave_out_adds_no_filter() -> None:
    stream = ffmpeg.input("x")["a:0"]
    assert cut_sound(stream, [Kept(2.0, 5.0)], 2.0) is stream
    assert cut_picture(stream, [Kept(2.0, 5.0)], 2.0, Fraction(25)) is stream
