"""The worked queries of docs/ledger-queries.md, on the ledger of a real run; and other readers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from omniva_dagster.demo.channel import ChannelVideo, serve_channel, write_channel
from omniva_dagster.settings import settings
from omniva_dagster.stardust.entries import COLUMNS
from omniva_dagster.stardust.lineage import lineage
from omniva_dagster.stardust.sql import locked
from omniva_dagster.stardust.statements import check
from omniva_dagster.stardust.views import VIEWS, Sources
from tests.stardust.proving import DAYS, Ledger
from tests.support.footage import talking_head
from tests.support.home import DAY, Home, make_home

PAGE = (Path(__file__).parents[2] / "docs/ledger-queries.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"(<!-- may be empty -->\n)?```(sql|python)\n(.*?)```", re.DOTALL)
BLOCKS = [(found[2], found[3], found[1] is None) for found in _BLOCK.finditer(PAGE)]
QUERIES = [(text, filled) for language, text, filled in BLOCKS if language == "sql"]
SNIPPETS = [text for language, text, _ in BLOCKS if language == "python"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home after a day with a video that is fine and one that is not."""
    root = tmp_path_factory.mktemp("analysts")
    footage = talking_head(root / "talk.mp4")
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(root / "home", patch)
        _run_a_day(home, footage)
        yield home.path
    settings.cache_clear()


def _run_a_day(home: Home, footage: Path) -> None:
    channel = home.path / "channel"
    channel.mkdir()
    shutil.copyfile(footage, channel / "talk.mp4")
    (channel / "torn.mp4").write_bytes(footage.read_bytes()[:2000])
    videos = [
        ChannelVideo("talk", "talk.mp4", "A talk", f"{DAY}T10:00:00Z", uploader="Ada"),
        ChannelVideo("torn", "torn.mp4", "Torn", f"{DAY}T11:00:00Z", uploader="Ada"),
    ]
    write_channel(channel, "Ada", videos)
    with serve_channel(channel) as served:
        home.add("ada", served.feed_url)
        assert home.run()["clips"]
    result = home.omniva("ledger", "sync")
    assert result.exit_code == 0, result.output


def _rows(home: Path, query: str) -> list[dict[str, Any]]:
    sources = Sources.at(home / "ledger")
    with locked(sources) as database:
        check(database, query, [*VIEWS, *sources.assets()])
        rows: list[dict[str, Any]] = database.sql(query).to_arrow_table().to_pylist()
        return rows


def _query(heading: str) -> str:
    return next(
        found[3]
        for found in _BLOCK.finditer(PAGE.partition(f"## {heading}")[2])
        if found[2] == "sql"
    )


@pytest.mark.media
@pytest.mark.parametrize("number", range(len(QUERIES)))
def test_a_query_of_the_page_runs_and_finds_something(ran: Path, number: int) -> None:
    query, filled = QUERIES[number]
    rows = _rows(ran, query)
    assert rows or not filled


@pytest.mark.media
def test_the_page_tells_what_made_a_clip(ran: Path) -> None:
    (row,) = _rows(ran, _query("What made this clip"))
    assert row["video"] == "A talk"
    assert 0 <= row["from_second"] < row["to_second"] <= 22
    assert row["encoder"]
    assert row["render_code"]
    assert row["run"]


@pytest.mark.media
def test_the_page_tells_what_failed_and_what_it_held_up(ran: Path) -> None:
    (row,) = _rows(ran, _query("What failed this week"))
    assert (row["document"], row["failed_at"], row["reason"]) == ("Torn", "videos", "corrupt_media")
    assert {"analysis_results", "rendered_clips", "publications"} <= set(row["held_up"])
    assert "scraper_jobs" not in row["held_up"]


@pytest.mark.media
def test_the_page_tells_who_released_it_and_on_what_evidence(ran: Path) -> None:
    rows = _rows(ran, _query("Who released it"))
    assert {row["evidence"] for row in rows} == {"RenderedClip", "UploadJob"}


@pytest.mark.media
def test_the_page_tells_what_a_minute_costs(ran: Path) -> None:
    (row,) = _rows(ran, _query("Cost of a published minute"))
    (clip,) = _rows(
        ran, "SELECT edit_summary.cpu_seconds AS s, duration_seconds AS d FROM rendered_clips"
    )
    assert row["cpu_seconds_a_minute"] == pytest.approx(clip["s"] * 60 / clip["d"], abs=0.1)


