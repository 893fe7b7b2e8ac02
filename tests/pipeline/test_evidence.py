"""What an analysis leaves in the ledger, what Pantheon votes on, and what HaloLux tells of both."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.assets import CLIP_PIPELINE
from omniva_dagster.contracts.cognition.halolux import InterpretabilityBundle
from omniva_dagster.contracts.cognition.lattice import QueueLoad
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.definitions import definitions
from omniva_dagster.demo.channel import ChannelVideo, serve_channel, write_channel
from omniva_dagster.engines import halolux, pantheon
from omniva_dagster.engines.horizon import desirability
from omniva_dagster.partitions import CREATORS, partition_key
from omniva_dagster.resources import asking, explaining, guidance, routing
from omniva_dagster.resources.atlas import Atlas
from omniva_dagster.resources.goals import read_goals
from omniva_dagster.resources.recalibration import recalibrate
from omniva_dagster.resources.workload import Workload
from omniva_dagster.settings import settings
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.state.partition import Partition
from tests.support.footage import talking_head
from tests.support.home import DAY, Home, make_home
from tests.support.sharing import Shared

pytestmark = [pytest.mark.media, pytest.mark.takes(30)]

GOALS = """
campaigns:
  - name: spring
    since: 2026-03-01
    until: 2026-05-01
    mix:
      - {subject: age, share: 0.9}
"""
WISHES = {"age": 0.9}
UNTIL = ("scraper_jobs", "videos", "analysis_results", "clip_candidates", "zenith_directives")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, shared: Shared) -> Iterator[Home]:
    """A home whose day was promoted from, with goals set and a long queue for the editors."""
    footage = shared.file("evidence/talk.mp4", lambda path: talking_head(path, seconds=44))
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(tmp_path_factory.mktemp("evidence") / "home", patch, prepared=True)
        channel = home.path / "channel"
        channel.mkdir()
        (channel / "talk.mp4").write_bytes(footage.read_bytes())
        write_channel(
            channel, "Ada", [ChannelVideo("talk", "talk.mp4", "A talk", f"{DAY}T10:00:00Z")]
        )
        (home.path / "goals.yaml").write_text(GOALS)
        with serve_channel(channel) as served:
            home.add("ada", served.feed_url)
            recalibrate(home.store, read_goals(), f"{DAY}T12:00:00Z", ["ada"])
            _wish(home)
            _backlog(home)
            materialize(*UNTIL)
        yield home
    settings.cache_clear()


def _wish(home: Home) -> None:
    """The partition uses guidance by which the campaign's subject is wanted more than others."""
    with home.store.begin() as connection:
        recorded = guidance.recorded_for(connection, "ada", DAY)
        assert recorded is not None
        wished = {**recorded.body, "subjects": WISHES}
        db.snapshots.pin(connection, Partition("ada", DAY), guidance.KIND, wished, recorded.made_at)


def _backlog(home: Home) -> None:
    """Lattice sees that forty clips wait for the editors, where twenty may."""
    now = format_timestamp(datetime.now(UTC))
    queue = QueueLoad(queue="editor", pool="editor", depth=40, sla_depth=20, oldest_seconds=60.0)
    routing.advise(home.store, Workload(now, (), (), (queue,), ()), settings())


