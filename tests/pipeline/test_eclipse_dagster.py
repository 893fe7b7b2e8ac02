"""Eclipse in Dagster: its check, its ear for runs that fail, what the UI shows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from omniva_dagster import state as db
from omniva_dagster.assets import CLIP_PIPELINE
from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import derive_id, worker_id_of
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.definitions import definitions
from omniva_dagster.demo.channel import ChannelVideo, serve_channel, write_channel
from omniva_dagster.engines import eclipse
from omniva_dagster.partitions import CREATORS, creator_day, partition_key
from omniva_dagster.resources import recovery
from omniva_dagster.resources.state import StateResource
from omniva_dagster.resources.workbench import Workbench
from omniva_dagster.sensors.failures import run_failures, run_successes
from omniva_dagster.settings import settings
from omniva_dagster.state.partition import Partition
from tests.support.home import DAY, Home

HERE, NO_PARTITION = Partition("ada", DAY), Partition("", "")
NOWHERE = "http://127.0.0.1:9/feed.xml"
WATCHED = ("videos", "analysis_results", "rendered_clips", "publications")


def materialized(
    *assets: str, tags: dict[str, str] | None = None, job: str = "clip_pipeline"
) -> dg.ExecuteInProcessResult:
    """These assets, as from the UI."""
    with instance() as opened:
        opened.add_dynamic_partitions(CREATORS, ["ada", "ghost"])
        return (
            definitions(settings())
            .get_repository_def()
            .get_job(job)
            .execute_in_process(
                instance=opened,
                partition_key=partition_key("ada", DAY),
                asset_selection=[dg.AssetKey(name) for name in assets],
                raise_on_error=False,
                tags=tags,
            )
        )


def check_of(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    (found,) = (
        item for item in result.get_asset_check_evaluations() if item.check_name == "eclipse"
    )
    return found


def shown(check: dg.AssetCheckEvaluation) -> dict[str, Any]:
    return {name: value.value for name, value in check.metadata.items()}


def test_the_checks_stand_on_what_workers_make_with_their_partitions() -> None:
    found = {
        spec.asset_key.path[-1]: spec
        for check in definitions(settings()).asset_checks or []
        if isinstance(check, dg.AssetChecksDefinition)
        for spec in check.check_specs
        if spec.name == "eclipse"
    }
    assert set(found) == set(WATCHED)
    assert all(spec.blocking and spec.partitions_def == creator_day for spec in found.values())


@pytest.mark.part("DAG-2")
def test_a_failure_with_a_plan_is_a_warning_that_says_when_and_what_to_do(home: Home) -> None:
    """DAG-2: the engines are asset checks."""
    home.add("ada", NOWHERE)
    result = materialized("scraper_jobs", "videos")
    assert result.success
    check = check_of(result)
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    metadata = shown(check)
    assert (metadata["waiting"], metadata["spent"], metadata["problems"]) == (1, 0, 0)
    with home.store.read() as connection:
        (plan,) = db.recoveries.of_partition(connection, HERE)
    assert plan.next_attempt_at in metadata["plans"]
    assert f"omniva run --creator ada --day {DAY}" in metadata["plans"]


def test_a_failure_without_a_plan_blocks_what_follows(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "plan_stage", lambda *_arguments: [])
    home.add("ada", NOWHERE)
    result = materialized("scraper_jobs", "videos")
    check = check_of(result)
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.ERROR
    assert "no retry plan" in shown(check)["findings"]
    assert "materialize the asset again" in shown(check)["what_to_do"]


def test_work_by_a_worker_that_is_held_blocks_what_follows(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"scraper/{recovery.this_instance()}"
    with home.store.begin() as connection:
        db.health.meet(connection, "scraper", recovery.this_instance(), "2026-01-01T00:00:00Z")
        connection.exec_driver_sql(
            "UPDATE worker_health SET state = 'quarantined', "
            "quarantined_until = '2999-01-01T00:00:00Z'"
        )
        hold = Directive(
            directive_id=derive_id("directive", "hold"),
            kind=DirectiveKind.HOLD,
            subject_id=worker_id_of(name),
            owner="scraper",
            reason="it fails",
            evidence=[derive_id("packet", "x")],
            rollback="release it",
            issued_at="2026-01-01T00:00:00Z",
        )
        packet_id = derive_id("packet", "y")
        db.decisions.append(connection, HERE, hold, packet_id, scope="worker", name=name)
    write_channel(tmp_path, "Ada", [])
    with serve_channel(tmp_path) as served:
        home.add("ada", served.feed_url)
        assert check_of(materialized("scraper_jobs", "videos")).passed, "the gate held it"
        # A worker that does not ask.
        monkeypatch.setattr(Workbench, "must_be_free", lambda *_arguments: None)
        check = check_of(materialized("scraper_jobs", "videos"))
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.ERROR
    assert name in shown(check)["findings"].replace("\\", "")


def _told(result: dg.ExecuteInProcessResult, sensor: Any, event: dg.DagsterEvent) -> str:
    """What the daemon does with a run that ended: the sensor's words."""
    located = definitions(settings()).get_repository_def()
    with instance() as opened:
        run = opened.get_run_by_id(result.run_id)
        assert run is not None
        context = dg.build_run_status_sensor_context(
            sensor_name=sensor.name,
            dagster_event=event,
            dagster_instance=opened,
            dagster_run=run,
            repository_def=located,
        )
        failed = not result.success
        said = sensor(
            context.for_run_failure() if failed else context,
            state=StateResource(url=settings().state_url),
        )
    assert isinstance(said, dg.SkipReason)
    return str(said.skip_message)


