"""Lattice beside a real run queue: what it advises, Zenith orders, and the queue follows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.utils import make_new_run_id

from omniva_dagster import state as db
from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.cognition.lattice import WorkloadSnapshot
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.ids import creator_id_of, derive_id
from omniva_dagster.contracts.operations.dashboard import ActionKind, OperatorAction
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.contracts.video import Platform
from omniva_dagster.definitions import definitions
from omniva_dagster.resources import workload
from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.resources.routing import (
    CELERY_PRIORITY_TAG,
    PRIORITY_TAG,
    QUEUE_TAG,
    Round,
    run_tags,
    tags_of,
    tick,
)
from omniva_dagster.resources.workbench import Recorder
from omniva_dagster.sensors.advisors import lattice_router
from omniva_dagster.sensors.daily import clip_pipeline_daily
from omniva_dagster.settings import Settings, settings
from omniva_dagster.state.partition import Partition
from tests.support.home import Home, make_home

pytestmark = pytest.mark.takes(20)

ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(
        InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="omniva_dagster.definitions")),
        "__repository__",
    ),
    "clip_pipeline",
)
SLUGS = ("ada", "bob", "eve")
POOLS = (
    '[{"name": "cpu_editor", "queue": "cpu", "workers": 2}, '
    '{"name": "gpu_editor", "queue": "cuda", "workers": 1, "speed": 4}]'
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with three creators and Dagster's storage, made once."""
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(tmp_path_factory.mktemp("prepared") / "home", patch)
        with home.store.begin() as connection:
            for slug in SLUGS:
                db.creators.register(
                    connection, slug, f"http://a.example/{slug}", Platform.OTHER, now()
                )
        with instance() as opened:
            opened.get_runs(limit=1)
        home.store.close()
        yield home.path
    settings.cache_clear()


@pytest.fixture
def home(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    shutil.copytree(prepared, tmp_path / "home")
    yield make_home(tmp_path / "home", monkeypatch)
    settings.cache_clear()


def now(after: float = 0.0) -> str:
    return format_timestamp(datetime.now(UTC) + timedelta(seconds=after))


def enqueue(
    opened: dg.DagsterInstance, slug: str, days: int, status: Any = dg.DagsterRunStatus.QUEUED
) -> list[str]:
    """Runs of a creator's last days, as a backfill leaves them in the queue."""
    ids = []
    for back in range(days):
        day = (datetime.now(UTC).date() - timedelta(days=back)).isoformat()
        tags = {"dagster/partition/creator": slug, "dagster/partition/day": day}
        run = dg.DagsterRun(
            "clip_pipeline",
            make_new_run_id(),
            status=status,
            tags=tags,
            remote_job_origin=ORIGIN,
        )
        opened.add_run(run)
        ids.append(run.run_id)
    return ids


def look(home: Home, opened: dg.DagsterInstance, at: str = "", **changes: Any) -> Round:
    return tick(home.store, opened, at or now(), Settings(**changes))


def order(opened: dg.DagsterInstance) -> list[str]:
    """Whose runs the queue would start, in order, as Dagster's daemon sorts them."""
    queued = dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])
    runs = opened.get_runs(queued, ascending=True)
    waiting = sorted(runs, key=lambda run: -int(run.tags.get(PRIORITY_TAG, "0")))
    return [run.tags["dagster/partition/creator"] for run in waiting]


def packets(home: Home, message_type: str) -> list[dict[str, Any]]:
    import json

    with home.store.read() as connection:
        rows = connection.exec_driver_sql(
            f"SELECT body FROM packets WHERE message_type = '{message_type}' ORDER BY sequence"
        )
        return [json.loads(row.body)["payload"] for row in rows]


@pytest.mark.spec("LAT-2")
@pytest.mark.spec("LAT-3")
@pytest.mark.spec("LAT-10")
def test_a_burst_of_one_creator_does_not_hold_up_the_others(home: Home) -> None:
    """LAT-2: priority deltas. LAT-3: routing directives. LAT-10: intents only."""
    with instance() as opened:
        enqueue(opened, "ada", 30)
        enqueue(opened, "bob", 1)
        enqueue(opened, "eve", 1)
        # As they came: thirty of ada's before anybody else's.
        assert {"bob", "eve"}.isdisjoint(order(opened)[:30])
        report = look(home, opened)
        assert (report.looked, report.waiting, report.advised) == (True, 32, 3)
        assert report.directives == 3
        assert {"bob", "eve"} <= set(order(opened)[:3])
    intents = packets(home, "RoutingIntent")
    assert {item["subject_id"] for item in intents} == {creator_id_of(slug) for slug in SLUGS}
    numbers = [item["routing_sequence"] for item in intents]
    assert numbers == sorted(numbers)
    # Only Zenith made it binding, on that evidence.
    with home.store.read() as connection:
        found = db.decisions.in_force(connection, creator_id_of("bob"), (DirectiveKind.RESCHEDULE,))
        assert found is not None
        witness = db.outbox.by_id(connection, found[0].evidence[0])
        assert witness is not None
        assert witness.message_type == "RoutingIntent"
    assert found[0].issued_by == "zenith"


