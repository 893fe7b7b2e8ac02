"""From a media file to an AnalysisResult and the evidence behind it (module interfaces, 5.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from omniva_dagster.contracts.analysis import AnalysisResult, ClipCandidate
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer import audio, candidates, features, keywords, pictures
from omniva_dagster.workers.analyzer.candidates import Span
from omniva_dagster.workers.analyzer.evidence import Video
from omniva_dagster.workers.analyzer.features import Contribution
from omniva_dagster.workers.analyzer.pictures import Pictures
from omniva_dagster.workers.analyzer.sentences import split
from omniva_dagster.workers.analyzer.speech import Transcriber, Transcript
from omniva_dagster.workers.analyzer.words import join
from omniva_dagster.workers.media.probe import probe
from omniva_dagster.workers.media.timeline import Face, Scene, Word

MOST_TAGS = 8
_SHARE_OF_SUBJECT = 0.3

OnProgress = Callable[[str, float], None]


@dataclass(frozen=True)
class Analysis:
    """The result, and what it rests on; ``contributions`` run parallel to its candidates.

    Times are seconds from the start of the video; ``silences`` are (start, end).
    """

    result: AnalysisResult
    words: list[Word]
    scenes: list[Scene]
    faces: list[Face]
    contributions: list[list[Contribution]]
    language: str
    model: str
    silences: list[tuple[float, float]]


def analyze(
    media: Path,
    video_id: str,
    transcriber: Transcriber,
    *,
    generated_at: str,
    parents: list[str],
    on_progress: OnProgress | None = None,
) -> Analysis:
    """What is said and seen in ``media``, and the spans of it worth clipping.

    Candidates are not judged yet: no votes, priority 0. There may be none. ``on_progress`` hears
    of the stages audio, speech, pictures and candidates, each with a fraction. Raises
    `WorkerError`: ``corrupt_media``, ``no_audio``, ``transcript_missing``, ``model_offline``.
    """
    report = on_progress or (lambda stage, fraction: None)
    info = probe(media)
    report("audio", 0.0)
    sound = audio.decode(media)
    if sound is None:
        raise WorkerError(
            ReasonCode.NO_AUDIO,
            "the video has no audio stream, so nothing can be transcribed; "
            "publish it with sound, or leave it out",
        )
    levels = audio.loudness(sound)
    report("audio", 1.0)
    heard = transcriber.transcribe(sound, lambda fraction: report("speech", fraction))
    if not heard.words:
        raise WorkerError(
            ReasonCode.TRANSCRIPT_MISSING,
            "no speech could be heard in the video; if there is some, set OMNIVA_WHISPER_MODEL "
            "to a larger model or one for its language, else leave the video out",
        )
    report("speech", 1.0)
    seen = pictures.look(media, lambda fraction: report("pictures", fraction))
    report("pictures", 1.0)
    # A file that breaks off declares more than can be cut from it.
    decoded = max(len(sound) / audio.SAMPLE_RATE, seen.end)
    duration = min(info.duration or decoded, decoded, seen.end or decoded)
    video = _evidence(heard, levels, seen, duration)
    spans, contributions = _best(video, duration)
    report("candidates", 1.0)
    return Analysis(
        result=_result(video_id, video, spans, contributions, generated_at, parents),
        words=heard.words,
        scenes=seen.scenes,
        faces=seen.faces,
        contributions=contributions,
        language=heard.language,
        model=transcriber.name,
        silences=audio.silences(levels),
    )


def _evidence(heard: Transcript, levels: list[float], seen: Pictures, duration: float) -> Video:
    return Video(
        heard.words,
        split(heard.words),
        heard.language,
        content=keywords.content(heard.words, heard.language),
        keywords=keywords.extract(heard.words, heard.language),
        levels=levels,
        step=audio.STEP_SECONDS,
        faces=seen.faces,
        looks=pictures.FACE_INTERVAL,
        has_pictures=bool(seen.scenes),
        duration=duration,
    )


def _best(video: Video, duration: float) -> tuple[list[Span], list[list[Contribution]]]:
    spans = candidates.propose(video.sentences, video.words, duration)
    scored = [features.score(video, span) for span in spans]
    worths = [
        candidates.worth(features.confidence(points), span)
        for span, points in zip(spans, scored, strict=True)
    ]
    chosen = candidates.choose(spans, worths)
    return [spans[i] for i in chosen], [scored[i] for i in chosen]


def _result(
    video_id: str,
    video: Video,
    spans: list[Span],
    contributions: list[list[Contribution]],
    generated_at: str,
    parents: list[str],
) -> AnalysisResult:
    found = [
        _candidate(video, span, points) for span, points in zip(spans, contributions, strict=True)
    ]
    return AnalysisResult(
        video_id=video_id,
        transcript=join(video.words),
        keywords_detected=[keyword.phrase for keyword in video.keywords],
        virality_score=max((candidate.confidence for candidate in found), default=0.0),
        relevance_score=round(video.keyword_share(0, len(video.words)), 4),
        clip_candidates=found,
        meta_parents=parents,
        generated_at=generated_at,
    )


def _candidate(video: Video, span: Span, points: list[Contribution]) -> ClipCandidate:
    return ClipCandidate(
        start_time=span.start,
        end_time=span.end,
        confidence=features.confidence(points),
        subject_focus=_subject(video, span),
        faces_detected=max(video.face_counts(span.start, span.end), default=0),
        semantic_tags=video.phrases_in(span.first_word, span.stop_word)[:MOST_TAGS],
        pantheon_votes={},
        lattice_priority=0.0,
    )


def _subject(video: Video, span: Span) -> str:
    if video.face_share(span.start, span.end, at_least=2) >= _SHARE_OF_SUBJECT:
        return "group"
    alone = video.face_share(span.start, span.end) >= _SHARE_OF_SUBJECT
    return "speaker" if alone else "scene"
