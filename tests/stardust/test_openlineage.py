"""The ledger's runs as OpenLineage events: valid, whole, the same each time."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import jsonschema_rs
import pytest

from omniva_dagster.contracts.cognition.stardust import DagsterEvent
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.openlineage.export import Wanted, exported
from omniva_dagster.stardust.openlineage.naming import AssetNote, Naming, run_id, step_run_id
from omniva_dagster.stardust.openlineage.reading import Mirrored
from omniva_dagster.stardust.openlineage.runs import events_of
from omniva_dagster.stardust.sealing import seal
from omniva_dagster.stardust.sequencer import sequence
from tests.stardust.dagster_homes import DAY, PARTITION, sqlite_mirror
from tests.stardust.openlineage_spec import SCHEMAS, faults, validator
from tests.stardust.proving import Ledger, edit_message

BOB = f"bob|{DAY}"
NAMING = Naming(
    assets={
        "source": AssetNote("What was found.", (("rows", "int64", "How many."), ("x", "list", "")))
    }
)
Event = dict[str, Any]


@dataclass
class Exported:
    """A ledger that was told of a good run, a bad one, and of materializations from elsewhere."""

    folder: Path
    layout: Layout
    good: str
    bad: str

    def lines(self, naming: Naming = NAMING, **wanted: Any) -> list[bytes]:
        runs = exported(self.layout, naming, Wanted(**wanted))
        return [line for run in runs for line in run]

    def events(self, **wanted: Any) -> list[Event]:
        return [json.loads(line) for line in self.lines(**wanted)]

    def job(self, name: str, run: str) -> list[Event]:
        """The events of a job in one of Dagster's runs."""
        return [
            event
            for event in self.events(run=run)
            if event["job"]["name"] == name
            and event["run"]["facets"]["omniva_ledger"]["dagsterRunId"] == run
        ]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    folder = tmp_path_factory.mktemp("told")
    with sqlite_mirror(folder) as mirror:
        made = Exported(folder, Layout(folder / "ledger"), mirror.run("good"), "")
        mirror.tick()
        sequence(mirror.store, made.layout, now=datetime.now(UTC))
        made.bad = mirror.run("bad", BOB)
        mirror.report("source", partition=PARTITION)
        mirror.report("elsewhere", metadata={"rows": 3})
        mirror.tick()
        sequence(mirror.store, made.layout, now=datetime.now(UTC) + timedelta(days=1))
        yield made


def by_run(events: list[Event]) -> dict[str, list[str]]:
    """The states that each OpenLineage run went through, in the order of the lines."""
    states: defaultdict[str, list[str]] = defaultdict(list)
    for event in events:
        if "run" in event:
            states[event["run"]["runId"]].append(event["eventType"])
    return dict(states)


def test_every_event_is_valid(told: Exported) -> None:
    events = told.events()
    assert len(events) > 15
    assert [faults(event) for event in events if faults(event)] == []


def test_the_schemas_find_what_is_wrong(told: Exported) -> None:
    event = told.events(run=told.good)[0]
    for change in (
        {"eventTime": "yesterday"},
        {"producer": "no uri"},
        {"eventType": "DONE"},
        {"run": {"runId": "17"}},
        {"job": {"namespace": "omniva"}},
        {"input": []},
    ):
        assert faults(event | change), change


