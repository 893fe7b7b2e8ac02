"""From the outbox to the ledger: everything, once, in an order that never changes."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.stardust import compaction, files, lease, manifest
from omniva_dagster.stardust.checkpoints import latest_checkpoint, verified
from omniva_dagster.stardust.entries import leaf_data
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.hashes import HashFiles
from omniva_dagster.stardust.keys import Keyring
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.merkle import Frontier, leaf_hash
from omniva_dagster.stardust.repair import repair
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.stardust.verify import verify
from omniva_dagster.state.tables import ledger_lease, ledger_segments, packet_queue
from tests.stardust.writing import FIRST_DAY, SECOND_DAY, Bench, ids, parquet_files, rows


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench.at(tmp_path)


def run(bench: Bench, **changes: object) -> int:
    return sequence(bench.store, bench.layout, **{"now": FIRST_DAY, **changes}).count  # type: ignore[arg-type]


@pytest.mark.part("STA-2")
def test_every_packet_gets_a_place_in_the_order_it_was_recorded_in(bench: Bench) -> None:
    bench.emit("one", "two", "three")
    done = sequence(bench.store, bench.layout, now=FIRST_DAY)
    assert (done.count, done.tree_size) == (3, 3)
    assert ids(bench.layout) == bench.recorded()
    assert run(bench) == 0


@pytest.mark.part("STA-2")
def test_an_entry_is_what_its_message_says_and_its_hash_is_the_messages(bench: Bench) -> None:
    """STA-2: immutable packets, hash-addressable."""
    first, second = bench.emit("one", "two")
    run(bench)
    row = rows(bench.layout)[1]
    message = json.loads(row["message"])
    assert row["content_hash"] == hashlib.sha256(row["message"].encode()).hexdigest()
    assert (row["packet_id"], row["parents"]) == (second, [first])
    assert row["packet_id"] == derive_id("packet", row["source_key"]) == message["message_id"]
    assert row["message_version"] == message["schema_version"]
    assert row["sequenced_at"] == "2026-03-04T10:00:00Z"


@pytest.mark.part("STA-3")
def test_the_checkpoint_signs_the_root_of_the_leaves_in_the_files(bench: Bench) -> None:
    """STA-3: packets can be proven."""
    bench.emit(*"abcde")
    done = sequence(bench.store, bench.layout, now=FIRST_DAY, batch=2)
    frontier = Frontier()
    frontier.extend(leaf_hash(leaf_data(row)) for row in rows(bench.layout))
    standing = latest_checkpoint(bench.layout.checkpoints)
    assert standing is not None
    checkpoint = verified(standing.note, Keyring.read(bench.layout.keys))
    assert (checkpoint.size, checkpoint.root) == (5, frontier.root())
    assert done.root == frontier.root().hex()
    assert HashFiles(bench.layout.log).size == 5


def test_the_manifest_lists_the_files_with_their_digests_and_is_signed(bench: Bench) -> None:
    bench.emit(*"abcde")
    run(bench, batch=2)
    signed = json.loads(bench.layout.manifest_of("2026-03-04").read_bytes())
    listed = signed["manifest"]
    Keyring.read(bench.layout.keys).verify(manifest.signed_text(listed), signed["signatures"])
    folder = bench.layout.day("2026-03-04")
    assert [file["name"] for file in listed["files"]] == sorted(
        path.name for path in folder.iterdir()
    )
    for file in listed["files"]:
        content = (folder / file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["size"], file["sha256"])
    assert (listed["first_leaf"], listed["leaves"]) == (0, 5)


def test_pandas_duckdb_and_polars_open_the_whole_folder(bench: Bench) -> None:
    bench.emit("one", "two")
    run(bench)
    bench.emit("three")
    run(bench, now=SECOND_DAY)
    folder = bench.layout.packets
    assert len(pd.read_parquet(folder)) == 3
    assert pl.read_parquet(folder / "**/*.parquet", hive_partitioning=True).height == 3
    query = "SELECT date::VARCHAR, count(*) FROM read_parquet(?) GROUP BY 1 ORDER BY 1"
    counted = duckdb.execute(query, [f"{folder}/**/*.parquet"]).fetchall()
    assert counted == [("2026-03-04", 2), ("2026-03-05", 1)]


def test_the_date_never_goes_back(bench: Bench) -> None:
    bench.emit("one")
    run(bench, now=SECOND_DAY)
    bench.emit("two")
    run(bench, now=FIRST_DAY)
    assert [row["sequenced_at"] for row in rows(bench.layout)] == ["2026-03-05T10:00:00Z"] * 2
    assert bench.layout.dates() == ["2026-03-05"]


def test_packets_that_come_one_by_one_leave_few_files(bench: Bench) -> None:
    most = 0
    for number in range(130):
        bench.emit(str(number))
        run(bench)
        most = max(most, len(list(parquet_files(bench.layout))))
    assert most <= 3 * (compaction.FACTOR - 1)
    assert ids(bench.layout) == bench.recorded()
    assert verify(bench.layout, store=bench.store).consistent


def test_batches_of_any_sizes_leave_few_files(bench: Bench) -> None:
    number = 0
    for size in [1, 60] * 18:
        bench.emit(*(str(number + index) for index in range(size)))
        number += size
        run(bench)
    assert len(list(parquet_files(bench.layout))) <= 3 * (compaction.FACTOR - 1)
    assert ids(bench.layout) == bench.recorded()


@pytest.mark.spec("CON-7")
def test_a_parent_that_did_not_come_in_time_is_marked(bench: Bench) -> None:
    """CON-7: `_meta_parents` holds the Stardust packets a message came from."""
    nowhere = derive_id("packet", "nowhere")
    (known,) = bench.emit("one")
    bench.emit("two", parents=(nowhere, known), may_lack_parents=True)
    run(bench)
    row = rows(bench.layout)[1]
    assert (row["parents"], row["missing_parents"]) == ([nowhere, known], [nowhere])


def test_what_has_no_subject_or_partition_has_null_there(bench: Bench) -> None:
    from omniva_dagster.state.partition import Partition

    bench.emit("one", partition=Partition("", ""))
    run(bench)
    row = rows(bench.layout)[0]
    assert (row["creator"], row["day"]) == (None, None)


def tamper(bench: Bench, occurrence: str) -> None:
    with bench.store.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER packets_no_update"))
        connection.execute(
            sa.text(
                "UPDATE packets SET body = replace(body, '0.5', '0.9') WHERE source_key LIKE :k"
            ),
            {"k": f"%/{occurrence}"},
        )


def test_a_packet_changed_in_the_outbox_is_held_with_its_children_and_nothing_else_is(
    bench: Bench,
) -> None:
    good = bench.emit("good")
    bench.emit("bad", "its child")
    other = bench.emit("other")
    tamper(bench, "bad")
    done = sequence(bench.store, bench.layout, now=FIRST_DAY)
    assert (done.count, done.held) == (2, 2)
    assert ids(bench.layout) == [*good, *other]
    with bench.store.read() as connection:
        reasons = connection.scalars(sa.select(packet_queue.c.held).order_by("sequence")).all()
    assert "content_hash" in str(reasons[0])
    assert "parent" in str(reasons[1])


def test_a_held_packet_enters_after_repair_once_it_is_right_again(bench: Bench) -> None:
    bench.emit("bad", "its child")
    tamper(bench, "bad")
    assert run(bench) == 0
    with bench.store.begin() as connection:
        connection.execute(sa.text("UPDATE packets SET body = replace(body, '0.9', '0.5')"))
    assert repair(bench.store, bench.layout, now=SECOND_DAY).released == 2
    assert run(bench) == 2
    assert verify(bench.layout, store=bench.store).consistent


def test_repair_makes_log_and_manifests_anew_from_the_packets(bench: Bench) -> None:
    bench.emit(*(str(number) for number in range(300)))
    run(bench, batch=100)
    layout = bench.layout
    kept = {path: path.read_bytes() for path in (layout.log / "0.hashes", layout.log / "1.hashes")}
    kept |= {path: path.read_bytes() for path in layout.manifest.iterdir()}
    for path, content in kept.items():
        path.write_bytes(content[: len(content) // 2] + b"\x00" * 40)
    assert not verify(layout).consistent
    repair(bench.store, layout, now=SECOND_DAY)
    assert {path: path.read_bytes() for path in kept} == kept
    assert verify(layout, store=bench.store).consistent


def test_a_lost_log_comes_back_with_the_next_run(bench: Bench) -> None:
    bench.emit(*"abc")
    run(bench)
    files.remove_folder(bench.layout.log)
    bench.emit("d")
    run(bench)
    assert verify(bench.layout, store=bench.store).consistent


def test_a_folder_that_lacks_a_file_is_refused_and_the_packets_wait(bench: Bench) -> None:
    bench.emit("one")
    run(bench)
    next(parquet_files(bench.layout)).unlink()
    bench.emit("two")
    with pytest.raises(LedgerError, match="restore it from a copy"):
        run(bench)
    with bench.store.read() as connection:
        assert len(connection.execute(sa.select(packet_queue)).all()) == 1


def test_a_folder_of_another_ledger_is_refused(bench: Bench, tmp_path: Path) -> None:
    bench.emit("one")
    run(bench)
    other = Bench.at(tmp_path / "other")
    other.emit("two")
    with pytest.raises(LedgerError, match="another ledger"):
        sequence(other.store, bench.layout, now=FIRST_DAY)
    assert len(ids(bench.layout)) == 1


def test_a_state_store_older_than_the_folder_is_refused(bench: Bench, tmp_path: Path) -> None:
    bench.emit("one")
    run(bench)
    older = bench.copy(tmp_path / "older")
    bench.emit("two")
    run(bench)
    older.emit("three")
    with pytest.raises(LedgerError, match="older copy"):
        sequence(older.store, bench.layout, now=FIRST_DAY)


def test_a_strangers_file_among_the_packets_is_left_alone(bench: Bench) -> None:
    bench.emit("one")
    run(bench)
    stray = bench.layout.day("2026-03-04") / "notes.parquet"
    pq.write_table(pq.read_table(next(parquet_files(bench.layout))), stray)
    for number in range(40):
        bench.emit(str(number))
        run(bench)
    assert stray.is_file()
    assert not verify(bench.layout).consistent


def test_a_changed_file_is_not_joined_with_others(bench: Bench) -> None:
    for number in range(compaction.FACTOR - 1):
        bench.emit(str(number))
        run(bench)
    path = next(parquet_files(bench.layout))
    path.write_bytes(path.read_bytes() + b"x")
    bench.emit("last")
    with pytest.raises(LedgerError, match="omniva ledger verify"):
        run(bench)
    assert path.is_file()


def test_a_second_writer_is_told_who_writes(bench: Bench) -> None:
    bench.emit("one")
    with lease.held(bench.store, bench.layout):
        done = sequence(bench.store, bench.layout, now=FIRST_DAY)
        assert done.count == 0
        assert "writing the ledger" in done.busy
    assert run(bench) == 1


def test_a_writer_on_another_machine_is_waited_for_until_its_term_ends(bench: Bench) -> None:
    bench.emit("one")

    def elsewhere(seconds_from_now: int) -> None:
        with bench.store.begin() as connection:
            connection.execute(
                ledger_lease.update().values(
                    holder="boot/1-2 process 7 on elsewhere",
                    expires_at=sa.text(f"strftime('%s', 'now') + {seconds_from_now}"),
                )
            )

    elsewhere(60)
    assert "process 7 on elsewhere" in sequence(bench.store, bench.layout, now=FIRST_DAY).busy
    elsewhere(-1)
    assert run(bench) == 1


def test_a_writer_that_was_overtaken_commits_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.emit("one")
    real = files.sync_folder

    def overtaken(path: Path) -> None:
        real(path)
        if path == bench.layout.staging and list(path.glob("*.parquet")):
            with bench.store.begin() as connection:
                connection.execute(ledger_lease.update().values(token=ledger_lease.c.token + 1))

    monkeypatch.setattr(files, "sync_folder", overtaken)
    with pytest.raises(lease.LeaseLostError):
        run(bench)
    monkeypatch.undo()
    assert list(parquet_files(bench.layout)) == []
    # The other writer lets go, or its term ends.
    with bench.store.begin() as connection:
        connection.execute(ledger_lease.update().values(holder="", expires_at=0))
    assert run(bench) == 1
    assert verify(bench.layout, store=bench.store).consistent


def test_large_messages_make_smaller_batches(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omniva_dagster.stardust.sequencer.BATCH_BYTES", 1)
    bench.emit("one", "two", "three")
    run(bench)
    assert len(list(parquet_files(bench.layout))) == 3


def test_the_same_packets_at_the_same_time_give_the_same_bytes(
    bench: Bench, tmp_path: Path
) -> None:
    bench.emit("one", "two")
    twin = bench.copy(tmp_path / "twin")
    run(bench)
    run(twin)
    contents = [next(parquet_files(each.layout)).read_bytes() for each in (bench, twin)]
    assert contents[0] == contents[1]


def test_the_checkpoint_goes_to_the_anchor(bench: Bench, tmp_path: Path) -> None:
    bench.emit("one")
    anchor = tmp_path / "elsewhere.txt"
    done = sequence(
        bench.store, bench.layout, now=FIRST_DAY + timedelta(hours=1), anchor=str(anchor)
    )
    assert done.anchored is not None
    standing = latest_checkpoint(bench.layout.checkpoints)
    assert standing is not None
    assert standing.note in anchor.read_text()


def test_the_folder_of_packets_holds_nothing_but_days_of_parquet(bench: Bench) -> None:
    bench.emit("one")
    run(bench)
    assert all(path.suffix == ".parquet" for path in parquet_files(bench.layout))
    assert Layout(bench.layout.root).dates() == ["2026-03-04"]
    assert list(bench.layout.staging.iterdir()) == []


def test_a_store_that_knows_of_no_packets_leaves_a_folder_that_has_some_alone(bench: Bench) -> None:
    bench.emit("one", "two")
    run(bench)
    with bench.store.begin() as connection:
        connection.execute(ledger_segments.delete())
    bench.emit("three")
    for act in (run, lambda bench: repair(bench.store, bench.layout, now=SECOND_DAY)):
        with pytest.raises(LedgerError, match="a checkpoint of 2 packets, which the state store"):
            act(bench)
    assert verify(bench.layout).packets == 2
