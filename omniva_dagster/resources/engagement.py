"""Engagement history from CSV or Parquet: strict, named by row, and each observation once.

Columns are the fields of `EngagementRecord`; for clips that were not made here, ``creator`` names
whose they are, and ``post`` (an id or URL of the platform) may stand in place of ``clip_id``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.horizon import EngagementRecord
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.resources.workbench import Recorder
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.store import Store

PRODUCER = "horizon"
MOST_ROWS = 250_000
_MOST_BYTES = 128 * 2**20
_SHOWN = 20
_SHOWN_TEXT = 200
_AT_ONCE = 500
_COUNTS = ("views", "likes", "comments", "shares")
_NUMBERS = ("watched_seconds", "retention")
_REQUIRED = ("platform", "published_at", "observed_at", *_COUNTS, *_NUMBERS)
_OPTIONAL = ("clip_id", "post", "creator")


class ImportRefusedError(ValueError):
    """A file that cannot be taken: nothing of it was imported."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        shown = faults[:_SHOWN]
        if len(faults) > _SHOWN:
            shown.append(f"and {len(faults) - _SHOWN} more")
        super().__init__(f"{path.name} was not imported:\n  " + "\n  ".join(shown))
        self.faults = faults


@dataclass(frozen=True)
class Imported:
    """What came of a file."""

    rows: int
    new: int
    creators: tuple[str, ...]


@dataclass
class _Batch:
    rows: dict[tuple[str, str, str], tuple[int, EngagementRecord, str]] = field(
        default_factory=dict
    )
    faults: list[str] = field(default_factory=list)
    count: int = 0


def import_file(store: Store, path: Path, now: str) -> Imported:
    """Bring in a file's observations; those that are there already stay as they are.

    Raises `ImportRefusedError` naming every wrong row: a file is taken whole or not at all.
    """
    batch = _Batch()
    with store.read() as connection:
        slugs = {creator.slug for creator in db.creators.all_of(connection)}
    for number, row in _rows(path):
        batch.count += 1
        _take(batch, number, row, now)
    with store.read() as connection:
        owners = db.guidance.creators_of(connection, (key[0] for key in batch.rows))
        placed = _placed(batch, owners, slugs)
        fresh = _fresh(connection, batch)
    if batch.faults:
        raise ImportRefusedError(path, batch.faults)
    new = [(batch.rows[key][1], placed[key]) for key in sorted(fresh)]
    for start in range(0, len(new), _AT_ONCE):
        with store.begin() as connection:
            _record(connection, new[start : start + _AT_ONCE], now)
    return Imported(batch.count, len(new), tuple(sorted({creator for _, creator in new})))


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        # A pipe would keep whoever opens it waiting.
        if path.exists() and not path.is_file():
            raise ImportRefusedError(path, ["is no file"])
        if path.stat().st_size > _MOST_BYTES:
            raise ImportRefusedError(path, [f"is over {_MOST_BYTES // 2**20} MiB: split it"])
        yield from _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    except OSError as error:
        raise ImportRefusedError(path, [f"cannot be read: {error.strerror or error}"]) from None


def _check_length(path: Path, rows: int) -> None:
    if rows > MOST_ROWS:
        raise ImportRefusedError(path, [f"has {rows:,} rows, over {MOST_ROWS:,}: split it"])


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(part.count(b"\n") for part in iter(lambda: file.read(2**20), b""))


