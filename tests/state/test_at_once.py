"""Two processes that decide, find or stop the same at once: on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from omniva_dagster.contracts.ids import EVERYTHING
from omniva_dagster.resources import conflicts
from omniva_dagster.resources.control import run_cycle
from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.state import decisions, inboxes, outbox
from omniva_dagster.state.store import Store
from tests.engines.zenith_words import CLIP, conflict, override, panic, readiness
from tests.engines.zenith_words import LATER as SOON
from tests.state.support import HERE, LATER, NOW, emission


def _stopped(connection: sa.Connection) -> None:
    decisions.stopped(connection, EVERYTHING, HERE)


def _found(connection: sa.Connection) -> None:
    conflicts.record(connection, HERE, [conflict(evidence=[_seen(connection)])], NOW)


def _seen(connection: sa.Connection) -> str:
    query = sa.text("SELECT packet_id FROM packets ORDER BY sequence LIMIT 1")
    return str(connection.scalar(query))


@pytest.mark.parametrize(
    ("act", "table"), [(_stopped, "stoppages"), (_found, "conflicts")], ids=["stop", "find"]
)
def test_what_two_runs_come_to_at_once_is_noted_once(
    store: Store, act: Callable[[sa.Connection], None], table: str
) -> None:
    with store.begin() as connection:
        outbox.emit(connection, emission())
        ZenithDesk().attend(connection, NOW)
    writes = threading.Event()
    others: set[int] = set()

    @sa.event.listens_for(store.engine, "before_cursor_execute")
    def note(_c: object, _cur: object, statement: str, *_: Any) -> None:
        if threading.get_ident() in others and statement.startswith(("INSERT", "UPDATE", "BEGIN")):
            writes.set()

    def other() -> None:
        others.add(threading.get_ident())
        with store.begin() as connection:
            act(connection)

    with ThreadPoolExecutor(1) as pool:
        with store.begin() as connection:
            act(connection)
            done = pool.submit(other)
            assert writes.wait(30)
        done.result(60)
    with store.read() as connection:
        assert connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) == 1


def test_the_loop_decides_alike_on_both_databases(store: Store) -> None:
    said = [
        panic(),
        conflict(),
        override("cancel", name="two", reason="\N{SNOWMAN} é \U0001f600 '; DROP TABLE"),
        override("release", name="three"),
        readiness(),
    ]
    with store.begin() as connection:
        outbox.emit(connection, emission())
        for document in said:
            outbox.emit(connection, emission(document=document, subject_id=CLIP))
    report = run_cycle(store, NOW)
    assert report.troubles == ()
    assert [(one.document.kind.value, one.subject_id) for one in report.directives] == [
        ("hold", EVERYTHING),
        ("release", CLIP),
    ]
    assert run_cycle(store, SOON).changed is False
    with store.read() as connection:
        assert inboxes.count(connection, inboxes.ZENITH) == 0
        assert decisions.restrained(connection, [CLIP], LATER) is None
        assert decisions.restrained(connection, [EVERYTHING], LATER) is not None
