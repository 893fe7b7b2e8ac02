"""The hourly audit: what contradicts itself anywhere in the ledger is found, recorded and held."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster import state as db
from omniva_dagster.assets import paradox_audit
from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.paradox import ConflictResolution
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import ScheduleTask
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.registry import MESSAGE_TYPES
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.contracts.video import Platform
from omniva_dagster.definitions import definitions
from omniva_dagster.demo.channel import ChannelVideo, serve_channel, write_channel
from omniva_dagster.engines.paradox.cycles import circles
from omniva_dagster.resources import conflicts
from omniva_dagster.resources.auditing.lineage import components
from omniva_dagster.resources.auditing.run import Audit, audit
from omniva_dagster.resources.workbench import Workbench
from omniva_dagster.settings import settings as configured
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.state.outbox import Emission
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store
from tests.support.home import DAY, Home

EXAMPLES = Path(__file__).parents[2] / "schemas/examples"
START = datetime(2026, 3, 4, 8, tzinfo=UTC)
NOW = "2026-03-20T12:00:00Z"


def at(hours: float) -> str:
    return format_timestamp(START + timedelta(hours=hours))


class Past:
    """A store and a ledger into which anything can be written."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(f"sqlite:///{folder / 'state.db'}")
        self.store.migrate()
        self.layout = Layout(folder / "ledger")
        with self.store.begin() as connection:
            for slug, day in (("ada", "01"), ("bob", "02")):
                moment = f"2026-03-{day}T00:00:00Z"
                url = f"https://{slug}.example/feed"
                db.creators.register(connection, slug, url, Platform.OTHER, moment)

    def say(
        self,
        message_type: str,
        subject: str,
        *parents: str,
        creator: str = "ada",
        emitted_at: str = at(1),
        producer: str = "test",
        **changes: Any,
    ) -> str:
        """A packet with the contract's example, changed; its id."""
        example = json.loads((EXAMPLES / f"{message_type}.json").read_text())
        fields = {name: value for name, value in {**example, **changes}.items() if value != ""}
        document: Document = MESSAGE_TYPES[message_type].parse(fields)
        where = Partition(creator, DAY)
        trace = derive_id("trace", subject)
        emission = Emission(document, producer, subject, trace, parents, where, emitted_at)
        with self.store.begin() as connection:
            return db.outbox.emit(connection, emission).packet_id

    def video(self, name: str, sha256: str, *, creator: str = "ada", **changes: Any) -> str:
        subject = derive_id("video", "other", name)
        dates = {"uploaded_at": at(0), "ingested_at": at(1)}
        fields = {"video_id": subject, "title": f"Video {name}", "sha256": sha256, **dates}
        self.say("VideoAsset", subject, creator=creator, **{**fields, **changes})
        return subject

    def clip(self, name: str, video: str, start: float, end: float, hours: float = 2) -> str:
        clip = derive_id("clip", name)
        span = {"clip_id": clip, "start_time": start, "end_time": end}
        moment = at(hours)
        order = {
            "directive_id": derive_id("directive", name),
            "kind": "promote",
            "subject_id": clip,
            "video_id": video,
            "evidence": [derive_id("evidence", name)],
            "scheduled_time": "",
        }
        self.say("Directive", clip, emitted_at=moment, **order)
        self.say("ClipCandidate", clip, emitted_at=moment, **span)
        return clip

    def task(self, clip: str, slot: str, *, rendered_at: str = at(3), creator: str = "ada") -> None:
        fields = {"clip_id": clip, "sha256": derive_id("sha", clip).replace("-", "") * 2}
        rendered = self.say(
            "RenderedClip", clip, creator=creator, rendered_at=rendered_at, **fields
        )
        fields = {"clip_id": clip, "recommended_time": slot, "_meta_parents": [rendered]}
        self.say("ScheduleTask", clip, rendered, creator=creator, emitted_at=at(4), **fields)

    def sequenced(self) -> None:
        sequence(self.store, self.layout, now=START)

    def audited(self, name: str = "one", now: str = NOW) -> Audit:
        return audit(self.store, self.layout, name=name, now=now)

    def reports(self) -> list[ConflictResolution]:
        query = "SELECT body FROM packets WHERE message_type = 'ConflictResolution'"
        with self.store.read() as connection:
            rows = connection.exec_driver_sql(query).all()
        return [ConflictResolution.parse(json.loads(row.body)["payload"]) for row in rows]

    def held(self, subject: str) -> bool:
        with self.store.read() as connection:
            return db.decisions.restrained(connection, [subject], NOW) is not None


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    made = Past(tmp_path)
    yield made
    made.store.close()


