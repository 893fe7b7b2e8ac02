"""A burst in a real run queue: Lattice spreads it, Zenith orders it, an operator may say more."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import dagster as dg
import pytest

from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.ids import creator_id_of
from omniva_dagster.resources.routing import OURS_TAG, POOL_TAG, PRIORITY_TAG
from omniva_dagster.settings import settings
from tests.pipeline.test_lattice import POOLS, SLUGS, enqueue, look, now, order, packets
from tests.pipeline.test_lattice import home as home
from tests.pipeline.test_lattice import prepared as prepared
from tests.support.home import Home

pytestmark = pytest.mark.takes(15)
QUEUED = dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])


def _envelopes(home: Home, message_type: str) -> list[dict[str, Any]]:
    query = f"SELECT body FROM packets WHERE message_type = '{message_type}' ORDER BY sequence"
    with home.store.read() as connection:
        return [json.loads(row.body) for row in connection.exec_driver_sql(query)]


def test_a_burst_is_seen_told_and_spread_over_pools_and_creators(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMNIVA_POOLS", POOLS)
    settings.cache_clear()
    with instance() as opened:
        enqueue(opened, "ada", 60)
        for slug in SLUGS[1:]:
            enqueue(opened, slug, 1)
        report = look(home, opened, queue_sla_runs=20)
        runs = opened.get_runs(QUEUED)
        first = order(opened)[:3]
    assert report.crossings == ("runs above 20",)
    assert {"bob", "eve"} <= set(first), "who brought one run waits for one of ada's at most"
    pools = {run.tags["dagster/partition/creator"]: run.tags[POOL_TAG] for run in runs}
    assert set(pools.values()) == {"cpu_editor", "gpu_editor"}
    levels = Counter(run.tags[PRIORITY_TAG] for run in runs)
    assert len(levels) > 20, "each further run of one creator counts less"
    assert {run.tags[OURS_TAG] for run in runs} == {"lattice"}

    # What was seen, what was advised on it in order, and the order that made it binding.
    (snapshot,) = _envelopes(home, "WorkloadSnapshot")
    (crossing,) = _envelopes(home, "BacklogCrossing")
    assert snapshot["message_id"] in crossing["_meta_parents"]
    intents = _envelopes(home, "RoutingIntent")
    numbers = [item["payload"]["routing_sequence"] for item in intents]
    assert numbers == sorted(set(numbers))
    orders = {item["payload"]["subject_id"]: item for item in _envelopes(home, "Directive")}
    assert set(orders) == {creator_id_of(slug) for slug in SLUGS}
    for item in intents:
        assert snapshot["message_id"] in item["_meta_parents"]
        directive = orders[item["payload"]["subject_id"]]
        assert directive["producer"] == "zenith"
        assert item["message_id"] in directive["payload"]["evidence"]
        pool = item["payload"]["pool"]
        assert directive["payload"]["target"].endswith(f"/{pool}")


def _waiting(opened: dg.DagsterInstance, slug: str) -> list[int]:
    runs = opened.get_runs(QUEUED)
    mine = [run for run in runs if run.tags["dagster/partition/creator"] == slug]
    return sorted(int(run.tags[PRIORITY_TAG]) for run in mine)


def test_an_operator_says_how_urgent_a_creator_is_and_gives_the_word_back(home: Home) -> None:
    said = ("override", "reschedule", "bob", "--reason", "the launch is today")
    with instance() as opened:
        enqueue(opened, "ada", 1)
        enqueue(opened, "bob", 1)
        look(home, opened)
        result = home.omniva(*said, "--priority", "1")
        assert result.exit_code == 0, result.output
        assert "omniva override reschedule bob --priority" in result.output, "how to undo it"
        look(home, opened, now(700))
        assert _waiting(opened, "bob") == [100]
        assert order(opened) == ["bob", "ada"]
    (action,) = _envelopes(home, "OperatorAction")
    assert (action["payload"]["kind"], action["payload"]["priority"]) == ("guidance", 1)
    assert action["_meta_parents"] == action["payload"]["seen"]
    (directive,) = (
        item for item in _envelopes(home, "Directive") if item["payload"].get("priority") == 1
    )
    assert action["message_id"] in directive["payload"]["evidence"]

    advised = len(packets(home, "RoutingIntent"))
    assert home.omniva(*said, "--priority", "0.5").exit_code == 0
    with instance() as opened:
        enqueue(opened, "bob", 9)
        look(home, opened, now(1400))
        assert max(_waiting(opened, "bob")) < 100
    bobs = [item["subject_id"] for item in packets(home, "RoutingIntent")[advised:]]
    assert creator_id_of("bob") in bobs, "Lattice has the word again"


@pytest.mark.parametrize(
    "arguments",
    [
        ("bob",),
        ("bob", "--at", "2999-03-04T18:00:00Z"),
        ("bob", "--at", "2999-03-04T18:00:00Z", "--priority", "1"),
        ("bob", "--priority", "1.5"),
        ("nobody", "--priority", "1"),
        ("worker:editor", "--priority", "1"),
    ],
)
def test_a_priority_that_means_nothing_is_refused(home: Home, arguments: tuple[str, ...]) -> None:
    result = home.omniva("override", "reschedule", *arguments, "--reason", "because")
    assert result.exit_code != 0
    assert packets(home, "OperatorAction") == []
    assert packets(home, "OverrideRequest") == []
