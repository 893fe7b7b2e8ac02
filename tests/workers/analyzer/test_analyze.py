from dataclasses import dataclass
from pathlib import Path

import pytest

from omniva_dagster.contracts.analysis import AnalysisResult
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer import audio
from omniva_dagster.workers.analyzer.analyze import Analysis, analyze
from omniva_dagster.workers.analyzer.scores import features
from omniva_dagster.workers.analyzer.scores.hints import Hints
from omniva_dagster.workers.analyzer.spans import penalties
from omniva_dagster.workers.analyzer.speech import FasterWhisper, Transcript
from omniva_dagster.workers.media.timeline import Heat
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


def test_candidates_carry_what_their_cuts_are_charged_with(analysis: Analysis) -> None:
    assert len(analysis.penalties) == len(analysis.result.clip_candidates)
    for charges in analysis.penalties:
        assert {charge.name for charge in charges} <= set(penalties.LARGEST)
        assert all(0 < charge.share < 1 and charge.evidence for charge in charges)


def test_what_later_steps_need_stands_beside_the_result(analysis: Analysis) -> None:
    assert len(analysis.levels) == pytest.approx(443, abs=3)
    assert len(analysis.motion) == pytest.approx(44, abs=2)
    assert analysis.interests
    assert analysis.stills
    assert analysis.language_probability == 1.0
    assert (analysis.doubtful, analysis.hints, analysis.seen_in) == ([], "", "media")


def test_no_candidate_is_cut_within_a_word_by_the_sound_of_it(
    analysis: Analysis, voice: Path
) -> None:
    """Around each cut it is much quieter than speech."""
    samples = audio.decode(voice)
    assert samples is not None
    loud = sorted(analysis.levels)[int(0.9 * len(analysis.levels))]
    for candidate in analysis.result.clip_candidates:
        for cut in (candidate.start_time, candidate.end_time):
            at = round(cut * audio.SAMPLE_RATE)
            (level,) = audio.loudness(samples[max(0, at - 160) : at + 160])
            assert level < loud - 20


@dataclass(frozen=True)
class Heard:
    """Hears what an analysis has heard already."""

    analysis: Analysis
    name: str = "again"

    def transcribe(self, _audio: object, on_progress: object = None) -> Transcript:
        return Transcript(self.analysis.words, self.analysis.language, 1.0)


def test_a_proxy_is_looked_at_in_the_videos_place(
    make: Make, talk: Path, analysis: Analysis
) -> None:
    small = ["-i", str(talk), "-vf", "scale=320:180", "-an", "-c:v", "libx264"]
    proxy = make("proxy.mp4", [*small, "-preset", "ultrafast"])
    short = make("short.mp4", ["-i", str(proxy), "-t", "30", "-c", "copy"])
    damaged = proxy.with_name("damaged.mp4")
    damaged.write_bytes(b"not a video")
    listener = Heard(analysis)

    def looked(proxy: Path) -> Analysis:
        return analyze(
            talk, VIDEO_ID, listener, generated_at=GENERATED_AT, parents=[PARENT], proxy=proxy
        )

    found = looked(proxy)
    assert found.seen_in == "proxy"
    cuts = [scene.start for scene in analysis.scenes]
    assert [scene.start for scene in found.scenes] == pytest.approx(cuts, abs=0.1)
    for unfit in (short, damaged):
        assert (looked(unfit).seen_in, looked(unfit).scenes) == ("media", analysis.scenes)


def test_what_viewers_watched_again_counts(talk: Path, analysis: Analysis) -> None:
    hints = Hints(heat=[Heat(2.0 * i, 2.0 * i + 2, i / 21) for i in range(22)])
    found = analyze(
        talk, VIDEO_ID, Heard(analysis), generated_at=GENERATED_AT, parents=[PARENT], hints=hints
    )
    assert found.hints == hints.digest
    heat = [p for points in found.contributions for p in points if p.name == "heatmap"]
    assert any(part.points > 0 for part in heat)


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
