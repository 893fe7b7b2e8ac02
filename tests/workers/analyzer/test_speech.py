import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer import audio, speech
from omniva_dagster.workers.analyzer.analyze import Analysis
from omniva_dagster.workers.analyzer.speech import FasterWhisper
from tests.demo.support import word_error_rate

pytestmark = pytest.mark.media

TWO_CITIES = """It was the best of times, it was the worst of times, it was the age of wisdom, it
was the age of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the
season of Light, it was the season of Darkness, it was the spring of hope, it was the winter of
despair, we had everything before us, we had nothing before us, we were all going direct to Heaven,
we were all going direct the other way: in short, the period was so far like the present period,
that some of its noisiest authorities insisted on its being received, for good or for evil, in the
superlative degree of comparison only."""


def normalized(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def test_human_speech_is_heard_word_for_word(analysis: Analysis) -> None:
    """Floating point differs between processors: the small model may mishear a word in fifty."""
    heard = normalized(analysis.result.transcript)
    assert word_error_rate(normalized(TWO_CITIES), heard) <= 0.02


def test_speech_is_punctuated_so_that_it_can_be_cut_into_sentences(analysis: Analysis) -> None:
    marks = sum(analysis.result.transcript.count(mark) for mark in ".,!?")
    assert marks >= 12


def test_words_follow_each_other_and_lie_where_they_are_heard(
    analysis: Analysis, voice: Path
) -> None:
    clock = 0.0
    for word in analysis.words:
        assert clock <= word.start < word.end <= 44.4
        clock = word.end
    times = {word.text: word for word in analysis.words}
    assert times["short,"].start == pytest.approx(29.4, abs=0.3)
    assert times["only."].end == pytest.approx(41.6, abs=0.3)


def test_silence_has_no_words(whisper: FasterWhisper) -> None:
    silence = np.zeros(5 * audio.SAMPLE_RATE, dtype=np.float32)
    assert whisper.transcribe(silence).words == []


def test_the_name_tells_model_version_and_precision(whisper: FasterWhisper) -> None:
    from importlib.metadata import version

    pattern = rf"bundled:tiny\.en@[0-9a-f]{{12}} faster-whisper/{version('faster-whisper')} int8"
    assert re.fullmatch(pattern, whisper.name)


@pytest.mark.part("ANA-4")
def test_a_model_that_cannot_be_loaded_is_offline(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"not a model")
    broken = FasterWhisper(str(tmp_path), tmp_path, device="cpu")
    with pytest.raises(WorkerError, match="OMNIVA_WHISPER_MODEL") as caught:
        broken.transcribe(np.zeros(audio.SAMPLE_RATE, dtype=np.float32))
    assert caught.value.code is ReasonCode.MODEL_OFFLINE


@pytest.mark.parametrize(
    ("compression", "no_speech", "confidence", "said"),
    [
        (1.5, 0.1, -0.2, True),
        (29.0, 0.7, -0.1, False),  # "Hmmmmmm...", of a real cartoon's music
        (1.7, 0.75, -0.72, False),
        (1.5, 0.75, -0.2, True),  # said, after a long silence
        (1.5, 0.1, -0.9, True),
    ],
)
def test_what_the_model_hums_is_not_taken_for_speech(
    compression: float, no_speech: float, confidence: float, said: bool
) -> None:
    segment = SimpleNamespace(
        compression_ratio=compression, no_speech_prob=no_speech, avg_logprob=confidence
    )
    assert speech.is_speech(segment) is said
