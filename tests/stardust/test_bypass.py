"""Nothing bypasses the ledger: what is recorded without its packet blocks what follows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.cognition.stardust import InconsistencyKind
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.video import ScraperJob
from omniva_dagster.definitions import definitions
from omniva_dagster.demo.channel import serve_channel, write_channel
from omniva_dagster.engines.stardust import CAME_FROM, Claim, Witness, inspect
from omniva_dagster.partitions import partition_key
from omniva_dagster.settings import settings
from omniva_dagster.stardust.inconsistencies import surface
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.stardust.verify import verify
from omniva_dagster.state import outbox
from omniva_dagster.state.tables import packets
from tests.stardust.writing import Bench, rows
from tests.state.support import emission, task
from tests.support.home import DAY, Home, make_home

NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home with a creator whose channel is empty."""
    made = make_home(tmp_path / "home", monkeypatch)
    channel = tmp_path / "channel"
    channel.mkdir()
    write_channel(channel, "Ada", [])
    with serve_channel(channel) as served:
        made.add("ada", served.feed_url)
        yield made
    settings.cache_clear()


def _bodies(home: Home, message_type: str) -> list[dict[str, Any]]:
    query = (
        sa.select(packets.c.body)
        .where(packets.c.message_type == message_type)
        .order_by(packets.c.sequence)
    )
    with home.store.read() as connection:
        return [json.loads(body) for body in connection.scalars(query)]


def _run(*assets: str) -> dg.ExecuteInProcessResult:
    with instance() as opened:
        opened.add_dynamic_partitions("creators", ["ada"])
        return (
            definitions(settings())
            .resolve_job_def("clip_pipeline")
            .execute_in_process(
                instance=opened,
                partition_key=partition_key("ada", DAY),
                asset_selection=[dg.AssetKey(asset) for asset in assets],
                raise_on_error=False,
            )
        )


