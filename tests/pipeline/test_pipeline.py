"""One creator's day through the whole graph, on real media and a real Dagster instance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
import sqlalchemy as sa

from omniva_dagster.assets import CLIP_PIPELINE, publications
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.envelope import Envelope
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.registry import parse
from omniva_dagster.definitions import definitions
from omniva_dagster.demo.channel import ChannelVideo, serve_channel, write_channel
from omniva_dagster.partitions import partition_key
from omniva_dagster.resources.warehouse.io_manager import CONTRACT_KEY
from omniva_dagster.settings import settings
from omniva_dagster.state import decisions
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import packet_parents, packets
from omniva_dagster.workers.media.probe import probe
from tests.contracts.support import schema_accepts
from tests.support.home import DAY, Home, make_home

pytestmark = pytest.mark.media

# What a run records: the contract of every asset, the capture behind a video, and outcomes.
PIPELINE = {next(iter(asset.specs)).metadata[CONTRACT_KEY] for asset in CLIP_PIPELINE} | {
    "RawCapture",
    "Outcome",
}
TITLE = 'A "quoted" title 🎉\nof two lines, and ../../etc/passwd | <b>'


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory, footage: Path
) -> Iterator[tuple[Home, dict[str, Any], str]]:
    """A home after one run of a day with one video; what the run reported; the feed."""
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(tmp_path_factory.mktemp("ran") / "home", patch)
        channel = home.path / "channel"
        channel.mkdir()
        (channel / "talk.mp4").write_bytes(footage.read_bytes())
        videos = [
            ChannelVideo("talk", "talk.mp4", TITLE, f"{DAY}T10:00:00Z", uploader="Ada"),
            ChannelVideo("late", "talk.mp4", "Next", "2026-03-05T00:00:00Z", uploader="Ada"),
        ]
        write_channel(channel, "Ada", videos)
        with serve_channel(channel) as served:
            home.add("ada", served.feed_url)
            yield home, home.run(), served.feed_url
    settings.cache_clear()


def _packets(home: Home) -> list[dict[str, Any]]:
    with home.store.read() as connection:
        bodies = connection.scalars(sa.select(packets.c.body).order_by(packets.c.sequence))
        return [json.loads(body) for body in bodies]


@pytest.mark.spec("DAG-1")
def test_every_asset_of_the_partition_is_materialized(ran: tuple[Home, Any, str]) -> None:
    """DAG-1: the objects are software-defined assets, creator x day."""
    with dg.DagsterInstance.get() as instance:
        for asset in CLIP_PIPELINE:
            assert instance.get_materialized_partitions(asset.key) == {f"ada|{DAY}"}


def test_only_the_video_of_the_day_was_taken(ran: tuple[Home, Any, str]) -> None:
    frame = pd.read_parquet(ran[0].path / "warehouse" / "videos")
    assert frame["uploaded_at"].dt.date.astype(str).tolist() == [DAY]


def test_a_clip_was_published_as_planned(ran: tuple[Home, Any, str]) -> None:
    home, report, _ = ran
    assert report["outcomes"]
    assert {item["status"] for item in report["outcomes"]} == {"DONE"}
    (clip,) = report["clips"]
    media = probe(Path(clip["path"]))
    assert (media.width, media.height) == (1080, 1920)
    assert (media.video_codec, media.audio_codec) == ("h264", "aac")
    assert media.duration == pytest.approx(clip["end_time"] - clip["start_time"], abs=0.2)
    assert 15 <= media.duration <= 60
    assert clip["title"].split()[:2] == ["It", "was"]
    rendered = pd.read_parquet(home.path / "warehouse" / "rendered_clips").iloc[0]
    assert rendered["integrated_lufs"] == pytest.approx(-14, abs=1)
    assert rendered["true_peak_dbtp"] <= -1


@pytest.mark.spec("STA-4")
def test_every_document_validates_against_model_and_schema_file(
    ran: tuple[Home, Any, str],
) -> None:
    """STA-4: enforces schema validation."""
    seen = set()
    for body in _packets(ran[0]):
        parse("Envelope", body)
        assert schema_accepts("Envelope", body)
        assert schema_accepts(body["message_type"], body["payload"]), body
        seen.add(body["message_type"])
    # The creator's consent, each worker's first beat, what Zenith committed to; and what Dagster
    # logged about the run was mirrored when it ended.
    around = {"ConsentRecord", "Heartbeat", "CommitmentLog", "DagsterEvent", "TelemetrySample"}
    around |= {"ScheduleCommand", "QueueMutation"}
    # What Pantheon's judges and Chorus said on the way, and what the analysis rests on.
    advice = {
        "VoteReport",
        "Shortlist",
        "DraftMetadata",
        "StyledMetadata",
        "InterpretabilityBundle",
        "AnalysisPublished",
        "CandidateEvidence",
    }
    assert seen == PIPELINE | around | advice


@pytest.mark.spec("CON-10")
def test_every_record_of_the_warehouse_has_its_packet(ran: tuple[Home, Any, str]) -> None:
    """CON-10: every operational output passes Stardust before persistent state is updated."""
    home = ran[0]
    known = {body["message_id"] for body in _packets(home)}
    for asset in CLIP_PIPELINE:
        frame = pd.read_parquet(home.path / "warehouse" / asset.key.path[-1])
        assert len(frame) > 0
        assert set(frame["_packet_id"]) <= known


@pytest.mark.part("STA-3")
def test_a_receipt_leads_back_to_the_scrape(ran: tuple[Home, Any, str]) -> None:
    """STA-3: verifiable chain of custody."""
    home = ran[0]
    types = {body["message_id"]: body["message_type"] for body in _packets(home)}
    with home.store.read() as connection:
        edges = connection.execute(
            sa.select(packet_parents.c.packet_id, packet_parents.c.parent_id)
        ).all()
    parents: dict[str, list[str]] = {}
    for child, parent in edges:
        parents.setdefault(child, []).append(parent)
    (receipt,) = (packet for packet, kind in types.items() if kind == "PublicationReceipt")
    said_of_it = {"VoteReport", "Shortlist", "DraftMetadata", "StyledMetadata"}
    said_of_it |= {"AnalysisPublished", "CandidateEvidence", "TelemetrySample"}
    reached, todo = set(), [receipt]
    while todo:
        packet = todo.pop()
        if packet not in reached:
            reached.add(packet)
            todo.extend(parents.get(packet, []))
    assert {types[packet] for packet in reached} == PIPELINE - {"Outcome"} | said_of_it


@pytest.mark.spec("SCR-5")
def test_a_download_is_two_packets(ran: tuple[Home, Any, str]) -> None:
    """SCR-5: one for the raw capture, one for metadata normalization."""
    kinds = [Envelope.parse(body) for body in _packets(ran[0])]
    (capture,) = (item for item in kinds if item.message_type == "RawCapture")
    (video,) = (item for item in kinds if item.message_type == "VideoAsset")
    assert video.meta_parents == [capture.message_id]
    assert video.payload["job_id"] == capture.payload["job_id"]


@pytest.mark.spec("OBJ-7")
def test_a_candidate_has_a_clip_id_only_once_zenith_promoted_it(
    ran: tuple[Home, Any, str],
) -> None:
    """OBJ-7: `clip_id` only once Zenith promotes."""
    for body in _packets(ran[0]):
        if body["message_type"] == "ClipCandidate":
            assert ("clip_id" in body["payload"]) == (body["producer"] == "zenith")


def test_a_second_run_does_nothing_twice(ran: tuple[Home, Any, str]) -> None:
    home, first, _ = ran
    counted, files = home.recorded(), home.files()
    again = home.run()
    assert again["clips"] == first["clips"]
    assert home.recorded() == counted
    assert home.files() == files


def test_one_video_by_url_is_worked_on_under_its_day(ran: tuple[Home, Any, str]) -> None:
    home, _, feed = ran
    page = feed.replace("/feed.xml", "/watch/late")
    result = home.omniva("run", "--url", page, "--json")
    assert result.exit_code in (0, 3), result.output
    report = json.loads(result.stdout)
    assert (report["creator"], report["day"]) == ("ada", "2026-03-05")
    # The same file under another page: worked on once.
    (skipped,) = (item for item in report["outcomes"] if item["status"] == "SKIPPED")
    assert skipped["reason_code"] == "duplicate"


def test_a_video_that_atlas_holds_is_found_by_its_url(ran: tuple[Home, Any, str]) -> None:
    home, first, feed = ran
    page = feed.replace("/feed.xml", "/watch/talk")
    result = home.omniva("run", "--url", page, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["clips"] == first["clips"]


def _materialize(selected: list[dg.AssetsDefinition]) -> None:
    with dg.DagsterInstance.get() as instance:
        definitions(settings()).resolve_job_def("clip_pipeline").execute_in_process(
            instance=instance,
            partition_key=partition_key("ada", DAY),
            asset_selection=[asset.key for asset in selected],
        )


def _hold(home: Home) -> None:
    """Zenith holds every clip that it promoted."""
    here = Partition("ada", DAY)
    with home.store.begin() as connection:
        for promoted, packet_id in decisions.of_partition(connection, here):
            hold = promoted.model_copy(
                update={
                    "directive_id": derive_id("directive", "hold", promoted.subject_id),
                    "kind": DirectiveKind.HOLD,
                }
            )
            decisions.append(connection, here, hold, packet_id)


def test_a_clip_that_is_held_is_not_published_by_hand_either(home: Home, footage: Path) -> None:
    channel = home.path / "channel"
    channel.mkdir()
    (channel / "talk.mp4").write_bytes(footage.read_bytes())
    video = ChannelVideo("talk", "talk.mp4", "Held", f"{DAY}T10:00:00Z")
    write_channel(channel, "Ada", [video])
    with serve_channel(channel) as served:
        home.add("ada", served.feed_url)
        _materialize([asset for asset in CLIP_PIPELINE if asset is not publications])
    _hold(home)
    _materialize([publications])
    report = json.loads(home.omniva("status", "--creator", "ada", "--day", DAY, "--json").stdout)
    assert {clip["status"] for clip in report["clips"]} == {"not published"}
    withheld = [item for item in report["outcomes"] if item["status"] == "SKIPPED"]
    assert {(item["stage"], item["reason_code"]) for item in withheld} == {
        ("publications", "not_released")
    }
    assert not list((home.path / "outbox").rglob("*.mp4"))
    assert home.count("publications") == 0
