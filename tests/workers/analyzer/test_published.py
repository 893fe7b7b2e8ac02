"""What an analysis leaves as evidence: words, features, cuts, models, vectors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.ids import candidate_id_of, derive_id
from omniva_dagster.contracts.operations.analyzer import (
    MOST_WORDS,
    AnalysisPublished,
    CandidateEvidence,
    ModelVersion,
)
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer import provenance, published, sidecars, vectors
from omniva_dagster.workers.analyzer.analyze import Analysis
from omniva_dagster.workers.analyzer.pictures import faces
from omniva_dagster.workers.analyzer.scores.features import Contribution
from omniva_dagster.workers.analyzer.spans.penalties import Penalty
from omniva_dagster.workers.media.timeline import Word
from tests.workers.analyzer.conftest import GENERATED_AT, VIDEO_ID
from tests.workers.analyzer.test_sidecars import EMPTY, FULL

RAW = derive_id("packet", "raw")
MODELS = [ModelVersion(name="whisper", version="1", role="speech")]
# Six sentences of two seconds; candidates of the first two, and of the third and fourth.
SAID = ["Coffee.", "Hot coffee.", "A lathe.", "The lathe chatters.", "Oil it.", "Then wait."]


def candidate(start: float, end: float) -> ClipCandidate:
    return FULL.result.clip_candidates[0].model_copy(update={"start_time": start, "end_time": end})


def analysis(*spans: tuple[float, float], words: list[Word] | None = None) -> Analysis:
    if words is None:
        words = [Word(text, 2.0 * n + 0.1, 2.0 * n + 0.6, 0.9) for n, text in enumerate(SAID)]
    candidates = [candidate(*span) for span in spans]
    return replace(
        FULL,
        result=FULL.result.model_copy(update={"clip_candidates": candidates}),
        words=words,
        contributions=[[] for _ in spans],
        penalties=[[] for _ in spans],
    )


def rests_on(one: Analysis) -> list[CandidateEvidence]:
    return published.evidence(one, MODELS, raw_packet_id=RAW, now=GENERATED_AT)


@pytest.mark.part("ANA-5")
def test_each_candidate_is_written_down_with_its_words_points_cuts_and_models() -> None:
    """ANA-5: candidate packets link raw asset and model version."""
    points = [
        Contribution("hook", 0.5, 0.18, 0.09, "opens with “Größe”"),
        Contribution("payoff", 1.0, 0.27, 0.27, "ends with a full stop"),
        Contribution("heatmap", 0.0, 0.0, 0.0, "does not apply: none was published"),
    ]
    charged = [Penalty("open_ending", 0.3, "ends without a full stop: “oil”")]
    one = replace(
        analysis((0.0, 4.0), (4.0, 8.0)),
        contributions=[points, []],
        penalties=[[], charged],
    )
    first, second = rests_on(one)
    assert first.candidate_id == candidate_id_of(VIDEO_ID, 0.0, 4.0)
    assert (first.words, second.words) == ("Coffee. Hot coffee.", "A lathe. The lathe chatters.")
    assert [(item.name, item.points, item.share) for item in first.features] == [
        ("payoff", 0.27, 0.75),
        ("hook", 0.09, 0.25),
    ]
    assert (first.charges, second.features) == ([], [])
    assert [(item.name, item.share) for item in second.charges] == [("open_ending", 0.3)]
    assert first.models == MODELS
    assert first.raw_packet_id == RAW


@given(
    st.lists(st.text(max_size=300), max_size=40),
    st.text(max_size=600),
    st.floats(0, 1).map(lambda value: round(value, 6)),
)
def test_whatever_was_heard_gives_a_bounded_and_valid_document(
    heard: list[str], told: str, points: float
) -> None:
    words = [Word(text, n * 0.5, n * 0.5 + 0.4, 0.5) for n, text in enumerate(heard)]
    one = analysis((0.0, 60.0), words=words)
    one = replace(
        one,
        contributions=[[Contribution("hook", points, 1.0, points, told)]],
        penalties=[[Penalty("long_rest", points, told)]],
    )
    (found,) = rests_on(one)
    assert CandidateEvidence.parse(found.dump()) == found
    assert len(found.words) <= MOST_WORDS
    assert found.words_cut == (len(published.said_in(one, candidate(0.0, 60.0))) > MOST_WORDS)


def test_the_words_of_a_span_are_those_that_begin_in_it() -> None:
    one = analysis((1.0, 3.0))
    assert published.said_in(one, candidate(0.1, 2.1)) == "Coffee."
    assert published.said_in(one, candidate(0.11, 2.11)) == "Hot coffee."
    assert published.said_in(one, candidate(90.0, 99.0)) == ""


def test_a_published_analysis_points_to_each_candidates_row(tmp_path: Path) -> None:
    one = analysis((0.0, 4.0), (4.0, 8.0))
    files = sidecars.write(one, tmp_path / "kept")
    spans = [(item.start_time, item.end_time) for item in one.result.clip_candidates]
    found = vectors.read(files["embeddings"], spans)
    made = published.publication(
        one.result, MODELS, found, "atlas:/a/e.parquet", result_packet_id=RAW, raw_packet_id=RAW,
        now=GENERATED_AT,
    )  # fmt: skip
    assert AnalysisPublished.parse(made.dump()) == made
    table = pq.read_table(files["embeddings"]).to_pylist()
    for pointer, span in zip(made.embeddings, spans, strict=True):
        assert pointer.row is not None
        row = table[pointer.row]
        assert (row["kind"], row["start"], row["end"]) == ("candidate", *span)
        assert pointer.candidate_id == candidate_id_of(VIDEO_ID, *span)
        assert len(row["vector"]) == pointer.dimensions


def test_the_rest_of_a_video_is_all_sentences_outside_of_the_candidate(tmp_path: Path) -> None:
    spans = [(0.0, 4.0), (0.0, 12.0)]
    files = sidecars.write(analysis(*spans), tmp_path / "kept")
    first, whole = vectors.read(files["embeddings"], spans)
    rows = pq.read_table(files["embeddings"]).to_pylist()
    outside = [row["vector"] for row in rows if row["kind"] == "sentence" and row["start"] >= 4]
    expected = [
        sum(round(value * vectors.SCALE) for value in column)
        for column in zip(*outside, strict=True)
    ]
    assert list(first.rest) == expected
    assert whole.rest == (), "there is no rest to be compared with"


def test_vectors_are_read_apart_and_damage_is_named(tmp_path: Path) -> None:
    spans = [(0.0, 4.0)]
    files = sidecars.write(analysis(*spans), tmp_path / "kept")
    assert vectors.read(tmp_path / "nothing.parquet", spans) == []
    with pytest.raises(WorkerError, match="delete its folder"):
        vectors.read(files["embeddings"], [(0.0, 5.0)])
    whole = files["embeddings"].read_bytes()
    files["embeddings"].write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WorkerError, match="delete its folder") as caught:
        vectors.read(files["embeddings"], spans)
    assert caught.value.code is ReasonCode.INTERNAL


def test_the_models_are_kept_with_what_they_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    sidecars.write(FULL, kept, cpu_seconds=1.234)
    meta = sidecars.read_meta(kept)
    assert meta["cpu_seconds"] == 1.23
    monkeypatch.setattr(provenance, "ANALYZER_VERSION", "another release's")
    models = {one.role: one for one in provenance.of_meta(meta)}
    assert (models["speech"].name, models["speech"].version) == ("bundled:base", "abc")
    assert models["faces"].version == faces.model_version()
    assert models["shots and spans"].version != "another release's"
    assert (models["embeddings"].name, models["embeddings"].version) == ("hashed-tfidf-256", "1")


@pytest.mark.parametrize("name", ["", "@", "plain", "a@b@c", "x" * 300])
def test_any_name_of_a_speech_model_is_told_within_bounds(name: str) -> None:
    speech = provenance.of_today(name)[0]
    assert ModelVersion.parse(speech.dump()) == speech


def test_of_an_analysis_kept_before_models_were_noted_what_is_known_is_told() -> None:
    old = {"model": "bundled:base@abc", "analyzer_version": "1", "scoring_version": "1"}
    assert [(one.role, one.version) for one in provenance.of_meta(old)] == [
        ("speech", "abc"),
        ("shots and spans", "1"),
        ("scores", "1"),
    ]


def test_an_analysis_without_candidates_leaves_its_models(tmp_path: Path) -> None:
    files = sidecars.write(EMPTY, tmp_path / "kept")
    assert rests_on(EMPTY) == []
    assert vectors.read(files["embeddings"], []) == []