def rules(done: Audit) -> set[str]:
    return {item.conflict.found_by.split("/")[1].split("@")[0] for item in done.reported}


def test_an_empty_past_has_no_conflicts(past: Past) -> None:
    done = past.audited()
    assert (done.edges, done.reported, done.inconsistencies) == (0, (), 0)


@pytest.mark.parametrize("placed", ["in the ledger", "still waiting", "half of it"])
def test_what_contradicts_is_found_wherever_it_lies(past: Past, placed: str) -> None:
    first = past.video("a", "a" * 64)
    clip, other = past.clip("x", first, 10, 40), past.clip("y", first, 60, 90)
    past.task(clip, at(30))
    if placed == "half of it":
        past.sequenced()
    copy = past.video("b", "a" * 64, ingested_at=at(2))
    twin = past.clip("z", copy, 12, 42, hours=3)
    past.task(other, at(30))
    late = past.clip("w", first, 200, 230)
    past.task(late, at(31), rendered_at=at(50))
    future = past.video("c", "c" * 64, uploaded_at=at(9), ingested_at=at(2))
    if placed == "in the ledger":
        past.sequenced()
    done = past.audited()
    expected = {
        "same_file": (first, copy),
        "near_identical_clips": (clip, twin),
        "one_slot": (clip, other),
        "slot_before_rendering": (late,),
        "uploaded_after_ingestion": (future,),
    }
    found = {
        item.conflict.found_by.split("/")[1].split("@")[0]: tuple(item.conflict.affected_ids)
        for item in done.reported
    }
    # Of two tasks of one moment neither is older: the order is that of their ids.
    assert {name: frozenset(ids) for name, ids in found.items()} == {
        name: frozenset(ids) for name, ids in expected.items()
    }
    for name in ("same_file", "near_identical_clips"):
        assert found[name] == expected[name]
        assert past.held(expected[name][1])
        assert not past.held(expected[name][0]) or name == "near_identical_clips"
    assert past.held(late)
    assert past.held(future)
    assert done.counts() == {"held": 5}


def test_two_creators_who_asked_one_source_are_found_however_they_wrote_it(past: Past) -> None:
    for creator, url in (
        ("bob", "http://www.ada.example/feed/"),
        ("ada", "https://ada.example/feed"),
    ):
        job = derive_id("scraper_job", creator)
        past.say("ScraperJob", job, creator=creator, job_id=job, target_url=url)
    done = past.audited()
    (report,) = past.reports()
    assert rules(done) == {"overlapping_ranges"}
    # Bob asked first, but ada registered first.
    assert report.affected_ids == [derive_id("scraper_job", who) for who in ("ada", "bob")]
    with past.store.begin() as connection:
        db.creators.archive(connection, "ada")
    assert rules(past.audited("two")) == set()


def test_a_rescheduled_clip_has_left_its_slot(past: Past) -> None:
    video = past.video("a", "a" * 64)
    clip, other = past.clip("x", video, 10, 40), past.clip("y", video, 60, 90)
    past.task(clip, at(30))
    order = {
        "directive_id": derive_id("directive", "moved"),
        "kind": "reschedule",
        "subject_id": clip,
        "scheduled_time": at(33),
        "evidence": [derive_id("evidence", "moved")],
    }
    past.say("Directive", clip, emitted_at=at(5), **order)
    past.task(other, at(30))
    assert past.audited().reported == ()


def test_a_clip_that_is_given_another_slot_is_held_no_more(past: Past) -> None:
    video = past.video("a", "a" * 64)
    clip, other = past.clip("x", video, 10, 40), past.clip("y", video, 60, 90)
    past.task(clip, at(30))
    past.task(other, at(30))
    (reported,) = past.audited("first").reported
    second = reported.conflict.affected_ids[1]
    assert past.held(second)
    order = {
        "directive_id": derive_id("directive", "moved"),
        "kind": "reschedule",
        "subject_id": second,
        "scheduled_time": at(33),
        "evidence": [derive_id("evidence", "moved")],
    }
    past.say("Directive", second, emitted_at=at(5), **order)
    assert past.audited("second").reported == ()
    assert not past.held(second)
    assert [item.recommended_action for item in past.reports()] == ["block", "ignore"]