def test_a_backfill_of_years_hides_nobody_who_came_after_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look reads so many runs at most, and says how many there are."""
    monkeypatch.setattr(workload, "_MOST_RUNS", 4)
    with instance() as opened:
        enqueue(opened, "ada", 12)
        enqueue(opened, "bob", 1)
        assert look(home, opened).advised == 2
        assert set(order(opened)[:2]) == {"ada", "bob"}
    (seen,) = packets(home, "WorkloadSnapshot")
    depth = {queue["queue"]: queue["depth"] for queue in seen["queues"]}
    assert depth["runs"] == 13


def test_the_same_look_twice_says_nothing_new(home: Home) -> None:
    with instance() as opened:
        enqueue(opened, "ada", 2)
        assert look(home, opened).advised == 1
        again = tick(home.store, opened, now(20), Settings(), always=True)
        assert again.looked
        assert (again.advised, again.directives) == (0, 0)


@pytest.mark.spec("LAT-6")
@pytest.mark.spec("LAT-7")
def test_it_looks_every_ten_minutes_and_when_a_backlog_crosses_its_threshold(home: Home) -> None:
    """LAT-6: on backlog thresholds. LAT-7: every 10 minutes."""
    with instance() as opened:
        assert look(home, opened, queue_sla_runs=5).looked
        assert not look(home, opened, now(30), queue_sla_runs=5).looked
        assert not look(home, opened, now(570), queue_sla_runs=5).looked
        assert look(home, opened, now(601), queue_sla_runs=5).looked
        ids = enqueue(opened, "ada", 6)
        crossed = look(home, opened, now(660), queue_sla_runs=5)
        assert crossed.crossings == ("runs above 5",)
        assert not look(home, opened, now(690), queue_sla_runs=5).looked
        for run_id in ids[:3]:
            opened.report_run_canceled(opened.get_run_by_id(run_id))
        assert look(home, opened, now(720), queue_sla_runs=5).crossings == ("runs below 3",)
    assert [item["direction"] for item in packets(home, "BacklogCrossing")] == ["above", "below"]


def test_a_quiet_house_writes_nothing(home: Home) -> None:
    with instance() as opened:
        before = home.recorded()
        for minutes in range(5):
            look(home, opened, now(601 * minutes))
        assert home.recorded() == before


@pytest.mark.spec("LAT-1")
def test_goals_that_are_behind_bring_a_creators_work_forward(home: Home) -> None:
    """LAT-1: takes analysis scores, workload distribution, Horizon gradients, resource
    utilization (scores: tests/resources/test_ordering.py)."""
    today = datetime.now(UTC).date()
    (home.path / "goals.yaml").write_text(
        "campaigns:\n"
        f"  - {{name: push, creators: [eve], since: {today - timedelta(days=20)}, "
        f"until: {today + timedelta(days=20)}, cadence: {{clips_per_week: 7, weight: 1}}}}\n"
    )
    assert home.omniva("horizon", "recalibrate").exit_code == 0
    with instance() as opened:
        for slug in SLUGS:
            enqueue(opened, slug, 1)
        look(home, opened)
        assert order(opened)[0] == "eve"
    (told,) = (
        item
        for item in packets(home, "RoutingIntent")
        if item["subject_id"] == creator_id_of("eve")
    )
    assert "goals +0.40" in told["reason"]
    with home.store.read() as connection:
        witnesses = [db.outbox.by_id(connection, packet) for packet in told["evidence"]]
    kinds = [witness.message_type for witness in witnesses if witness]
    assert kinds == ["WorkloadSnapshot", "GoalGradients"]


@pytest.mark.part("LAT-1")
def test_the_workload_says_where_work_waits_and_what_workers_have_left(home: Home) -> None:
    """LAT-1: takes workload distribution and resource utilization."""
    with instance() as opened:
        enqueue(opened, "ada", 3)
        enqueue(opened, "bob", 1, dg.DagsterRunStatus.STARTED)
        look(home, opened)
    (snapshot,) = packets(home, "WorkloadSnapshot")
    load = WorkloadSnapshot.parse(snapshot)
    depths = {queue.queue: queue.depth for queue in load.queues}
    assert depths["runs"] == 3
    assert {"scraper", "analyzer", "editor", "scheduler", "uploader"} <= set(depths)
    assert load.pools
    assert all(pool.workers for pool in load.pools)


def test_work_goes_to_the_pool_that_is_done_first_and_around_one_that_is_held(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMNIVA_POOLS", POOLS)
    with instance() as opened:
        enqueue(opened, "ada", 1)
        look(home, opened)
        with home.store.read() as connection:
            tags = run_tags(connection, "ada", now())
        assert tags[QUEUE_TAG] == "cuda"
        assert tags["omniva/pool"] == "gpu_editor"
        (run,) = opened.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
        assert run.tags[QUEUE_TAG] == "cuda"
        held = home.omniva("panic", "--worker", "editor", "--reason", "the GPU smokes")
        assert held.exit_code == 0, held.output


def test_old_advice_does_not_hold(home: Home) -> None:
    with instance() as opened:
        enqueue(opened, "ada", 1)
        look(home, opened)
    with home.store.read() as connection:
        assert QUEUE_TAG in run_tags(connection, "ada", now())
        assert run_tags(connection, "ada", now(3 * 3600)) == run_tags(connection, "nobody", now())


def test_steps_that_a_gpu_does_carry_the_celery_queue_of_gpus() -> None:
    known = definitions(settings()).resolve_asset_graph()
    for name in ("analysis_results", "rendered_clips", "upload_jobs"):
        tags = known.get(dg.AssetKey(name)).assets_def.op.tags
        assert tags.get(QUEUE_TAG) == (None if name == "upload_jobs" else "cuda")


@pytest.mark.parametrize("turn", [0, 3, 400])
def test_celery_can_send_whatever_priority_follows(turn: int) -> None:
    """Its messages have priorities of 0 to 10, and each step adds 5 to its run's."""
    tags = tags_of(None, now(), turn)
    assert 0 <= int(tags[CELERY_PRIORITY_TAG]) <= 5
    assert int(tags[PRIORITY_TAG]) == 50 - 5 * turn


