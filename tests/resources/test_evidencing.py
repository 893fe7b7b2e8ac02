"""What an analysis leaves in the ledger: once, led back to its file, or not at all."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omniva_dagster.contracts.analysis import AnalysisResult
from omniva_dagster.contracts.ids import candidate_id_of, derive_id
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.video import RawCapture, VideoAsset
from omniva_dagster.engines.pantheon import Load
from omniva_dagster.resources import burden, evidencing
from omniva_dagster.resources.workbench import Workbench
from omniva_dagster.state import snapshots
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store
from omniva_dagster.workers.analyzer import sidecars
from tests.contracts.support import example
from tests.workers.analyzer.test_sidecars import FULL

VIDEO = FULL.result.video_id
TRACE = derive_id("trace", VIDEO)
URI = "atlas:/analysis/kept"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """A workbench for analysis_results on an empty store."""
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    store.migrate()
    here = Partition("ada", "2026-03-04")
    yield Workbench(store, here, evidencing.STAGE, logging.getLogger("test"))
    store.close()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """An analysis as it is kept, of one candidate."""
    first = FULL.result.clip_candidates[:1]
    result = FULL.result.model_copy(update={"clip_candidates": first})
    values = {**vars(FULL), "result": result}
    values |= {"contributions": FULL.contributions[:1], "penalties": FULL.penalties[1:]}
    sidecars.write(type(FULL)(**values), tmp_path / "kept", cpu_seconds=2.5)
    return tmp_path / "kept"


def publish(bench: Workbench, kept: Path, *, with_raw: bool = True) -> None:
    read = evidencing.read(kept, URI)
    with bench.store.begin() as connection:
        recorder = bench.recorder(connection)

        def said(document: Any, *parents: str) -> Record[Any]:
            return recorder.record(document, subject_id=VIDEO, trace_id=TRACE, parents=parents)

        raw = [said(RawCapture.parse(example("RawCapture"))).packet_id] if with_raw else []
        video = said(VideoAsset.parse(example("VideoAsset")), *raw)
        found = read.analysis.result.model_copy(update={"meta_parents": [video.packet_id]})
        result: Record[AnalysisResult] = said(found, video.packet_id)
        evidencing.publish(recorder, read, video, result)


def recorded(bench: Workbench) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    with bench.store.read() as connection:
        for body in connection.scalars(sa.text("SELECT body FROM packets ORDER BY sequence")):
            one = json.loads(body)
            found.setdefault(one["message_type"], []).append(one)
    return found


def test_the_same_analysis_is_published_once_whenever_it_is_published(
    bench: Workbench, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(bench, kept)
    before = recorded(bench)
    monkeypatch.setattr(Workbench, "now", "2027-01-01T00:00:00Z")
    publish(bench, kept)
    assert recorded(bench) == before
    (published,), (evidence,) = before["AnalysisPublished"], before["CandidateEvidence"]
    (cost,) = before["TelemetrySample"]
    assert cost["payload"]["value"] == 2.5
    assert cost["message_id"] in published["_meta_parents"]
    span = FULL.result.clip_candidates[0]
    own = candidate_id_of(VIDEO, span.start_time, span.end_time)
    with bench.store.read() as connection:
        shown = evidencing.shown(connection, VIDEO, [own], ())
    assert shown.packets_of(own) == (published["message_id"], evidence["message_id"])


def test_another_analysis_of_the_video_is_published_beside_the_first(
    bench: Workbench, kept: Path
) -> None:
    publish(bench, kept)
    meta = json.loads((kept / "meta.json").read_text())
    meta["models"][0]["version"] = "a better one"
    (kept / "meta.json").write_text(json.dumps(meta))
    publish(bench, kept)
    found = recorded(bench)
    assert len(found["AnalysisPublished"]) == len(found["CandidateEvidence"]) == 2
    assert found["CandidateEvidence"][1]["payload"]["models"][0]["version"] == "a better one"


def test_without_a_raw_capture_behind_it_nothing_is_published(bench: Workbench, kept: Path) -> None:
    publish(bench, kept, with_raw=False)
    assert set(recorded(bench)) == {"VideoAsset", "AnalysisResult"}
    with bench.store.read() as connection:
        shown = evidencing.shown(connection, VIDEO, [derive_id("clip", "x")], ())
    assert shown == evidencing.Shown()
    assert shown.packets_of(derive_id("clip", "x")) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"models": [{"name": 3}]},
        {"models": "whisper"},
        {"cpu_seconds": "much"},
        {"cpu_seconds": -1.0},
        {"cpu_seconds": 1e300},
    ],
)
def test_notes_that_were_changed_by_hand_are_named(kept: Path, wrong: dict[str, Any]) -> None:
    meta = json.loads((kept / "meta.json").read_text())
    (kept / "meta.json").write_text(json.dumps(meta | wrong))
    with pytest.raises(WorkerError, match="delete that folder") as caught:
        evidencing.read(kept, URI)
    assert caught.value.code is ReasonCode.INTERNAL


def test_a_partition_is_judged_under_the_load_it_pinned(bench: Workbench) -> None:
    assert burden.of_partition(bench) is None, "nobody looked, so nothing limits the shortlist"
    load = Load("editor", 9, 3, derive_id("packet", "x"))
    with bench.store.begin() as connection:
        snapshots.repin(connection, bench.partition, burden.KIND, asdict(load), bench.now)
    assert burden.of_partition(bench) == load
    assert burden.of_partition(bench, anew=True) is None
    assert burden.of_partition(bench) is None