@pytest.mark.part("ECL-1")
def test_an_asset_that_raises_is_told_to_eclipse_and_ordered_again_once(home: Home) -> None:
    """ECL-1: takes worker errors, timeouts, abnormal logs, health deviations."""
    home.add("ada", NOWHERE)
    obstacle = home.path / "warehouse" / "scraper_jobs"
    obstacle.parent.mkdir(exist_ok=True)
    obstacle.write_text("in the way")
    result = materialized("scraper_jobs")
    assert not result.success
    said = _told(result, run_failures, result.get_run_failure_event())
    assert "planned" in said
    assert "known" in _told(result, run_failures, result.get_run_failure_event())
    with home.store.read() as connection:
        (plan,) = db.recoveries.of_partition(connection, HERE, "clip_pipeline")
        orders = db.decisions.in_force(connection, plan.subject_id, (DirectiveKind.RETRY,))
        due = db.intents.due(connection, plan.next_attempt_at, "")
    assert plan.state == db.recoveries.ORDERED
    assert orders is not None
    assert [(item.partition, item.not_before) for item in due] == [(HERE, plan.next_attempt_at)]

    obstacle.unlink()
    mended = materialized("scraper_jobs")
    _told(mended, run_successes, mended.get_run_success_event())
    with home.store.read() as connection:
        assert db.recoveries.of_partition(connection, HERE, "clip_pipeline") == []


def test_a_failed_run_of_a_backfill_is_planned_for_and_a_persons_choice_is_not(home: Home) -> None:
    home.add("ada", NOWHERE)
    obstacle = home.path / "warehouse" / "scraper_jobs"
    obstacle.parent.mkdir(exist_ok=True)
    obstacle.write_text("in the way")
    every = [asset.key.path[-1] for asset in CLIP_PIPELINE]
    for chosen, said in ((every[:2], "theirs to run again"), (every, "planned")):
        # What the UI and its backfills call a run of assets.
        result = materialized(*chosen, job="__ASSET_JOB")
        assert not result.success
        assert said in _told(result, run_failures, result.get_run_failure_event())


def test_a_run_that_fails_on_purpose_is_not_ordered_again(home: Home) -> None:
    result = materialized("scraper_jobs")  # nobody registered ada
    assert not result.success
    _told(result, run_failures, result.get_run_failure_event())
    with home.store.read() as connection:
        (plan,) = db.recoveries.of_partition(connection, HERE, "clip_pipeline")
    assert plan.state == db.recoveries.SPENT


