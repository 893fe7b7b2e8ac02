"""Zenith's loop on a real store and a real Dagster instance: decided once, offered once."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.assets.publishing import _Door
from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.zenith import CommitmentLog
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.editing import RenderedClip
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id, worker_id_of
from omniva_dagster.contracts.publishing import PublicationReceipt, UploadJob
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.video import Platform
from omniva_dagster.definitions import definitions
from omniva_dagster.partitions import CREATORS, partition_key
from omniva_dagster.resources.atlas import Atlas
from omniva_dagster.resources.control import run_cycle
from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.resources.offering import offer
from omniva_dagster.resources.state import StateResource
from omniva_dagster.resources.workbench import Skip, Workbench
from omniva_dagster.sensors.control import zenith_control
from omniva_dagster.settings import settings
from omniva_dagster.state import intents
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store
from omniva_dagster.workers.uploader import Submission
from tests.contracts.support import without
from tests.engines.zenith_words import (
    CLIP,
    LATER,
    NOW,
    conflict,
    override,
    panic,
    quarantine,
    retry,
)
from tests.support.home import DAY, Home

HERE = Partition("ada", DAY)
OVER = "2026-03-04T07:06:07Z"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A migrated store with a creator, whose registration is heard."""
    opened = Store(f"sqlite:///{tmp_path / 'state.db'}")
    opened.migrate()
    with opened.begin() as connection:
        db.creators.register(connection, "ada", "http://a.example/feed", Platform.OTHER, NOW)
        db.outbox.emit(connection, _emission(_seen(), "videos"))
        ZenithDesk().attend(connection, NOW)
    yield opened
    opened.close()


def _seen() -> Document:
    return UploadJob.parse(without("UploadJob", clip_id=CLIP))


def _emission(document: Document, producer: str, subject_id: str = CLIP) -> db.outbox.Emission:
    trace = derive_id("trace", "one")
    return db.outbox.Emission(document, producer, subject_id, trace, (), HERE, NOW)


def say(store: Store, *documents: Document, subject_id: str = CLIP) -> list[str]:
    """Record words; their packets."""
    with store.begin() as connection:
        return [
            db.outbox.emit(connection, _emission(document, "test", subject_id)).packet_id
            for document in documents
        ]


def promoted(store: Store, clip_id: str = CLIP) -> None:
    """A clip as the judges promote it."""
    with store.begin() as connection:
        seen = db.outbox.latest(connection, "UploadJob", CLIP)
        assert seen is not None
        directive = Directive(
            directive_id=derive_id("directive", "promote", clip_id),
            kind=DirectiveKind.PROMOTE,
            subject_id=clip_id,
            owner="editor",
            reason="the best",
            evidence=[seen.packet_id],
            rollback="cancel",
            issued_at=NOW,
        )
        db.decisions.append(connection, HERE, directive, seen.packet_id)


def payloads(store: Store, message_type: str) -> list[dict[str, Any]]:
    """All packets of a type, oldest first."""
    query = sa.text("SELECT packet_id FROM packets WHERE message_type = :name ORDER BY sequence")
    with store.read() as connection:
        found = [
            db.outbox.by_id(connection, packet_id)
            for packet_id in connection.scalars(query, {"name": message_type})
        ]
    return [packet.payload for packet in found if packet]


@pytest.mark.spec("ZEN-3")
def test_a_cycle_that_decides_accounts_for_it_and_a_quiet_one_only_counts(store: Store) -> None:
    """ZEN-3: commitment logs."""
    packets = say(store, panic(), conflict())
    report = run_cycle(store, NOW)
    quiet = run_cycle(store, LATER)
    assert quiet.number == report.number + 1
    assert not quiet.changed
    (log,) = [CommitmentLog.parse(item) for item in payloads(store, "CommitmentLog")]
    assert log.cycle == report.number
    assert log.directives == [one.document.directive_id for one in report.directives]
    assert set(packets) <= set(log.considered)
    assert {one.directive_id for one in log.transitions} == set(log.directives)
    for directive in payloads(store, "Directive"):
        assert directive["directive_id"] in log.directives


