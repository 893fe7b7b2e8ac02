"""The index beside the ledger: faster answers, and never other ones."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from omniva_dagster.contracts.decisions import Directive
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.stardust import indexing
from omniva_dagster.stardust.lineage import Lineage, lineage
from omniva_dagster.stardust.lookup import Rows
from omniva_dagster.stardust.repair import repair
from omniva_dagster.stardust.sealing import seal
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.stardust.verify import verify
from omniva_dagster.stardust.views import Sources
from tests.stardust.writing import FIRST_DAY, Bench

NAME = derive_id("directive", "1")
AT = "2026-03-04T05:06:07Z"
DAYS = [FIRST_DAY + timedelta(days=number) for number in range(4)]


def directive(packet_id: str) -> Any:
    return Directive.parse(
        {
            "directive_id": NAME,
            "kind": "release",
            "subject_id": derive_id("subject", "clip"),
            "owner": "uploader",
            "reason": "good",
            "evidence": [packet_id],
            "rollback": "cancel",
            "issued_at": AT,
        }
    )


class Ledger:
    """A packet, and on each of three days children in other traces; a directive among them."""

    def __init__(self, folder: Path, *, sealed: int) -> None:
        self.bench = Bench.at(folder)
        self.names: dict[str, str] = {}
        self.add("root", 0, "one")
        self.add("sibling", 0, "one", "root")
        for number in (1, 2):
            self.add(f"far {number}", number, f"trace {number}", "root")
            self.add(f"further {number}", number, f"trace {number}", f"far {number}")
        document = directive(self.names["far 1"])
        self.add("release", 2, "trace 2", "further 1", document=document)
        self.add("mention", 2, "trace 3", subject_id=NAME[:8], document=document)
        self.seal(sealed)

    def add(self, name: str, day: int, trace: str, *parents: str, **changes: Any) -> None:
        (self.names[name],) = self.bench.emit(
            name,
            trace_id=derive_id("trace", trace),
            parents=tuple(self.names[parent] for parent in parents),
            **{"subject_id": derive_id("subject", name), **changes},
        )
        sequence(self.bench.store, self.bench.layout, now=DAYS[day])

    def seal(self, days: int) -> None:
        before = DAYS[days].date()
        seal(self.bench.store, self.bench.layout, before=before, now=DAYS[3])

    def ask(self, sought: str, **options: Any) -> Lineage:
        sources = Sources.at(self.bench.layout.root)
        return lineage(sources, self.names.get(sought, sought), **options)

    def below(self, sought: str, **options: Any) -> set[str]:
        known = {packet_id: name for name, packet_id in self.names.items()}
        return {known[one] for one in self.ask(sought, up=False, **options).nodes}

    @property
    def indexes(self) -> list[Path]:
        return sorted(self.bench.layout.index.iterdir())


ALL = {"root", "sibling", "far 1", "further 1", "far 2", "further 2", "release"}


@pytest.mark.spec("STA-7")
@pytest.mark.parametrize("sealed", range(4))
def test_descendants_are_the_same_however_many_days_are_indexed(
    tmp_path: Path, sealed: int
) -> None:
    made = Ledger(tmp_path, sealed=sealed)
    assert len(made.indexes if sealed else []) == sealed
    assert made.below("root") == ALL == made.below("root", thorough=True)
    assert made.below("far 1") == {"far 1", "further 1", "release"}
    called = made.ask(NAME)
    assert made.names["release"] in called.starts
    assert called.dump() == made.ask(NAME, thorough=True).dump()


def test_a_ledger_that_is_all_sealed_is_asked_without_reading_it_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Ledger(tmp_path, sealed=3)
    scanned: list[list[str]] = []
    real = Rows.scanned

    def scan(self: Rows, columns: str, condition: str, paths: list[str], **given: Any) -> Any:
        scanned.append(paths)
        return real(self, columns, condition, paths, **given)

    monkeypatch.setattr(Rows, "scanned", scan)
    assert made.names["release"] in made.ask(NAME).nodes
    assert made.below("root") == ALL
    assert not any(scanned)


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    schema = pq.read_schema(path)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


def test_an_index_that_names_others_leads_to_nothing_wrong(tmp_path: Path) -> None:
    made = Ledger(tmp_path, sealed=3)
    wanted = made.ask(NAME).dump()
    for path in made.indexes:
        rows = pq.read_table(path).to_pylist()
        lies = [
            {"key": made.names["root"], "kind": "parent", "packet_id": made.names["mention"]},
            {"key": made.names["root"], "kind": "parent", "packet_id": derive_id("packet", "no")},
            {"key": NAME, "kind": "name", "packet_id": made.names["sibling"]},
        ]
        _write(path, rows + lies)
    assert made.below("root") == ALL
    assert made.ask(NAME).dump() == wanted


@pytest.mark.parametrize("damage", ["gone", "torn", "other columns", "half written"])
def test_a_damaged_index_is_none(tmp_path: Path, damage: str) -> None:
    made = Ledger(tmp_path, sealed=3)
    path = made.indexes[1]
    if damage == "gone":
        path.unlink()
    elif damage == "torn":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "other columns":
        pq.write_table(pa.table({"other": ["x"]}), path)
    else:
        path.rename(path.with_name(f".{path.name}.1.tmp"))
    assert made.below("root") == ALL
    assert made.names["release"] in made.ask(NAME).starts
    assert verify(made.bench.layout, store=made.bench.store).consistent


def test_an_index_that_lost_rows_is_seen_through_by_a_thorough_look_and_made_anew_by_repair(
    tmp_path: Path,
) -> None:
    made = Ledger(tmp_path, sealed=3)
    contents = [path.read_bytes() for path in made.indexes]
    for path in made.indexes:
        _write(path, [])
    assert made.below("root", thorough=True) == ALL
    repair(made.bench.store, made.bench.layout, now=DAYS[3])
    assert [path.read_bytes() for path in made.indexes] == contents
    assert made.below("root") == ALL


def test_a_day_that_is_sealed_again_is_indexed_again(tmp_path: Path) -> None:
    made = Ledger(tmp_path, sealed=2)
    old = [path.name for path in made.indexes]
    made.add("late", 2, "late trace", "root")
    made.seal(3)
    assert {path.name for path in made.indexes} > set(old)
    assert made.below("root") == {*ALL, "late"}
    (made.bench.layout.index / "000000000000-000000000999.parquet").write_bytes(b"of no file")
    made.seal(3)
    assert len(made.indexes) == 3


def test_a_sealing_stopped_before_its_index_leaves_it_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(indexing, "complete", lambda *_: 0)
        made = Ledger(tmp_path, sealed=3)
    assert not made.bench.layout.index.exists()
    assert made.below("root") == ALL
    made.seal(3)
    assert len(made.indexes) == 3


def test_ids_with_quotes_and_odd_letters_are_asked_for_as_they_are(tmp_path: Path) -> None:
    made = Ledger(tmp_path, sealed=3)
    for odd in ("'; DROP TABLE x; --", '"', "ünï\\", "%", json.dumps("x")):
        with pytest.raises(Exception, match="nothing in the ledger is called"):
            made.ask(odd)
