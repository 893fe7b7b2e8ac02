"""All that is recorded of a workflow, wherever it is on its way to the ledger."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.stardust import sequencer
from omniva_dagster.stardust.entries import arrow_schema
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.sealing import seal
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.stardust.traces import TracePacket, packets_by_id, trace_packets
from tests.stardust.writing import FIRST_DAY, SECOND_DAY, Bench, parquet_files

TRACE = derive_id("trace", "one")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench.at(tmp_path / "home")


def ids(found: list[TracePacket]) -> list[str]:
    return [packet.packet_id for packet in found]


@pytest.mark.spec("STA-7")
def test_a_trace_is_whole_when_it_is_sealed_sequenced_and_still_waiting(bench: Bench) -> None:
    sealed = bench.emit(*"abc", trace_id=TRACE)
    bench.emit(*"xyz", trace_id=derive_id("trace", "another"))
    sequence(bench.store, bench.layout, now=FIRST_DAY)
    seal(bench.store, bench.layout, before=SECOND_DAY.date(), now=SECOND_DAY)
    placed = bench.emit("d", trace_id=TRACE, parents=(sealed[-1],))
    sequence(bench.store, bench.layout, now=SECOND_DAY)
    waiting = bench.emit("e", trace_id=TRACE, parents=(placed[-1], sealed[0]))
    found = trace_packets(bench.layout, bench.store, TRACE)
    assert ids(found) == [*sealed, *placed, *waiting]
    assert [packet.leaf_index for packet in found] == [0, 1, 2, 6, None]
    assert found[-1].parents == (placed[-1], sealed[0])
    assert ids(trace_packets(bench.layout, None, TRACE)) == [*sealed, *placed]
    assert trace_packets(bench.layout, bench.store, derive_id("trace", "no")) == []


def test_a_packet_says_the_same_before_and_after_it_has_its_place(bench: Bench) -> None:
    bench.emit(*"abc", trace_id=TRACE)
    before = trace_packets(bench.layout, bench.store, TRACE)
    sequence(bench.store, bench.layout, now=FIRST_DAY)
    after = trace_packets(bench.layout, bench.store, TRACE)
    assert [packet.leaf_index for packet in before] == [None, None, None]
    assert [{**vars(packet), "leaf_index": None} for packet in after] == list(map(vars, before))
    assert after[0].payload == json.loads(after[0].message)["payload"]


def test_packets_of_several_traces_are_found_by_their_ids(bench: Bench) -> None:
    first = bench.emit("a", trace_id=TRACE)
    sequence(bench.store, bench.layout, now=FIRST_DAY)
    second = bench.emit("b", trace_id=derive_id("trace", "another"))
    found = packets_by_id(bench.layout, bench.store, [*second, derive_id("packet", "no"), *first])
    assert ids(found) == [*first, *second]


def test_no_packet_is_missing_or_twice_while_it_is_on_its_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed and taken from the queue, its file not yet where readers look."""
    wanted = bench.emit(*"ab", trace_id=TRACE)
    committed, looked = threading.Event(), threading.Event()
    publish = sequencer.publish

    def slow(*arguments: object) -> None:
        committed.set()
        assert looked.wait(30)
        publish(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sequencer, "publish", slow)
    work = threading.Thread(
        target=lambda: sequence(bench.store, bench.layout, now=FIRST_DAY), daemon=True
    )
    work.start()
    assert committed.wait(30)
    assert ids(trace_packets(bench.layout, bench.store, TRACE)) == wanted
    looked.set()
    work.join(30)
    assert ids(trace_packets(bench.layout, bench.store, TRACE)) == wanted


@pytest.mark.parametrize("column", ["message", "producer", "parents", "packet_id", "content_hash"])
def test_nothing_is_explained_from_a_row_that_was_changed(bench: Bench, column: str) -> None:
    (wanted,) = bench.emit("a", trace_id=TRACE)
    sequence(bench.store, bench.layout, now=FIRST_DAY)
    path = next(parquet_files(bench.layout))
    rows = pq.read_table(path).to_pylist()
    changed = {"parents": [wanted], "message": rows[0]["message"].replace("schedule", "schedulo")}
    rows[0][column] = changed.get(column, derive_id("packet", "another"))
    pq.write_table(pa.Table.from_pylist(rows, schema=arrow_schema()), path)
    with pytest.raises(LedgerError, match=r"is not what was recorded .*ledger verify"):
        trace_packets(bench.layout, bench.store, TRACE)


def test_nothing_is_explained_from_an_outbox_that_was_changed(bench: Bench) -> None:
    bench.emit("a", trace_id=TRACE)
    with bench.store.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER packets_no_update")
        connection.exec_driver_sql(
            "UPDATE packets SET body = replace(body, 'schedule', 'schedulo')"
        )
    with pytest.raises(LedgerError, match="in the outbox is not what was recorded"):
        trace_packets(bench.layout, bench.store, TRACE)


def test_look_ups_from_several_threads_do_not_disturb_each_other(bench: Bench) -> None:
    wanted = {
        trace: bench.emit(*(f"{trace}-{number}" for number in range(20)), trace_id=trace)
        for trace in (derive_id("trace", number) for number in range(4))
    }
    sequence(bench.store, bench.layout, now=FIRST_DAY)
    wrong: list[str] = []

    def look(trace: str) -> None:
        for _ in range(10):
            if ids(trace_packets(bench.layout, None, trace)) != wanted[trace]:
                wrong.append(trace)

    threads = [threading.Thread(target=look, args=(trace,)) for trace in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
