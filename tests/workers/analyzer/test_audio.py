from pathlib import Path

import numpy as np
import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer import audio
from tests.workers.analyzer.conftest import Make


def tone(seconds: float, level: float = 0.5) -> np.ndarray:
    t = np.arange(int(seconds * audio.SAMPLE_RATE)) / audio.SAMPLE_RATE
    return (level * np.sin(2 * np.pi * 440 * t)).astype(np.float32)


def test_loudness_is_measured_in_decibels_for_each_tenth_of_a_second() -> None:
    levels = audio.loudness(np.concatenate([tone(0.2), np.zeros(1600, dtype=np.float32)]))
    assert levels == [pytest.approx(-9.03, abs=0.05)] * 2 + [-100.0]
    assert audio.loudness(np.zeros(0, dtype=np.float32)) == []


def test_silences_are_much_quieter_than_the_rest() -> None:
    loud, quiet = [-10.0], [-55.0]
    assert audio.silences(loud * 10 + quiet * 5 + loud * 5) == [(1.0, 1.5)]
    assert audio.silences(loud * 10 + quiet * 2 + loud * 5) == []
    assert audio.silences([-40.0] * 20) == []
    assert audio.silences([-100.0] * 5) == [(0.0, 0.5)]
    assert audio.silences([]) == []


@pytest.mark.media
def test_sound_that_starts_late_keeps_its_place_on_the_time_axis(make: Make) -> None:
    picture = ["-f", "lavfi", "-t", "4", "-i", "color=s=64x64:r=10"]
    late = ["-itsoffset", "1.5", "-f", "lavfi", "-t", "2", "-i", "sine=r=44100"]
    path = make("late.mp4", [*picture, *late, "-map", "0:v", "-map", "1:a", "-c:a", "aac"])
    samples = audio.decode(path)
    assert samples is not None
    loud = [i for i, level in enumerate(audio.loudness(samples)) if level > -40]
    assert loud[0] in (14, 15)
    assert 34 <= loud[-1] <= 36


@pytest.mark.media
def test_the_time_axis_begins_where_the_file_begins(make: Make) -> None:
    # Transport streams begin at some clock time, here at 100 s; the sound begins a second later.
    picture = ["-f", "lavfi", "-t", "3", "-i", "color=s=64x64:r=10"]
    late = ["-itsoffset", "1", "-f", "lavfi", "-t", "2", "-i", "sine=r=48000"]
    samples = audio.decode(make("clock.ts", [*picture, *late, "-output_ts_offset", "100"]))
    assert samples is not None
    levels = audio.loudness(samples)
    assert max(levels[:9]) == -100.0
    assert min(levels[11:29]) > -30


@pytest.mark.media
def test_a_gap_in_the_sound_stays_a_gap(make: Make) -> None:
    cut = "aselect='lt(t,1)+gte(t,2)'"
    path = make("gap.mkv", ["-f", "lavfi", "-t", "3", "-i", "sine", "-af", cut, "-c:a", "flac"])
    samples = audio.decode(path)
    assert samples is not None
    assert len(samples) == pytest.approx(48_000, abs=800)
    levels = audio.loudness(samples)
    assert max(levels[11:19]) == -100.0
    assert min(levels[:10] + levels[21:29]) > -30


@pytest.mark.media
def test_stereo_and_other_rates_become_16_khz_mono(make: Make) -> None:
    path = make("stereo.wav", ["-f", "lavfi", "-t", "1", "-i", "sine=r=48000", "-ac", "2"])
    samples = audio.decode(path)
    assert samples is not None
    assert (samples.dtype, samples.ndim, len(samples)) == (np.float32, 1, 16_000)


@pytest.mark.media
def test_a_video_without_sound_has_none(make: Make) -> None:
    assert audio.decode(make("mute.mp4", ["-f", "lavfi", "-t", "1", "-i", "testsrc2"])) is None


def test_a_file_that_is_no_video_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "page.mp4"
    path.write_text("<html>not found</html>" * 100)
    with pytest.raises(WorkerError) as caught:
        audio.decode(path)
    assert caught.value.code is ReasonCode.CORRUPT_MEDIA
