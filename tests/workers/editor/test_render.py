from __future__ import annotations

import hashlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.editor import render as rendering
from omniva_dagster.workers.editor.colour import Colour, read_colour
from omniva_dagster.workers.editor.render import Rendered
from omniva_dagster.workers.editor.style import Style
from omniva_dagster.workers.media.ffmpeg import run_ffmpeg
from omniva_dagster.workers.media.probe import probe
from omniva_dagster.workers.media.timeline import Scene
from tests.workers.editor.conftest import (
    CLIP_ID,
    FPS,
    OTHER_ID,
    Picture,
    Talk,
    brightness,
    context_of,
    find_faces,
    pictures,
    planned,
    rendered,
    run,
)

pytestmark = pytest.mark.media

AWKWARD = 'it\'s a "clip": 100% [x],; {output}'
BAND = slice(1150, 1460)


@pytest.fixture(scope="module")
def awkward_source(talk: Talk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp(AWKWARD) / f"{AWKWARD}.mp4"
    path.hardlink_to(talk.path)
    return path


@pytest.fixture(scope="module")
def clip(talk: Talk, awkward_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """Three shots (face on the right, none, face on the left), captions until 3 s."""
    return rendered(_context(talk, awkward_source), tmp_path_factory.mktemp(AWKWARD))


def _context(talk: Talk, path: Path) -> object:
    return context_of(
        path, 2.5, 7.5, words=talk.words, faces=talk.faces, scenes=talk.scenes,
        colour=read_colour(path),
    )  # fmt: skip


@pytest.mark.spec("EDI-2")
def test_a_clip_is_vertical_full_hd_in_the_formats_every_platform_takes(clip: Rendered) -> None:
    media = probe(clip.media)
    assert (media.width, media.height) == (clip.width, clip.height) == (1080, 1920)
    assert (media.video_codec, media.audio_codec) == ("h264", "aac")
    assert media.frame_rate == FPS
    assert clip.duration == pytest.approx(5.0, abs=0.05)
    raw = clip.media.read_bytes()
    assert clip.size_bytes == len(raw)
    assert 0 < raw.find(b"moov") < raw.find(b"mdat")
    assert b"Lavf" not in raw


@pytest.mark.spec("EDI-4")
def test_the_summary_names_the_very_commands_that_ran_and_the_hardware(clip: Rendered) -> None:
    summary = clip.summary
    assert summary.framing == "face+fit"
    assert summary.encoder == "libx264"
    assert len(summary.commands) == 2
    assert "{" + "input}" not in summary.commands[0]
    assert summary.cpu_seconds > 0
    assert summary.hardware


def test_the_same_plan_gives_the_same_bytes_whatever_the_folders_are_called(
    clip: Rendered, talk: Talk, tmp_path: Path
) -> None:
    again = rendered(_context(talk, talk.path), tmp_path / "plain")
    assert again.sha256 == clip.sha256
    assert again.thumbnail.read_bytes() == clip.thumbnail.read_bytes()


def test_the_face_is_whole_and_in_the_middle_of_every_shot_that_has_one(clip: Rendered) -> None:
    shown = pictures(clip.media)
    assert len(shown) == 5 * FPS
    for number in (0, 17, 42, 55):
        (face,) = find_faces(np.ascontiguousarray(shown[number][1][::2, ::2]))
        assert face.x + face.width / 2 == pytest.approx(0.5, abs=0.08)


def test_the_framing_changes_on_the_very_frame_of_the_cut(clip: Rendered) -> None:
    shown = [picture for _, picture in pictures(clip.media)]
    green = [picture[960, 200, 0] < 60 < picture[960, 200, 1] for picture in shown]
    cut, back = round(1.5 * FPS), round(3.5 * FPS)
    assert green == [cut <= number < back for number in range(len(shown))]


def test_captions_are_drawn_in_their_band_and_only_while_they_are_due(clip: Rendered) -> None:
    shown = pictures(clip.media)
    assert clip.summary.font == "Source Sans Pro"
    slide = [picture for seconds, picture in shown if 1.6 < seconds < 2.9]
    for picture in slide:
        bright = (picture > 200).all(axis=2)
        assert bright[BAND].sum() > 2000
        assert bright[int(1920 * 0.8) :].sum() == 0
    silent = [picture for seconds, picture in shown if 3.1 < seconds < 3.4]
    assert all((picture[BAND] > 200).all(axis=2).sum() == 0 for picture in silent)


def test_the_thumbnail_shows_the_face_without_captions(clip: Rendered) -> None:
    ((_, still),) = pictures(clip.thumbnail)
    assert still.shape == (1920, 1080, 3)
    assert len(find_faces(np.ascontiguousarray(still[::2, ::2]))) == 1
    shown = [pictures(clip.media)[number][1] for number in (0, 50)]
    assert min(abs(still[:900].astype(int) - picture[:900]).mean() for picture in shown) < 4


def test_captions_in_another_font_than_planned_are_an_error(talk: Talk, tmp_path: Path) -> None:
    plan = planned(context_of(talk.path, 0.5, 1.5, words=talk.words))
    (name,) = plan.assets
    other = Path(plan.files[name]).with_name("SourceSansPro-It.ttf")
    digest = hashlib.sha256(other.read_bytes()).hexdigest()
    swapped = replace(plan, assets={name: digest}, files={name: str(other)})
    with pytest.raises(WorkerError, match="not drawn in SourceSansPro-Bold"):
        rendering.render(swapped, talk.path, tmp_path / "out", encoder=rendering.CPU, timeout=300)
    assert list((tmp_path / "out").iterdir()) == []


SHAPES = {
    "wide": (640, 360, 640, 360, 1.0, ()),
    "four-thirds": (640, 480, 640, 480, 1.0, ()),
    "odd": (853, 479, 853, 479, 1.0, ()),
    "square": (640, 640, 640, 640, 1.0, ()),
    "portrait": (479, 853, 479, 853, 1.0, ()),
    "tall": (360, 780, 360, 780, 1.0, ()),
    "anamorphic": (720, 576, 1024, 576, 64 / 45, ("-vf", "setsar=64/45", "-c:v", "ffv1")),
}


@pytest.mark.parametrize("faceless", ["fit", "centre"])
@pytest.mark.parametrize("name", SHAPES)
def test_no_source_is_stretched(
    name: str, faceless: str, circle: Callable[..., Path], tmp_path: Path
) -> None:
    width, height, shown_width, shown_height, stretch, codec = SHAPES[name]
    path = circle(name, width, height, stretch, *codec)
    made = rendered(
        context_of(
            path, 0, 0.3, source_width=shown_width, source_height=shown_height, frame_rate=10.0
        ),
        tmp_path,
        style=Style(name="test", faceless="fit" if faceless == "fit" else "centre"),
    )
    _assert_round(pictures(made.media)[0][1])


def test_a_rotated_source_is_upright_and_not_stretched(
    circle: Callable[..., Path], tmp_path: Path
) -> None:
    flat = circle("flat", 640, 360, 1.0, "-c:v", "libx264", "-pix_fmt", "yuv420p")
    turned = tmp_path / "turned.mp4"
    run("-display_rotation", "90", "-i", flat, "-c", "copy", turned)
    known = probe(turned)
    assert (known.width, known.height) == (360, 640)
    plan = context_of(turned, 0, 0.3, source_width=360, source_height=640, frame_rate=10.0)
    made = rendered(plan, tmp_path)
    assert made.summary.framing == "whole"
    _assert_round(pictures(made.media)[0][1])


def _assert_round(picture: Picture) -> None:
    red = (picture[:, :, 0] > 140) & (picture[:, :, 1] < 60)
    height = _run_through(red[:, 540], 960)
    width = _run_through(red[960], 540)
    assert width > 50
    assert width == pytest.approx(height, rel=0.02, abs=3)


def _run_through(line: np.ndarray, middle: int) -> int:
    outside = np.flatnonzero(~line)
    return int(outside[outside > middle].min() - outside[outside < middle].max())


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """25 frames a second in long groups, each brighter than the last; a tone at 0.6 s and from
    3.4 s on, in sound that starts half a second after the picture."""
    path = tmp_path_factory.mktemp("clock") / "clock.mp4"
    picture = "color=black:s=108x192:r=25:d=6,format=yuv420p,geq=lum='20+N':cb=128:cr=128"
    tone = "sine=f=1000:r=48000:d=5.5,volume='gte(t,2.9)+between(t,0.1,0.2)':eval=frame"
    run(
        "-f", "lavfi", "-i", picture, "-itsoffset", "0.5", "-f", "lavfi", "-i", tone,
        "-c:v", "libx264", "-g", "250", "-crf", "4", "-c:a", "aac", path,
    )  # fmt: skip
    return path


@pytest.mark.parametrize(("start", "sounds"), [(3.0, 0.4), (0.0, 0.6)])
def test_a_clip_starts_on_the_very_frame_and_sound_stays_with_the_picture(
    start: float, sounds: float, clock: Path, tmp_path: Path
) -> None:
    import av

    context = context_of(
        clock,
        start,
        start + 1,
        source_width=108,
        source_height=192,
        frame_rate=25.0,
        has_audio=True,
    )
    made = rendered(context, tmp_path)
    levels, source = brightness(made.media), brightness(clock)
    assert len(levels) == 25
    first = round(start * 25)
    assert levels[:20] == pytest.approx(source[first : first + 20], abs=0.3)
    with av.open(str(made.media)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert np.argmax(np.abs(sound) > 0.02) / 48000 == pytest.approx(sounds, abs=0.025)


def test_a_source_of_varying_rate_becomes_constant_and_keeps_its_pace(
    clock: Path, tmp_path: Path
) -> None:
    varying = tmp_path / "varying.mp4"
    run(
        "-i", clock, "-vf", "select='lt(n,60)+not(mod(n,3))'", "-fps_mode", "vfr",
        "-c:v", "libx264", "-crf", "4", varying,
    )  # fmt: skip
    rate = probe(varying).frame_rate
    context = context_of(varying, 2.0, 4.0, source_width=108, source_height=192, frame_rate=rate)
    shown = pictures(rendered(context, tmp_path).media)
    steps = {round(two - one, 3) for (one, _), (two, _) in pairwise(shown)}
    assert len(steps) <= 2
    assert max(steps) - min(steps) < 0.002
    middle = min(range(len(shown)), key=lambda number: abs(shown[number][0] - 1.0))
    seconds = (brightness(tmp_path / f"{CLIP_ID}.mp4")[middle] - 20) / 25
    assert seconds == pytest.approx(3.0, abs=3 / 25)


@pytest.mark.parametrize("tagged", [False, True])
def test_colours_of_an_hd_source_are_kept(tagged: bool, tmp_path: Path) -> None:
    path = tmp_path / "colours.mp4"
    tags = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
    run(
        "-f", "lavfi", "-i", "color=0xC02020:s=720x1280:r=10:d=0.5,format=gbrp",
        "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,setparams=colorspace="
        + ("bt709" if tagged else "unknown"), *(tags if tagged else ()), path,
    )  # fmt: skip
    assert (read_colour(path).matrix == 1) is tagged
    context = context_of(
        path, 0, 0.3, source_width=720, source_height=1280, frame_rate=10.0,
        colour=read_colour(path),
    )  # fmt: skip
    assert _yuv(rendered(context, tmp_path / "out").media) == pytest.approx(_yuv(path), abs=2)


def _yuv(path: Path) -> list[int]:
    import av

    with av.open(str(path)) as container:
        frame = next(container.decode(video=0)).reformat(format="yuv444p")
    return [int(plane[frame.height // 2, frame.width // 2]) for plane in frame.to_ndarray()]


def test_a_high_dynamic_range_source_is_mapped_to_what_players_show(tmp_path: Path) -> None:
    path = tmp_path / "hlg.mkv"
    run(
        "-f", "lavfi", "-i", "color=white:s=720x1280:r=10:d=0.5,format=yuv420p10le",
        "-vf", "setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc=arib-std-b67:"
        "range=tv", "-c:v", "ffv1", path,
    )  # fmt: skip
    colour = read_colour(path)
    assert colour == Colour(matrix=9, transfer=18, primaries=9)
    context = context_of(
        path, 0, 0.3, source_width=720, source_height=1280, frame_rate=10.0, colour=colour
    )
    luma, blue, red = _yuv(rendered(context, tmp_path / "out").media)
    assert luma > 200
    assert (blue, red) == pytest.approx((128, 128), abs=2)


def test_a_source_that_ends_before_the_span_is_refused_rather_than_frozen(
    talk: Talk, tmp_path: Path
) -> None:
    with pytest.raises(WorkerError, match=r"1\.5\d s of video instead of 3\.00 s") as failed:
        rendered(context_of(talk.path, 6.5, 9.5), tmp_path)
    assert failed.value.code == ReasonCode.BAD_COMMAND
    assert list(tmp_path.iterdir()) == []


RENDER = """
import sys
from pathlib import Path
from tests.workers.editor.conftest import CPU, context_of, planned
from omniva_dagster.workers.editor.render import render
source, workdir = map(Path, sys.argv[1:])
plan = planned(context_of(source, 0, 8))
render(plan, source, workdir, encoder=CPU, timeout=300,
       on_progress=lambda done: print(done, flush=True) if done else None)
"""


def test_a_killed_render_leaves_nothing_visible_and_the_next_one_cleans_up(
    talk: Talk, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", RENDER, str(talk.path), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert float(process.stdout.readline()) < 1
        (scratch,) = tmp_path.iterdir()
        orphans = _working_in(scratch)
        process.kill()
    assert [path.name for path in tmp_path.iterdir()] == [scratch.name]
    assert scratch.name.startswith(".")
    assert orphans
    _await_end(orphans)
    made = rendered(context_of(talk.path, 0, 0.5), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{CLIP_ID}.jpg", f"{CLIP_ID}.mp4"]
    assert made.media.name == f"{CLIP_ID}.mp4"


def _working_in(folder: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def _await_end(processes: list[int]) -> None:
    """ffmpeg ends by itself once nobody reads its progress; a process can't be waited for by
    another than its parent, so it is watched."""
    handles = [os.pidfd_open(process) for process in processes if Path(f"/proc/{process}").exists()]
    deadline = time.monotonic() + 120
    for handle in handles:
        ready, _, _ = select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
        os.close(handle)
        assert ready


def test_a_render_in_progress_is_not_swept_away_by_another(talk: Talk, tmp_path: Path) -> None:
    seen: list[bool] = []

    def another(done: float) -> None:
        if not seen:
            rendered(replace(context_of(talk.path, 0, 0.3), clip_id=OTHER_ID), tmp_path)
            seen.append(True)

    made = rendering.render(
        planned(context_of(talk.path, 0, 1)),
        talk.path,
        tmp_path,
        encoder=rendering.CPU,
        timeout=300,
        on_progress=another,
    )
    assert seen
    assert made.media.is_file()


def test_many_shots_of_either_kind_come_out_in_order(talk: Talk, tmp_path: Path) -> None:
    scenes = [Scene(n / 2, (n + 1) / 2) for n in range(16)]
    faces = [face for face in talk.faces if int(face.time * 2) % 4 == 0]
    context = context_of(talk.path, 0, 4, scenes=scenes, faces=faces)
    made = rendered(context, tmp_path)
    assert made.duration == pytest.approx(4.0, abs=0.05)
    assert len(pictures(made.media)) == 4 * FPS
    assert made.summary.framing == "fit+face"


def test_the_cost_of_a_run_is_its_own_and_not_that_of_others_beside_it(
    talk: Talk, tmp_path: Path
) -> None:
    idle = tmp_path / "idle"
    idle.write_text("#!/bin/sh\nexec sleep 0.6\n")
    idle.chmod(0o755)
    busy = ["-stream_loop", "5", "-i", str(talk.path), "-f", "null", "-"]
    with ThreadPoolExecutor() as pool:
        beside = pool.submit(run_ffmpeg, [], ffmpeg=str(idle), timeout=120)
        # Both end while the other runs, or just after: a shared count would make them equal.
        worked = run_ffmpeg(busy, timeout=300).cpu_seconds
        assert beside.result().cpu_seconds < worked / 4