def materialize(*assets: str) -> None:
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(CREATORS, ["ada"])
        done = (
            definitions(settings())
            .resolve_job_def("clip_pipeline")
            .execute_in_process(
                instance=instance,
                partition_key=partition_key("ada", DAY),
                asset_selection=[
                    asset.key for asset in CLIP_PIPELINE if asset.key.path[-1] in assets
                ],
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        )
    assert done.success
    checks = {one.check_name: one.passed for one in done.get_asset_check_evaluations()}
    assert checks["pantheon"]
    assert checks["stardust"]


def said(home: Home, message_type: str) -> list[dict[str, Any]]:
    query = sa.text("SELECT body FROM packets WHERE message_type = :name ORDER BY sequence")
    with home.store.read() as connection:
        rows = connection.execute(query, {"name": message_type}).scalars()
        return [json.loads(body) for body in rows]


def only(home: Home, message_type: str) -> dict[str, Any]:
    (found,) = said(home, message_type)
    return found


def judged_candidates(home: Home) -> list[dict[str, Any]]:
    return [one for one in said(home, "ClipCandidate") if one["producer"] == "clip_candidates"]


def analyzer(home: Home) -> str:
    """The analyzer of this machine, as one asks for it."""
    beat = next(one for one in said(home, "Heartbeat") if one["payload"]["worker"] == "analyzer")
    return f"worker:analyzer/{beat['payload']['instance']}"


@pytest.mark.spec("ANA-5")
def test_each_candidates_packet_leads_to_the_raw_file_and_to_the_models_that_found_it(
    judged: Home,
) -> None:
    """ANA-5: candidate packets link raw asset and model version."""
    raw, published = only(judged, "RawCapture"), only(judged, "AnalysisPublished")
    rests_on = {one["message_id"]: one for one in said(judged, "CandidateEvidence")}
    assert published["payload"]["raw_packet_id"] == raw["message_id"]
    assert raw["message_id"] in published["_meta_parents"]
    roles = {one["role"]: one for one in published["payload"]["models"]}
    assert roles["speech"]["name"] == "bundled:tiny.en"
    assert "faster-whisper/" in roles["speech"]["version"]
    assert {"faces", "shots and spans", "scores", "embeddings"} <= set(roles)
    candidates = judged_candidates(judged)
    assert candidates
    for candidate in candidates:
        assert published["message_id"] in candidate["_meta_parents"]
        (own,) = (rests_on[one] for one in candidate["_meta_parents"] if one in rests_on)
        assert own["_meta_parents"] == [published["message_id"]]
        span = candidate["payload"]
        assert own["payload"]["start_time"] == span["start_time"]
        assert own["payload"]["models"] == published["payload"]["models"]
        assert own["payload"]["raw_packet_id"] == raw["message_id"]
        points = sum(one["points"] for one in own["payload"]["features"])
        assert points == pytest.approx(span["confidence"], abs=1e-5)
        assert sum(one["share"] for one in own["payload"]["features"]) == pytest.approx(1, abs=1e-3)
        heard = only(judged, "AnalysisResult")["payload"]["transcript"]
        assert own["payload"]["words"]
        assert own["payload"]["words"] in heard


def test_a_rerun_publishes_nothing_twice(judged: Home) -> None:
    before = judged.recorded()
    materialize(*UNTIL[2:])
    assert judged.recorded() == before


def test_the_pointers_lead_to_the_candidates_vectors(judged: Home) -> None:
    published = only(judged, "AnalysisPublished")["payload"]
    evidence = {one["payload"]["candidate_id"]: one["payload"] for one in
                said(judged, "CandidateEvidence")}  # fmt: skip
    assert {one["candidate_id"] for one in published["embeddings"]} == set(evidence)
    for pointer in published["embeddings"]:
        path = Atlas(judged.path / "atlas").path(pointer["uri"])
        row = pq.read_table(path).to_pylist()[pointer["row"]]
        span = evidence[pointer["candidate_id"]]
        assert (row["start"], row["end"]) == (span["start_time"], span["end_time"])
        assert len(row["vector"]) == pointer["dimensions"]


@pytest.mark.spec("PAN-1")
def test_pantheon_votes_on_candidates_embeddings_lattices_load_and_horizons_wishes(
    judged: Home,
) -> None:
    """PAN-1: takes candidates, embeddings, Lattice context, Horizon biases."""
    published, desired = only(judged, "AnalysisPublished"), only(judged, "DesirabilityMetrics")
    load, analysis = only(judged, "WorkloadSnapshot"), only(judged, "AnalysisResult")
    rests_on = {one["payload"]["candidate_id"]: one for one in said(judged, "CandidateEvidence")}
    reports = said(judged, "VoteReport")
    assert len(reports) == len(judged_candidates(judged))
    for report in reports:
        behind = report["_meta_parents"]
        own = rests_on[report["payload"]["candidate_id"]]
        assert {one["message_id"] for one in (analysis, published, desired, own)} <= set(behind)
        again = _recomputed(judged, own, published, _wished(own, judged))
        assert _exploration(report) == pytest.approx(again, abs=1e-4)
    told = [json.dumps(one["payload"]["ballots"]) for one in reports]
    assert any("Horizon wants more of its subject" in text for text in told)
    assert not all("Horizon wants" in text for text in told)
    best = only(judged, "Shortlist")
    assert best["payload"]["limited_by"] == (
        "5 in place of 10: 40 wait for the editor, where 20 may"
    )
    assert load["message_id"] in best["_meta_parents"]
    assert len(best["payload"]["candidates"]) <= 5 < pantheon.SHORTLIST


def _exploration(report: dict[str, Any]) -> float:
    ballots = {one["agent"]: one["vote"] for one in report["payload"]["ballots"]}
    return float(ballots["exploration"])


def _wished(own: dict[str, Any], home: Home) -> float:
    spans = {one["payload"]["start_time"]: one["payload"] for one in judged_candidates(home)}
    return desirability(WISHES, spans[own["payload"]["start_time"]]["semantic_tags"])


def _recomputed(home: Home, own: dict[str, Any], published: dict[str, Any], wished: float) -> float:
    """The vote again, from what the ledger says and the vectors that it points to."""
    pointers = {one["candidate_id"]: one for one in published["payload"]["embeddings"]}
    pointer = pointers[own["payload"]["candidate_id"]]
    rows = pq.read_table(Atlas(home.path / "atlas").path(pointer["uri"])).to_pylist()
    mine, (start, end) = (
        rows[pointer["row"]],
        (own["payload"]["start_time"], own["payload"]["end_time"]),
    )
    sentences = [one for one in rows if one["kind"] == "sentence"]
    outside = [one for one in sentences if one["end"] <= start or one["start"] >= end]
    seen = {one["name"]: one["value"] for one in own["payload"]["features"]}
    if 2 * len(outside) >= len(sentences):
        rest = [sum(values) for values in zip(*(one["vector"] for one in outside), strict=True)]
        shared = sum(a * b for a, b in zip(mine["vector"], rest, strict=True))
        seen["distinctness"] = 1 - shared / math.hypot(*mine["vector"]) / math.hypot(*rest)
    ballots = pantheon.vote(seen, desirability=wished)
    return {one.agent: one.vote for one in ballots}["exploration"]


@pytest.mark.spec("HAL-1")
def test_halolux_takes_decisions_evidence_telemetry_lineage_ids_and_a_users_question(
    judged: Home,
) -> None:
    """HAL-1: takes decisions, evidence, telemetry, lineage ids, user queries."""
    promotion = said(judged, "Directive")[0]
    clip = promotion["payload"]["subject_id"]
    asked = judged.omniva("explain", clip, "--ask", "which words were chosen?", "--json")
    assert asked.exit_code == 0, asked.output
    bundle = InterpretabilityBundle.parse(asked.stdout)
    cited = {one: sentence.text for sentence in bundle.narrative for one in sentence.packets}
    (own,) = (one for one in said(judged, "CandidateEvidence") if
              one["payload"]["candidate_id"] == clip)  # fmt: skip
    cost = next(one for one in said(judged, "TelemetrySample") if
                one["payload"]["metric"] == "analysis_cpu_seconds")  # fmt: skip
    story = " ".join(sentence.text for sentence in bundle.narrative)
    assert "Zenith promoted it to a clip" in cited[promotion["message_id"]]
    assert own["payload"]["words"][:80] in story
    assert own["payload"]["features"][0]["name"] in story
    assert f"{cost['payload']['value']:.2f}" in cited[cost["message_id"]]
    assert "bundled:tiny.en" in story
    assert bundle.completeness == 1
    assert only(judged, "ExplanationRequest")["payload"]["question"] == "which words were chosen?"

    by_packet = judged.omniva("explain", own["message_id"], "--json", "--no-record")
    lineage = InterpretabilityBundle.parse(by_packet.stdout)
    assert own["payload"]["words"][:80] in lineage.narrative[-3].text
    assert lineage.trace_id == own["trace_id"]

    beats = InterpretabilityBundle.parse(
        judged.omniva("explain", analyzer(judged), "--json", "--no-record").stdout
    )
    assert "was alive at" in " ".join(sentence.text for sentence in beats.narrative)


def test_each_number_and_quote_of_the_evidence_is_in_the_packets_cited(judged: Home) -> None:
    shelf = explaining.Library(Layout(judged.path / "ledger"), judged.store)
    video = only(judged, "VideoAsset")["payload"]["video_id"]
    everything = [one["payload"]["candidate_id"] for one in said(judged, "CandidateEvidence")]
    for sought in [*everything, video, f"ada/{DAY}", analyzer(judged)]:
        question = asking.question_of(shelf.layout, shelf.store, sought)
        found = explaining.explain(shelf, question)
        assert halolux.unfounded_in(found.bundle, found.packets) == []
        assert found.bundle.missing_evidence == [], sought
