"""What the code location shows: assets, their owners and words, the job, the schedule."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from omniva_dagster.assets import CLIP_PIPELINE
from omniva_dagster.cli._home import instance, prepare
from omniva_dagster.contracts.registry import MESSAGE_TYPES
from omniva_dagster.definitions import definitions
from omniva_dagster.partitions import creator_day
from omniva_dagster.resources.warehouse.arrow import arrow_schema
from omniva_dagster.resources.warehouse.io_manager import CONTRACT_KEY
from omniva_dagster.sensors.daily import clip_pipeline_daily
from omniva_dagster.settings import settings
from tests.support.home import Home, environment

# In review, this shows when an asset appears, goes or moves.
GRAPH = {
    "scraper_jobs": ("ingest", "ScraperJob", set()),
    "videos": ("ingest", "VideoAsset", {"scraper_jobs"}),
    "analysis_results": ("understand", "AnalysisResult", {"videos"}),
    "clip_candidates": ("understand", "ClipCandidate", {"analysis_results"}),
    "zenith_directives": ("decide", "Directive", {"clip_candidates"}),
    "edit_jobs": ("edit", "EditJob", {"zenith_directives"}),
    "rendered_clips": ("edit", "RenderedClip", {"edit_jobs"}),
    "schedule_tasks": ("publish", "ScheduleTask", {"rendered_clips"}),
    "upload_jobs": ("publish", "UploadJob", {"schedule_tasks"}),
    "publications": ("publish", "PublicationReceipt", {"upload_jobs", "rendered_clips"}),
}


def test_the_graph_is_as_designed() -> None:
    found = {}
    for asset in CLIP_PIPELINE:
        spec = next(iter(asset.specs))
        upstream = {dependency.asset_key.path[-1] for dependency in spec.deps}
        found[spec.key.path[-1]] = (spec.group_name, spec.metadata[CONTRACT_KEY], upstream)
    assert found == GRAPH


@pytest.mark.parametrize("asset", CLIP_PIPELINE, ids=lambda asset: asset.key.path[-1])
def test_an_asset_tells_a_person_what_it_is(asset: dg.AssetsDefinition) -> None:
    spec = next(iter(asset.specs))
    assert spec.owners == ["team:omniva"]
    assert spec.kinds
    assert spec.code_version
    assert spec.description
    assert asset.partitions_def == creator_day
    schema = spec.metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    contract = MESSAGE_TYPES[spec.metadata[CONTRACT_KEY]]
    assert [column.name for column in schema.columns] == arrow_schema(contract).names
    assert all(column.description for column in schema.columns)


def test_a_day_is_a_partition_from_the_start_day_to_today(home: Home) -> None:
    days = creator_day.get_partitions_def_for_dimension("day")
    keys = days.get_partition_keys()
    assert keys[0] == settings().start_day.isoformat()
    assert keys[-1] == datetime.now(UTC).date().isoformat()


@pytest.mark.spec("DAG-6")
def test_the_nightly_schedule_asks_for_active_creators_on_the_last_days(home: Home) -> None:
    """DAG-6: nightly backfills."""
    for slug in ("ada", "bob", "eve"):
        home.add(slug, "http://127.0.0.1:9/feed.xml")
    home.omniva("creators", "archive", "eve")
    with instance() as opened:
        context = dg.build_schedule_context(
            instance=opened,
            scheduled_execution_time=datetime(2026, 3, 4, 2, 15, tzinfo=UTC),
            resources=definitions(settings()).resources,
        )
        requests = list(clip_pipeline_daily(context))
    asked = {request.partition_key for request in requests}
    days = ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"]
    assert asked == {f"{slug}|{day}" for slug in ("ada", "bob") for day in days}
    assert len({request.run_key for request in requests}) == len(requests)


def test_without_creators_the_schedule_says_how_to_add_one(home: Home) -> None:
    with instance() as opened:
        context = dg.build_schedule_context(
            instance=opened,
            scheduled_execution_time=datetime(2026, 3, 4, tzinfo=UTC),
            resources=definitions(settings()).resources,
        )
        (skip,) = list(clip_pipeline_daily(context))
    assert isinstance(skip, dg.SkipReason)
    assert "omniva creators add" in str(skip.skip_message)


def test_dagster_validates_the_code_location(home: Home) -> None:
    prepare()
    dagster = Path(sys.executable).with_name("dagster")
    done = subprocess.run(
        [str(dagster), "definitions", "validate", "-m", "omniva_dagster.definitions"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home.path), **environment(home.path)},
        cwd=home.path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_loading_the_code_location_imports_no_heavy_library(home: Home) -> None:
    heavy = ["sqlalchemy", "alembic", "pandas", "pyarrow", "numpy", "cv2", "av", "PIL"]
    heavy += ["faster_whisper", "scenedetect", "yt_dlp", "googleapiclient", "yake", "pysubs2"]
    code = (
        "import sys, omniva_dagster.definitions; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.strip() == "[]"
