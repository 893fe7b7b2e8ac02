"""Dagster's event log becomes packets: each event once, with its lineage, whatever is replayed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster import AssetKey, DagsterEvent, DagsterEventType
from dagster._core.events import StepMaterializationData

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.registry import parse
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.mirror import cursors, sources, tailing, words
from omniva_dagster.stardust.mirror.events import event_of
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.stardust.verify import verify
from omniva_dagster.state.tables import mirror_cursors, packets
from tests.stardust.dagster_homes import DAY, PARTITION, Mirror, copied
from tests.stardust.writing import rows


@pytest.fixture(scope="module")
def ran(blank_mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """After a good run and one that fails, mirrored."""
    with copied(blank_mirror, tmp_path_factory.mktemp("ran") / "home") as made:
        made.run("good")
        made.run("bad", f"bob|{DAY}")
        made.tick()
        yield made


@pytest.mark.spec("DAG-5")
def test_runs_steps_assets_and_checks_are_mirrored(ran: Mirror) -> None:
    """DAG-5: the materialization log mirrored into Parquet."""
    kinds = [
        body["payload"]["kind"]
        for body in ran.bodies()
        if body["payload"].get("partition") != f"bob|{DAY}"
        and body["payload"]["job_name"] == "good"
    ]
    assert sorted(kinds) == sorted(
        [
            *["ASSET_MATERIALIZATION_PLANNED", "ASSET_MATERIALIZATION"] * 2,
            "ASSET_CHECK_EVALUATION_PLANNED",
            "ASSET_CHECK_EVALUATION",
            "RUN_START",
            *["STEP_START", "STEP_SUCCESS"] * 3,
            "RUN_SUCCESS",
        ]
    )
    for body in ran.bodies():
        parse("Envelope", body)


@pytest.mark.spec("DAG-5")
def test_what_is_mirrored_is_in_the_ledger_with_partition_run_and_code_version(
    mirror: Mirror, tmp_path: Path
) -> None:
    """DAG-5: the materialization log mirrored into Parquet."""
    run_id = mirror.run()
    mirror.tick()
    layout = Layout(tmp_path / "ledger")
    sequence(mirror.store, layout, now=datetime.now(UTC))
    checked = verify(layout, store=mirror.store, processes=1)
    assert checked.consistent, checked.findings
    entries = [row for row in rows(layout) if row["message_type"] == "DagsterEvent"]
    assert len(entries) == len(mirror.bodies())
    made = mirror.one("ASSET_MATERIALIZATION", asset_key="source")
    (entry,) = (row for row in entries if row["packet_id"] == made["message_id"])
    assert (entry["creator"], entry["day"], entry["missing_parents"]) == ("ada", DAY, [])
    assert made["payload"]["run_id"] == run_id
    assert made["payload"]["code_version"] == "3"
    assert made["payload"]["data_version"]
    assert made["trace_id"] == derive_id("trace", "dagster_run", run_id)


@pytest.mark.spec("STA-6")
def test_a_mirrored_event_is_lean(ran: Mirror) -> None:
    """STA-6: lean payloads."""
    made = ran.one("ASSET_MATERIALIZATION", asset_key="source", partition=PARTITION)["payload"]
    assert made["measures"] == {"minutes": 1.5, "rows": 3}
    assert made["labels"] == {"encoder": "libx264"}


def test_no_secret_of_an_error_is_recorded(ran: Mirror) -> None:
    failed = ran.one("STEP_FAILURE")["payload"]
    assert failed["error_class"] == "ValueError"
    assert failed["error_message"].startswith("no such host https://(hidden)@example.org/")
    assert "hunter2" not in str(ran.bodies())
    assert "abc123" not in str(ran.bodies())
    assert "do-not-record" not in str(ran.bodies())


@pytest.mark.spec("CON-7")
def test_a_materialization_comes_from_its_plan_its_run_and_its_inputs(ran: Mirror) -> None:
    """CON-7: `_meta_parents` holds the packets a message came from; `trace_id` links a workflow."""
    here = {"partition": PARTITION}
    made = ran.one("ASSET_MATERIALIZATION", asset_key="product", **here)
    plan = ran.one("ASSET_MATERIALIZATION_PLANNED", asset_key="product", **here)
    start = ran.one("RUN_START", run_id=made["payload"]["run_id"])
    upstream = ran.one("ASSET_MATERIALIZATION", asset_key="source", **here)
    assert made["_meta_parents"] == [item["message_id"] for item in (plan, start, upstream)]
    assert {item["trace_id"] for item in (plan, start, upstream)} == {made["trace_id"]}


@pytest.mark.spec("CON-7")
def test_a_check_comes_from_what_it_looked_at_and_a_failure_from_what_was_planned(
    ran: Mirror,
) -> None:
    """CON-7: `_meta_parents` holds the packets a message came from."""
    made = ran.one("ASSET_MATERIALIZATION", asset_key="product", partition=PARTITION)
    run_id = made["payload"]["run_id"]
    check = ran.one("ASSET_CHECK_EVALUATION", run_id=run_id)
    assert made["message_id"] in check["_meta_parents"]
    assert check["payload"]["check_name"] == "sound"
    assert (check["payload"]["passed"], check["payload"]["severity"]) == (False, "WARN")
    failed = ran.one("STEP_FAILURE")
    plan = ran.one("ASSET_MATERIALIZATION_PLANNED", asset_key="broken")
    assert plan["message_id"] in failed["_meta_parents"]
    assert failed["message_id"] in ran.one("RUN_FAILURE")["_meta_parents"]


def test_an_input_of_an_earlier_run_is_found_by_partition(mirror: Mirror) -> None:
    mirror.run("first")
    mirror.run("first", f"bob|{DAY}")
    mirror.run("second")
    mirror.tick()
    upstream = mirror.one("ASSET_MATERIALIZATION", asset_key="source", partition=PARTITION)
    made = mirror.one("ASSET_MATERIALIZATION", asset_key="product")
    other = mirror.one("ASSET_MATERIALIZATION", asset_key="source", partition=f"bob|{DAY}")
    assert upstream["message_id"] in made["_meta_parents"]
    assert other["message_id"] not in made["_meta_parents"]


@pytest.mark.part("STA-1")
def test_how_long_a_run_took_is_telemetry(ran: Mirror) -> None:
    """STA-1: every event of every module, and operational telemetry."""
    samples = ran.bodies("TelemetrySample")
    assert [item["payload"]["metric"] for item in samples] == ["run_seconds"] * 2
    assert all(0 < item["payload"]["value"] < 60 for item in samples)
    ends = {ran.one(kind)["message_id"] for kind in ("RUN_SUCCESS", "RUN_FAILURE")}
    assert {item["_meta_parents"][1] for item in samples} == ends


@pytest.mark.part("STA-2")
def test_replaying_everything_changes_nothing(mirror: Mirror) -> None:
    """STA-2: immutable packets, hash-addressable ids."""
    mirror.run("bad")
    mirror.report("external")
    mirror.tick()
    before = mirror.bodies()
    with mirror.store.begin() as connection:
        connection.execute(mirror_cursors.delete())
    assert mirror.tick().new == 0
    assert mirror.reconcile(everything=True).new == 0
    assert mirror.bodies() == before
    with mirror.store.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM collisions")) == 0


def test_the_id_of_an_event_is_the_one_its_packet_has(ran: Mirror) -> None:
    run_id = ran.one("RUN_FAILURE")["payload"]["run_id"]
    found = {entry.event.packet_id for entry in sources.log_of(ran.instance, run_id)}
    assert found == {
        body["message_id"] for body in ran.bodies() if body["payload"].get("run_id") == run_id
    }


def test_what_is_reported_outside_of_runs_is_mirrored(mirror: Mirror) -> None:
    mirror.report("external", partition=PARTITION, metadata={"n": 1})
    mirror.instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(asset_key=AssetKey("external"), check_name="c", passed=True)
    )
    mirror.instance.report_runless_asset_event(dg.AssetObservation("external"))
    assert mirror.tick().new == 3
    made = mirror.one("ASSET_MATERIALIZATION")
    assert "run_id" not in made["payload"]
    assert mirror.one("ASSET_CHECK_EVALUATION")["payload"]["passed"] is True
    mirror.one("ASSET_OBSERVATION")


def test_hostile_words_do_not_stop_the_mirror(mirror: Mirror) -> None:
    mirror.report("x" * 5000, partition="p\x00\x1b[2J\u202e" + "q" * 5000)
    mirror.report("ok", metadata={"n" * 500: 1, "nan": float("nan"), "huge": 10**30, "": 1})
    assert mirror.tick().new == 2
    for body in mirror.bodies():
        parse("Envelope", body)
        assert len(str(body)) < 8000


def test_two_names_that_are_cut_stay_two(mirror: Mirror) -> None:
    mirror.report("x" * 5000 + "a")
    mirror.report("x" * 5000 + "b")
    mirror.tick()
    assert len({body["payload"]["asset_key"] for body in mirror.bodies()}) == 2


def test_a_tick_reads_only_runs_that_may_have_more_to_say(mirror: Mirror) -> None:
    for _ in range(3):
        mirror.run("first")
    assert mirror.tick().runs == 3
    later = datetime.now(UTC) + tailing.SETTLE * 2
    assert mirror.tick(later).runs == 3
    assert mirror.tick(later).runs == 0
    mirror.run("first")
    assert mirror.tick(later).runs == 1
    # Long after, nothing of them is left to be looked at.
    mirror.tick(later + timedelta(hours=1))
    with mirror.store.read() as connection:
        query = sa.select(mirror_cursors.c.name).where(mirror_cursors.c.state != cursors.MARK)
        assert len(connection.execute(query).all()) == 4
    with mirror.store.begin() as connection:
        cursors.set_changes_until(connection, (later + timedelta(hours=1)).isoformat())
    mirror.tick(later + timedelta(hours=1))
    with mirror.store.read() as connection:
        assert connection.execute(query).all() == []


def test_out_of_time_the_rest_is_taken_up_by_the_next_tick(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailing, "_RUNS_AT_ONCE", 1)
    for _ in range(3):
        mirror.run("first")
    first = mirror.tick(seconds=0)
    assert (first.runs, first.left) == (1, 2)
    mirror.tick(seconds=0)
    mirror.tick(seconds=0)
    starts = [body for body in mirror.bodies() if body["payload"]["kind"] == "RUN_START"]
    assert len(starts) == 3


def test_an_unreadable_log_keeps_no_other_from_being_mirrored(mirror: Mirror) -> None:
    spoilt, fine = mirror.run("first"), mirror.run("first")
    storage = mirror.instance.event_log_storage
    with storage.run_connection(spoilt) as connection:
        connection.execute(sa.text("UPDATE event_logs SET event = '{'"))
    done = mirror.tick()
    assert list(done.unreadable) == [spoilt]
    mirror.one("RUN_SUCCESS", run_id=fine)


def _materialized(mirror: Mirror, asset: str, metadata: dict[str, object]) -> None:
    mirror.report(asset, metadata=metadata)


def test_an_event_waits_for_its_parents_and_then_enters_marked(
    mirror: Mirror, tmp_path: Path
) -> None:
    ghost = derive_id("packet", "nowhere")
    _materialized(mirror, "made", {"packets": dg.MetadataValue.json([ghost])})
    waits = mirror.tick()
    assert (waits.new, waits.waiting) == (0, 1)
    assert mirror.tick().waiting == 1
    late = datetime.now(UTC) + timedelta(minutes=6)
    done = mirror.tick(late)
    assert (done.new, done.flagged, done.waiting) == (1, 1, 0)
    (body,) = mirror.bodies()
    assert body["_meta_parents"] == [ghost]
    (told,) = mirror.bodies("LedgerInconsistency")
    assert told["payload"]["kind"] == "missing_parent"
    assert told["payload"]["packets"] == [body["message_id"], ghost]
    layout = Layout(tmp_path / "ledger")
    sequence(mirror.store, layout, now=late)
    (entry,) = (row for row in rows(layout) if row["message_type"] == "DagsterEvent")
    assert entry["missing_parents"] == [ghost]
    assert verify(layout, store=mirror.store, processes=1).consistent
    assert mirror.tick(late).flagged == 0


def test_a_cursor_that_lost_an_event_is_made_good_at_the_end_of_its_run_and_at_night(
    mirror: Mirror,
) -> None:
    run_id = mirror.run("first")
    mirror.report("external")
    with mirror.store.begin() as connection:
        # As if everything had been read already.
        cursors.set_runless(connection, 10**9)
        run = sources.runs_by_id(mirror.instance, [run_id])[run_id]
        cursors.note(connection, [run])
        connection.execute(
            mirror_cursors.update().where(mirror_cursors.c.name == run_id).values(position=10**9)
        )
    mirror.tick()
    mirror.one("ASSET_MATERIALIZATION", asset_key="source")
    assert not [body for body in mirror.bodies() if body["payload"].get("asset_key") == "external"]
    assert mirror.reconcile().new == 1
    mirror.one("ASSET_MATERIALIZATION", asset_key="external")


def test_a_night_looks_back_a_week_after_it_has_looked_at_everything_once(mirror: Mirror) -> None:
    mirror.run("first")
    mirror.report("external")
    long_after = datetime.now(UTC) + timedelta(days=30)
    assert mirror.reconcile(long_after).new > 0
    mirror.run("first")
    assert mirror.reconcile(long_after).new == 0
    assert mirror.reconcile(long_after, everything=True).new > 0


def test_the_same_event_under_two_storage_ids_is_one_packet(mirror: Mirror) -> None:
    run_id = mirror.run("first")
    storage = mirror.instance.event_log_storage
    (record,) = storage.get_records_for_run(
        run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION
    ).records
    (copy,) = mirror.instance.fetch_materializations(AssetKey("source"), limit=1).records
    assert record.storage_id != copy.storage_id
    events = [event_of(item.event_log_entry) for item in (record, copy)]
    assert len({event.packet_id for event in events if event}) == 1


def test_events_that_share_a_moment_are_told_apart(mirror: Mirror) -> None:
    data = StepMaterializationData(dg.AssetMaterialization("a"))
    for partition in ("p", "q"):
        data = StepMaterializationData(dg.AssetMaterialization("a", partition=partition))
        mirror.instance.report_dagster_event(
            DagsterEvent(
                DagsterEventType.ASSET_MATERIALIZATION.value, job_name="", event_specific_data=data
            ),
            run_id="",
            timestamp=1772600000.5,
        )
    mirror.tick()
    assert len(mirror.bodies()) == 2


def test_a_run_that_dagster_has_deleted_stays_in_the_ledger(mirror: Mirror) -> None:
    run_id = mirror.run("first")
    mirror.tick()
    before = mirror.bodies()
    mirror.instance.delete_run(run_id)
    mirror.tick()
    assert mirror.bodies() == before
    with mirror.store.read() as connection:
        assert cursors.open_runs(connection) == []
        assert connection.scalar(sa.select(sa.func.count()).select_from(packets)) >= len(before)


@pytest.mark.parametrize(
    "said",
    [
        "https://ada:s3cret@example.org/x",
        "Authorization: Bearer s3cret.s3cret",
        'client_secret="s3cret"',
        "{'api_key': 's3cret'}",
        "GET /x?access_token=s3cret&a=b",
        "ghp_s3crets3crets3crets3cret",
        "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----",
        "password: s3cret",
    ],
)
def test_what_looks_like_a_secret_is_hidden(said: str) -> None:
    assert "s3cret" not in words.text(f"before {said} after")
    assert words.text(f"before {said} after").startswith("before")


@pytest.mark.parametrize("said", ["y", "token", "token=", "//", "a-", "bearer ", 'key="', "eyJ"])
def test_looking_for_secrets_takes_no_time_that_grows_with_the_square(said: str) -> None:
    started = time.process_time()
    words.scrubbed(said * (100_000 // len(said)))
    assert time.process_time() - started < 2