@pytest.mark.part("ZEN-1")
def test_a_cycle_that_is_cut_off_leaves_nothing_and_the_next_one_decides_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(store, panic(), conflict(), retry(job_id=derive_id("clip", "third")))

    def cut(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("omniva_dagster.resources.sitting.Sitting.close", cut)
        with pytest.raises(KeyboardInterrupt):
            run_cycle(store, NOW)
    assert payloads(store, "Directive") == []
    with store.read() as connection:
        assert intents.open_ones(connection) == []
        assert db.decisions.restraints_on(connection, [EVERYTHING, CLIP]) == []
    report = run_cycle(store, NOW)
    ordered = sorted(one.document.kind.value for one in report.directives)
    assert ordered == ["hold", "hold", "retry"]


def test_an_engine_that_fails_does_not_keep_zenith_from_deciding(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_connection: sa.Connection, _now: str) -> list[str]:
        raise ZeroDivisionError

    monkeypatch.setattr("omniva_dagster.resources.recovery.eclipse_round", broken)
    say(store, panic())
    report = run_cycle(store, NOW)
    assert [one.document.kind for one in report.directives] == [DirectiveKind.HOLD]
    assert "eclipse could not be heard (ZeroDivisionError" in report.summary


def _attend(url: str, start: object) -> None:
    store = Store(url)
    start.wait()  # type: ignore[attr-defined]
    with store.begin() as connection:
        ZenithDesk().attend(connection, NOW)


@pytest.mark.spec("CON-11")
def test_processes_that_decide_at_once_decide_once(store: Store) -> None:
    """CON-11: the same message twice has one effect."""
    clips = [derive_id("clip", str(number)) for number in range(20)]
    say(store, *(retry(job_id=clip) for clip in clips), panic())
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    url = store.url.render_as_string()
    deciders = [context.Process(target=_attend, args=(url, start)) for _ in range(3)]
    for one in deciders:
        one.start()
    for one in deciders:
        one.join(120)
        assert one.exitcode == 0
    assert len(payloads(store, "Directive")) == 21
    assert len(payloads(store, "CommitmentLog")) == 1


def test_retries_of_one_partition_at_one_time_are_one_run(store: Store) -> None:
    say(store, *(retry(job_id=derive_id("clip", str(number))) for number in range(5)))
    run_cycle(store, NOW)
    with store.read() as connection:
        (wanted,) = intents.open_ones(connection)
    assert (wanted.partition, wanted.not_before) == (HERE, LATER)
    assert wanted.tags[intents.TAG] == wanted.intent_id


def test_a_hold_in_time_ends_by_itself_and_what_it_stopped_is_launched_again(store: Store) -> None:
    say(store, quarantine("creator", "ada", until=LATER))
    run_cycle(store, NOW)
    with store.begin() as connection:
        db.decisions.stopped(connection, creator_id_of("ada"), HERE)
    assert run_cycle(store, NOW).directives == ()
    (released,) = run_cycle(store, LATER).directives
    assert (released.document.kind, released.subject_id) == (
        DirectiveKind.RELEASE,
        creator_id_of("ada"),
    )
    with store.read() as connection:
        launches = [one for one in intents.open_ones(connection) if one.action == intents.LAUNCH]
    assert [one.partition for one in launches] == [HERE]


def test_an_override_gives_a_clip_back_what_it_was_and_the_conflict_stays_overruled(
    store: Store,
) -> None:
    promoted(store)
    say(store, conflict())
    run_cycle(store, NOW)
    say(store, override("release"))
    (freed,) = run_cycle(store, LATER).directives
    assert freed.document.kind is DirectiveKind.PROMOTE
    # Found again, on more evidence: the operator has decided.
    say(store, conflict(message="once more"))
    assert run_cycle(store, OVER).directives == ()
    with store.read() as connection:
        assert db.decisions.restrained(connection, [CLIP], OVER) is None


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
        db.outbox.emit(connection, _emission(_seen(), "videos"))
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


@pytest.mark.spec("ZEN-4")
def test_a_candidate_that_is_held_is_passed_over_and_the_verdict_is_told_once(store: Store) -> None:
    """ZEN-4: arbitration verdicts when modules disagree."""
    bench = Workbench(store, HERE, "zenith_directives", logging.getLogger("test"))
    fields = {"start_time": 0.0, "end_time": 20.0, "lattice_priority": 0.9}
    candidate = ClipCandidate.parse(without("ClipCandidate", "clip_id", **fields))
    ids = {"subject_id": CLIP, "trace_id": derive_id("trace", "one")}
    with store.begin() as connection:
        judged = bench.recorder(connection).record(candidate, **ids, producer="clip_candidates")
    say(store, conflict())
    for now in (NOW, LATER):
        with store.begin() as connection:
            ZenithDesk().attend(connection, now)
            recorder = replace(bench.recorder(connection), now=now)
            assert ZenithDesk().promote(recorder, derive_id("video", "one"), [judged]) == []
    (verdict,) = payloads(store, "ArbitrationVerdict")
    assert (verdict["chosen"], verdict["overridden"]) == ("paradox", ["pantheon"])
    with store.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM collisions")) == 0
        assert db.decisions.promotions_of(connection, derive_id("video", "one")) == []


class _Spy:
    """A publisher that counts."""

    target = "outbox"

    def __init__(self) -> None:
        self.published = 0

    @property
    def publisher(self) -> _Spy:
        return self

    def publish(self, submission: Submission, now: str) -> PublicationReceipt:
        self.published += 1
        raise AssertionError(submission, now)


def _door(store: Store, tmp_path: Path, spy: Any) -> tuple[_Door, Record[UploadJob]]:
    """The way out for a clip that is promoted, rendered and prepared."""
    promoted(store)
    bench = Workbench(store, HERE, "publications", logging.getLogger("test"))
    uris = {name: Atlas.uri(f"clips/{name}") for name in ("media_uri", "thumbnail_uri")}
    made = RenderedClip.parse(without("RenderedClip", clip_id=CLIP, **uris))
    with store.begin() as connection:
        recorder = replace(bench.recorder(connection), stage="upload_jobs")
        ids = {"subject_id": CLIP, "trace_id": derive_id("trace", "one")}
        ids["video_id"] = derive_id("video", "one")
        job = recorder.record(UploadJob.parse(without("UploadJob", clip_id=CLIP)), **ids)
        clip = recorder.record(made, **ids)

    class _Atlas:
        store = Atlas(tmp_path / "atlas")

    return _Door(bench, _Atlas, spy, ZenithDesk(), {CLIP: clip}), job  # type: ignore[arg-type]


@pytest.mark.spec("CON-12")
@pytest.mark.parametrize(
    "stop", [conflict(), panic(), panic("creator", ["ada"]), panic("worker", ["uploader"])]
)
def test_a_hold_that_comes_between_the_claim_and_the_act_posts_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: Document
) -> None:
    """CON-12: only Zenith commits or cancels operational work."""
    spy = _Spy()
    door, job = _door(store, tmp_path, spy)
    looked = Workbench.must_permit

    def held_first(bench: Workbench, subject: Any, act: str) -> None:
        with store.read() as connection:
            claimed = db.publishing.publication(connection, CLIP, "outbox")
        assert claimed is not None
        say(store, stop)
        with store.begin() as connection:
            ZenithDesk().attend(connection, LATER)
        looked(bench, subject, act)

    monkeypatch.setattr(Workbench, "must_permit", held_first)
    with pytest.raises(Skip, match="to lift it: omniva"):
        door.work(job)
    assert spy.published == 0


