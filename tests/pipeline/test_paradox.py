"""Paradox where videos come in: what is there twice is held at once, and its siblings go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from omniva_dagster import state as db
from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.cognition.paradox import ConflictResolution
from omniva_dagster.contracts.decisions import Outcome
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.video import Platform
from omniva_dagster.definitions import definitions
from omniva_dagster.demo.channel import Channel, ChannelVideo, serve_channel, write_channel
from omniva_dagster.partitions import CREATORS, partition_key
from omniva_dagster.settings import settings
from omniva_dagster.state.partition import Partition
from tests.support.footage import silent
from tests.support.home import DAY, Home
from tests.support.sharing import Shared

NEXT_DAY = "2026-03-05"
INGEST = ("scraper_jobs", "videos")
pytestmark = pytest.mark.media


@pytest.fixture(scope="module")
def films(shared: Shared) -> Path:
    """Two short videos that differ."""

    def make(folder: Path) -> None:
        silent(folder / "one.mp4", seconds=1)
        silent(folder / "two.mp4", seconds=2)

    return shared.folder("paradox-films", make)


@pytest.fixture
def served(home: Home, films: Path) -> Iterator[Channel]:
    """A channel with a video, the same file on another page, and another video."""
    folder = home.path / "channel"
    folder.mkdir()
    for name, source in (("one", "one"), ("copy", "one"), ("two", "two")):
        (folder / f"{name}.mp4").write_bytes((films / f"{source}.mp4").read_bytes())
    videos = [
        ChannelVideo(name, f"{name}.mp4", f"The {name} video", f"{DAY}T{hour:02d}:00:00Z")
        for name, hour in (("one", 8), ("copy", 9), ("two", 10))
    ]
    write_channel(folder, "Ada", videos)
    with serve_channel(folder) as channel:
        yield channel


def materialize(
    creator: str = "ada", day: str = DAY, assets: tuple[str, ...] = INGEST
) -> dict[str, dg.AssetCheckEvaluation]:
    """Assets of a partition, as from the UI; Paradox's word on each."""
    with instance() as opened:
        opened.add_dynamic_partitions(CREATORS, [creator])
        result = (
            definitions(settings())
            .resolve_job_def("clip_pipeline")
            .execute_in_process(
                instance=opened,
                partition_key=partition_key(creator, day),
                asset_selection=[dg.AssetKey(name) for name in assets],
                raise_on_error=False,
            )
        )
    return {
        item.asset_key.path[-1]: item
        for item in result.get_asset_check_evaluations()
        if item.check_name == "paradox"
    }


def outcomes(home: Home, creator: str = "ada", day: str = DAY) -> dict[str, Outcome]:
    """How each video of a partition stands, by title."""
    with home.store.read() as connection:
        found = db.outcomes.of_partition(connection, Partition(creator, day), "videos")
    return {outcome.label: outcome for outcome in found}


def reports(home: Home) -> list[tuple[ConflictResolution, tuple[str, ...]]]:
    """What Paradox reported, each with the parents of its packet."""
    return [
        (ConflictResolution.parse(body["payload"]), tuple(body["_meta_parents"]))
        for body in bodies(home, "ConflictResolution")
    ]


def bodies(home: Home, message_type: str) -> list[dict[str, Any]]:
    """Packets of a type, in their order."""
    import json

    query = "SELECT body FROM packets WHERE message_type = ? ORDER BY sequence"
    with home.store.read() as connection:
        rows = connection.exec_driver_sql(query, (message_type,)).all()
    return [json.loads(row.body) for row in rows]


def held(home: Home, *subjects: str) -> bool:
    """Whether Zenith holds any of these."""
    with home.store.read() as connection:
        return db.decisions.restrained(connection, subjects, "2030-01-01T00:00:00Z") is not None


