from __future__ import annotations

from pathlib import Path

import pytest

from omniva_dagster.workers.editor.loudness import (
    NO_SOUND,
    SILENCE_DBTP,
    SILENCE_LUFS,
    find_loudness,
    measure,
)
from omniva_dagster.workers.editor.style import style_named
from tests.workers.editor.conftest import Talk, context_of, rendered, run

pytestmark = pytest.mark.media

CLEAN = style_named("clean")
TREATMENTS = {
    "as recorded": "anull",
    "whispered": "volume=-12dB",
    "clipping": "volume=40dB,alimiter=limit=1:level=0",
    "peaky": "volume=20dB,asetpts=PTS,volume='if(lt(mod(t,1),0.004),8,1)':eval=frame",
    "one channel": "pan=stereo|c0=c0|c1=0*c0",
    "six channels": "pan=5.1|FL=c0|FR=c0|FC=c0|LFE=0*c0|BL=c0|BR=c0",
    "8 kHz": "aresample=8000",
}


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a picture that costs nothing to encode."""
    path = tmp_path_factory.mktemp("still") / "still.mp4"
    run("-f", "lavfi", "-i", "color=gray:s=90x160:r=10:d=4", "-pix_fmt", "yuv420p", path)
    return path


def with_sound(still: Path, folder: Path, *sound: str | Path) -> Path:
    path = folder / "sound.mkv"
    run("-i", still, *sound, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "flac", path)
    return path


def finished(path: Path, workdir: Path, has_audio: bool = True) -> tuple[float, float]:
    found = find_loudness(path, 0.5, 3.5, CLEAN, has_audio=has_audio)
    context = context_of(
        path, 0.5, 3.5, source_width=90, source_height=160, frame_rate=10.0, has_audio=has_audio
    )
    made = rendered(context, workdir, loudness=found)
    again = measure(made.media)
    assert (made.integrated_lufs, made.true_peak_dbtp) == (again.integrated, again.true_peak)
    return again.integrated, again.true_peak


@pytest.mark.parametrize("name", TREATMENTS)
def test_the_finished_file_is_at_its_loudness_and_below_its_peak(
    name: str, still: Path, speech: Path, tmp_path: Path
) -> None:
    path = with_sound(still, tmp_path, "-t", "4", "-i", speech, "-af", TREATMENTS[name])
    integrated, true_peak = finished(path, tmp_path)
    assert integrated == pytest.approx(-14.0, abs=0.5)
    assert true_peak <= -1.0


def test_silence_stays_silence(still: Path, tmp_path: Path) -> None:
    path = with_sound(still, tmp_path, "-f", "lavfi", "-i", "anullsrc=d=4")
    assert finished(path, tmp_path) == (SILENCE_LUFS, SILENCE_DBTP)


def test_the_noise_of_a_silent_room_is_not_raised(still: Path, tmp_path: Path) -> None:
    path = with_sound(still, tmp_path, "-f", "lavfi", "-i", "anoisesrc=d=4:a=0.001:seed=1")
    found = find_loudness(path, 0.5, 3.5, CLEAN, has_audio=True)
    assert (found.gain, found.target) == (0.0, None)
    assert "nearly silent" in found.note


def test_a_source_without_sound_gets_a_silent_track(still: Path, tmp_path: Path) -> None:
    assert find_loudness(still, 0.5, 3.5, CLEAN, has_audio=False) == NO_SOUND
    assert finished(still, tmp_path, has_audio=False) == (SILENCE_LUFS, SILENCE_DBTP)


def test_the_same_span_always_gets_the_same_gain(talk: Talk) -> None:
    first = find_loudness(talk.path, 1.0, 4.0, CLEAN, has_audio=True)
    assert find_loudness(talk.path, 1.0, 4.0, CLEAN, has_audio=True) == first
