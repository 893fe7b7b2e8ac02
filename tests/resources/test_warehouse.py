"""The warehouse opens whole in pandas, DuckDB and Polars, and gives back what it got."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from omniva_dagster.assets import CLIP_PIPELINE
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.registry import MESSAGE_TYPES
from omniva_dagster.resources.warehouse.arrow import arrow_schema, columns_of
from omniva_dagster.resources.warehouse.io_manager import (
    CONTRACT_KEY,
    WarehouseIOManager,
    read,
    write,
)
from tests.contracts.support import example

DOCUMENTS = sorted(next(iter(asset.specs)).metadata[CONTRACT_KEY] for asset in CLIP_PIPELINE)


def _record(name: str, number: int = 0) -> Record[Any]:
    document: Document = MESSAGE_TYPES[name].parse(example(name))
    return Record(
        document,
        subject_id=derive_id("subject", number),
        trace_id=derive_id("trace", number),
        packet_id=derive_id("packet", number),
        video_id=derive_id("video", number),
    )


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """Two creators and two days of candidates, one of them without a row."""
    manager = WarehouseIOManager(home=str(tmp_path))
    for creator in ("ada", "123abc"):
        for day, count in (("2026-03-04", 3), ("2026-03-05", 0)):
            records = [_record("ClipCandidate", number) for number in range(count)]
            path = manager.path_of("clip_candidates", creator, day)
            write(path, ClipCandidate, records, tmp_path / "staging")
    return tmp_path / "warehouse" / "clip_candidates"


def test_pandas_reads_the_folder(warehouse: Path) -> None:
    frame = pd.read_parquet(warehouse)
    assert len(frame) == 6
    assert set(frame["creator"].astype(str)) == {"ada", "123abc"}
    assert len(pd.read_parquet(warehouse, filters=[("day", "==", "2026-03-04")])) == 6
    assert len(pd.read_parquet(warehouse, filters=[("day", "==", "2026-03-05")])) == 0


def test_duckdb_reads_the_folder(warehouse: Path) -> None:
    rows = duckdb.sql(
        f"SELECT creator, count(*) FROM read_parquet('{warehouse}/**/*.parquet', "
        "hive_partitioning = true) WHERE day = '2026-03-04' GROUP BY creator ORDER BY creator"
    ).fetchall()
    assert rows == [("123abc", 3), ("ada", 3)]


def test_polars_reads_the_folder(warehouse: Path) -> None:
    frame = pl.read_parquet(warehouse, hive_partitioning=True)
    assert len(frame) == 6
    assert set(frame["creator"].to_list()) == {"ada", "123abc"}


def test_creator_and_day_are_not_inside_the_file(warehouse: Path) -> None:
    path = warehouse / "creator=ada" / "day=2026-03-04" / "part.parquet"
    assert not {"creator", "day"} & set(pq.ParquetFile(path).schema_arrow.names)


def test_nothing_but_parquet_stands_in_the_folder(warehouse: Path) -> None:
    assert {path.name for path in warehouse.rglob("*") if path.is_file()} == {"part.parquet"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_comes_back_as_it_went_in(name: str, tmp_path: Path) -> None:
    path = tmp_path / "w" / "part.parquet"
    record = _record(name)
    write(path, MESSAGE_TYPES[name], [record], tmp_path / "staging")
    assert read(path, MESSAGE_TYPES[name]) == [record]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_file_without_rows_has_the_same_schema(name: str, tmp_path: Path) -> None:
    model = MESSAGE_TYPES[name]
    write(tmp_path / "a.parquet", model, [], tmp_path / "staging")
    write(tmp_path / "b.parquet", model, [_record(name)], tmp_path / "staging")
    empty, full = (pq.ParquetFile(tmp_path / f"{n}.parquet").schema_arrow for n in "ab")
    assert empty.equals(full)
    assert empty.equals(arrow_schema(model))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_column_has_a_description(name: str) -> None:
    assert all(description for _, _, description in columns_of(MESSAGE_TYPES[name]))
