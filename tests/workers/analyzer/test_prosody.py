"""How something is said: pitch within a semitone, laughter told from speech, cheap and exact."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from omniva_dagster.workers.analyzer import audio
from omniva_dagster.workers.analyzer.scores import prosody
from omniva_dagster.workers.analyzer.scores.prosody import Prosody

Sound = NDArray[np.float32]
RATE = audio.SAMPLE_RATE


def heard(sound: Sound) -> Prosody:
    return prosody.listen(sound, audio.loudness(sound))


def voice(hertz: Callable[[NDArray[np.float64]], NDArray[np.float64]], seconds: float) -> Sound:
    """Ten harmonics of a moving pitch."""
    phase = 2 * np.pi * np.cumsum(hertz(np.arange(int(RATE * seconds)) / RATE)) / RATE
    return (0.1 * sum(np.sin(k * phase) / k for k in range(1, 11))).astype(np.float32)


def hiss(seconds: float, loudness: float) -> Sound:
    noise = np.random.default_rng(7).normal(size=int(RATE * seconds)) * loudness
    return noise.astype(np.float32)


def laughter(rate: float) -> Sound:
    """Nine syllables, each a short voice and a breath."""
    pieces = []
    for syllable in range(9):
        length = int(RATE / rate)
        at = np.arange(length) / RATE
        shape = np.clip(np.sin(np.pi * np.clip(at * rate / 0.55, 0, 1)), 0, 1)
        tone = voice(lambda t, s=syllable: np.full(len(t), 260 * (1 - 0.03 * s)), length / RATE)
        pieces.append(tone[:length] * shape[: len(tone)] + hiss(length / RATE, 0.004))
    return np.concatenate(pieces).astype(np.float32)


@pytest.fixture(scope="module")
def reading(voice: Path) -> Sound:
    samples = audio.decode(voice)
    assert samples is not None
    return samples


@pytest.mark.parametrize("hertz", [80.0, 110.0, 150.0, 220.0, 330.0, 430.0])
def test_the_pitch_of_a_steady_voice_is_found_within_a_quarter_tone(hertz: float) -> None:
    found = np.array(heard(voice(lambda t: np.full(len(t), hertz), 4)).pitch)
    assert (found > 0).mean() > 0.9
    assert np.abs(12 * np.log2(found[found > 0] / hertz)).max() < 0.5


def test_a_melody_moves_and_a_monotone_does_not() -> None:
    singing = heard(voice(lambda t: 150 * 2 ** (np.sin(2 * np.pi * t / 2) * 4 / 12), 8))
    droning = heard(voice(lambda t: np.full(len(t), 150.0), 8))
    moved = [float(np.sqrt(np.mean(np.square(p.movement)))) for p in (singing, droning)]
    assert 2.0 < moved[0] < 4.0
    assert moved[1] < 0.1


def test_another_speaker_is_no_movement() -> None:
    low, high = (voice(lambda t, h=h: np.full(len(t), h), 8) for h in (110.0, 210.0))
    movement = np.array(heard(np.concatenate([low, high])).movement)
    assert (np.abs(movement) > 1).mean() < 0.2


def test_a_falling_voice_ends_below_its_middle() -> None:
    falling = heard(voice(lambda t: 180 * 2 ** (-np.clip(t - 3, 0, 1) * 6 / 12), 4))
    assert np.mean(falling.movement[34:39]) < -2


def test_noise_and_silence_have_no_voice() -> None:
    for sound in (hiss(5, 0.1), np.zeros(RATE * 5, dtype=np.float32)):
        found = heard(sound)
        assert not any(found.pitch)
        assert found.pulses == []
    assert heard(np.zeros(0, dtype=np.float32)) == Prosody([], [], [], [])


@pytest.mark.parametrize("rate", [4.0, 5.0, 6.0])
def test_laughter_is_heard_where_it_is(rate: float) -> None:
    sound = np.concatenate([hiss(2, 0.0005), laughter(rate), hiss(2, 0.0005)])
    found = heard(sound).pulses
    assert found
    assert all(start >= 1.5 and end <= 2 + 9 / rate + 0.5 for start, end in found)


@pytest.mark.media
def test_a_person_reading_is_not_taken_for_laughing(reading: Sound) -> None:
    found = heard(reading)
    assert found.pulses == []
    voiced = [hertz for hertz in found.pitch if hertz]
    assert 95 < float(np.median(voiced)) < 140


def test_a_shout_is_raised() -> None:
    calm = voice(lambda t: np.full(len(t), 120.0), 20) * 0.3
    calm[10 * RATE : 12 * RATE] *= 4
    (start, end) = heard(calm).raised[0]
    assert 9.5 <= start <= 10.3
    assert 11.7 <= end <= 12.5


@pytest.mark.media
def test_the_same_sound_gives_the_same_prosody_however_long_the_video_is(reading: Sound) -> None:
    assert heard(reading) == heard(reading.copy())
    doubled = np.concatenate([reading[: 44 * RATE], reading[: 44 * RATE]])
    first = heard(doubled).pitch[20:400]
    assert first == heard(doubled).pitch[20 + 440 : 400 + 440]


@pytest.mark.media
def test_it_costs_less_than_a_third_of_a_second_for_each_minute(reading: Sound) -> None:
    levels = audio.loudness(reading)
    began = time.process_time()
    prosody.listen(reading, levels)
    assert (time.process_time() - began) / (len(reading) / RATE / 60) < 0.3
