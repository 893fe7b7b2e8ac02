import re
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from types import SimpleNamespace

import numpy as np
import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer import audio
from omniva_dagster.workers.analyzer.analyze import Analysis
from omniva_dagster.workers.analyzer.speech import FasterWhisper, Transcript, decoding
from omniva_dagster.workers.analyzer.speech.chunks import pack
from omniva_dagster.workers.analyzer.speech.decoding import Heard
from omniva_dagster.workers.analyzer.speech.doubts import share
from omniva_dagster.workers.analyzer.speech.prompts import punctuated
from omniva_dagster.workers.analyzer.text.punctuation import is_marked
from omniva_dagster.workers.analyzer.text.sentences import split
from omniva_dagster.workers.analyzer.text.words import join
from omniva_dagster.workers.media.timeline import Word
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


@dataclass(frozen=True)
class Spaced:
    """Speech with silences of known length between its phrases: when each begins and ends."""

    samples: np.ndarray
    phrases: list[tuple[float, float]]


@pytest.fixture(scope="module")
def spaced(voice: Path) -> Spaced:
    """Two readings, cut apart where the reader pauses and put together with other pauses."""
    samples = audio.decode(voice)
    assert samples is not None
    pieces, phrases, clock = [], [], 0
    for i, phrase in enumerate(phrases_of(samples) * 2):
        pause = round((0.25, 0.5, 0.8, 1.3)[i % 4] * audio.SAMPLE_RATE)
        pieces += [np.zeros(pause, dtype=np.float32), phrase]
        start = clock + pause
        clock = start + len(phrase)
        phrases.append((start / audio.SAMPLE_RATE, clock / audio.SAMPLE_RATE))
    return Spaced(np.concatenate(pieces), phrases)