@pytest.mark.media
def test_each_row_of_the_warehouse_has_its_packet_in_the_ledger(ran: Path) -> None:
    assets = [path.name for path in (ran / "warehouse").iterdir()]
    assert len(assets) == 10
    for asset in assets:
        assert _rows(ran, f"FROM {asset} ANTI JOIN packets ON packet_id = _packet_id") == []
        (count,) = _rows(ran, f"SELECT count(*) AS n FROM {asset}")
        assert count["n"] > 0


@pytest.mark.media
def test_a_clip_leads_back_to_its_source_and_a_source_to_its_clip(ran: Path) -> None:
    (clip,) = _rows(ran, "SELECT clip_id FROM rendered_clips")
    (video,) = _rows(ran, "SELECT video_id FROM videos")
    (job,) = _rows(ran, "SELECT job_id FROM scraper_jobs")
    sources = Sources.at(ran / "ledger")
    up = {node.message_type for node in lineage(sources, clip["clip_id"]).nodes.values()}
    assert {"ScraperJob", "RawCapture", "VideoAsset", "AnalysisResult", "Directive"} <= up
    for start in (video["video_id"], job["job_id"]):
        down = lineage(sources, start, up=False)
        assert "PublicationReceipt" in {node.message_type for node in down.nodes.values()}


@pytest.mark.media
@pytest.mark.parametrize("snippet", SNIPPETS, ids=["pandas", "polars", "duckdb"])
def test_the_page_opens_the_folder_in_other_readers(ran: Path, snippet: str) -> None:
    found: dict[str, Any] = {"home": ran}
    exec(snippet, found)
    ledger = pq.ParquetDataset(ran / "ledger" / "packets").read()
    if "clips" in found:
        assert len(found["packets"]) == ledger.num_rows
        assert len(found["clips"]) == 1
    if "by_type" in found:
        assert found["by_type"]["len"].sum() == ledger.num_rows
    if "payloads" in found:
        assert len(found["payloads"].fetchall()) == ledger.num_rows


def test_all_readers_see_the_same_rows_and_leave_out_days(ledger: Ledger) -> None:
    folder, day = ledger.layout.packets, DAYS[1]
    frame = pd.read_parquet(folder, filters=[("date", "=", day)])
    scan = pl.scan_parquet(
        folder / "**/*.parquet", hive_partitioning=True, try_parse_hive_dates=True
    )
    polar = scan.filter(pl.col("date") == pl.lit(day).str.to_date()).collect()
    found = duckdb.connect().read_parquet(f"{folder}/*/*.parquet", hive_partitioning=True)
    rows = found.filter(f"date = '{day}'").fetchall()
    assert len(frame) == len(polar) == len(rows) == 72
    assert set(frame["sequenced_at"].str[:10]) == {day}
    assert (
        sorted(frame["packet_id"]) == sorted(polar["packet_id"]) == sorted(row[1] for row in rows)
    )


def test_columns_are_the_same_in_every_reader_and_with_no_rows(
    ledger: Ledger, tmp_path: Path
) -> None:
    from omniva_dagster.stardust.entries import arrow_schema

    whole = ledger.layout.packets
    empty = tmp_path / "empty" / "date=2026-03-09"
    empty.mkdir(parents=True)
    pq.write_table(arrow_schema().empty_table(), empty / "none.parquet")
    for folder in (whole, empty.parent):
        frame = pd.read_parquet(folder)
        assert [*frame.columns] == [*COLUMNS, "date"]
        polar = pl.read_parquet(folder / "**/*.parquet", hive_partitioning=True)
        assert polar.columns == [*COLUMNS, "date"]
        assert polar.schema["parents"] == pl.List(pl.String)
        assert polar.schema["leaf_index"] == pl.Int64
        described = (
            duckdb.connect().sql(f"DESCRIBE FROM read_parquet('{folder}/*/*.parquet')").fetchall()
        )
        assert [row[0] for row in described] == [*COLUMNS, "date"]


def test_a_page_of_queries_has_something_for_each_question() -> None:
    assert len(QUERIES) >= 10
    assert len(SNIPPETS) == 3
