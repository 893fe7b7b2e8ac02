"""A check that is partitioned otherwise than its asset would fail only when it is run."""

from __future__ import annotations

import dagster as dg
import pytest

from omniva_dagster.definitions import definitions
from omniva_dagster.settings import settings

pytestmark = pytest.mark.takes(1)


@pytest.mark.part("DAG-2")
def test_every_check_has_the_partitions_of_its_asset() -> None:
    """DAG-2: the engines are asset checks."""
    located = definitions(settings()).get_repository_def()
    assets = located.asset_graph
    found = 0
    for check in located.asset_checks_defs_by_key.values():
        for spec in check.check_specs:
            wanted = assets.get(spec.asset_key).partitions_def
            assert spec.partitions_def == wanted, (spec.name, spec.asset_key)
            found += 1
    assert found == len(located.asset_checks_defs_by_key) >= 16


def test_every_job_has_the_partitions_of_its_assets() -> None:
    located = definitions(settings()).get_repository_def()
    for job in located.get_all_jobs():
        if job.name.startswith("__"):
            continue
        partitionings = {
            str(located.asset_graph.get(key).partitions_def)
            for key in job.asset_layer.executable_asset_keys
        }
        assert len(partitionings) <= 1, (job.name, partitionings)


def test_engines_check_what_the_design_says() -> None:
    located = definitions(settings()).get_repository_def()
    by_engine: dict[str, set[str]] = {}
    for key in located.asset_checks_defs_by_key:
        by_engine.setdefault(key.name, set()).add(key.asset_key.path[-1])
    assert by_engine["paradox"] >= {"scraper_jobs", "videos", "schedule_tasks", "upload_jobs"}
    assert by_engine["eclipse"] >= {
        "videos", "analysis_results", "rendered_clips", "publications",
    }  # fmt: skip
    assert by_engine["zenith"] >= {"edit_jobs", "upload_jobs", "publications"}


def test_a_sensor_or_schedule_of_a_job_can_reach_its_partitions() -> None:
    located = definitions(settings()).get_repository_def()
    jobs = {job.name for job in located.get_all_jobs()}
    for sensor in located.sensor_defs:
        assert {target.job_name for target in sensor.targets} <= jobs
    for schedule in located.schedule_defs:
        assert schedule.job_name in jobs
        assert schedule.execution_timezone == "UTC"
    assert isinstance(located, dg.RepositoryDefinition)
