"""What Lattice remembers: a sequence that only grows, whoever takes from it and whenever."""

from __future__ import annotations

import multiprocessing
from typing import Any

import pytest
import sqlalchemy as sa

from omniva_dagster.contracts.cognition.lattice import PriorityDelta
from omniva_dagster.contracts.decisions import OutcomeStatus
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.state import outbox, outcomes, routing
from omniva_dagster.state.outbox import Emission
from omniva_dagster.state.partition import Partition, Subject
from omniva_dagster.state.store import Store
from tests.state.support import CLIP, HERE, LATER, NOW, emission

pytestmark = pytest.mark.takes(20)

PROCESSES, EACH = 3, 20


def _advise(connection: sa.Connection, name: str) -> int:
    number = routing.next_sequence(connection)
    evidence = outbox.emit(connection, emission(occurrence="evidence")).packet_id
    delta = PriorityDelta(
        routing_sequence=number,
        subject_id=CLIP,
        delta=0.1,
        reason="it waited",
        evidence=[evidence],
        issued_at=NOW,
    )
    outbox.emit(
        connection,
        Emission(delta, "lattice", CLIP, derive_id("trace", "t"), (evidence,), HERE, NOW, name),
    )
    return number


def _advise_often(url: str, worker: int, start: Any) -> None:
    store = Store(url)
    start.wait()
    for number in range(EACH):
        try:
            with store.begin() as connection:
                _advise(connection, f"{worker}-{number}")
                if number % 5 == 4:
                    raise KeyboardInterrupt  # killed before it was done
        except KeyboardInterrupt:
            continue
    store.close()


@pytest.mark.spec("LAT-9")
def test_the_sequence_grows_in_the_order_of_the_packets_whoever_writes_them(
    store: Store, store_url: str
) -> None:
    """LAT-9: monotonic `routing_sequence`."""
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    workers = [
        context.Process(target=_advise_often, args=(store_url, worker, start))
        for worker in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    with store.read() as connection:
        numbers = routing.sequences_of(connection, [CLIP])
    # What was rolled back left no gap and no number twice.
    assert numbers == list(range(1, PROCESSES * EACH * 4 // 5 + 1))
    # And it goes on from there in a process that starts later.
    again = Store(store_url)
    with again.begin() as connection:
        assert _advise(connection, "later") == len(numbers) + 1
    again.close()


def test_several_numbers_are_taken_at_once(store: Store) -> None:
    with store.begin() as connection:
        assert routing.next_sequence(connection, 10) == 1
        assert routing.next_sequence(connection) == 11
        assert routing.sequence(connection) == 11


def test_open_work_is_found_by_an_index_and_what_is_done_is_not_read(store: Store) -> None:
    with store.begin() as connection:
        for number in range(50):
            status = OutcomeStatus.RUNNING if number < 2 else OutcomeStatus.DONE
            subject = Subject(derive_id("clip", str(number)), f"clip {number}")
            outcomes.note(connection, HERE, "rendered_clips", subject, status, NOW)
        found = routing.open_work(connection)
        assert len(found) == 2
        assert {(item.stage, item.partition, item.since) for item in found} == {
            ("rendered_clips", HERE, NOW)
        }
        if store.url.get_backend_name() == "sqlite":
            plan = connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN SELECT * FROM outcomes WHERE status IN ('PENDING', 'RUNNING') "
                "ORDER BY stage, subject_id"
            )
            assert "ix_outcomes_status" in str(plan.all())


def test_the_last_advice_on_a_subject_stands(store: Store) -> None:
    first = routing.Route(CLIP, "cpu", "cpu_editor", 0.5, 1, "p1", Partition("ada", ""), NOW)
    second = routing.Route(CLIP, "cuda", "gpu_editor", 0.75, 4, "p2", Partition("ada", ""), LATER)
    with store.begin() as connection:
        routing.put_route(connection, first)
        routing.put_route(connection, second)
        assert routing.routes_of(connection, [CLIP, derive_id("clip", "none")]) == {CLIP: second}
        assert routing.newest_routes(connection) == [second]
        for depth, above in ((3, False), (9, True)):
            routing.put_backlog(connection, routing.Backlog("runs", depth, above, NOW))
        assert routing.backlogs_of(connection) == {"runs": routing.Backlog("runs", 9, True, NOW)}