def test_a_second_run_of_one_intent_is_nobodys_failure(home: Home) -> None:
    home.add("ada", NOWHERE)
    first = "11111111-2222-4333-8444-555555555555"
    with home.store.begin() as connection:
        intent = db.intents.Intent("i", db.intents.LAUNCH, "clip_pipeline", HERE, "d", "")
        db.intents.want(connection, intent)
        db.intents.claim(connection, "i", first)
    result = materialized("scraper_jobs", tags={db.intents.TAG: "i"})
    _told(result, run_failures, result.get_run_failure_event())
    with home.store.read() as connection:
        assert db.recoveries.of_partition(connection, HERE, "clip_pipeline") == []


def test_a_command_line_run_that_raises_is_planned_for_without_a_daemon(home: Home) -> None:
    home.add("ada", NOWHERE)
    obstacle = home.path / "warehouse" / "videos"
    obstacle.parent.mkdir(exist_ok=True)
    obstacle.write_text("in the way")
    assert home.omniva("run", "--creator", "ada", "--day", DAY).exit_code == 1
    with home.store.read() as connection:
        (plan,) = db.recoveries.of_partition(connection, HERE, "clip_pipeline")
    assert plan.state == db.recoveries.ORDERED
    obstacle.unlink()
    home.run()
    with home.store.read() as connection:
        assert db.recoveries.of_partition(connection, HERE, "clip_pipeline") == []


@pytest.mark.part("SCR-1")
def test_a_retry_of_zeniths_scrapes_again_when_the_plan_says_so(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SCR-1: ScraperJob + optional retry_plan."""
    home.add("ada", NOWHERE)
    assert materialized("scraper_jobs", "videos").success
    with home.store.read() as connection:
        (plan,) = db.recoveries.of_partition(connection, HERE, "videos")
    tags = {db.intents.TAG: "of no state"}
    assert materialized("scraper_jobs", "videos", tags=tags).success
    with home.store.read() as connection:
        again = db.recoveries.get(connection, "videos", plan.subject_id)
        outcome = db.outcomes.get(connection, "videos", plan.subject_id)
    assert again == plan, "it was not due"
    assert outcome is not None
    assert outcome.attempt == 1
    due = eclipse.later(plan.next_attempt_at, 1)
    monkeypatch.setattr(Workbench, "now", property(lambda _bench: due))
    assert materialized("scraper_jobs", "videos", tags=tags).success
    with home.store.read() as connection:
        again = db.recoveries.get(connection, "videos", plan.subject_id)
    assert again is not None
    assert again.attempts_made == 2


def test_what_eclipse_has_open_is_an_asset_of_the_control_cycle() -> None:
    specs = {spec.key.path[-1]: spec for spec in definitions(settings()).resolve_all_asset_specs()}
    assert specs["eclipse_recovery"].group_name == "decide"
    assert specs["eclipse_recovery"].description


@pytest.mark.media
@pytest.mark.part("CON-11")
def test_a_reroute_makes_no_clip_twice(home: Home, footage: Path, tmp_path: Path) -> None:
    """CON-11: retries never duplicate side effects."""
    channel = tmp_path / "channel"
    channel.mkdir()
    (channel / "talk.mp4").write_bytes(footage.read_bytes())
    write_channel(channel, "Ada", [ChannelVideo("talk", "talk.mp4", "Talk", f"{DAY}T10:00:00Z")])
    with serve_channel(channel) as served:
        home.add("ada", served.feed_url)
        home.run()
        before, counted = home.files(), home.count("publications")
        assert counted
        now = format_timestamp(datetime.now(UTC))
        with home.store.begin() as connection:
            for usual, spare in (
                (eclipse.USUAL_ENCODER, eclipse.SPARE_ENCODER),
                (eclipse.USUAL_MODEL, eclipse.SPARE_MODEL),
            ):
                order = Directive(
                    directive_id=derive_id("directive", usual),
                    kind=DirectiveKind.REROUTE,
                    subject_id=worker_id_of(usual),
                    owner="editor",
                    reason="it fails",
                    evidence=[derive_id("packet", "x")],
                    rollback="reroute back",
                    target=spare,
                    issued_at=now,
                )
                db.decisions.append(connection, NO_PARTITION, order, derive_id("packet", usual))
        # The bundled model is another one than the home's: what was heard stands all the same.
        home.run()
    assert home.files() == before
    assert home.count("publications") == counted
