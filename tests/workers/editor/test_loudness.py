from __future__ import annotations

from pathlib import Path

import ffmpeg
import numpy as np
import pytest

from omniva_dagster.workers.editor.sound import even_audio, mastered
from omniva_dagster.workers.editor.sound.loudness import (
    NO_SOUND,
    SILENCE_DBTP,
    SILENCE_LUFS,
    find_loudness,
    measure,
)
from omniva_dagster.workers.editor.style import style_named
from omniva_dagster.workers.media.ffmpeg import run_ffmpeg
from omniva_dagster.workers.media.timeline import Kept
from tests.workers.editor.conftest import context_of, rendered, run

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
    "96 kHz": "aresample=96000",
    "with an offset": "aeval='0.5*val(0)+0.2':c=mono",
    "a loud second and whispers": "volume='if(lt(t,1.5),4,0.2)':eval=frame",
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


@pytest.mark.parametrize("level", ["-12dB", "20dB"])
def test_no_gain_follows_the_level_of_speech(level: str, speech: Path, tmp_path: Path) -> None:
    """Pumping is a gain that rises in pauses and falls on words: here it is one for all."""
    source, made = tmp_path / "speech.mkv", tmp_path / "made.mkv"
    limited = "alimiter=limit=0.9:level=0"
    run("-t", "20", "-i", speech, "-af", f"volume={level},{limited}", "-c:a", "flac", source)
    found = find_loudness(source, 0.0, 20.0, CLEAN, has_audio=True)
    opened = ffmpeg.input(str(source))["a:0"]
    sound = mastered(even_audio(opened, 20.0), 20.0, found.gain, found.ceiling, CLEAN)
    run_ffmpeg(sound.output(str(made), **{"c:a": "pcm_f32le"}).get_args(), timeout=300)
    before, after = (levels(path) for path in (source, made))
    spoken = before > before.max() - 35
    gains = (after - before)[spoken][2:-15]
    assert np.percentile(np.abs(gains - found.gain), 90) < 0.6
    assert np.ptp(gains[before[spoken][2:-15] < before.max() - 15]) < 3.0


def levels(path: Path) -> np.ndarray:
    """RMS of each 20 ms, in dB."""
    heard = samples(path)
    steps = heard[: len(heard) // 960 * 960].reshape(-1, 960)
    return 10 * np.log10(np.mean(np.square(steps, dtype=np.float64), axis=1) + 1e-12)


def samples(path: Path) -> np.ndarray:
    import av

    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=48000)
        frames = [
            piece.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for piece in resampler.resample(frame)
        ]
    return np.concatenate(frames)


def test_speech_is_raised_however_quietly_it_was_recorded(speech: Path, tmp_path: Path) -> None:
    source = tmp_path / "faint.wav"
    run("-t", "20", "-i", speech, "-af", "volume=-26dB", "-c:a", "pcm_s16le", source)
    found = find_loudness(source, 0.0, 20.0, CLEAN, has_audio=True)
    assert found.source.integrated < -58
    assert found.target == -14.0


def test_the_noise_of_a_room_is_not_raised_though_something_clicks(tmp_path: Path) -> None:
    source = tmp_path / "room.wav"
    noise = "anoisesrc=d=20:a=0.002:c=pink:seed=1,volume='if(between(t,9,9.02),40,1)':eval=frame"
    run("-f", "lavfi", "-i", noise, source)
    found = find_loudness(source, 0.0, 20.0, CLEAN, has_audio=True)
    assert (found.gain, found.target) == (0.0, None)


def test_the_gain_is_found_for_what_is_kept_not_for_what_is_left_out(
    still: Path, speech: Path, tmp_path: Path
) -> None:
    """A shout that is taken out does not make the rest quiet."""
    shout = "volume='if(between(t,1.2,2.2),30,1)':eval=frame"
    path = with_sound(still, tmp_path, "-t", "4", "-i", speech, "-af", shout)
    kept = [Kept(0.5, 1.0), Kept(2.4, 3.5)]
    whole = find_loudness(path, 0.5, 3.5, CLEAN, has_audio=True)
    tight = find_loudness(path, 0.5, 3.5, CLEAN, has_audio=True, kept=kept)
    assert tight.gain > whole.gain + 6
    assert tight.target == -14.0


def test_the_second_track_is_measured_where_it_is_the_one(
    still: Path, speech: Path, tmp_path: Path
) -> None:
    path = tmp_path / "two.mkv"
    run(
        "-i", still, "-f", "lavfi", "-i", "anullsrc=d=4", "-t", "4", "-i", speech,
        "-map", "0:v", "-map", "1:a", "-map", "2:a", "-c:v", "copy", "-c:a", "flac", path,
    )  # fmt: skip
    assert find_loudness(path, 0.5, 3.5, CLEAN, has_audio=True).target is None
    assert find_loudness(path, 0.5, 3.5, CLEAN, has_audio=True, track=1).target == -14.0


def test_sound_is_not_moved_by_its_limiter(tmp_path: Path) -> None:
    source, made = tmp_path / "tick.wav", tmp_path / "made.wav"
    run("-f", "lavfi", "-i", "aevalsrc='between(t,1,1.001)':s=48000:d=2", source)
    sound = mastered(even_audio(ffmpeg.input(str(source))["a:0"], 2.0), 2.0, 6.0, -1.5, CLEAN)
    run_ffmpeg(sound.output(str(made), **{"c:a": "pcm_f32le"}).get_args(), timeout=300)
    loud = np.flatnonzero(np.abs(samples(made)) > 0.5) / 48000
    assert loud.min() == pytest.approx(1.0, abs=0.001)
    assert loud.max() == pytest.approx(1.001, abs=0.001)


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


def test_the_same_span_always_gets_the_same_gain(speech: Path) -> None:
    first = find_loudness(speech, 1.0, 4.0, CLEAN, has_audio=True)
    assert find_loudness(speech, 1.0, 4.0, CLEAN, has_audio=True) == first