def _rewritten(layout: Layout, change: Any) -> None:
    (path,) = layout.packets.glob("date=*/*.parquet")
    table = pq.read_table(path)
    rows = pq.ParquetFile(path).read().to_pylist()
    change(rows)
    schema = pq.ParquetFile(path).schema_arrow
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    assert table.num_rows


def _planned(past: Past, *clips: str) -> list[ConflictResolution]:
    """Tasks of these clips, all for one slot, as `schedule_tasks` leaves them."""
    bench = Workbench(past.store, Partition("ada", DAY), "schedule_tasks", logging.getLogger())
    records = []
    for clip in clips:
        past.task(clip, at(30))
        with past.store.read() as connection:
            task = db.outbox.latest(connection, "ScheduleTask", clip)
        assert task is not None
        document = ScheduleTask.parse(task.payload)
        records.append(Record(document, clip, derive_id("trace", clip), task.packet_id))
    return conflicts.settle_stage(bench, records)


@pytest.mark.spec("PAR-6")
def test_lineage_is_evaluated_and_exclusive_tasks_are_flagged_before_they_are_done(
    past: Past,
) -> None:
    """PAR-6: evaluates lineage graphs; flags mutually exclusive tasks before execution."""
    video = past.video("a", "a" * 64)
    clips = past.clip("x", video, 10, 40), past.clip("y", video, 60, 90)
    (exclusive,) = _planned(past, *clips)
    assert exclusive.kind == "mutually_exclusive"
    assert set(exclusive.affected_ids) == set(clips)
    # Held before there is an upload, let alone a publication.
    assert past.held(exclusive.affected_ids[1])
    assert not past.held(exclusive.affected_ids[0])

    ring = []
    for number in range(6):
        subject = derive_id("clip", number)
        ring.append(past.say("TelemetrySample", subject, *ring[-1:], emitted_at=at(number)))
    past.say("TelemetrySample", derive_id("clip", "late"), ring[5], emitted_at=at(1))
    past.sequenced()
    assert past.audited("before").reported != ()  # the child that is older than its parent

    def forge(rows: list[dict[str, Any]]) -> None:
        by_id = {row["packet_id"]: row for row in rows}
        by_id[ring[1]]["parents"] = [ring[3]]
        by_id[ring[5]]["parents"] = [ring[4], derive_id("packet", "nowhere")]

    _rewritten(past.layout, forge)
    done = past.audited()
    found = {item.conflict.found_by: item.conflict for item in done.reported}
    circle = found["paradox/circular_lineage@1"]
    assert set(circle.evidence) == {ring[1], ring[2], ring[3]}
    assert set(circle.affected_ids) == {derive_id("clip", number) for number in (1, 2, 3)}
    assert "paradox/child_before_parent@1" in found
    assert found["paradox/one_slot@1"] == exclusive
    assert done.inconsistencies == 1  # the parent that is nowhere
    early = [item for item in past.reports() if item.found_by == "paradox/early_packet@1"]
    assert [item.affected_ids for item in early] == [[derive_id("clip", 5)]]
    assert past.held(derive_id("clip", 5))
    assert past.held(derive_id("clip", 2))
    assert not past.held(derive_id("clip", 0))


@pytest.mark.spec("STA-5")
def test_what_stardust_finds_out_is_answered_by_paradox(past: Past) -> None:
    """STA-5: surfaces inconsistencies to Paradox."""
    from omniva_dagster.contracts.cognition.stardust import InconsistencyKind
    from omniva_dagster.resources.control import run_cycle
    from omniva_dagster.stardust.inconsistencies import Inconsistency, report

    video = past.video("a", "a" * 64)
    clip = past.clip("x", video, 10, 40)
    with past.store.begin() as connection:
        about = db.outbox.latest(connection, "ClipCandidate", clip)
        assert about is not None
        found = [
            Inconsistency(InconsistencyKind.HASH_MISMATCH, (about.packet_id,), "was changed"),
        ]
        assert len(report(connection, found, NOW)) == 1
        assert len(db.inboxes.waiting(connection, db.inboxes.PARADOX)) == 1
    run_cycle(past.store, NOW)
    (answer,) = past.reports()
    assert (answer.recommended_action, answer.severity) == ("quarantine", "critical")
    assert answer.affected_ids == [about.packet_id, clip]
    assert about.packet_id in answer.evidence
    assert past.held(clip)
    with past.store.read() as connection:
        assert db.inboxes.waiting(connection, db.inboxes.PARADOX) == []


