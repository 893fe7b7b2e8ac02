"""What HaloLux is given to explain from: all that bears on a matter, of workflows of any length."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.horizon import DriftWarning
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.resources import explaining
from omniva_dagster.resources.asking import question_of
from omniva_dagster.resources.explaining import Explained, Library, explain
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store

NOW = "2026-03-04T05:06:07Z"
EXAMPLE = Path(__file__).parents[2] / "schemas" / "examples" / "DriftWarning.json"
TRACE = derive_id("trace", "long")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    store.migrate()
    yield store
    store.close()


def recorded(store: Store, number: int, parents: tuple[str, ...], trace: str = TRACE) -> str:
    warning = DriftWarning.parse(
        {**json.loads(EXAMPLE.read_text()), "message": f"message {number}"}
    )
    emission = db.outbox.Emission(
        warning,
        "horizon",
        derive_id("goal", number),
        trace,
        parents,
        Partition("ada", "2026-03-04"),
        NOW,
        str(number),
    )
    with store.begin() as connection:
        return db.outbox.emit(connection, emission).packet_id


def explained(store: Store, sought: str) -> Explained:
    shelf = Library(Layout(Path("nowhere")), store)
    return explain(shelf, question_of(shelf.layout, store, sought))


def test_what_it_came_from_is_read_to_its_beginning_through_other_workflows(store: Store) -> None:
    last: tuple[str, ...] = ()
    for number in range(20):
        last = (recorded(store, number, last, derive_id("trace", number)),)
    found = explained(store, last[0])
    assert len(found.packets) == 20
    assert found.bundle.completeness == 1


def test_what_goes_back_further_than_is_read_is_said_to(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "_ROUNDS", 3)
    last: tuple[str, ...] = ()
    for number in range(8):
        last = (recorded(store, number, last, derive_id("trace", number)),)
    bundle = explained(store, last[0]).bundle
    assert bundle.completeness < 1
    assert "lineage further back" in [one.what for one in bundle.missing_evidence]


def test_of_a_workflow_without_end_the_latest_is_told_and_that_there_was_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Horizon's and Lattice's go on for years."""
    monkeypatch.setattr(explaining, "MOST", 20)
    first = recorded(store, 0, ())
    for number in range(1, 40):
        recorded(store, number, (first,) if number == 39 else ())
    whole = explained(store, TRACE)
    assert whole.question.cut
    assert len(whole.packets) == 11
    assert "message 39" in whole.bundle.model_dump_json()
    # One of its packets is explained by what that came from, wholly.
    one = explained(store, derive_id("goal", 39))
    assert one.bundle.completeness == 1
    assert {"message 0", "message 39"} <= {str(packet.payload["message"]) for packet in one.packets}