def test_the_official_client_knows_every_event_and_facet(told: Exported) -> None:
    from openlineage.client import facet_v2
    from openlineage.client.generated import base as client

    def facet(fields: Event) -> Any:
        url, name = fields["_schemaURL"], fields["_schemaURL"].rpartition("/")[2]
        plain = {key: value for key, value in fields.items() if not key.startswith("_")}
        made = next(
            getattr(module, name)
            for module in map(facet_v2.__dict__.get, facet_v2.__all__)
            if hasattr(module, name)
        )(**plain)
        assert made._schemaURL == url
        return made

    def facets(owner: Event, key: str = "facets") -> dict[str, Any]:
        found = owner.get(key, {}).items()
        return {name: facet(fields) for name, fields in found if name != "omniva_ledger"}

    def dataset(kind: Any, found: Event, special: str = "") -> Any:
        more = {special: facets(found, special)} if special in found else {}
        assert found.keys() <= {"namespace", "name", "facets", special}
        return kind(found["namespace"], found["name"], facets=facets(found), **more)

    seen = set()
    for event in told.events():
        common = {"eventTime": event["eventTime"], "producer": event["producer"]}
        if "dataset" in event:
            made = client.DatasetEvent(
                dataset=dataset(client.StaticDataset, event["dataset"]), **common
            )
        else:
            run, job = event["run"], event["job"]
            made = client.RunEvent(
                eventType=client.EventType(event["eventType"]),
                run=client.Run(run["runId"], facets(run)),
                job=client.Job(job["namespace"], job["name"], facets(job)),
                inputs=[dataset(client.InputDataset, d, "inputFacets") for d in event["inputs"]],
                outputs=[
                    dataset(client.OutputDataset, d, "outputFacets") for d in event["outputs"]
                ],
                **common,
            )
        assert made.schemaURL == event["schemaURL"]
        seen.add(event["schemaURL"].rpartition("/")[2])
    assert seen == {"RunEvent", "DatasetEvent"}


def test_our_own_facet_follows_the_schema_that_it_names(told: Exported) -> None:
    schema = json.loads((SCHEMAS / "OmnivaLedgerRunFacet.json").read_text())
    check = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    for event in told.events(run=told.good):
        facet = event["run"]["facets"]["omniva_ledger"]
        check.validate(facet)
        assert facet["_schemaURL"] == schema["$id"] + "#/$defs/OmnivaLedgerRunFacet"


def test_every_run_starts_once_and_ends_once(told: Exported) -> None:
    states = by_run(told.events())
    assert len(states) == 9  # two runs, three steps of the one and four of the other
    assert {tuple(found) for found in states.values()} == {("START", "COMPLETE"), ("START", "FAIL")}


def test_a_step_names_what_it_read_and_what_it_wrote(told: Exported) -> None:
    start, complete = told.job("omniva.product", told.good)
    assert [dataset["name"] for dataset in complete["inputs"]] == [f"source/creator=ada/day={DAY}"]
    assert [dataset["name"] for dataset in complete["outputs"]] == [
        f"product/creator=ada/day={DAY}"
    ]
    assert start["inputs"] == []
    assert complete["outputs"][0]["facets"]["version"]["datasetVersion"]


def test_a_step_knows_its_run_its_day_and_its_code(told: Exported) -> None:
    _, complete = told.job("omniva.source", told.good)
    facets = complete["run"]["facets"]
    assert facets["parent"]["run"]["runId"] == told.good
    assert facets["parent"]["job"] == {"namespace": "omniva", "name": "omniva.job.good"}
    assert facets["nominalTime"]["nominalStartTime"] == f"{DAY}T00:00:00Z"
    assert facets["nominalTime"]["nominalEndTime"] == "2026-03-05T00:00:00Z"
    assert facets["omniva_ledger"]["codeVersion"] == "3"
    assert facets["omniva_ledger"]["partition"] == PARTITION
    assert complete["run"]["runId"] == step_run_id(told.good, "source", "", PARTITION)


def test_a_failed_step_says_why_and_fails_its_run(told: Exported) -> None:
    start, fail = told.job("omniva.broken", told.bad)
    assert (start["eventType"], fail["eventType"]) == ("START", "FAIL")
    message = fail["run"]["facets"]["errorMessage"]["message"]
    assert "no such host" in message
    assert "hunter2" not in message
    assert fail["outputs"] == []
    end = told.job("omniva.job.bad", told.bad)[-1]
    assert end["eventType"] == "FAIL"
    assert "no such host" in end["run"]["facets"]["errorMessage"]["message"]


