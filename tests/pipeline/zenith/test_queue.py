"""One message that nothing can be made of does not keep the others from being heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.failures import WorkerErrorEvent
from omniva_dagster.contracts.cognition.paradox import AtlasCollision
from omniva_dagster.contracts.ids import EVERYTHING, derive_id
from omniva_dagster.resources.control import run_cycle
from omniva_dagster.state.store import Store
from tests.contracts.support import without
from tests.engines.zenith_words import CLIP, LATER, NOW, conflict, override, panic, retry
from tests.pipeline.zenith.support import payloads, say

UNKNOWN = derive_id("packet", "nobody has seen it")


def _damage(store: Store, packet_id: str, body: str) -> None:
    """Change a packet behind the ledger's back."""
    with store.begin() as connection:
        names = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'packets'"
        )
        for name in names.scalars().all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        change = "UPDATE packets SET body = :body WHERE packet_id = :id"
        connection.execute(sa.text(change), {"body": body, "id": packet_id})


def _is_no_json(store: Store) -> str:
    (packet_id,) = say(store, conflict(name="odd"), subject_id=UNKNOWN)
    _damage(store, packet_id, "{")
    return packet_id


def _lacks_everything(store: Store) -> str:
    (packet_id,) = say(store, retry(job_id=derive_id("clip", "odd")), subject_id=UNKNOWN)
    _damage(store, packet_id, '{"payload": {"state": 3}}')
    return packet_id


@pytest.mark.parametrize("poison", [_is_no_json, _lacks_everything])
def test_zenith_sets_a_bad_message_aside_says_so_and_decides_on_all_others(
    store: Store, poison: Callable[[Store], str]
) -> None:
    others = [conflict(name=f"number {number}") for number in range(5)]
    say(store, *others[:2], retry())
    bad = poison(store)
    say(store, *others[2:], panic())
    report = run_cycle(store, NOW)
    assert bad in report.summary
    with store.read() as connection:
        grounds = {item.ground for item in db.decisions.restraints_on(connection, [CLIP])}
        assert db.decisions.restrained(connection, [EVERYTHING], NOW) is not None
        assert db.inboxes.count(connection, db.inboxes.ZENITH) == 0
    assert {item.conflict_id for item in others} <= grounds
    (alert,) = [item for item in payloads(store, "OperatorAlert") if bad in item["evidence"]]
    assert (alert["severity"], alert["source"]) == ("critical", "zenith")
    assert "omniva explain" in alert["message"]
    assert not run_cycle(store, LATER).changed
    # What was decided before the bad message was met is decided once.
    logged = payloads(store, "CommitmentLog")
    issued = [one for log in logged for one in log["directives"]]
    assert sorted(issued) == sorted(one["directive_id"] for one in payloads(store, "Directive"))


def test_a_word_that_points_to_what_nobody_recorded_is_followed_on_its_own_packet(
    store: Store,
) -> None:
    (packet_id,) = say(store, override("hold", evidence=[UNKNOWN]))
    assert run_cycle(store, NOW).troubles == ()
    (directive,) = payloads(store, "Directive")
    assert directive["evidence"] == [packet_id]


@pytest.mark.parametrize(
    ("engine", "document"),
    [
        ("paradox", AtlasCollision.parse(without("AtlasCollision"))),
        ("eclipse", WorkerErrorEvent.parse(without("WorkerErrorEvent"))),
    ],
)
def test_the_other_engines_set_a_bad_message_aside_too(
    store: Store, engine: str, document: Document
) -> None:
    (bad,) = say(store, document)
    _damage(store, bad, "[]")
    report = run_cycle(store, NOW)
    assert report.troubles == ()
    with store.read() as connection:
        assert db.inboxes.count(connection, engine) == 0
    (alert,) = payloads(store, "OperatorAlert")
    assert (alert["source"], alert["evidence"]) == (engine, [bad])


def test_a_store_in_trouble_is_no_bad_message(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(store, panic())

    def locked(*_: Any, **__: Any) -> None:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr("omniva_dagster.resources.sitting.dossier_of", locked)
        with pytest.raises(sa.exc.OperationalError):
            run_cycle(store, NOW)
    assert payloads(store, "OperatorAlert") == []
    assert len(run_cycle(store, NOW).directives) == 1


def test_the_panic_button_does_not_wait_behind_a_backlog(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omniva_dagster.resources.sitting.MOST_WORDS", 3)
    monkeypatch.setattr("omniva_dagster.resources.sitting._AT_ONCE", 2)
    say(store, *(conflict(name=f"number {number}") for number in range(12)), panic())
    run_cycle(store, NOW)
    with store.read() as connection:
        assert db.decisions.restrained(connection, [EVERYTHING], NOW) is not None
        left = db.inboxes.count(connection, db.inboxes.ZENITH)
    assert 0 < left < 12
    for _ in range(12):
        run_cycle(store, LATER)
    with store.read() as connection:
        assert db.inboxes.count(connection, db.inboxes.ZENITH) == 0
        assert len(db.decisions.restraints_on(connection, [CLIP])) == 12