@pytest.mark.spec("CON-10")
@pytest.mark.spec("STA-5")
def test_a_record_without_its_packet_blocks_what_follows_and_paradox_is_told_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CON-10: every operational output passes Stardust; STA-5: surfaces inconsistencies."""
    real = outbox.emit

    def bypassing(connection: sa.Connection, made: outbox.Emission) -> outbox.Packet:
        if not isinstance(made.document, ScraperJob):
            return real(connection, made)
        forged = derive_id("packet", "never recorded")
        return outbox.Packet(forged, "ScraperJob", made.subject_id, made.document.dump(), ())

    monkeypatch.setattr(outbox, "emit", bypassing)
    for _ in range(2):
        result = _run("scraper_jobs", "videos")
        checks = result.get_asset_check_evaluations()
        (check,) = [check for check in checks if check.check_name == "stardust"]
        assert not check.passed
        assert check.severity is dg.AssetCheckSeverity.ERROR
        assert "no packet in the ledger" in str(check.metadata["findings"].value)
        assert not result.success
        made = [event.asset_key for event in result.get_asset_materialization_events()]
        assert made == [dg.AssetKey("scraper_jobs")]
    (told,) = _bodies(home, "LedgerInconsistency")
    assert told["payload"]["kind"] == "missing_packet"
    assert told["payload"]["packets"] == [derive_id("packet", "never recorded")]


@pytest.mark.spec("DAG-5")
def test_after_a_run_of_the_command_line_everything_is_in_the_ledger(home: Home) -> None:
    """DAG-5: the materialization log mirrored into Parquet."""
    home.run()
    layout = Layout(home.path / "ledger")
    found = {row["packet_id"]: row for row in rows(layout)}
    assert len(found) == home.count("packets")
    assert verify(layout, store=home.store, processes=1).consistent
    record = next(row for row in found.values() if row["message_type"] == "ScraperJob")
    (made,) = (
        body
        for body in _bodies(home, "DagsterEvent")
        if (body["payload"]["kind"], body["payload"].get("asset_key"))
        == ("ASSET_MATERIALIZATION", "scraper_jobs")
    )
    assert record["packet_id"] in made["_meta_parents"]
    assert found[made["message_id"]]["missing_parents"] == []


def test_a_ledger_that_cannot_be_written_does_not_fail_the_run(home: Home) -> None:
    (home.path / "ledger").write_text("in the way")
    result = home.omniva("run", "--creator", "ada", "--day", DAY, "--json")
    assert result.exit_code == 0, result.output
    assert "the ledger is not up to date" in result.stderr


def test_the_sensor_and_the_nightly_job_keep_the_ledger(home: Home) -> None:
    _run("scraper_jobs")
    found = definitions(settings())
    with instance() as opened:
        context = dg.build_sensor_context(instance=opened, resources=found.resources)
        said = found.resolve_sensor_def("ledger_mirror")(context)
        assert isinstance(said, dg.SkipReason)
        assert "events mirrored from 1 runs" in str(said.skip_message)
        done = found.resolve_job_def("ledger_upkeep").execute_in_process(instance=opened)
    assert done.success
    assert len(rows(Layout(home.path / "ledger"))) > 10


@pytest.mark.spec("STA-4")
def test_what_is_not_valid_is_not_recorded(tmp_path: Path) -> None:
    """STA-4: enforces schema validation."""
    bench = Bench.at(tmp_path)
    spoilt = task().model_copy(update={"priority": 7.0})
    with pytest.raises(ContractError), bench.store.begin() as connection:
        outbox.emit(connection, emission(document=spoilt))
    assert bench.recorded() == []
    bench.store.close()


@pytest.mark.spec("STA-5")
def test_a_key_with_two_contents_and_a_packet_that_was_changed_are_told_of_once(
    tmp_path: Path,
) -> None:
    """STA-5: surfaces inconsistencies to Paradox."""
    bench = Bench.at(tmp_path)
    (standing,) = bench.emit("same")
    with bench.store.begin() as connection:
        outbox.emit(connection, emission(document=task(priority=0.9), occurrence="same"))
    assert surface(bench.store, NOW) == 1
    assert surface(bench.store, NOW) == 0
    (spoilt,) = bench.emit("other")
    with bench.store.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER packets_no_update")
        connection.execute(
            packets.update().where(packets.c.packet_id == spoilt).values(content_hash="0" * 64)
        )
    assert sequence(bench.store, bench.layout, now=NOW).held == 1
    assert surface(bench.store, NOW) == 1
    assert surface(bench.store, NOW) == 0
    sequence(bench.store, bench.layout, now=NOW)
    told = [
        json.loads(row["message"])["payload"]
        for row in rows(bench.layout)
        if row["message_type"] == "LedgerInconsistency"
    ]
    assert [(item["kind"], item["packets"]) for item in told] == [
        (InconsistencyKind.SOURCE_COLLISION, [standing]),
        (InconsistencyKind.HASH_MISMATCH, [spoilt]),
    ]
    bench.store.close()


VALID = task().dump()


def _of(message_type: str, came_from: tuple[str, ...]) -> Witness:
    return Witness("p", "s", VALID, True, (), message_type, came_from)


@pytest.mark.parametrize(
    ("witness", "problem", "kind"),
    [
        (_of("ScheduleTask", ("RenderedClip",)), "", ""),
        (_of("ScheduleTask", ()), "came from no packet of RenderedClip", "missing_packet"),
        (
            _of("ScheduleTask", ("EditJob",)),
            "came from no packet of RenderedClip",
            "missing_packet",
        ),
        (_of("UploadJob", ("ScheduleTask",)), "is not a valid UploadJob", "schema_invalid"),
    ],
)
def test_what_a_packet_says_and_came_from_is_looked_at(
    witness: Witness, problem: str, kind: str
) -> None:
    findings = inspect([Claim("s", "p", VALID)], {"p": witness})
    assert [(problem in item.problem, item.kind) for item in findings] == (
        [(True, kind)] if problem else []
    )


def test_two_records_do_not_share_a_packet() -> None:
    witness = {"p": _of("ScheduleTask", ("RenderedClip",))}
    findings = inspect([Claim("s", "p", VALID), Claim("s", "p", VALID)], witness)
    assert ["shares its packet" in item.problem for item in findings] == [True, True]


@pytest.mark.spec("STA-1")
def test_a_download_is_two_packets_and_a_submission_leads_to_its_order() -> None:
    """STA-1: nothing bypasses."""
    assert CAME_FROM["VideoAsset"] == ("RawCapture",)
    assert set(CAME_FROM["PublicationReceipt"]) == {"Directive", "UploadJob", "RenderedClip"}


def test_every_kind_of_a_finding_is_one_that_paradox_knows() -> None:
    witnesses = [
        None,
        Witness("p", "s", VALID, intact=False),
        Witness("p", "other", VALID, intact=True),
        Witness("p", "s", {}, intact=True),
        Witness("p", "s", VALID, True, ("q",)),
        _of("UploadJob", ("ScheduleTask",)),
        _of("ScheduleTask", ()),
    ]
    for witness in witnesses:
        (finding,) = inspect([Claim("s", "p", VALID)], {"p": witness} if witness else {})
        InconsistencyKind(finding.kind)