def test_a_priority_that_a_person_gave_a_run_stays(home: Home) -> None:
    with instance() as opened:
        (run_id,) = enqueue(opened, "ada", 1)
        opened.add_run_tags(run_id, {PRIORITY_TAG: "-7"})
        assert look(home, opened).retagged == 0
        run = opened.get_run_by_id(run_id)
        assert run is not None
        assert run.tags[PRIORITY_TAG] == "-7"


def _act(home: Home, slug: str, priority: float) -> None:
    """The dashboard's manual change of a creator's priority, which goes through Zenith."""
    subject = creator_id_of(slug)
    with home.store.begin() as connection:
        seen = db.routing.routes_of(connection, [subject])[subject].packet_id
        action = OperatorAction(
            action_id=derive_id("action", slug),
            kind=ActionKind.GUIDANCE,
            operator="ops",
            subject_id=subject,
            priority=priority,
            reason="news",
            seen=[seen],
            acted_at=now(),
        )
        recorder = Recorder(connection, "operator", Partition(slug, ""), now())
        packet = recorder.record(action, subject_id=subject, trace_id=derive_id("trace", slug))
        (ordered,) = ZenithDesk().attend(connection, now(), [packet.packet_id])
    assert ordered.document.priority == priority


def test_an_operators_word_on_urgency_goes_before_lattices(home: Home) -> None:
    with instance() as opened:
        enqueue(opened, "ada", 1)
        enqueue(opened, "bob", 1)
        look(home, opened)
        _act(home, "bob", 1.0)
        report = tick(home.store, opened, now(10), Settings(), always=True)
        assert report.advised == 0
        assert order(opened) == ["bob", "ada"]
        # It does not wear off.
        with home.store.read() as connection:
            assert run_tags(connection, "bob", now(9 * 3600))[PRIORITY_TAG] == "100"


def test_the_sensor_and_the_daily_asset_say_what_they_saw(home: Home) -> None:
    with instance() as opened:
        enqueue(opened, "ada", 2)
        resources = definitions(settings()).resources
        context = dg.build_sensor_context(instance=opened, resources=resources)
        said = lattice_router(context)
        assert isinstance(said, dg.SkipReason)
        assert "2 runs wait; 1 routes advised" in str(said.skip_message)
        job = definitions(settings()).resolve_job_def("advisors")
        today = datetime.now(UTC).date().isoformat()
        done = job.execute_in_process(instance=opened, partition_key=today)
        (made,) = done.asset_materializations_for_node("lattice_routing")
    assert made.metadata["routes"].value == 1
    assert "runs" in str(made.metadata["queues"].value)


def test_the_nightly_schedule_asks_for_everybodys_today_first(home: Home) -> None:
    with instance() as opened:
        context = dg.build_schedule_context(
            instance=opened,
            scheduled_execution_time=datetime.now(UTC),
            resources=definitions(settings()).resources,
        )
        requests = [
            item for item in clip_pipeline_daily(context) if isinstance(item, dg.RunRequest)
        ]
    ranked = sorted(requests, key=lambda item: -int(item.tags[PRIORITY_TAG]))
    days = [item.tags["omniva/day"] for item in ranked]
    assert days == sorted(days, reverse=True)
    assert len(set(days[:3])) == 1