def phrases_of(samples: np.ndarray) -> list[np.ndarray]:
    """What is said between pauses of 0.3 s, without any silence at its edges."""
    frames = np.abs(samples[: len(samples) // 80 * 80]).reshape(-1, 80).max(axis=1) > 0.006
    loud = np.flatnonzero(frames)
    breaks = np.flatnonzero(np.diff(loud) > 60)
    edges = zip([loud[0], *loud[breaks + 1]], [*loud[breaks], loud[-1]], strict=True)
    # Anything shorter is a breath or a click.
    return [samples[a * 80 : (b + 1) * 80] for a, b in edges if b - a > 50]


@pytest.fixture(scope="module")
def transcript(spaced: Spaced, whisper: FasterWhisper) -> Transcript:
    return whisper.transcribe(spaced.samples)


def nearest(moments: list[float], moment: float) -> float:
    return min(abs(other - moment) for other in moments)


def test_words_begin_and_end_where_they_are_heard(spaced: Spaced, transcript: Transcript) -> None:
    starts = [word.start for word in transcript.words]
    ends = [word.end for word in transcript.words]
    late = sorted(nearest(starts, start) for start, _ in spaced.phrases)
    early = sorted(nearest(ends, end) for _, end in spaced.phrases)
    for errors in (late, early):
        assert errors[len(errors) // 2] <= 0.04
        assert errors[len(errors) * 9 // 10] <= 0.2


def test_no_word_is_lost_in_minutes_of_speech(transcript: Transcript) -> None:
    heard = normalized(join(transcript.words))
    assert word_error_rate(normalized(TWO_CITIES) * 2, heard) <= 0.03


def test_the_end_of_a_long_video_is_as_well_punctuated_as_its_beginning(
    transcript: Transcript,
) -> None:
    half = len(transcript.words) // 2
    parts = (transcript.words[:half], transcript.words[half:])
    marks = [sum(not word.text[-1].isalnum() for word in part) for part in parts]
    assert min(marks) >= 12
    assert min(marks) >= 0.8 * max(marks)
    assert all(any(is_marked(word.text) for word in part) for part in parts)
    sentences = split(transcript.words, transcript.language)
    assert sum(s.closed for s in sentences) >= 0.8 * len(sentences)


def test_clear_speech_leaves_no_doubt(transcript: Transcript) -> None:
    assert share(transcript.doubtful, transcript.words) <= 0.05


def test_what_was_not_understood_is_heard_again_by_the_larger_model(
    voice: Path, whisper: FasterWhisper, tmp_path_factory: pytest.TempPathFactory
) -> None:
    samples = audio.decode(voice)
    assert samples is not None
    noise = np.random.default_rng(5).normal(0, 0.015, 25 * audio.SAMPLE_RATE)
    noisy = (samples[: len(noise)] + noise).astype(np.float32)
    home = tmp_path_factory.mktemp("larger")
    both = FasterWhisper("bundled:tiny.en", home, device="cpu", retry_spec="bundled:base")
    first, again = whisper.transcribe(noisy), both.transcribe(noisy)
    assert first.doubtful
    assert mean(w.probability for w in again.words) > mean(w.probability for w in first.words)
    assert share(again.doubtful, again.words) < share(first.doubtful, first.words)
    assert both.name.startswith(f"{whisper.name}, again bundled:base@")


def test_the_larger_model_is_not_needed_where_nothing_is_in_doubt(
    spaced: Spaced, transcript: Transcript, tmp_path: Path
) -> None:
    told: list[float] = []
    absent = FasterWhisper("bundled:tiny.en", tmp_path, "cpu", retry_spec=str(tmp_path / "none"))
    assert absent.transcribe(spaced.samples, told.append) == transcript
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    with pytest.raises(WorkerError, match="no folder"):
        _ = absent.name


def test_music_and_noise_are_not_taken_for_speech(whisper: FasterWhisper) -> None:
    rng = np.random.default_rng(3)
    notes = np.repeat(rng.choice([262, 294, 330, 392, 440], 40), audio.SAMPLE_RATE // 4)
    tune = 0.3 * np.sin(2 * np.pi * np.cumsum(notes) / audio.SAMPLE_RATE)
    noise = rng.normal(0, 0.1, 10 * audio.SAMPLE_RATE)
    for sound in (tune, noise):
        assert whisper.transcribe(sound.astype(np.float32)).words == []


def test_a_window_that_broke_off_is_heard_again_in_halves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As base Whisper did with one of twelve windows of human speech."""
    second = audio.SAMPLE_RATE
    spans = [(i * 4 * second, (i * 4 + 3) * second) for i in range(6)]
    (chunk,) = pack(spans, 24 * second)

    def breaks_off(_model: object, _samples: object, chunks: list, _language: str) -> list[Heard]:
        return [
            Heard(
                part,
                tuple(
                    Word(str(a // second), a / second, b / second, 0.9)
                    for a, b in (part.spans[:1] if len(part.spans) > 3 else part.spans)
                ),
                -0.1,
                spoken=True,
                repetitive=False,
            )
            for part in chunks
        ]

    monkeypatch.setattr(decoding, "_batch", breaks_off)
    heard = decoding.hear(None, np.zeros(0), [chunk], "en", lambda _: None)
    assert [word.text for part in heard for word in part.words] == ["0", "4", "8", "12", "16", "20"]


def test_the_sentence_that_the_model_is_shown_is_not_taken_for_heard() -> None:
    (chunk,) = pack([(0, audio.SAMPLE_RATE)], audio.SAMPLE_RATE)
    shown = [
        SimpleNamespace(word=f" {text}", start=i / 10, end=i / 10 + 0.1, probability=0.9)
        for i, text in enumerate((punctuated("en") or "").split())
    ]
    segment = SimpleNamespace(
        words=shown, avg_logprob=-0.1, compression_ratio=1.0, no_speech_prob=0.1
    )
    assert not decoding._heard(chunk, [segment], 0, "en").spoken
    segment.words = shown[:3]
    assert decoding._heard(chunk, [segment], 0, "en").spoken


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([" C", "'est", " simple,"], ["C'est", "simple,"]),
        ([" Savez", "-vous", " 3", ".5", " km?"], ["Savez-vous", "3.5", "km?"]),
        (["今日", "は", "晴れ。"], ["今日", "は", "晴れ。"]),
        ([" Use", "好", " it"], ["Use", "好", "it"]),
    ],
)
def test_words_that_the_model_parts_are_whole_again(tokens: list[str], expected: list[str]) -> None:
    parts = [
        SimpleNamespace(word=text, start=i / 2, end=i / 2 + 0.5, probability=0.9)
        for i, text in enumerate(tokens)
    ]
    whole = decoding._unbroken(parts)
    assert [word.text.strip() for word in whole] == expected
    assert whole[0].start == 0
    assert whole[-1].end == len(tokens) / 2


def test_every_prompt_is_punctuated_and_short() -> None:
    for language in ("en", "de", "es", "zh", "ja", "ar", "hi", "ru"):
        prompt = punctuated(language)
        assert prompt is not None
        assert is_marked(prompt)
        assert len(prompt) < 140
    assert punctuated("xx") is None


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
def test_a_model_that_cannot_be_loaded_is_offline(voice: Path, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"not a model")
    broken = FasterWhisper(str(tmp_path), tmp_path, device="cpu")
    with pytest.raises(WorkerError, match="OMNIVA_WHISPER_MODEL") as caught:
        broken.transcribe(audio.decode(voice))
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
    assert decoding.is_speech(segment) is said