def test_a_clip_that_nothing_holds_is_let_out(store: Store, tmp_path: Path) -> None:
    door, job = _door(store, tmp_path, _Spy())
    with pytest.raises(AssertionError):
        door.work(job)


def test_a_cycle_looks_at_what_is_open_and_never_through_history(store: Store) -> None:
    promoted(store)
    say(store, conflict(), panic("worker", ["editor"]), retry(), override("release"))
    say(store, quarantine(until=LATER))
    asked: list[tuple[str, Any]] = []

    @sa.event.listens_for(store.engine, "before_cursor_execute")
    def note(_c: object, _cur: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    run_cycle(store, NOW)
    run_cycle(store, LATER)
    sa.event.remove(store.engine, "before_cursor_execute", note)
    scans = []
    with store.engine.connect() as connection:
        for statement, parameters in asked:
            if not statement.startswith(("SELECT", "UPDATE", "DELETE")):
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            scans += [
                (row[-1], statement)
                for row in plan
                if row[-1].startswith("SCAN") and _grows(row[-1].split()[1])
            ]
    assert scans == []


def _grows(table: str) -> bool:
    """Whether a table holds what was, and not only what is open."""
    return table in {"packets", "packet_parents", "directives", "outcomes", "promotions", "videos"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("retry", "ada"), "by its id"),
        (("promote", CLIP), "nothing is recorded about"),
        (("hold", "nobody"), "is not registered"),
        (("hold", "worker:cook"), "there is no worker"),
        (("hold", "ada", "--at", LATER), "--at is of"),
    ],
)
def test_what_no_directive_could_mean_is_refused(
    home: Home, arguments: tuple[str, ...], said: str
) -> None:
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    result = home.omniva("override", *arguments, "--reason", "x")
    assert result.exit_code != 0
    assert said in f"{result.output}{result.exception}"
    assert home.count("restraints") == 0