@pytest.mark.spec("PAR-3")
@pytest.mark.spec("PAR-8")
def test_the_same_file_twice_is_held_once_and_the_others_go_on(home: Home, served: Channel) -> None:
    """PAR-3: fires on new ingestion. PAR-8: never mutates job state."""
    home.add("ada", served.feed_url)
    checks = materialize()
    found = outcomes(home)
    # The feed's order is the newest first: the page that came first is the video.
    first, second = sorted(("The one video", "The copy video"), key=lambda n: found[n].status)
    assert (found[first].status, found["The two video"].status) == ("DONE", "DONE")
    assert (found[second].status, found[second].reason_code) == ("SKIPPED", "duplicate")
    ((report, parents),) = reports(home)
    assert report.affected_ids == [found[first].subject_id, found[second].subject_id]
    assert (report.recommended_action, report.trigger) == ("block", "ingestion")
    assert set(report.evidence) <= set(parents)
    (hold,) = bodies(home, "Directive")
    assert (hold["payload"]["kind"], hold["producer"]) == ("hold", "zenith")
    assert hold["payload"]["subject_id"] == found[second].subject_id
    assert hold["payload"]["rollback"]
    assert held(home, found[second].subject_id)
    assert not held(home, found[first].subject_id)
    check = checks["videos"]
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert "omniva override release" in str(check.metadata["what_to_do"].value)
    assert check.metadata["held"].value == 1

    # Once more: nothing is fetched, nothing said, nothing decided again.
    counted = home.recorded()
    again = materialize()
    assert outcomes(home)[second].reason_code in ("duplicate", "not_released")
    assert len(reports(home)) == 1
    assert len(bodies(home, "Directive")) == 1
    assert home.recorded() - counted <= 2  # the outcome is worded anew, once
    assert not again["videos"].passed


@pytest.mark.spec("FLO-5")
def test_two_creators_who_follow_one_channel_are_told_apart_before_anything_is_fetched(
    home: Home, served: Channel
) -> None:
    """FLO-5: Paradox -> Scraper."""
    home.add("ada", served.feed_url)
    home.add("bob", served.feed_url.replace("/feed.xml", "/feed.xml#all"))
    # Whoever is run first: the channel is ada's, who registered first.
    checks = materialize("bob")
    (outcome,) = outcomes(home, "bob").values()
    assert (outcome.status, outcome.reason_code) == ("SKIPPED", "not_released")
    assert "ada" in outcome.message
    assert home.count("videos") == 0
    assert checks["scraper_jobs"].severity is dg.AssetCheckSeverity.WARN
    assert not checks["scraper_jobs"].passed
    assert materialize("ada")["scraper_jobs"].passed
    assert {found.status for found in outcomes(home).values()} == {"DONE", "SKIPPED"}
    assert home.count("videos") == 2
    # Paradox mutates no job: it stands as it was made.
    statuses = [body["payload"]["status"] for body in bodies(home, "ScraperJob")]
    assert statuses == ["PENDING", "PENDING", "DONE"]
    # An archived creator asks no more: its channel may be followed by another.
    assert home.omniva("creators", "archive", "ada").exit_code == 0
    assert materialize("bob", NEXT_DAY, ("scraper_jobs",))["scraper_jobs"].passed
    assert held(home, outcome.subject_id)
    assert materialize("bob", assets=("scraper_jobs",))["scraper_jobs"].passed
    assert not held(home, outcome.subject_id)
    said = [item for item, _ in reports(home) if "overlapping_ranges" in item.found_by]
    assert [item.recommended_action for item in said] == ["block", "ignore"]
    # Back from the archive, she has it again.
    home.add("ada", served.feed_url)
    assert not materialize("bob", assets=("scraper_jobs",))["scraper_jobs"].passed
    assert held(home, outcome.subject_id)


def test_asking_again_for_what_is_there_is_no_conflict(home: Home, served: Channel) -> None:
    home.add("ada", served.feed_url)
    materialize()
    said = len(reports(home))
    # The next day asks for the next hours; a moved address for the same ones.
    assert materialize(day=NEXT_DAY, assets=("scraper_jobs",))["scraper_jobs"].passed
    home.add("ada", served.feed_url + "?utm_source=moved")
    assert materialize()["scraper_jobs"].passed
    assert len(reports(home)) == said
    assert home.count("videos") == 2