def _csv(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    # Before anything of it is read: a row takes a hundred times as long as a line.
    _check_length(path, _lines(path) - 1)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_columns(path, list(reader.fieldnames or []))
            for row in reader:
                extra = row.pop(None, None)
                if extra:
                    row["more cells than columns"] = "x"
                yield reader.line_num, row
    except (csv.Error, UnicodeDecodeError) as error:
        raise ImportRefusedError(path, [f"is not CSV in UTF-8: {error}"]) from None


def _parquet(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _check_columns(path, list(file.schema_arrow.names))
            _check_length(path, file.metadata.num_rows)
            number = 0
            for part in file.iter_batches(batch_size=10_000):
                for row in part.to_pylist():
                    number += 1
                    yield number, row
    # What is in a damaged column comes to light when it is turned into Python's values: text that
    # is none, times beyond the calendar, time zones that nobody knows.
    except (pa.ArrowException, ValueError, OverflowError, LookupError) as error:
        if isinstance(error, ImportRefusedError):
            raise
        raise ImportRefusedError(path, [f"is not Parquet: {_one_line(error)}"]) from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:_SHOWN_TEXT]


def _check_columns(path: Path, names: list[str]) -> None:
    faults = [f"lacks the column {name}" for name in _REQUIRED if name not in names]
    if "clip_id" not in names and "post" not in names:
        faults.append("lacks the column clip_id (or post, for clips not made here)")
    known = {*_REQUIRED, *_OPTIONAL}
    faults += [
        f"has a column {name[:_SHOWN_TEXT]!r} that means nothing here"
        for name in names
        if name not in known
    ]
    faults += [f"has the column {name} twice" for name in known if names.count(name) > 1]
    if len(names) == 1 and ";" in names[0]:
        faults = ["has semicolons between its columns: write it with commas"]
    if faults:
        raise ImportRefusedError(path, sorted(faults))


def _take(batch: _Batch, number: int, row: Mapping[str, Any], now: str) -> None:
    fields, faults = _fields(row)
    record = None
    if not faults:
        try:
            record = EngagementRecord.parse(fields)
        except ContractError as error:
            faults = [f"{fault['pointer'][1:]} {fault['message']}" for fault in error.faults]
    if record is not None:
        faults = _times(record, now)
    if faults or record is None:
        batch.faults.append(f"row {number}: {'; '.join(faults)}")
        return
    key = (record.clip_id, record.platform.value, record.observed_at)
    creator = str(row.get("creator") or "")
    held = batch.rows.get(key)
    if held is not None and (held[1], held[2]) != (record, creator):
        batch.faults.append(f"row {number}: says otherwise than row {held[0]} of the same moment")
        return
    batch.rows.setdefault(key, (number, record, creator))


def _fields(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A row as the contract's fields, and what of it cannot be read."""
    faults = []
    fields: dict[str, Any] = {}
    for name in _REQUIRED:
        value = row.get(name)
        if value is None or value == "":
            faults.append(f"{name} is missing")
        elif name in _COUNTS or name in _NUMBERS:
            number = _number(value, whole=name in _COUNTS)
            if number is None:
                what = "a whole number" if name in _COUNTS else "a number"
                faults.append(f"{name} must be {what}, not {str(value)[:40]!r}")
            else:
                fields[name] = number
        else:
            fields[name] = _text(value)
    if "more cells than columns" in row:
        faults.append("has more cells than there are columns")
    clip_id, post = row.get("clip_id"), row.get("post")
    if not clip_id and not post:
        faults.append("clip_id is missing")
    else:
        fields["clip_id"] = clip_id or derive_id("post", str(fields.get("platform")), str(post))
    return fields, faults


def _number(value: Any, *, whole: bool) -> float | int | None:
    if isinstance(value, str):
        form = r"[0-9]{1,16}" if whole else r"[0-9]{1,16}(\.[0-9]{1,12})?"
        if not re.fullmatch(form, value.strip()):
            return None
        return int(value) if whole else float(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if not isfinite(value) or (whole and value != int(value)):
        return None
    return int(value) if whole else float(value)


def _text(value: Any) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return format_timestamp(value)
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def _times(record: EngagementRecord, now: str) -> list[str]:
    observed = parse_timestamp(record.observed_at)
    if observed < parse_timestamp(record.published_at):
        return ["observed_at must not be before published_at"]
    if observed > parse_timestamp(now):
        return ["observed_at must not lie in the future"]
    return []


def _placed(
    batch: _Batch, owners: Mapping[str, str], slugs: set[str]
) -> dict[tuple[str, str, str], str]:
    """Whose each row is: its clip's creator, or the one it names."""
    found = {}
    for key, (number, _, named) in batch.rows.items():
        owner = owners.get(key[0], named)
        if not owner:
            batch.faults.append(
                f"row {number}: clip {key[0]} was not made here: say whose it is in the "
                "column creator"
            )
        elif named and owner != named:
            batch.faults.append(f"row {number}: the clip is {owner}'s, not {named[:63]!r}'s")
        elif owner not in slugs:
            batch.faults.append(
                f"row {number}: creator {owner[:63]!r} is not registered: omniva creators list"
            )
        found[key] = owner
    return found


def _fresh(connection: sa.Connection, batch: _Batch) -> list[tuple[str, str, str]]:
    """The rows that are not there yet; a fault for each that is there with other numbers."""
    fresh = []
    for key, (number, record, _) in batch.rows.items():
        known = db.guidance.observed(connection, record)
        if known is None:
            fresh.append(key)
        elif known != record:
            batch.faults.append(
                f"row {number}: was imported before with other numbers (views {known.views}, "
                f"now {record.views}); what was observed does not change"
            )
    return fresh


def _record(connection: sa.Connection, rows: list[tuple[EngagementRecord, str]], now: str) -> None:
    receipts = db.guidance.receipts_of(connection, (record.clip_id for record, _ in rows))
    for record, creator in rows:
        recorder = Recorder(connection, PRODUCER, Partition(creator, record.published_at[:10]), now)
        receipt = receipts.get(record.clip_id)
        made = recorder.record(
            record,
            subject_id=record.clip_id,
            trace_id=derive_id("trace", record.clip_id),
            parents=[receipt] if receipt else [],
            occurrence=f"{record.platform.value}/{record.observed_at}",
        )
        # Another import of the same file may have been quicker.
        if db.guidance.observed(connection, record) is None:
            db.guidance.observe(connection, creator, record, made.packet_id)
