"""A sealed day: one sorted file in which nothing that is hashed has changed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.stardust.checkpoints import latest_checkpoint
from omniva_dagster.stardust.entries import arrow_schema, leaf_data
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.hashes import HashFiles, level_name
from omniva_dagster.stardust.lookup import find_row
from omniva_dagster.stardust.merkle import leaf_hash
from omniva_dagster.stardust.parquet import ROW_GROUP
from omniva_dagster.stardust.repair import repair
from omniva_dagster.stardust.sealing import seal
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.stardust.verify import verify
from omniva_dagster.state.tables import ledger_segments
from tests.stardust.writing import FIRST_DAY, SECOND_DAY, Bench, ids, parquet_files, rows

BEFORE = SECOND_DAY.date()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two traces, one packet of each in turn, in several files of the first day."""
    made = Bench.at(tmp_path)
    for number in range(12):
        made.emit(f"{number}", trace_id=derive_id("trace", number % 2), parents=())
        sequence(made.store, made.layout, now=FIRST_DAY)
    return made


@pytest.mark.part("STA-2")
def test_sealing_sorts_a_day_into_one_file_and_changes_no_leaf(bench: Bench) -> None:
    before, checkpoint = rows(bench.layout), latest_checkpoint(bench.layout.checkpoints)
    hashes = HashFiles(bench.layout.log).leaves(0, 12)
    (sealed,) = seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY)
    (path,) = parquet_files(bench.layout)
    assert (path.name, sealed.rows, sealed.files_before) == (sealed.file, 12, 12)
    order = [(row["trace_id"], row["leaf_index"]) for row in pq.read_table(path).to_pylist()]
    assert order == sorted(order)
    assert rows(bench.layout) == before
    assert latest_checkpoint(bench.layout.checkpoints) == checkpoint
    assert HashFiles(bench.layout.log).leaves(0, 12) == hashes
    assert verify(bench.layout, store=bench.store).consistent


def test_sealing_again_changes_nothing(bench: Bench) -> None:
    seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY)
    (path,) = parquet_files(bench.layout)
    content = path.read_bytes()
    assert seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY) == []
    assert path.read_bytes() == content


def test_the_day_that_goes_on_is_not_sealed(bench: Bench) -> None:
    assert seal(bench.store, bench.layout, before=FIRST_DAY.date(), now=SECOND_DAY) == []
    assert len(list(parquet_files(bench.layout))) == 12


def test_a_sealed_day_that_gets_more_is_sealed_again(bench: Bench) -> None:
    seal(bench.store, bench.layout, before=BEFORE, now=FIRST_DAY)
    late = bench.emit("late")
    sequence(bench.store, bench.layout, now=FIRST_DAY)
    assert len(list(parquet_files(bench.layout))) == 2
    seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY)
    assert len(list(parquet_files(bench.layout))) == 1
    assert ids(bench.layout)[-1:] == late
    assert verify(bench.layout, store=bench.store).consistent


def test_the_file_has_what_readers_skip_by(bench: Bench) -> None:
    seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY)
    (path,) = parquet_files(bench.layout)
    file = pq.ParquetFile(path)
    assert file.schema_arrow.equals(arrow_schema())
    group = file.metadata.row_group(0)
    columns = {group.column(index).path_in_schema: group.column(index) for index in range(17)}
    assert all(column.compression == "ZSTD" for column in columns.values())
    assert all(column.has_column_index and column.has_offset_index for column in columns.values())
    found = find_row(bench.layout, rows(bench.layout)[5]["packet_id"])
    assert found is not None
    assert found.leaf == leaf_data(rows(bench.layout)[5])


def test_row_groups_hold_65536_rows(bench: Bench, tmp_path: Path) -> None:
    from omniva_dagster.stardust import parquet

    few = pa.concat_tables([pq.read_table(path) for path in parquet_files(bench.layout)] * 300)
    (batch,) = few.combine_chunks().to_batches()
    many = (batch for _ in range(ROW_GROUP // batch.num_rows + 1))
    parquet.write(tmp_path / "many.parquet", many)
    metadata = pq.ParquetFile(tmp_path / "many.parquet").metadata
    assert metadata.row_group(0).num_rows == ROW_GROUP
    assert metadata.num_row_groups == 2


def change_a_row(bench: Bench) -> None:
    """A file written anew with one changed field, and the database told that this is the file."""
    path = next(parquet_files(bench.layout))
    table = pq.read_table(path)
    place = table.schema.get_field_index("producer")
    changed = table.set_column(
        place, table.schema.field("producer"), [["somebody else"] * table.num_rows]
    )
    pq.write_table(changed, path)
    with bench.store.begin() as connection:
        connection.execute(ledger_segments.update().where(sa.true()).values(state="published"))


def test_a_row_that_is_not_what_was_logged_is_not_sealed_in(bench: Bench) -> None:
    change_a_row(bench)
    files = list(parquet_files(bench.layout))
    with pytest.raises(LedgerError, match="leaf 0 is not what was logged"):
        seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY)
    assert list(parquet_files(bench.layout)) == files


def test_a_row_that_was_changed_in_the_log_too_is_not_sealed_in(bench: Bench) -> None:
    change_a_row(bench)
    path, *others = parquet_files(bench.layout)
    (row,) = pq.read_table(path).to_pylist()
    HashFiles(bench.layout.log).append(0, leaf_hash(leaf_data(row)))
    with pytest.raises(LedgerError, match="is not what was written there"):
        seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY)
    assert list(parquet_files(bench.layout)) == [path, *others]


def test_a_file_that_was_cut_off_is_named_rather_than_the_disk_suspected(bench: Bench) -> None:
    path = next(parquet_files(bench.layout))
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(LedgerError, match=f"{path.name} is not what was written there") as caught:
        seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY)
    assert "room" not in str(caught.value)


def test_a_day_that_lacks_a_file_is_not_sealed(bench: Bench) -> None:
    bench.emit("later")
    sequence(bench.store, bench.layout, now=SECOND_DAY)
    path = list(parquet_files(bench.layout))[3]
    path.unlink()
    with pytest.raises(LedgerError, match=f"{path.name} is missing: restore it"):
        seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY)
    with pytest.raises(LedgerError, match=f"{path.name} is missing: restore it"):
        repair(bench.store, bench.layout, now=SECOND_DAY)


def test_a_strangers_folder_stops_sealing_until_it_is_moved_away(bench: Bench) -> None:
    stranger = next(parquet_files(bench.layout)).parent / "mine"
    stranger.mkdir()
    for _ in range(2):
        with pytest.raises(LedgerError, match="mine does not belong to the ledger: move it away"):
            seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY)
    stranger.rmdir()
    seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY)
    assert len(list(parquet_files(bench.layout))) == 1
    assert verify(bench.layout, store=bench.store).consistent


def test_a_day_that_lacks_a_row_is_not_sealed(bench: Bench) -> None:
    path = list(parquet_files(bench.layout))[3]
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(LedgerError, match="leaf 3 is missing"):
        seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY)


def test_a_log_that_was_changed_stops_sealing(bench: Bench) -> None:
    path = bench.layout.log / level_name(0)
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="leaf 1 is not what was logged"):
        seal(bench.store, bench.layout, before=BEFORE, now=SECOND_DAY)