def test_an_audit_run_again_records_and_counts_the_same(past: Past) -> None:
    past.video("a", "a" * 64)
    past.video("b", "a" * 64, ingested_at=at(2))
    past.audited()
    with past.store.read() as connection:
        counted = connection.exec_driver_sql("SELECT count(*) FROM packets").scalar()
    for name in ("one", "one", "two", "three", "four", "five"):
        done = past.audited(name)
        assert (done.new, len(done.reported), done.escalated) == (0, 1, 0)
    with past.store.read() as connection:
        (known,) = db.conflicts.about(connection, [derive_id("video", "other", "a")])
        assert known.occurrences == 5
        # Held, it is contained: nobody is called.
        assert connection.exec_driver_sql("SELECT count(*) FROM packets").scalar() == counted


def test_what_lasts_with_nothing_decided_becomes_eclipses(past: Past) -> None:
    past.video("a", "a" * 64)
    past.video("b", "a" * 64, ingested_at=at(2))
    past.audited("0")
    with past.store.begin() as connection:
        for statement in (
            "DELETE FROM restraints",
            "DROP TRIGGER directives_no_delete",
            "DELETE FROM directives",
        ):
            connection.exec_driver_sql(statement)
    calls = [past.audited(str(hour)).escalated for hour in range(1, 6)]
    assert calls == [0, 0, 1, 0, 0]
    with past.store.read() as connection:
        waiting = db.inboxes.waiting(connection, db.inboxes.ECLIPSE)
    (call,) = [item for item in waiting if item.message_type == "ConflictEscalation"]
    assert call.payload["occurrences"] == 4
    assert call.payload["severity"] == "critical"


edges = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=30)


@settings(max_examples=100, deadline=None)
@given(edges)
def test_scipy_and_the_engine_agree_on_what_lies_on_a_circle(found: list[tuple[int, int]]) -> None:
    child = np.array([one for one, _ in found], dtype=np.int64)
    parent = np.array([other for _, other in found], dtype=np.int64)
    on_circle = components(child, parent)
    steps: dict[str, list[str]] = {}
    for one, other in found:
        steps.setdefault(f"{one:02d}", []).append(f"{other:02d}")
        steps.setdefault(f"{other:02d}", [])
    rings = circles(steps)
    for ring in rings:
        for here, there in zip(ring, (*ring[1:], ring[0]), strict=True):
            assert there in steps[here]
    suspicious = {
        f"{one:02d}" for one, is_on in zip(child.tolist(), on_circle, strict=True) if is_on
    }
    assert {node for ring in rings for node in ring} <= suspicious
    assert bool(rings) == bool(suspicious)


@pytest.mark.media
@pytest.mark.spec("PAR-4")
def test_the_hourly_audit_of_a_real_run_finds_nothing_and_says_so(
    home: Home, footage: Path
) -> None:
    """PAR-4: hourly audit."""
    channel = home.path / "channel"
    channel.mkdir()
    (channel / "talk.mp4").write_bytes(footage.read_bytes())
    write_channel(channel, "Ada", [ChannelVideo("talk", "talk.mp4", "Talk", f"{DAY}T10:00:00Z")])
    with serve_channel(channel) as served:
        home.add("ada", served.feed_url)
        assert home.run()["clips"]
    defined = definitions(configured())
    hour = f"{DAY}-10:00"
    with instance() as opened:
        result = defined.resolve_job_def("hourly_audit").execute_in_process(
            instance=opened, partition_key=hour
        )
    (made,) = result.asset_materializations_for_node("paradox_audit")
    shown = {name: item.value for name, item in made.metadata.items()}
    assert shown["packets"] == home.count("packets")
    assert shown["edges"] > 20
    assert (shown["conflicts"], shown["new_inconsistencies"], shown["undecided"]) == (0, 0, 0)
    schedule = defined.resolve_schedule_def("paradox_hourly")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    with dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 3, 4, 10, 5, tzinfo=UTC)
    ) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or []
    assert request.partition_key == hour
    assert isinstance(paradox_audit.partitions_def, dg.HourlyPartitionsDefinition)
