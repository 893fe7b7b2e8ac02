"""What Zenith wants of a real Dagster instance: offered once, claimed once."""

from __future__ import annotations

from dataclasses import replace

import dagster as dg
import pytest

from omniva_dagster import state as db
from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id
from omniva_dagster.definitions import definitions
from omniva_dagster.engines import eclipse
from omniva_dagster.partitions import CREATORS, partition_key
from omniva_dagster.resources.control import run_cycle
from omniva_dagster.resources.offering import offer
from omniva_dagster.resources.state import StateResource
from omniva_dagster.sensors.control import zenith_control
from omniva_dagster.settings import settings
from omniva_dagster.state import intents
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store
from tests.engines.zenith_words import CLIP, LATER, NOW, override, panic, retry
from tests.pipeline.zenith.support import HERE, OVER, emission, payloads, say, seen
from tests.support.home import DAY, Home


def test_retries_of_one_partition_at_one_time_are_one_run(store: Store) -> None:
    say(store, *(retry(job_id=derive_id("clip", str(number))) for number in range(5)))
    run_cycle(store, NOW)
    with store.read() as connection:
        (wanted,) = intents.open_ones(connection)
    assert (wanted.partition, wanted.not_before) == (HERE, LATER)
    assert wanted.tags[intents.TAG] == wanted.intent_id


@pytest.mark.part("FLO-8")
def test_a_launch_is_offered_once_and_again_only_when_nobody_answers(store: Store) -> None:
    say(store, retry())
    run_cycle(store, NOW)
    with dg.instance_for_test() as opened:
        assert offer(store, opened, NOW).launches == []
        (asked,) = offer(store, opened, LATER).launches
        assert offer(store, opened, LATER).launches == []
        assert [one.intent_id for one in offer(store, opened, OVER).launches] == [asked.intent_id]
        with store.begin() as connection:
            intents.claim(connection, asked.intent_id, "run")
        assert offer(store, opened, "2026-03-05T00:00:00Z").launches == []


def test_nothing_is_launched_into_what_is_held_and_it_is_when_that_is_lifted(store: Store) -> None:
    say(store, retry(), panic())
    run_cycle(store, NOW)
    with dg.instance_for_test() as opened:
        assert offer(store, opened, LATER).launches == []
        with store.read() as connection:
            (press,) = db.decisions.restraints_on(connection, [EVERYTHING])
        lifted = override(
            "release",
            EVERYTHING,
            overrides=press.directive_id,
            evidence=[press.ground_packet_id],
        )
        say(store, lifted)
        run_cycle(store, LATER)
        assert len(offer(store, opened, LATER).launches) == 1


def test_runs_in_flight_of_a_held_creator_are_cancelled_and_others_are_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(store, panic("creator", ["ada"]))
    with dg.instance_for_test() as opened:
        runs = {
            slug: opened.create_run_for_job(
                definitions(settings()).resolve_job_def("clip_pipeline"),
                status=dg.DagsterRunStatus.STARTED,
                tags={"dagster/partition/creator": slug, "dagster/partition/day": DAY},
            )
            for slug in ("ada", "bob")
        }

        def end(run_id: str) -> bool:
            opened.report_run_canceled(runs["ada"])
            return run_id == runs["ada"].run_id

        monkeypatch.setattr(opened.run_coordinator, "cancel_run", end)
        late = "2999-01-01T00:00:00Z"
        run_cycle(store, late)
        assert offer(store, opened, late).cancelled == [runs["ada"].run_id]
        assert offer(store, opened, late).cancelled == []
    with store.begin() as connection:
        assert intents.cancels(connection) == []
        # The resume takes it up again.
        assert db.decisions.resumed(connection, creator_id_of("ada")) == [HERE]


@pytest.mark.spec("ZEN-5")
def test_the_control_cycle_is_a_sensor_of_thirty_seconds_that_runs_by_default(home: Home) -> None:
    """ZEN-5: every 30 s."""
    located = definitions(settings())
    sensor = located.get_repository_def().get_sensor_def("zenith_control")
    assert sensor.minimum_interval_seconds == 30
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


@pytest.mark.part("DAG-3")
def test_a_tick_asks_for_a_run_that_claims_its_intent_and_a_second_run_of_it_does_nothing(
    home: Home,
) -> None:
    """DAG-3: the 30 s control cycle."""
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    with home.store.begin() as connection:
        db.outbox.emit(connection, emission(seen(), "videos"))
    say(home.store, retry(due=NOW))
    located = definitions(settings())
    with instance() as opened:
        opened.add_dynamic_partitions(CREATORS, ["ada"])
        state = StateResource(url=settings().state_url)
        context = dg.build_sensor_context(instance=opened)
        ticks = [zenith_control(context, state=state) for _ in range(2)]
        (request,) = ticks[0].run_requests or []
        assert not ticks[1].run_requests
        assert request.partition_key == partition_key("ada", DAY)
        assert ticks[0].asset_events
        runs = [
            located.resolve_job_def("clip_pipeline").execute_in_process(
                instance=opened,
                partition_key=partition_key("ada", DAY),
                asset_selection=[dg.AssetKey("scraper_jobs")],
                tags=request.tags,
                raise_on_error=False,
            )
            for _ in range(2)
        ]
    assert [run.success for run in runs] == [True, False]
    (failure,) = [event for event in runs[1].all_events if event.is_step_failure]
    assert f"run {runs[0].run_id} is doing it" in str(failure.step_failure_data.error)


@dg.op
def work() -> None:
    """Nothing."""


