"""Chunks of speech to words, several at a time, and what was missed heard again (faster-whisper).

Whisper in batches costs 40 % less than one window after the other, and shows every window its
prompt, so that punctuation does not get lost in a long video. But now and then it ends a window
after the first phrase (measured: one of 12 windows of human speech, 9 % of its words). The voice
detector knows better: where speech has no words, the window is halved and heard again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from omniva_dagster.workers.analyzer.audio import SAMPLE_RATE
from omniva_dagster.workers.analyzer.speech.chunks import Chunk, halved
from omniva_dagster.workers.analyzer.speech.prompts import punctuated
from omniva_dagster.workers.analyzer.text.words import unspaced
from omniva_dagster.workers.media.timeline import Word

if TYPE_CHECKING:
    from omniva_dagster.workers.analyzer.audio import Samples

OnChunk = Callable[[Chunk], None]

# Eight take 270 MB more and no less time on two cores.
BATCH = 4
# Temperatures above 0 draw at random: this gives the same words every time on one machine.
_DECODING: dict[str, Any] = {
    "beam_size": 5,
    "temperature": 0.0,
    "word_timestamps": True,
    "vad_filter": False,
}
# A whole number of seconds: faster-whisper cuts the beginning of a window to hundredths.
_WINDOW_SECONDS = 30
_WINDOW = _WINDOW_SECONDS * SAMPLE_RATE
_FRAMES_PER_SECOND = 100
# The first two are Whisper's own thresholds.
_REPETITIVE = 2.4
_NO_SPEECH = 0.6
_CONFIDENT = -0.5
# Speech without words for so long in one go: more than a laugh or a filler that is left out.
_MISSED_SECONDS = 1.5
_HALVINGS = 2


@dataclass(frozen=True)
class Heard:
    """What was heard in a chunk, times in seconds of the whole sound.

    ``confidence`` is the mean log probability of a token; ``spoken`` is false for what the model
    made of music, noise and silence.
    """

    chunk: Chunk
    words: tuple[Word, ...]
    confidence: float
    spoken: bool
    repetitive: bool


def hear(
    model: Any, samples: Samples, chunks: Sequence[Chunk], language: str, on_chunk: OnChunk
) -> list[Heard]:
    """What a `faster_whisper.WhisperModel` hears in the chunks, in their order.

    A chunk that was missed in part comes as two or more. ``on_chunk`` hears of every chunk done.
    """
    found: list[Heard] = []
    for heard in _batches(model, samples, chunks, language):
        found += _whole(model, samples, heard, language, _HALVINGS)
        on_chunk(heard.chunk)
    return found


def is_speech(segment: Any) -> bool:
    """Whether what the model heard was said: in music and noise it hums, or repeats itself.

    A loop compresses too well; and what is probably no speech has to be heard with confidence.
    """
    if segment.compression_ratio > _REPETITIVE:
        return False
    return bool(segment.no_speech_prob <= _NO_SPEECH or segment.avg_logprob >= _CONFIDENT)


def missed(heard: Heard) -> float:
    """The longest stretch of speech, in seconds, in which no word was heard."""
    longest = 0.0
    for start, end in heard.chunk.spans:
        at, until = start / SAMPLE_RATE, end / SAMPLE_RATE
        for word in heard.words:
            if word.end > at:
                longest = max(longest, min(word.start, until) - at)
                at = max(at, word.end)
            if at >= until:
                break
        longest = max(longest, until - at)
    return longest


def _whole(model: Any, samples: Samples, heard: Heard, language: str, halvings: int) -> list[Heard]:
    """The chunk as it was heard, or its halves if that was too little or a loop."""
    if not halvings or (missed(heard) < _MISSED_SECONDS and not heard.repetitive):
        return [heard]
    parts = halved(heard.chunk)
    if len(parts) < 2:
        return [heard]
    again = [
        piece
        for half in _batches(model, samples, parts, language)
        for piece in _whole(model, samples, half, language, halvings - 1)
    ]
    return again if heard.repetitive or _said(again) > _said([heard]) else [heard]


def _said(heard: Sequence[Heard]) -> float:
    return sum(word.end - word.start for part in heard for word in part.words if part.spoken)


def _batches(
    model: Any, samples: Samples, chunks: Sequence[Chunk], language: str
) -> Iterator[Heard]:
    for at in range(0, len(chunks), BATCH):
        yield from _batch(model, samples, chunks[at : at + BATCH], language)


def _batch(model: Any, samples: Samples, chunks: Sequence[Chunk], language: str) -> list[Heard]:
    import numpy as np
    from faster_whisper import BatchedInferencePipeline

    sound = np.zeros(_WINDOW * len(chunks), dtype=np.float32)
    clips = []
    for i, chunk in enumerate(chunks):
        sound[i * _WINDOW : i * _WINDOW + chunk.length] = chunk.laid(samples)
        start = float(i * _WINDOW_SECONDS)
        clips.append({"start": start, "end": start + chunk.length / SAMPLE_RATE})
    segments, _ = BatchedInferencePipeline(model).transcribe(
        sound,
        **_DECODING,
        batch_size=BATCH,
        clip_timestamps=clips,
        language=language,
        initial_prompt=punctuated(language),
    )
    by_chunk: list[list[Any]] = [[] for _ in chunks]
    for segment in segments:
        by_chunk[segment.seek // (_WINDOW_SECONDS * _FRAMES_PER_SECOND)].append(segment)
    return [
        _heard(chunk, heard, i * _WINDOW_SECONDS, language)
        for i, (chunk, heard) in enumerate(zip(chunks, by_chunk, strict=True))
    ]


def _heard(chunk: Chunk, segments: Sequence[Any], origin: int, language: str) -> Heard:
    words = [_placed(chunk, word, origin) for s in segments for word in _unbroken(s.words or [])]
    echo = _bare("".join(word.text for word in words)) == _bare(punctuated(language) or "")
    return Heard(
        chunk,
        tuple(words),
        min((float(segment.avg_logprob) for segment in segments), default=0.0),
        spoken=all(is_speech(segment) for segment in segments) and not echo,
        repetitive=any(segment.compression_ratio > _REPETITIVE for segment in segments),
    )


def _bare(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _unbroken(words: Sequence[Any]) -> list[Word]:
    """The words as they are written: the model parts “c'est”, “avez-vous” and “3.5” in two, the
    second without the blank that begins every other word."""
    whole: list[Word] = []
    for word in words:
        found = Word(word.word, float(word.start), float(word.end), float(word.probability))
        parted = whole and not found.text[:1].isspace() and not whole[-1].text[-1:].isspace()
        if parted and not unspaced(whole[-1].text[-1:] + found.text[:1]):
            first = whole.pop()
            both = min(first.probability, found.probability)
            found = Word(first.text + found.text, first.start, found.end, both)
        whole.append(found)
    return whole


def _placed(chunk: Chunk, word: Word, origin: int) -> Word:
    start, end = word.start - origin, word.end - origin
    # A word across a shortened pause belongs to the side with its middle.
    piece = chunk.place((start + end) / 2)
    return replace(word, start=chunk.moment(start, piece), end=chunk.moment(end, piece))