def test_a_check_is_a_job_that_looks_at_what_was_materialized(told: Exported) -> None:
    _, complete = told.job("omniva.product.sound", told.good)
    (seen,) = complete["inputs"]
    assert seen["name"] == f"product/creator=ada/day={DAY}"
    (assertion,) = seen["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert assertion == {"assertion": "sound", "success": False, "severity": "warn"}
    assert complete["outputs"] == []


def test_an_outputs_columns_and_words_are_those_of_its_contract(told: Exported) -> None:
    _, complete = told.job("omniva.source", told.good)
    facets = complete["outputs"][0]["facets"]
    assert facets["schema"]["fields"] == [
        {"name": "rows", "type": "int64", "description": "How many."},
        {"name": "x", "type": "list"},
    ]
    assert facets["documentation"]["description"] == "What was found."
    assert complete["job"]["facets"]["documentation"]["description"] == "What was found."


def test_what_was_reported_from_outside_is_about_a_dataset_and_no_run(told: Exported) -> None:
    reported = [event["dataset"]["name"] for event in told.events() if "dataset" in event]
    assert sorted(reported) == ["elsewhere", f"source/creator=ada/day={DAY}"]


def test_an_asset_can_be_one_dataset(told: Exported) -> None:
    lines = told.lines(Naming("lab", by_partition=False), run=told.good)
    events = [json.loads(line) for line in lines]
    names = {dataset["name"] for event in events for dataset in event["inputs"]}
    assert names == {"source", "product"}
    assert {event["job"]["namespace"] for event in events} == {"lab"}
    assert not [event for event in events if faults(event)]


def test_one_run_or_the_latest_days_can_be_picked(told: Exported) -> None:
    assert set(by_run(told.events(run=told.good))) < set(by_run(told.events()))
    assert told.events(run="0" * 32) == []
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    recent = by_run(told.events(since=tomorrow))
    assert told.bad in recent
    assert told.good not in recent
    assert told.events(since=date(2999, 1, 1)) == []


def test_the_same_ledger_gives_the_same_bytes_also_when_it_is_sealed(tmp_path: Path) -> None:
    with sqlite_mirror(tmp_path) as mirror:
        layout = Layout(tmp_path / "ledger")
        made = Exported(tmp_path, layout, mirror.run("good"), mirror.run("bad", BOB))
        mirror.tick()
        now = datetime.now(UTC)
        sequence(mirror.store, layout, now=now, batch=5)
        before = made.lines()
        assert made.lines() == before
        later = now + timedelta(days=2)
        assert seal(mirror.store, layout, before=later.date(), now=later)
        assert made.lines() == before


def test_a_message_that_was_tampered_with_is_not_exported(told: Exported, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(told.layout.root, tmp_path / "ledger")
    ledger = Ledger(Layout(tmp_path / "ledger"))

    def forge(rows: list[Event]) -> None:
        row = next(row for row in rows if row["message_type"] == "DagsterEvent")
        kept = row["content_hash"]
        edit_message(row, partition="eve|2026-01-01")
        row["content_hash"] = kept

    ledger.rewrite(ledger.files[0], forge)
    with pytest.raises(LedgerError, match="omniva ledger verify"):
        list(exported(ledger.layout, NAMING, Wanted()))


def test_a_ledger_without_any_run_exports_nothing(ledger: Ledger, tmp_path: Path) -> None:
    assert list(exported(ledger.layout, NAMING, Wanted())) == []
    assert list(exported(Layout(tmp_path / "nowhere"), NAMING, Wanted())) == []


RUN = "0f0e0d0c-0b0a-4900-8807-060504030201"


def mirrored(*entries: tuple[str, int, dict[str, Any]], run: str = RUN) -> list[Mirrored]:
    """Events at seconds of a minute."""
    return [
        Mirrored(
            derive_id("packet", str(place)),
            derive_id("trace", run),
            place,
            DagsterEvent.parse(
                {
                    "kind": kind,
                    "occurred_at": f"2026-03-04T05:06:{second:02d}.5Z",
                    "run_id": run,
                    "job_name": "clips",
                    **fields,
                }
            ),
        )
        for place, (kind, second, fields) in enumerate(entries)
    ]


def states_of(rows: list[Mirrored]) -> list[tuple[str, str, str]]:
    events = events_of(rows, NAMING)
    assert [faults(event) for event in events if faults(event)] == []
    return [(e["job"]["name"], e["eventType"], e["eventTime"][17:19]) for e in events]


VIDEOS: dict[str, Any] = {"asset_key": "videos", "step_key": "videos", "partition": PARTITION}
PLANNED = ("ASSET_MATERIALIZATION_PLANNED", 0, VIDEOS)
RUNNING = [PLANNED, ("RUN_START", 1, {}), ("STEP_START", 2, {"step_key": "videos"})]


def test_a_run_that_waits_in_a_queue_has_not_started() -> None:
    assert states_of(mirrored(PLANNED, ("RUN_ENQUEUED", 0, {}))) == []


def test_a_run_in_flight_has_started_and_not_ended() -> None:
    assert states_of(mirrored(*RUNNING)) == [
        ("omniva.job.clips", "START", "01"),
        ("omniva.videos", "START", "02"),
    ]


def test_canceling_aborts_the_step_that_runs_and_not_the_one_that_never_began() -> None:
    never = ("ASSET_MATERIALIZATION_PLANNED", 0, {**VIDEOS, "asset_key": "x", "step_key": "x"})
    assert states_of(mirrored(never, *RUNNING, ("RUN_CANCELED", 9, {}))) == [
        ("omniva.job.clips", "START", "01"),
        ("omniva.videos", "START", "02"),
        ("omniva.videos", "ABORT", "09"),
        ("omniva.job.clips", "ABORT", "09"),
    ]


def test_a_run_that_was_canceled_in_its_queue_is_aborted() -> None:
    rows = mirrored(PLANNED, ("RUN_ENQUEUED", 1, {}), ("RUN_CANCELED", 4, {}))
    assert states_of(rows) == [
        ("omniva.job.clips", "START", "01"),
        ("omniva.job.clips", "ABORT", "04"),
    ]


def test_a_retried_step_is_one_run() -> None:
    again = [
        ("STEP_UP_FOR_RETRY", 3, {"step_key": "videos"}),
        ("STEP_START", 4, {"step_key": "videos"}),
        ("ASSET_MATERIALIZATION", 5, VIDEOS),
        ("RUN_SUCCESS", 6, {}),
    ]
    assert states_of(mirrored(*RUNNING, *again))[1:3] == [
        ("omniva.videos", "START", "02"),
        ("omniva.videos", "COMPLETE", "05"),
    ]


def test_the_order_in_which_the_mirror_found_events_does_not_matter() -> None:
    rows = mirrored(*RUNNING, ("ASSET_MATERIALIZATION", 5, VIDEOS), ("RUN_SUCCESS", 6, {}))
    assert states_of(rows[::-1]) == states_of(rows)


def test_events_that_were_lost_leave_a_start_and_an_end_all_the_same() -> None:
    rows = mirrored(("ASSET_MATERIALIZATION", 5, VIDEOS), ("RUN_SUCCESS", 6, {}))
    assert states_of(rows) == [
        ("omniva.job.clips", "START", "05"),
        ("omniva.videos", "START", "05"),
        ("omniva.videos", "COMPLETE", "05"),
        ("omniva.job.clips", "COMPLETE", "06"),
    ]


def test_a_step_without_an_asset_is_a_job_of_its_own() -> None:
    step = {"step_key": "tidy"}
    rows = mirrored(("RUN_START", 1, {}), ("STEP_START", 2, step), ("STEP_SUCCESS", 3, step))
    assert states_of(rows)[1:] == [
        ("omniva.job.clips.tidy", "START", "02"),
        ("omniva.job.clips.tidy", "COMPLETE", "03"),
    ]


def test_a_step_that_made_nothing_completes_without_outputs() -> None:
    rows = mirrored(*RUNNING, ("STEP_SUCCESS", 4, {"step_key": "videos"}), ("RUN_SUCCESS", 6, {}))
    (complete,) = [
        event
        for event in events_of(rows, NAMING)
        if (event["job"]["name"], event["eventType"]) == ("omniva.videos", "COMPLETE")
    ]
    assert (complete["inputs"], complete["outputs"]) == ([], [])


def test_one_plan_for_a_range_is_that_of_each_partition() -> None:
    plan = {"asset_key": "videos", "step_key": "videos"}
    rows = mirrored(
        ("ASSET_MATERIALIZATION_PLANNED", 0, plan),
        *RUNNING[1:],
        ("ASSET_MATERIALIZATION", 5, VIDEOS),
        ("ASSET_MATERIALIZATION", 6, {**VIDEOS, "partition": BOB}),
        ("RUN_SUCCESS", 7, {}),
    )
    states = [state for state in states_of(rows) if state[0] == "omniva.videos"]
    assert [state[1:] for state in states] == [
        *[("START", "02")] * 2,
        ("COMPLETE", "05"),
        ("COMPLETE", "06"),
    ]


def test_what_was_written_is_counted_where_it_is_known() -> None:
    counted = {**VIDEOS, "measures": {"dagster/partition_row_count": 3, "size_bytes": 4096}}
    odd = {**VIDEOS, "measures": {"dagster/partition_row_count": 2.5, "size_bytes": -1}}
    for fields, expected in ((counted, (3, 4096)), (odd, None)):
        rows = mirrored(*RUNNING, ("ASSET_MATERIALIZATION", 5, fields))
        (output,) = events_of(rows, NAMING)[-1]["outputs"]
        found = output.get("outputFacets", {}).get("outputStatistics")
        assert (found and (found["rowCount"], found["size"])) == expected


@pytest.mark.parametrize(
    ("partition", "name"),
    [
        (PARTITION, f"videos/creator=ada/day={DAY}"),
        (DAY, f"videos/day={DAY}"),
        ("", "videos"),
        ("../../etc", "videos/partition=..%2F..%2Fetc"),
        ("Ada|2026-03-04", "videos/partition=Ada%7C2026-03-04"),
        ("ada|2026-02-30", "videos/partition=ada%7C2026-02-30"),
        ("|2026-03-04", "videos/partition=%7C2026-03-04"),
        ("ada|b|2026-03-04", "videos/partition=ada%7Cb%7C2026-03-04"),
        ("٢٠٢٦-٠٣-٠٤", "videos/partition=" + "".join(f"%{b:02X}" for b in "٢٠٢٦".encode()) + "-"),
    ],
)
def test_a_partition_has_a_name_that_no_other_has(partition: str, name: str) -> None:
    assert Naming().dataset("videos", partition).startswith(name)


def test_a_run_id_that_is_no_uuid_gets_one() -> None:
    assert run_id(RUN) == RUN
    rows = mirrored(("RUN_START", 1, {}), ("RUN_SUCCESS", 2, {}), run="my-run")
    start, complete = events_of(rows, NAMING)
    assert validator().is_valid(start)
    assert start["run"]["runId"] == complete["run"]["runId"] == run_id("my-run")
    assert start["run"]["facets"]["omniva_ledger"]["dagsterRunId"] == "my-run"


def test_what_was_read_is_named_also_where_another_run_made_it(tmp_path: Path) -> None:
    with sqlite_mirror(tmp_path) as mirror:
        first = mirror.run("first")
        second = mirror.run("second")
        mirror.tick()
        layout = Layout(tmp_path / "ledger")
        sequence(mirror.store, layout, now=datetime.now(UTC))
        made = Exported(tmp_path, layout, first, second)
        _, complete = made.job("omniva.product", second)
        # Made in another run, and named all the same when only this one is asked for.
        assert [dataset["name"] for dataset in complete["inputs"]] == [
            f"source/creator=ada/day={DAY}"
        ]


def test_the_mirror_gives_a_run_the_trace_that_the_export_looks_for() -> None:
    from omniva_dagster.stardust.mirror.events import event_of

    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize([dg.asset(lambda: None, name="one")], instance=instance)
        traces = {
            event.trace_id
            for entry in instance.all_logs(run.run_id)
            if (event := event_of(entry)) is not None
        }
    assert traces == {derive_id("trace", "dagster_run", run.run_id)}