@dg.job
def anything() -> None:
    """A job whose runs only stand in Dagster's books."""
    work()


def _ends(opened: dg.DagsterInstance, asked: intents.Intent, status: dg.DagsterRunStatus) -> None:
    """The run of an intent ends before it has claimed it, as Dagster records that."""
    tags = {**asked.tags, "dagster/run_key": asked.run_key}
    opened.create_run_for_job(anything, status=status, tags=tags)


def test_a_run_that_is_lost_before_it_began_is_asked_for_again_and_then_a_person_is_told(
    store: Store,
) -> None:
    say(store, retry(due=NOW))
    run_cycle(store, NOW)
    keys, now = [], NOW
    with dg.instance_for_test() as opened:
        for _ in range(3):
            (asked,) = offer(store, opened, now).launches
            assert offer(store, opened, eclipse.later(now, 600)).launches == [
                replace(asked, state=intents.OFFERED, offered_at=now)
            ], "a daemon died between the two"
            keys.append(asked.run_key)
            now = eclipse.later(now, 1200)
            _ends(opened, asked, dg.DagsterRunStatus.FAILURE)
            ended = offer(store, opened, now)
            assert ended.launches == []
            assert offer(store, opened, eclipse.later(now, 30)).launches == []
            now = eclipse.later(now, 600)
        assert [one.intent_id for one in ended.given_up] == [asked.intent_id]
        assert "given up" in ended.summary
        assert offer(store, opened, eclipse.later(now, 86_400)).launches == []
    # Dagster launches nothing for a key that it has seen.
    assert len(set(keys)) == 3
    (alert,) = payloads(store, "OperatorAlert")
    assert (alert["severity"], alert["subject_ids"]) == ("critical", [CLIP])
    assert f"omniva run --creator ada --day {DAY}" in alert["message"]
    (directive,) = payloads(store, "Directive")
    with store.read() as connection:
        ordered = db.decisions.get(connection, directive["directive_id"])
    assert ordered is not None
    assert alert["evidence"] == [ordered[1]]


def test_a_run_that_is_asked_for_again_claims_what_the_lost_one_did_not(store: Store) -> None:
    say(store, retry(due=NOW))
    run_cycle(store, NOW)
    with dg.instance_for_test() as opened:
        (asked,) = offer(store, opened, NOW).launches
        _ends(opened, asked, dg.DagsterRunStatus.FAILURE)
        offer(store, opened, LATER)
        (again,) = offer(store, opened, OVER).launches
        assert again.tags[intents.TAG] == asked.intent_id
        with store.begin() as connection:
            assert intents.claim(connection, asked.intent_id, "second")
            assert not intents.claim(connection, asked.intent_id, "the first, not dead after all")
        _ends(opened, again, dg.DagsterRunStatus.FAILURE)
        assert offer(store, opened, "2026-03-05T00:00:00Z").launches == []
    assert payloads(store, "OperatorAlert") == []


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.SUCCESS])
def test_a_run_that_somebody_cancelled_is_not_asked_for_again(
    store: Store, status: dg.DagsterRunStatus
) -> None:
    say(store, retry(due=NOW))
    run_cycle(store, NOW)
    with dg.instance_for_test() as opened:
        (asked,) = offer(store, opened, NOW).launches
        _ends(opened, asked, status)
        assert offer(store, opened, LATER).settled == 1
        assert offer(store, opened, "2026-03-05T00:00:00Z").launches == []
    with store.read() as connection:
        voided = intents.get(connection, asked.intent_id)
    assert voided is not None
    assert voided.state == intents.VOID
    assert payloads(store, "OperatorAlert") == []


def test_a_day_that_dagster_does_not_know_keeps_no_other_run_from_being_launched(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(store, retry(due=NOW))
    run_cycle(store, NOW)
    monkeypatch.setenv("OMNIVA_START_DAY", "2026-03-05")
    settings.cache_clear()
    with dg.instance_for_test() as opened:
        offered = offer(store, opened, NOW)
    settings.cache_clear()
    assert offered.launches == []
    (alert,) = payloads(store, "OperatorAlert")
    assert "OMNIVA_START_DAY" in alert["message"]


def test_runs_that_wait_in_dagsters_queue_keep_no_new_one_from_being_asked_for(
    store: Store,
) -> None:
    with store.begin() as connection:
        for number in range(120):
            queued = number < 110
            one = intents.Intent(
                derive_id("intent", number),
                intents.LAUNCH,
                "clip_pipeline",
                Partition("ada", f"2026-01-{1 + number % 28:02d}"),
                derive_id("directive", number),
                NOW if queued else LATER,
                state=intents.OFFERED if queued else intents.OPEN,
            )
            intents.want(connection, one)
        due = intents.due(connection, LATER, LATER)
    assert [one.state for one in due[:10]] == [intents.OPEN] * 10


def test_runs_of_assets_that_somebody_chose_in_the_ui_are_cancelled_as_well(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(store, panic())
    here = {"dagster/partition/creator": "ada", "dagster/partition/day": DAY}
    located = definitions(settings())
    with dg.instance_for_test() as opened:
        runs = {
            name: opened.create_run_for_job(
                located.resolve_job_def(name), status=dg.DagsterRunStatus.STARTED, tags=tags
            ).run_id
            for name, tags in (("__ASSET_JOB", here), ("takedown", {}))
        }
        monkeypatch.setattr(opened.run_coordinator, "cancel_run", lambda _run_id: True)
        late = "2999-01-01T00:00:00Z"
        run_cycle(store, late)
        assert offer(store, opened, late).cancelled == [runs["__ASSET_JOB"]]