@pytest.mark.spec("ZEN-7")
@pytest.mark.part("DAS-2")
def test_the_panic_button_and_overrides_are_decided_at_once_and_resume_lifts_what_it_names(
    home: Home,
) -> None:
    """ZEN-7: on crisis escalations. DAS-2: overrides through Zenith."""
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    assert home.omniva("panic", "--creator", "ada", "--reason", "smoke").exit_code == 0
    assert home.omniva("panic", "--worker", "editor", "--reason", "fan").exit_code == 0
    refused = home.omniva("override", "release", "ada", "--reason", "I want to")
    assert refused.exit_code == 1
    assert "omniva resume" in refused.output
    assert home.omniva("resume", "--reason", "which?").exit_code == 2
    held = home.omniva("control", "status", "--json").stdout
    assert creator_id_of("ada") in held
    assert worker_id_of("editor") in held
    assert home.omniva("resume", "--all", "--reason", "all is well").exit_code == 0
    assert home.count("restraints") == 0
    assert "nothing" in home.omniva("control", "status").stdout
    signals = {item["operator"] for item in payloads(home.store, "PanicSignal")}
    assert len(signals) == 1
    acts = payloads(home.store, "OverrideRequest")
    assert [item["kind"] for item in acts] == ["release"] * 3
    assert all(item["evidence"] for item in acts)


def _clip(store: Store) -> None:
    """A promoted clip, pinned."""
    promoted(store)
    fields = {"start_time": 0.0, "end_time": 20.0, "clip_id": CLIP}
    with store.begin() as connection:
        seen = db.outbox.latest(connection, "UploadJob", CLIP)
        assert seen is not None
        pinned = ClipCandidate.parse(without("ClipCandidate", "clip_id", **fields))
        db.decisions.promote(connection, HERE, derive_id("video", "one"), pinned, seen.packet_id)


@pytest.mark.spec("ZEN-6")
@pytest.mark.spec("DAS-2")
def test_an_operators_priority_is_decided_at_once_and_its_run_is_wanted(home: Home) -> None:
    """ZEN-6: on high-priority jobs. DAS-2: approvals, overrides, guidance through Zenith."""
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    say(home.store, _seen())
    _clip(home.store)
    slot = "2999-03-04T18:00:00Z"
    urgent = ("--at", slot, "--priority", "0.9", "--reason", "breaking news")
    result = home.omniva("override", "reschedule", CLIP, *urgent)
    assert result.exit_code == 0, result.output
    (act,) = payloads(home.store, "OverrideRequest")
    (directive,) = payloads(home.store, "Directive")
    assert (directive["scheduled_time"], directive["priority"]) == (slot, 0.9)
    with home.store.read() as connection:
        assert not db.inboxes.urgent(connection, db.inboxes.ZENITH)
        assert [one.partition for one in intents.open_ones(connection)] == [HERE]
        shown = db.decisions.in_force(connection, CLIP)
    # The packets that the operator was shown are on record: the path replays.
    assert shown is not None
    assert act["evidence"] == [shown[1]]


@pytest.mark.spec("ZEN-2")
@pytest.mark.spec("ZEN-8")
def test_directives_name_who_acts_and_a_clips_transitions_follow_from_each_other(
    store: Store,
) -> None:
    """ZEN-2: directives to workers. ZEN-8: authorizes, cancels, assigns ownership, publishes
    consistent transitions."""
    _clip(store)
    for now, said in (
        (NOW, conflict()),
        (NOW, override("release", name="free")),
        (LATER, retry(due=OVER)),
        (LATER, override("cancel", name="stop")),
        (OVER, override("promote", name="again")),
    ):
        say(store, said)
        run_cycle(store, now)
    kinds = [item["kind"] for item in payloads(store, "Directive")]
    assert kinds == ["hold", "promote", "retry", "cancel", "promote"]
    assert {item["owner"] for item in payloads(store, "Directive")} <= {"editor", "uploader"}
    steps = [
        (step["from_status"], step["to_status"], step["state_version"])
        for log in payloads(store, "CommitmentLog")
        for step in log["transitions"]
        if step["subject_id"] == CLIP
    ]
    assert steps == [
        ("RUNNING", "SKIPPED", 2),
        ("SKIPPED", "RUNNING", 3),
        ("ERROR", "PENDING", 4),
        ("PENDING", "CANCELLED", 5),
        ("CANCELLED", "RUNNING", 6),
    ]
