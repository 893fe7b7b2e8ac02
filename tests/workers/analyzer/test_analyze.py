from pathlib import Path

import pytest

from omniva_dagster.contracts.analysis import AnalysisResult
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer import features
from omniva_dagster.workers.analyzer.analyze import Analysis, analyze
from omniva_dagster.workers.analyzer.speech import FasterWhisper
from tests.workers.analyzer.conftest import GENERATED_AT, PARENT, VIDEO_ID, Make

pytestmark = pytest.mark.media


def run(path: Path, whisper: FasterWhisper) -> Analysis:
    return analyze(path, VIDEO_ID, whisper, generated_at=GENERATED_AT, parents=[PARENT])


def reason(path: Path, whisper: FasterWhisper) -> ReasonCode:
    with pytest.raises(WorkerError) as caught:
        run(path, whisper)
    assert ";" in caught.value.message
    return caught.value.code


@pytest.mark.spec("ANA-2")
def test_a_talk_becomes_a_valid_result_with_candidates(analysis: Analysis) -> None:
    result = analysis.result
    assert AnalysisResult.parse(result.dump()) == result
    assert (result.video_id, result.meta_parents) == (VIDEO_ID, [PARENT])
    assert result.generated_at == GENERATED_AT
    assert 1 <= len(result.clip_candidates) <= 3
    assert result.virality_score == max(c.confidence for c in result.clip_candidates)
    assert 0 < result.relevance_score <= 1
    assert "age of wisdom" in result.keywords_detected
    assert analysis.language == "en"


def test_candidates_are_unjudged_whole_sentences_without_overlap(analysis: Analysis) -> None:
    ends = {word.end for word in analysis.words if word.text[-1] in ".!?"}
    clock = 0.0
    for candidate in analysis.result.clip_candidates:
        assert clock <= candidate.start_time
        assert 15 <= candidate.end_time - candidate.start_time <= 60
        assert any(0 <= candidate.end_time - end <= 0.25 for end in ends)
        assert (candidate.pantheon_votes, candidate.lattice_priority) == ({}, 0)
        assert candidate.clip_id is None
        assert len(candidate.semantic_tags) <= 8
        assert set(candidate.semantic_tags) <= set(analysis.result.keywords_detected)
        clock = candidate.end_time


def test_candidates_tell_what_is_seen_and_why_they_were_taken(analysis: Analysis) -> None:
    candidates = analysis.result.clip_candidates
    assert len(analysis.contributions) == len(candidates)
    for candidate, points in zip(candidates, analysis.contributions, strict=True):
        assert candidate.confidence == features.confidence(points)
        assert (candidate.subject_focus, candidate.faces_detected) == ("speaker", 1)


@pytest.mark.part("ANA-4")
def test_videos_without_speech_say_so(make: Make, whisper: FasterWhisper) -> None:
    pattern = ["-f", "lavfi", "-t", "6", "-i", "testsrc2=s=160x90:r=5"]
    mute = make("no_sound.mp4", pattern)
    silent = make("silent.mp4", [*pattern, "-f", "lavfi", "-t", "6", "-i", "anullsrc"])
    hum = make("hum.mp4", [*pattern, "-f", "lavfi", "-t", "6", "-i", "sine=f=330"])
    assert reason(mute, whisper) is ReasonCode.NO_AUDIO
    assert reason(silent, whisper) is ReasonCode.TRANSCRIPT_MISSING
    assert reason(hum, whisper) is ReasonCode.TRANSCRIPT_MISSING


def test_a_file_without_its_index_is_corrupt(
    make: Make, talk: Path, whisper: FasterWhisper, tmp_path: Path
) -> None:
    whole = make("whole.mp4", ["-i", str(talk), "-t", "5", "-c:v", "copy", "-c:a", "aac"])
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert reason(broken, whisper) is ReasonCode.CORRUPT_MEDIA
    (tmp_path / "empty.mp4").write_bytes(b"")
    assert reason(tmp_path / "empty.mp4", whisper) is ReasonCode.CORRUPT_MEDIA


def test_a_file_that_breaks_off_is_cut_only_where_it_can_be_decoded(
    talk: Path, whisper: FasterWhisper, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(talk.read_bytes()[: talk.stat().st_size * 6 // 10])
    analysis = run(broken, whisper)
    end = analysis.scenes[-1].end
    assert 20 < end < 40
    assert analysis.result.clip_candidates
    assert all(c.end_time <= end for c in analysis.result.clip_candidates)


def test_sound_without_pictures_is_analyzed_as_a_scene(voice: Path, whisper: FasterWhisper) -> None:
    stages: list[tuple[str, float]] = []
    analysis = analyze(
        voice,
        VIDEO_ID,
        whisper,
        generated_at=GENERATED_AT,
        parents=[],
        on_progress=lambda stage, fraction: stages.append((stage, fraction)),
    )
    assert (analysis.scenes, analysis.faces) == ([], [])
    assert {c.subject_focus for c in analysis.result.clip_candidates} == {"scene"}
    assert list(dict.fromkeys(stage for stage, _ in stages)) == [
        "audio",
        "speech",
        "pictures",
        "candidates",
    ]
    assert all(0 <= fraction <= 1 for _, fraction in stages)


def test_the_same_file_gives_the_same_analysis(
    talk: Path, analysis: Analysis, whisper: FasterWhisper
) -> None:
    assert run(talk, whisper) == analysis
