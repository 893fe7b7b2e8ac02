"""From a media file to an AnalysisResult and the evidence behind it (module interfaces, 5.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from omniva_dagster.contracts.analysis import AnalysisResult, ClipCandidate
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer import audio, pictures
from omniva_dagster.workers.analyzer.pictures import Pictures
from omniva_dagster.workers.analyzer.scores import features, prosody
from omniva_dagster.workers.analyzer.scores.evidence import Video
from omniva_dagster.workers.analyzer.scores.features import Contribution
from omniva_dagster.workers.analyzer.scores.hints import NO_HINTS, Hints
from omniva_dagster.workers.analyzer.spans.candidates import Span
from omniva_dagster.workers.analyzer.spans.penalties import Penalty
from omniva_dagster.workers.analyzer.spans.selection import Chosen, select
from omniva_dagster.workers.analyzer.speech import Transcriber
from omniva_dagster.workers.analyzer.text import keywords
from omniva_dagster.workers.analyzer.text.sentences import split
from omniva_dagster.workers.analyzer.text.words import join
from omniva_dagster.workers.media.probe import MediaInfo, probe
from omniva_dagster.workers.media.proxy import fits
from omniva_dagster.workers.media.timeline import Face, Interest, Scene, Still, Word

MOST_TAGS = 8
_SHARE_OF_SUBJECT = 0.3
# A proxy that is longer or shorter than its video shows something else, or at other times.
_PROXY_SECONDS = 1.0

OnProgress = Callable[[str, float], None]


@dataclass(frozen=True)
class Analysis:
    """The result, and what it rests on; ``contributions`` and ``penalties`` run parallel to its
    candidates.

    Times are seconds from the start of the video; ``silences`` and ``doubtful`` (where the words
    are not to be relied on) are (start, end); ``levels`` are dB for each 0.1 s, ``motion`` is the
    change of the picture in each second, 0 to 1. ``hints`` is the digest of what the site knew;
    ``seen_in`` is ``media`` or ``proxy``, whichever the pictures were taken from.
    """

    result: AnalysisResult
    words: list[Word]
    scenes: list[Scene]
    faces: list[Face]
    contributions: list[list[Contribution]]
    language: str
    model: str
    silences: list[tuple[float, float]]
    penalties: list[list[Penalty]]
    interests: list[Interest]
    stills: list[Still]
    levels: list[float]
    motion: list[float]
    language_probability: float
    doubtful: list[tuple[float, float]]
    hints: str = ""
    seen_in: str = "media"


def analyze(
    media: Path,
    video_id: str,
    transcriber: Transcriber,
    *,
    generated_at: str,
    parents: list[str],
    hints: Hints = NO_HINTS,
    proxy: Path | None = None,
    on_progress: OnProgress | None = None,
) -> Analysis:
    """What is said and seen in ``media``, and the spans of it worth clipping.

    Candidates are not judged yet: no votes, priority 0. There may be none. ``proxy`` is a small
    copy of the video whose pictures are looked at instead, if it lasts as long; ``hints`` are what
    the site knows of its viewers. ``on_progress`` hears of the stages audio, speech, pictures and
    candidates, each with a fraction. Raises `WorkerError`: ``corrupt_media``, ``no_audio``,
    ``transcript_missing``, ``model_offline``.
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
    manner = prosody.listen(sound, levels)
    lasted = len(sound) / audio.SAMPLE_RATE
    # Hours of samples are most of the memory that is needed.
    del sound
    report("speech", 1.0)
    seen, seen_in = _look(media, info, proxy, lambda fraction: report("pictures", fraction))
    report("pictures", 1.0)
    # A file that breaks off declares more than can be cut from it.
    decoded = max(lasted, seen.end)
    duration = min(info.duration or decoded, decoded, seen.end or decoded)
    video = Video(
        heard.words,
        split(heard.words, heard.language),
        heard.language,
        content=keywords.content(heard.words, heard.language),
        keywords=keywords.extract(heard.words, heard.language),
        levels=levels,
        step=audio.STEP_SECONDS,
        faces=seen.faces,
        looks=pictures.FACE_INTERVAL,
        has_pictures=bool(seen.scenes),
        duration=duration,
        prosody=manner,
        hints=hints,
        scenes=seen.scenes,
        motion=seen.motion,
    )
    chosen = select(video, seen.scenes, duration)
    report("candidates", 1.0)
    result = _result(video_id, video, chosen, generated_at, parents)
    return Analysis(
        result=result,
        words=heard.words,
        scenes=seen.scenes,
        faces=seen.faces,
        contributions=[item.contributions for item in chosen],
        language=heard.language,
        model=transcriber.name,
        silences=audio.silences(levels),
        penalties=[item.penalties for item in chosen],
        interests=seen.interests,
        stills=seen.stills,
        levels=levels,
        motion=seen.motion,
        language_probability=round(heard.language_probability, 4),
        doubtful=list(heard.doubtful),
        hints=hints.digest,
        seen_in=seen_in,
    )


def _look(
    media: Path, info: MediaInfo, proxy: Path | None, on_fraction: Callable[[float], None]
) -> tuple[Pictures, str]:
    """The pictures of the proxy if there is one that can be used, else those of the media."""
    if proxy is not None:
        try:
            if fits(info, probe(proxy)):
                seen = pictures.look(proxy, on_fraction)
                # A proxy that breaks off declares more than it shows.
                if abs(seen.end - info.duration) <= _PROXY_SECONDS:
                    return seen, "proxy"
        except WorkerError:
            # It was never needed: the video itself has all that it shows.
            pass
    return pictures.look(media, on_fraction), "media"


def _result(
    video_id: str,
    video: Video,
    chosen: list[Chosen],
    generated_at: str,
    parents: list[str],
) -> AnalysisResult:
    found = [_candidate(video, item.span, item.contributions) for item in chosen]
    return AnalysisResult(
        video_id=video_id,
        transcript=join(video.words),
        keywords_detected=[k.phrase for k in video.keywords[: keywords.MOST_KEYWORDS]],
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