def test_a_video_of_another_creator_is_not_fetched_again(home: Home, served: Channel) -> None:
    home.add("ada", served.feed_url)
    materialize()
    page = served.watch_url("two")
    with home.store.begin() as connection:
        db.creators.register(connection, "bob", "", Platform.OTHER, f"{DAY}T11:00:00Z")
        db.creators.request_video(connection, "bob", page, DAY, f"{DAY}T12:00:00Z")
    materialize("bob")
    (found,) = [item for item in outcomes(home, "bob").values() if item.label == "The two video"]
    assert (found.status, found.reason_code) == ("SKIPPED", "duplicate")
    assert "ada" in found.message
    # Ada's own outcome stands where it was.
    mine = outcomes(home)["The two video"]
    assert mine.status == "DONE"
    assert found.subject_id == derive_id("ingestion", "bob", DAY, mine.subject_id)
    assert held(home, found.subject_id)
    assert not held(home, mine.subject_id)


@pytest.mark.spec("PAR-5")
def test_two_files_under_one_key_of_atlas_are_told_and_held(home: Home, served: Channel) -> None:
    """PAR-5: when Atlas storage detects a collision."""
    from omniva_dagster.resources.atlas import Atlas

    home.add("ada", served.feed_url)
    put = Atlas.put

    def put_beside_another(self: Atlas, source: Path, key: str) -> str:
        if key.endswith("/source.mp4") and source.stat().st_size == size:
            self.path(key).parent.mkdir(parents=True, exist_ok=True)
            self.path(key).write_bytes(b"another file")
        return put(self, source, key)

    size = (home.path / "channel" / "two.mp4").stat().st_size
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Atlas, "put", put_beside_another)
        checks = materialize()
    found = outcomes(home)["The two video"]
    assert (found.status, found.reason_code) == ("ERROR", "collision")
    (told,) = bodies(home, "AtlasCollision")
    assert told["payload"]["subject_id"] == found.subject_id
    (report,) = [item for item, _ in reports(home) if item.trigger == "collision"]
    assert (report.recommended_action, report.status) == ("block", "ERROR")
    assert report.affected_ids[-1] == found.subject_id
    assert told["message_id"] in report.evidence
    assert held(home, found.subject_id)
    assert not checks["videos"].passed
    # The siblings went on.
    assert {item.status for item in outcomes(home).values()} == {"DONE", "SKIPPED", "ERROR"}


def test_a_video_from_the_future_is_held_before_anything_is_made_of_it(
    home: Home, films: Path
) -> None:
    folder = home.path / "channel"
    folder.mkdir()
    (folder / "later.mp4").write_bytes((films / "one.mp4").read_bytes())
    later = ChannelVideo("later", "later.mp4", "From the future", "2999-01-02T10:00:00Z")
    write_channel(folder, "Ada", [later])
    with serve_channel(folder) as channel:
        with home.store.begin() as connection:
            db.creators.register(connection, "ada", "", Platform.OTHER, f"{DAY}T11:00:00Z")
            page = channel.watch_url("later")
            db.creators.request_video(connection, "ada", page, DAY, f"{DAY}T12:00:00Z")
        check = materialize()["videos"]
    video = outcomes(home)["From the future"]
    assert video.status == "DONE"
    ((report, _),) = reports(home)
    assert report.kind == "conflicting_timestamps"
    assert (report.recommended_action, report.affected_ids) == ("quarantine", [video.subject_id])
    assert held(home, video.subject_id)
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN


def test_a_duplicate_that_got_through_is_an_error(home: Home, served: Channel) -> None:
    """Where nothing holds it, the check blocks what follows."""
    home.add("ada", served.feed_url)
    home.add("bob", served.feed_url + "#other")
    materialize("bob", assets=("scraper_jobs",))
    with home.store.begin() as connection:
        connection.exec_driver_sql("DELETE FROM restraints")
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS directives_no_delete")
        connection.exec_driver_sql("DELETE FROM directives")
    check = materialize("bob", assets=("scraper_jobs",))["scraper_jobs"]
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.ERROR
    assert check.metadata["got_through"].value == 1
