"""Sources that players show without complaint, and that are easily cut, heard or toned wrongly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from omniva_dagster.workers.analyzer import audio
from omniva_dagster.workers.editor.colour import read_colour
from omniva_dagster.workers.editor.framing.bars import find_picture
from omniva_dagster.workers.editor.sound.loudness import find_loudness
from omniva_dagster.workers.editor.style import style_named
from omniva_dagster.workers.media.ffmpeg import run_ffmpeg
from omniva_dagster.workers.media.probe import probe
from omniva_dagster.workers.media.seeking import lead_before
from omniva_dagster.workers.media.timeline import Face, Word
from tests.workers.editor.conftest import brightness, context_of, rendered, run

pytestmark = pytest.mark.media

SMALL = replace(style_named("clean"), width=270, height=480, preset="ultrafast", fade_out=0.04)
RISING = "color=black:s=320x180:r=25:d=8,format=yuv420p,geq=lum='50+N':cb=128:cr=128"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "1000")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast")
PQ = "setparams=range=tv:color_trc=smpte2084"


@pytest.mark.parametrize("name", ["stream.ts", "stream.mpg", "file.mp4", "file.mkv"])
@pytest.mark.parametrize("start", [0.0, 1.0, 5.0])
def test_a_clip_begins_with_its_own_first_picture_in_every_container(
    name: str, start: float, tmp_path: Path
) -> None:
    path = tmp_path / name
    codec = ("-c:v", "mpeg2video", "-g", "90", "-q:v", "3") if name.endswith("mpg") else H264
    run("-f", "lavfi", "-i", RISING, "-f", "lavfi", "-i", "sine=f=300:d=8", *codec, path)
    known = {"source_width": 320, "source_height": 180, "frame_rate": 25.0, "has_audio": True}
    context = context_of(path, start, start + 2, **known, lead=lead_before(path, start, start + 2))
    levels = brightness(rendered(context, tmp_path / "out", style=SMALL).media)
    assert len(levels) == 50
    # As steadily brighter as the source: no picture is held, none is left out.
    seen = np.array(levels[:45])
    assert seen[-1] - seen[0] > 20
    assert np.abs(seen - np.linspace(seen[0], seen[-1], 45)).max() < 1.5
    assert context.lead == 0 or path.suffix in (".ts", ".mpg")


def test_a_moving_crop_of_a_high_dynamic_range_does_not_flicker(tmp_path: Path) -> None:
    path = tmp_path / "pq.mp4"
    run("-f", "lavfi", "-i", "color=gray:s=640x360:r=25:d=3,format=yuv420p10le,"
        f"{PQ}:colorspace=bt2020nc:color_primaries=bt2020", *HEVC, path)  # fmt: skip
    faces = [Face(n / 5, 0.1 + n * 0.045, 0.2, 0.15, 0.3, 0.95) for n in range(15)]
    known = {"source_width": 640, "source_height": 360, "frame_rate": 25.0, "faces": faces}
    context = context_of(path, 0.0, 3.0, **known, colour=read_colour(path))
    made = rendered(context, tmp_path / "out", style=SMALL)
    assert "follow" in made.summary.framing
    levels = brightness(made.media)[:70]
    assert max(levels) - min(levels) < 2


@pytest.mark.parametrize(
    "said", ["colorspace=bt2020nc", "color_primaries=bt2020", "colorspace=unknown"]
)
def test_a_high_dynamic_range_that_is_named_in_part_is_mapped_too(
    said: str, tmp_path: Path
) -> None:
    path = tmp_path / "pq.mkv"
    run("-f", "lavfi", "-i", f"color=gray:s=320x180:r=25:d=1,format=yuv420p10le,{PQ}:{said}",
        *HEVC, path)  # fmt: skip
    known = {"source_width": 320, "source_height": 180, "frame_rate": 25.0}
    context = context_of(path, 0.0, 1.0, **known, colour=read_colour(path))
    assert context.colour.transfer == 16
    assert rendered(context, tmp_path / "out", style=SMALL).width == 270


def test_a_cover_picture_before_the_video_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "covered.mp4"
    run(
        "-f", "lavfi", "-i", "color=red:s=200x200:d=0.04", "-f", "lavfi",
        "-i", "testsrc2=s=320x180:r=25:d=1", "-map", "0:v", "-map", "1:v", "-c:v:0", "mjpeg",
        "-disposition:v:0", "attached_pic", "-c:v:1", "libx264", path,
    )  # fmt: skip
    known = probe(path)
    assert (known.width, known.height, known.video_codec) == (320, 180, "h264")
    assert find_picture(path, 0, 1) is None
    run("-f", "lavfi", "-i", "color=red:s=200x200:d=0.04", "-f", "lavfi", "-i", "sine=d=1",
        "-c:v", "mjpeg", "-disposition:v:0", "attached_pic",
        tmp_path / "only.mp4")  # fmt: skip
    assert not probe(tmp_path / "only.mp4").has_video


def test_the_track_that_players_take_is_heard_and_cut(tmp_path: Path) -> None:
    path = tmp_path / "tracks.mkv"
    run(
        "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2", "-f", "lavfi", "-i",
        "anullsrc=d=2", "-f", "lavfi", "-i", "sine=f=400:d=2", "-map", "0", "-map", "1",
        "-map", "2", "-disposition:a:0", "0", "-disposition:a:1", "default", *H264, path,
    )  # fmt: skip
    track = probe(path).track
    assert track == 1
    samples = audio.decode(path)
    assert samples is not None
    assert max(audio.loudness(samples)) > -30
    loudness = find_loudness(path, 0.0, 2.0, SMALL, has_audio=True, track=track)
    assert loudness.target == -14
    known = {"source_width": 320, "source_height": 180, "frame_rate": 25.0, "has_audio": True}
    context = context_of(path, 0.0, 2.0, **known, track=track)
    made = rendered(context, tmp_path / "out", style=SMALL, loudness=loudness)
    assert made.integrated_lufs == pytest.approx(-14, abs=0.5)


def test_speech_whose_channels_cancel_each_other_is_heard(speech: Path, tmp_path: Path) -> None:
    path, plain = tmp_path / "against.m4a", tmp_path / "plain.m4a"
    run("-t", "3", "-i", speech, "-af", "pan=stereo|c0=c0|c1=-1*c0", "-c:a", "aac", path)
    run("-t", "3", "-i", speech, "-c:a", "aac", plain)
    heard, expected = audio.decode(path), audio.decode(plain)
    assert heard is not None
    assert expected is not None
    assert audio.loudness(heard) == pytest.approx(audio.loudness(expected), abs=6)


def test_captions_over_a_damaged_picture_are_known_to_be_drawn(tmp_path: Path) -> None:
    """What a decoder complains of must not push out what libass said of its fonts."""
    whole, path = tmp_path / "whole.mp4", tmp_path / "damaged.mp4"
    run("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=12", "-c:v", "libx264", "-g", "25",
        "-pix_fmt", "yuv420p", "-crf", "30", whole)  # fmt: skip
    content = bytearray(whole.read_bytes())
    for at in range(len(content) // 20, len(content) * 9 // 10, 200):
        content[at] ^= 0x5A
    path.write_bytes(content)
    said = run_ffmpeg(["-i", str(path), "-f", "null", "-"], timeout=300).log
    assert said.count("\n") > 390
    known = {"source_width": 320, "source_height": 180, "frame_rate": 25.0}
    words = [Word("Hello", 0.2, 0.6, 0.9)]
    made = rendered(
        context_of(path, 0.0, 11.0, **known, words=words), tmp_path / "out", style=SMALL
    )
    assert made.summary.caption_words == 1
