import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from omniva_dagster.contracts.analysis import AnalysisResult, ClipCandidate
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer import sidecars
from omniva_dagster.workers.analyzer.analyze import Analysis
from omniva_dagster.workers.analyzer.scores import features
from omniva_dagster.workers.analyzer.scores.features import Contribution
from omniva_dagster.workers.analyzer.spans.penalties import Penalty
from omniva_dagster.workers.media.timeline import Face, Interest, Scene, Still, Word
from tests.workers.analyzer.conftest import GENERATED_AT, PARENT, VIDEO_ID

CANDIDATE = ClipCandidate(
    start_time=1.25,
    end_time=20.5,
    confidence=0.51,
    subject_focus="speaker",
    faces_detected=1,
    semantic_tags=["größe"],
    pantheon_votes={},
    lattice_priority=0.0,
)
RESULT = AnalysisResult(
    video_id=VIDEO_ID,
    transcript="Größe 好。",
    keywords_detected=["größe"],
    virality_score=0.51,
    relevance_score=0.5,
    clip_candidates=[CANDIDATE, CANDIDATE],
    meta_parents=[PARENT],
    generated_at=GENERATED_AT,
)
POINTS = [
    Contribution("hook", 0.5, 0.18, 0.09, "opens with “Größe”"),
    Contribution("a", 1, 1, 1, "b"),
]
FULL = Analysis(
    result=RESULT,
    words=[Word("Größe", 1.3, 2.001, 0.9), Word("好。", 2.1, 2.2, 0.1)],
    scenes=[Scene(0.0, 21.0)],
    faces=[Face(0.4, 0.1, 0.2, 0.3, 0.4, 0.95, 0.25)],
    contributions=[POINTS, []],
    language="de",
    model="bundled:base@abc",
    silences=[(0.0, 1.2)],
    penalties=[[], [Penalty("open_ending", 0.3, "ends without a full stop: “好”")]],
    interests=[Interest(0.0, 21.0, 0.4, 0.5, 0.7)],
    stills=[Still(3.5, 0.9, 0.8, 0.7, "00ff00ff00ff00ff")],
    levels=[-100.0, -23.45],
    motion=[0.0, 0.125],
    language_probability=0.875,
    doubtful=[(1.3, 2.2)],
    hints="ab" * 32,
    seen_in="proxy",
)
EMPTY = Analysis(
    result=RESULT.model_copy(update={"clip_candidates": []}),
    words=[],
    scenes=[],
    faces=[],
    contributions=[],
    language="en",
    model="m",
    silences=[],
    penalties=[],
    interests=[],
    stills=[],
    levels=[],
    motion=[],
    language_probability=0.0,
    doubtful=[],
)


@pytest.mark.parametrize("analysis", [FULL, EMPTY], ids=["full", "empty"])
def test_what_is_kept_is_read_back_equal(analysis: Analysis, tmp_path: Path) -> None:
    files = sidecars.write(analysis, tmp_path / "kept")
    assert all(path.is_file() for path in files.values())
    assert set(files) == {*sidecars.SCHEMAS, "embeddings", "result", "meta"}
    assert sidecars.read(tmp_path / "kept") == analysis


def test_files_without_rows_have_their_columns(tmp_path: Path) -> None:
    import pandas as pd

    files = sidecars.write(EMPTY, tmp_path / "kept")
    for name, columns in sidecars.SCHEMAS.items():
        assert list(pd.read_parquet(files[name]).columns) == list(columns)


def test_what_the_first_version_kept_can_still_be_read(tmp_path: Path) -> None:
    files = sidecars.write(FULL, tmp_path / "kept")
    for name in set(files) - {"words", "scenes", "contributions", "silences", "result", "meta"}:
        files[name].unlink()
    faces = pa.table({k: [0.5] for k in ("time", "x", "y", "width", "height", "score")})
    pq.write_table(faces, files["faces"])
    old = {"language": "de", "model": "m", "analyzer_version": "1", "scoring_version": "1"}
    files["meta"].write_text(json.dumps(old))
    found = sidecars.read(tmp_path / "kept")
    assert (found.words, found.contributions) == (FULL.words, FULL.contributions)
    assert found.faces == [Face(0.5, 0.5, 0.5, 0.5, 0.5, 0.5)]
    assert (found.levels, found.stills, found.penalties) == ([], [], [[], []])


@pytest.mark.spec("ANA-3")
def test_vectors_of_sentences_and_candidates_stand_apart(tmp_path: Path) -> None:
    files = sidecars.write(FULL, tmp_path / "kept")
    table = pq.read_table(files["embeddings"])
    assert str(table.schema.field("vector").type) == "fixed_size_list<element: float>[256]"
    assert table.column("kind").to_pylist() == ["sentence", "candidate", "candidate"]
    assert "vector" not in files["result"].read_text()
    sidecars.write(EMPTY, tmp_path / "empty")
    assert pq.read_table(tmp_path / "empty" / "embeddings.parquet").num_rows == 0


def test_the_same_analysis_has_the_same_bytes(tmp_path: Path) -> None:
    one, two = (sidecars.write(FULL, tmp_path / name) for name in ("one", "two"))
    assert [one[n].read_bytes() for n in one] == [two[n].read_bytes() for n in two]


def test_writing_again_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    sidecars.write(EMPTY, tmp_path / "kept")
    sidecars.write(FULL, tmp_path / "kept")
    assert sidecars.read(tmp_path / "kept") == FULL
    assert list(tmp_path.iterdir()) == [tmp_path / "kept"]


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sidecars.write(EMPTY, tmp_path / "kept")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sidecars, "_write_json", full)
    with pytest.raises(OSError, match="No space"):
        sidecars.write(FULL, tmp_path / "kept")
    assert sidecars.read(tmp_path / "kept") == EMPTY
    assert list(tmp_path.iterdir()) == [tmp_path / "kept"]


def test_nothing_kept_and_damage_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sidecars.read(tmp_path / "kept")
    files = sidecars.write(FULL, tmp_path / "kept")
    # The vectors are for others to read.
    for path in (path for name, path in files.items() if name != "embeddings"):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(WorkerError, match="delete that folder") as caught:
            sidecars.read(tmp_path / "kept")
        assert caught.value.code is ReasonCode.INTERNAL
        path.write_bytes(whole)
    assert sidecars.read(tmp_path / "kept") == FULL


def test_the_fingerprint_changes_with_what_the_analysis_rests_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digests = {
        sidecars.fingerprint("a" * 64, "tiny"),
        sidecars.fingerprint("b" * 64, "tiny"),
        sidecars.fingerprint("a" * 64, "base"),
        sidecars.fingerprint("a" * 64, "tiny", "c" * 64),
        sidecars.fingerprint("a" * 64, "tiny", proxied=True),
    }
    assert sidecars.fingerprint("a" * 64, "tiny") in digests
    monkeypatch.setattr(sidecars, "SCORING_VERSION", features.SCORING_VERSION + "x")
    digests.add(sidecars.fingerprint("a" * 64, "tiny"))
    monkeypatch.setattr(sidecars, "ANALYZER_VERSION", "x")
    digests.add(sidecars.fingerprint("a" * 64, "tiny"))
    assert len(digests) == 7
