"""Engagement history from files of all kinds: taken whole or refused whole, and judged rightly."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from omniva_dagster.contracts.campaign import Measure
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.video import Platform
from omniva_dagster.resources import engagement
from omniva_dagster.resources.engagement import ImportRefusedError, import_file
from omniva_dagster.resources.recalibration import posts_of
from omniva_dagster.state import creators
from omniva_dagster.state.store import Store

NOW = "2026-03-22T12:00:00Z"
CLIP = derive_id("clip", "one")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state store with the creator ada."""
    path = tmp_path_factory.mktemp("state") / "state.db"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    with store.begin() as connection:
        creators.register(connection, "ada", "http://a.example/", Platform.YOUTUBE, NOW)
    store.close()
    return path


@pytest.fixture
def store(migrated: Path, tmp_path: Path) -> Iterator[Store]:
    """A copy of it."""
    path = tmp_path / "state.db"
    path.write_bytes(migrated.read_bytes())
    store = Store(f"sqlite:///{path}")
    yield store
    store.close()


def row(**changes: Any) -> dict[str, Any]:
    return {
        "clip_id": CLIP,
        "platform": "youtube",
        "published_at": "2026-03-01T00:00:00Z",
        "observed_at": "2026-03-02T00:00:00Z",
        "views": 10,
        "likes": 2,
        "comments": 0,
        "shares": 0,
        "watched_seconds": 1.5,
        "retention": 0.5,
        "creator": "ada",
        **changes,
    }


def written(path: Path, *rows: dict[str, Any]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def parquet(path: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table({**{name: [value] for name, value in row().items()}, **columns}), path)
    return path


def judged(store: Store, measure: Measure = Measure.VIEWS) -> dict[str, float | None]:
    with store.read() as connection:
        posts = posts_of(connection, "ada", Platform.YOUTUBE, [measure], NOW)[measure]
    return {post.clip_id: post.value for post in posts}


def test_a_clip_is_judged_by_its_last_count_within_a_week(store: Store, tmp_path: Path) -> None:
    counts = {2: 10, 4: 40, 7: 70, 20: 2000}
    rows = [row(observed_at=f"2026-03-{day:02}T00:00:00Z", views=n) for day, n in counts.items()]
    import_file(store, written(tmp_path / "a.csv", *rows), NOW)
    assert judged(store) == {CLIP: 70.0}


def test_a_clip_that_was_counted_late_only_is_judged_by_its_first_count(
    store: Store, tmp_path: Path
) -> None:
    rows = [row(observed_at=f"2026-03-{day}T00:00:00Z", views=day) for day in (18, 12, 21)]
    import_file(store, written(tmp_path / "a.csv", *rows), NOW)
    assert judged(store) == {CLIP: 12.0}


def test_a_clip_on_two_platforms_is_judged_by_the_creators_own(
    store: Store, tmp_path: Path
) -> None:
    rows = [
        row(),
        row(platform="tiktok", views=9000, observed_at="2026-03-03T00:00:00Z"),
        row(platform="instagram", views=1),
    ]
    import_file(store, written(tmp_path / "a.csv", *rows), NOW)
    assert judged(store) == {CLIP: 10.0}


def test_each_measure_has_values_of_its_own(store: Store, tmp_path: Path) -> None:
    import_file(store, written(tmp_path / "a.csv", row()), NOW)
    assert judged(store, Measure.LIKES) == {CLIP: 2.0}
    assert judged(store, Measure.RETENTION) == {CLIP: 0.5}


ODD_COLUMNS: dict[str, Callable[[], dict[str, pa.Array]]] = {
    "text that is no UTF-8": lambda: {
        "platform": pa.Array.from_buffers(
            pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
        )
    },
    "a time after the end of the calendar": lambda: {
        "published_at": pa.array([2**60], pa.timestamp("us", "UTC"))
    },
    "a time before its beginning": lambda: {
        "published_at": pa.array([-(2**60)], pa.timestamp("us", "UTC"))
    },
    "a time zone that nobody knows": lambda: {
        "published_at": pa.array([1772323200], pa.timestamp("s", "Mars/Phobos"))
    },
    "a time without a zone": lambda: {"published_at": pa.array([1772323200], pa.timestamp("s"))},
    "lists of numbers": lambda: {"views": pa.array([[1]])},
    "more than a double holds": lambda: {"views": pa.array([1e300])},
    "no number": lambda: {"views": pa.array([float("nan")])},
    "a fraction of a view": lambda: {"views": pa.array([1.5])},
}


@pytest.mark.parametrize("what", ODD_COLUMNS)
def test_a_parquet_file_with_odd_values_is_refused_and_nothing_else_happens(
    store: Store, tmp_path: Path, what: str
) -> None:
    with pytest.raises(ImportRefusedError):
        import_file(store, parquet(tmp_path / "a.parquet", **ODD_COLUMNS[what]()), NOW)
    assert judged(store) == {}


def test_a_damaged_parquet_file_is_refused_wherever_the_damage_is(
    store: Store, tmp_path: Path
) -> None:
    whole = parquet(tmp_path / "a.parquet").read_bytes()
    for place in range(0, len(whole), 97):
        path = tmp_path / "b.parquet"
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with suppress(ImportRefusedError):
            import_file(store, path, NOW)


def test_numbers_may_be_decimals_and_times_of_any_zone(store: Store, tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "a.parquet",
        views=pa.array([Decimal(3)], pa.decimal128(10, 0)),
        published_at=pa.array([1772323200], pa.timestamp("s", "Europe/Berlin")),
    )
    assert import_file(store, path, NOW).new == 1
    assert judged(store) == {CLIP: 3.0}


def test_a_file_that_is_too_long_is_refused_before_it_is_read(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engagement, "MOST_ROWS", 2)
    monkeypatch.setattr(engagement, "_take", lambda *_: pytest.fail("a row was read"))
    rows = [row(clip_id=derive_id("clip", number)) for number in range(3)]
    with pytest.raises(ImportRefusedError, match="3 rows, over 2"):
        import_file(store, written(tmp_path / "a.csv", *rows), NOW)
    table = pa.table({name: [one[name] for one in rows] for name in rows[0]})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(ImportRefusedError, match="3 rows, over 2"):
        import_file(store, tmp_path / "a.parquet", NOW)


def test_what_is_no_file_is_refused_and_not_waited_for(store: Store, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", tmp_path, tmp_path / "none.csv"):
        with pytest.raises(ImportRefusedError):
            import_file(store, path, NOW)


def test_a_cell_that_a_spreadsheet_would_run_is_only_shown(store: Store, tmp_path: Path) -> None:
    evil = row(creator="=cmd|' /C calc'!A0\x1b[31m")
    with pytest.raises(ImportRefusedError) as refused:
        import_file(store, written(tmp_path / "a.csv", evil), NOW)
    assert "\x1b" not in str(refused.value)
    assert "is not registered" in str(refused.value)


def test_semicolons_are_named_as_such(store: Store, tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", row())
    path.write_text(path.read_text().replace(",", ";"))
    with pytest.raises(ImportRefusedError, match="semicolons"):
        import_file(store, path, NOW)
