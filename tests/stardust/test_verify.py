"""What `verify` finds, and what it can't."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.stardust import verify as module
from omniva_dagster.stardust.claims import read_claims
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.faults import packet_id_of
from omniva_dagster.stardust.keys import rotate
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.rows import FileReport, FileTask, check_file
from omniva_dagster.stardust.sealing import seal
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.stardust.verify import Verification, verify
from tests.stardust.proving import DAYS, Ledger, edit_message, emit_family, noon

Rows = list[dict[str, Any]]


def told(result: Verification) -> str:
    """All findings, as people read them."""
    return "\n".join(map(str, result.findings))


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files with a wrong digest in this process: these tests know what is in them."""
    monkeypatch.setattr(module, "name_what_changed", check_file)


@pytest.fixture(scope="module")
def copied(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A copy that a test damages and mends again."""
    home = tmp_path_factory.mktemp("mended") / "home"
    shutil.copytree(built, home)
    return Ledger(Layout(home / "ledger"))


@pytest.mark.spec("STA-3")
def test_an_untouched_ledger_is_consistent_and_not_anchored(ledger: Ledger) -> None:
    result = verify(ledger.layout, store=ledger.store)
    assert result.verdict == "consistent, not anchored"
    assert result.consistent
    assert (result.packets, result.files, result.checkpoints) == (216, 9, 9)
    assert "whoever holds the signing key" in result.notes[0]
    assert json.loads(json.dumps(result.dump()))["consistent"]


def test_a_copy_that_can_only_be_read_is_verified_without_the_private_key(ledger: Ledger) -> None:
    copy = Layout(ledger.layout.root.parent / "elsewhere")
    shutil.copytree(ledger.layout.root, copy.root)
    (copy.keys / "signing.key").unlink()
    copy.lock.unlink()
    before = {path: path.stat().st_mtime_ns for path in copy.root.rglob("*")}
    folders = [copy.root, *(path for path in copy.root.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert verify(copy).consistent
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert {path: path.stat().st_mtime_ns for path in copy.root.rglob("*")} == before


def test_an_empty_ledger_is_consistent_and_a_missing_one_is_no_ledger(tmp_path: Path) -> None:
    assert verify(Layout(tmp_path)).verdict == "consistent, not anchored"
    assert not list(tmp_path.iterdir())
    with pytest.raises(LedgerError, match="is no ledger"):
        verify(Layout(tmp_path / "nothing"))


def test_several_processes_find_the_same(ledger: Ledger) -> None:
    ledger.rewrite(ledger.files[4], lambda rows: edit_message(rows[3], value=7.0))
    ledger.list_again(DAYS[1], ledger.keys())
    alone, together = verify(ledger.layout), verify(ledger.layout, processes=2)
    assert alone == together
    assert alone.findings[0].leaf == 4 * 24 + 3


@pytest.mark.spec("STA-3")
def test_a_sealed_ledger_has_the_same_root(ledger: Ledger) -> None:
    before = verify(ledger.layout)
    seal(ledger.store, ledger.layout, before=noon(DAYS[2]).date(), now=noon(DAYS[2]))
    after = verify(ledger.layout, store=ledger.store, against=[ledger.note(48)])
    assert after.verdict == "consistent with the anchored checkpoint 48"
    assert after.root == before.root
    assert after.files < before.files


# A flipped bit.


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
@pytest.mark.spec("STA-2")
def test_a_flipped_bit_anywhere_is_found(copied: Ledger, data: st.DataObject) -> None:
    root = copied.layout.root
    paths = sorted(path for path in root.rglob("*") if path.is_file() and path.stat().st_size)
    signed = [path for path in paths if path.name != "signing.key"]
    path = data.draw(st.sampled_from(signed), label="file")
    honest = path.read_bytes()
    at = data.draw(st.integers(0, len(honest) * 8 - 1), label="bit")
    flipped = bytearray(honest)
    flipped[at // 8] ^= 1 << at % 8
    path.write_bytes(flipped)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "name_what_changed", lambda task: FileReport(task.place))
        result = verify(copied.layout)
    path.write_bytes(honest)
    assert path.relative_to(root).as_posix() in told(result)


def test_a_flipped_bit_in_any_byte_of_what_is_signed_is_found(copied: Ledger) -> None:
    layout = copied.layout
    last = layout.checkpoints / f"{copied.size}.txt"
    for path in (last, layout.manifest_of(DAYS[0]), layout.keys / "1.pub"):
        honest = path.read_bytes()
        for at in range(len(honest)):
            flipped = bytearray(honest)
            flipped[at] ^= 1 << at % 8
            path.write_bytes(flipped)
            assert read_claims(layout).findings.count, f"{path.name}: byte {at}"
        path.write_bytes(honest)
    assert verify(layout).consistent


def test_the_row_in_which_a_bit_flipped_is_named_by_a_process_of_its_own(ledger: Ledger) -> None:
    path = ledger.files[0]
    ledger.rewrite(path, lambda rows: rows[5].update(creator="eve"))
    result = verify(ledger.layout)
    assert "its SHA-256 is not the one in the manifest" in str(result.findings[0])
    assert (result.findings[1].row, result.findings[1].leaf) == (5, 5)


# Rows.


def _swap(rows: Rows) -> None:
    rows[3]["leaf_index"], rows[4]["leaf_index"] = rows[4]["leaf_index"], rows[3]["leaf_index"]


def _in_place_of(rows: Rows) -> None:
    rows[4] = {**rows[3], "leaf_index": rows[4]["leaf_index"]}


EDITS: dict[str, Callable[[Rows], Any]] = {
    "leaf_index": lambda rows: rows[4].update(leaf_index=5),
    "packet_id": lambda rows: rows[4].update(packet_id=derive_id("packet", "other")),
    "trace_id": lambda rows: rows[4].update(trace_id=derive_id("trace", "other")),
    "source_key": lambda rows: rows[4].update(source_key="another"),
    "message_type": lambda rows: rows[4].update(message_type="Outcome"),
    "message_version": lambda rows: rows[4].update(message_version="1.9.0"),
    "producer": lambda rows: rows[4].update(producer="eve"),
    "subject_id": lambda rows: rows[4].update(subject_id=None),
    "creator": lambda rows: rows[4].update(creator="eve"),
    "day": lambda rows: rows[4].update(day="2026-03-09"),
    "emitted_at": lambda rows: rows[4].update(emitted_at="2026-03-04T05:06:08Z"),
    "sequenced_at": lambda rows: rows[4].update(sequenced_at="2026-03-05T12:00:00Z"),
    "sequenced_at, same day": lambda rows: rows[4].update(sequenced_at="2026-03-04T12:00:01Z"),
    "parents": lambda rows: rows[4].update(parents=[]),
    "missing_parents": lambda rows: rows[4].update(missing_parents=rows[4]["parents"][:1]),
    "content_hash": lambda rows: rows[4].update(content_hash="0" * 64),
    "schema_version": lambda rows: rows[4].update(schema_version="1.0.0"),
    "message": lambda rows: rows[4].update(message=rows[4]["message"].replace("4.5", "9.5")),
    "message and its hash": lambda rows: edit_message(rows[4], value=9.5),
    "message, no JSON": lambda rows: rows[4].update(message="{"),
    "message, no object": lambda rows: rows[4].update(message="[]"),
    "swapped": _swap,
    "one in the place of another": _in_place_of,
    "the whole other packet": lambda rows: rows[4].update(
        {**rows[3], "leaf_index": 4, "source_key": "x", "packet_id": packet_id_of("x")}
    ),
}


@pytest.mark.spec("STA-2")
@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("stolen", [False, True], ids=["digests fixed", "manifest signed again"])
@pytest.mark.usefixtures("inline")
def test_an_edited_row_is_named(copied: Ledger, edit: str, stolen: bool) -> None:
    path, listed = copied.files[0], copied.layout.manifest_of(DAYS[0])
    honest = path.read_bytes(), listed.read_bytes()
    copied.rewrite(path, EDITS[edit])
    copied.list_again(DAYS[0], copied.keys() if stolen else None)
    result = verify(copied.layout)
    path.write_bytes(honest[0])
    listed.write_bytes(honest[1])
    rows = [finding for finding in result.findings if finding.row is not None]
    assert rows[0].row in {3, 4, 5}
    assert rows[0].place == path.relative_to(copied.layout.root).as_posix()
    assert rows[0].remedy
    if stolen:
        assert result.findings[0] == rows[0]
    else:
        assert "signature" in result.findings[0].problem
    if edit in {"parents", "producer", "trace_id", "content_hash", "sequenced_at", "packet_id"}:
        assert rows[0].field == edit


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.pop(7),
        lambda rows: rows.append({**rows[7], "leaf_index": 24}),
        lambda rows: rows.__setitem__(7, rows[6]),
        lambda rows: rows.clear(),
    ],
    ids=["removed", "added", "doubled", "all removed"],
)
@pytest.mark.usefixtures("inline")
def test_a_row_removed_or_added_is_found(ledger: Ledger, change: Callable[[Rows], Any]) -> None:
    ledger.rewrite(ledger.files[0], change)
    ledger.list_again(DAYS[0], ledger.keys())
    result = verify(ledger.layout)
    assert result.findings[0].place == ledger.files[0].relative_to(ledger.layout.root).as_posix()


@pytest.mark.parametrize("at_once", [8, 8192])
def test_a_place_given_twice_is_found_however_far_apart(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("omniva_dagster.stardust.rows._ROWS_AT_ONCE", at_once)
    ledger.rewrite(ledger.files[0], lambda rows: rows[20].update(leaf_index=2))
    ledger.list_again(DAYS[0], ledger.keys())
    finding = verify(ledger.layout).findings[0]
    assert (finding.row, finding.field) == (20, "leaf_index")


def test_an_id_that_does_not_follow_from_its_source_is_found_whoever_signed(
    ledger: Ledger,
) -> None:
    ledger.rewrite(ledger.files[0], lambda rows: rows[4].update(source_key="another"))
    ledger.forge()
    finding = verify(ledger.layout).findings[0]
    assert (finding.leaf, finding.problem) == (4, "does not follow from source_key")


def test_rows_in_another_order_are_the_same_ledger(ledger: Ledger) -> None:
    ledger.rewrite(ledger.files[0], lambda rows: rows.reverse())
    ledger.list_again(DAYS[0], ledger.keys())
    assert verify(ledger.layout).consistent


def test_columns_beside_the_ledgers_are_found(ledger: Ledger) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(ledger.files[0])
    pq.write_table(table.append_column("note", [["x"] * len(table)]), ledger.files[0])
    ledger.list_again(DAYS[0], ledger.keys())
    assert "other columns" in str(verify(ledger.layout).findings[0])


# Files.


def _truncate(ledger: Ledger) -> None:
    os.truncate(ledger.files[4], ledger.files[4].stat().st_size - 1)


def _stray(ledger: Ledger, name: str) -> None:
    shutil.copy(ledger.files[4], ledger.files[4].with_name(name))


def _link(ledger: Ledger) -> None:
    outside = ledger.layout.root.parent / "outside.parquet"
    ledger.files[4].rename(outside)
    ledger.files[4].with_name(ledger_name(4)).symlink_to(outside)


def ledger_name(number: int) -> str:
    """The name of the file of a batch."""
    return f"{number * 24:012d}-{number * 24 + 24:012d}.parquet"


def _exchange(ledger: Ledger) -> None:
    one, other = ledger.files[3], ledger.files[4]
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


DAMAGE: dict[str, Callable[[Ledger], Any]] = {
    "truncated": _truncate,
    "emptied": lambda ledger: os.truncate(ledger.files[4], 0),
    "missing": lambda ledger: ledger.files[4].unlink(),
    "last missing": lambda ledger: ledger.files[-1].unlink(),
    "exchanged": _exchange,
    "a copy beside it": lambda ledger: _stray(ledger, "copy.parquet"),
    "a range of its own": lambda ledger: _stray(ledger, "000000000100-000000000110.parquet"),
    "a range beyond": lambda ledger: _stray(ledger, "000000000216-000000000240.parquet"),
    "hidden": lambda ledger: _stray(ledger, ".000000000096-000000000120.parquet"),
    "a link": _link,
    "a file among the days": lambda ledger: (ledger.layout.packets / "notes.txt").touch(),
    "a folder": lambda ledger: (ledger.layout.day(DAYS[0]) / "more").mkdir(),
    "a day missing": lambda ledger: shutil.rmtree(ledger.layout.day(DAYS[1])),
    "a day and its manifest missing": lambda ledger: (
        shutil.rmtree(ledger.layout.day(DAYS[1])),
        ledger.layout.manifest_of(DAYS[1]).unlink(),
    ),
    "the newest day and its manifest missing": lambda ledger: (
        shutil.rmtree(ledger.layout.day(DAYS[2])),
        ledger.layout.manifest_of(DAYS[2]).unlink(),
    ),
    "no manifest": lambda ledger: ledger.layout.manifest_of(DAYS[1]).unlink(),
    "another day's manifest": lambda ledger: shutil.copy(
        ledger.layout.manifest_of(DAYS[0]), ledger.layout.manifest_of(DAYS[1])
    ),
    "no keys": lambda ledger: shutil.rmtree(ledger.layout.keys),
    "no checkpoints": lambda ledger: shutil.rmtree(ledger.layout.checkpoints),
    "no latest checkpoint": lambda ledger: (ledger.layout.checkpoints / "latest.txt").unlink(),
    "an older checkpoint as the latest": lambda ledger: (
        (ledger.layout.checkpoints / "216.txt").unlink(),
        (ledger.layout.checkpoints / "latest.txt").write_text(ledger.note(192)),
    ),
    "a checkpoint under another size": lambda ledger: (
        ledger.layout.checkpoints / "100.txt"
    ).write_text(ledger.note(96)),
    "no log": lambda ledger: shutil.rmtree(ledger.layout.log),
    "a shorter log": lambda ledger: os.truncate(ledger.layout.log / "0.hashes", 100 * 32),
    "a longer log": lambda ledger: os.truncate(ledger.layout.log / "0.hashes", 217 * 32),
    "a file among the hashes": lambda ledger: (ledger.layout.log / "8.hashes").touch(),
    "a file among the keys": lambda ledger: (ledger.layout.keys / "notes.txt").touch(),
    "a rotation of no key": lambda ledger: (ledger.layout.keys / "7.txt").touch(),
    "a folder among the keys": lambda ledger: (ledger.layout.keys / "old").mkdir(),
    "a file among the checkpoints": lambda ledger: (ledger.layout.checkpoints / "7").touch(),
}


@pytest.mark.part("STA-2")
@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.usefixtures("inline")
def test_a_damaged_folder_is_found(ledger: Ledger, damage: str) -> None:
    DAMAGE[damage](ledger)
    result = verify(ledger.layout)
    assert result.verdict.startswith("not consistent: ")
    assert all(finding.remedy for finding in result.findings)


def test_everything_removed_is_seen_only_from_elsewhere(ledger: Ledger) -> None:
    note = ledger.note()
    shutil.rmtree(ledger.layout.root)
    ledger.layout.root.mkdir()
    assert verify(ledger.layout).consistent
    assert not verify(ledger.layout, against=[note]).consistent
    assert (
        "older copy" in told(verify(ledger.layout, store=ledger.store))
        or not verify(ledger.layout, store=ledger.store).consistent
    )


# Files made to hurt.


def test_a_file_that_makes_its_reader_crash_is_told_of(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omniva_dagster.stardust import readers

    ledger.files[0].write_bytes(b"PAR1 and nothing")
    monkeypatch.setattr(readers, "_SERVE", "import os; os.abort()")
    result = verify(ledger.layout)
    assert "its reader crashed" in told(result)


@pytest.mark.usefixtures("inline")
def test_a_claim_of_more_leaves_than_any_disk_holds_costs_nothing(ledger: Ledger) -> None:
    from omniva_dagster.stardust.checkpoints import sign_checkpoint, write_checkpoint

    keys = ledger.keys()
    note = sign_checkpoint(keys, keys.origin, 10**15, bytes(32))
    write_checkpoint(ledger.layout.checkpoints, note)
    first, path = ledger.files[0], ledger.layout.manifest_of(DAYS[0])
    huge = first.with_name("000000000000-1000000000000000.parquet")
    first.rename(huge)
    text = path.read_text().replace(first.name, huge.name)
    text = text.replace('"last_leaf":23', '"last_leaf":999999999999999')
    path.write_text(text.replace('"rows":24', '"rows":1000000000000000', 1))
    assert not verify(ledger.layout).consistent


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"manifest":[]}', b"\xff", b"null"])
def test_a_manifest_that_is_none_is_told_of(ledger: Ledger, content: bytes) -> None:
    ledger.layout.manifest_of(DAYS[0]).write_bytes(content)
    assert f"manifest/{DAYS[0]}.json" in told(verify(ledger.layout))


def test_a_manifest_has_one_spelling(ledger: Ledger) -> None:
    path = ledger.layout.manifest_of(DAYS[0])
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))
    assert "is not in canonical form" in told(verify(ledger.layout))


def test_many_findings_are_counted_and_the_first_are_kept(ledger: Ledger) -> None:
    for number, path in enumerate(ledger.files):
        ledger.rewrite(path, lambda rows: [row.update(producer="eve") for row in rows])
        ledger.list_again(DAYS[number // 3], ledger.keys())
    result = verify(ledger.layout)
    assert result.count == 216
    assert len(result.findings) == 100


# Forged with the stolen key.


@pytest.mark.spec("STA-3")
def test_a_history_rewritten_with_the_stolen_key_is_found_against_an_anchor(
    ledger: Ledger,
) -> None:
    anchored = [ledger.note(48), ledger.note(144)]
    ledger.rewrite(ledger.files[4], lambda rows: edit_message(rows[3], value=7.0))
    ledger.forge()
    alone = verify(ledger.layout)
    assert alone.verdict == "consistent, not anchored"
    assert "whoever holds the signing key can write another history" in alone.notes[0]
    assert verify(ledger.layout, against=anchored[:1]).anchored == 48
    result = verify(ledger.layout, against=["\n".join(anchored)])
    assert "history was rewritten" in told(result)
    assert result.anchored is None or not result.consistent
    assert result.findings[0].place == "the anchored checkpoint 144"


def test_a_ledger_rolled_back_is_found_against_an_anchor_and_by_the_state_store(
    ledger: Ledger,
) -> None:
    newest = ledger.note()
    for path in ledger.files[-3:]:
        path.unlink()
    ledger.layout.day(DAYS[2]).rmdir()
    ledger.layout.manifest_of(DAYS[2]).unlink()
    for size in (168, 192, 216):
        (ledger.layout.checkpoints / f"{size}.txt").unlink()
    (ledger.layout.checkpoints / "latest.txt").write_text(ledger.note(144))
    os.truncate(ledger.layout.log / "0.hashes", 144 * 32)
    assert verify(ledger.layout).verdict == "consistent, not anchored"
    assert "rolled back" in told(verify(ledger.layout, against=[newest]))
    assert "folder was rolled back" in told(verify(ledger.layout, store=ledger.store))


def test_replaced_keys_are_found_against_an_anchor_or_a_trusted_key(ledger: Ledger) -> None:
    from omniva_dagster.stardust.keys import signing_keys

    anchored, trusted = ledger.note(), str(ledger.keys().public)
    origin = ledger.keys().origin
    shutil.rmtree(ledger.layout.keys)
    signing_keys(ledger.layout.keys, origin, create=True)
    assert not verify(ledger.layout).consistent
    ledger.forge()
    assert verify(ledger.layout).consistent
    assert "keys were replaced" in told(verify(ledger.layout, against=[anchored]))
    assert "is a key that you trust" in told(verify(ledger.layout, trusted=[trusted]))


def test_what_is_no_checkpoint_anchors_nothing(ledger: Ledger) -> None:
    for text in ("", "hello", ledger.note().replace("216", "217", 1), ledger.note()[:-30]):
        result = verify(ledger.layout, against=[text])
        assert not result.consistent
        assert result.anchored is None


def test_a_replaced_key_keeps_old_checkpoints_and_signs_no_new_ones(ledger: Ledger) -> None:
    from omniva_dagster.stardust.checkpoints import sign_checkpoint, write_checkpoint

    old, anchored = ledger.keys(), ledger.note()
    rotate(ledger.layout.keys, old.origin, ledger.size)
    assert verify(ledger.layout, against=[anchored]).anchored == 216
    emit_family(ledger.store, DAYS[2], "more", 5)
    done = sequence(ledger.store, ledger.layout, now=noon(DAYS[2]))
    assert verify(ledger.layout, store=ledger.store, against=[anchored]).consistent
    note = sign_checkpoint(old, old.origin, done.tree_size, bytes.fromhex(done.root))
    write_checkpoint(ledger.layout.checkpoints, note)
    assert "is not the key of that time" in told(verify(ledger.layout))


# Parents.


def _with_parent(rows: Rows, parent: str) -> None:
    edited = json.loads(rows[3]["message"])
    edited["_meta_parents"] = rows[3]["parents"] = [parent]
    rows[3]["message"] = json.dumps(edited, sort_keys=True, separators=(",", ":"))
    edit_message(rows[3])


@pytest.mark.part("STA-7")
def test_a_parent_that_is_nowhere_or_comes_later_is_found(ledger: Ledger) -> None:
    absent = derive_id("packet", "nowhere")
    ledger.rewrite(ledger.files[4], lambda rows: _with_parent(rows, absent))
    ledger.forge()
    finding = verify(ledger.layout).findings[0]
    assert (finding.leaf, finding.field) == (99, "parents")
    assert absent in finding.problem
    ledger.rewrite(ledger.files[4], lambda rows: _with_parent(rows, rows[9]["packet_id"]))
    ledger.forge()
    assert "comes only later, as leaf 105" in told(verify(ledger.layout))


def test_a_missing_parent_that_is_flagged_is_no_fault(ledger: Ledger) -> None:
    def flag(rows: Rows) -> None:
        _with_parent(rows, derive_id("packet", "nowhere"))
        rows[3]["missing_parents"] = rows[3]["parents"]

    ledger.rewrite(ledger.files[4], flag)
    ledger.forge()
    assert verify(ledger.layout).consistent


def test_a_packet_that_is_there_twice_is_found(ledger: Ledger) -> None:
    def double(rows: Rows) -> None:
        rows[7] = {**rows[6], "leaf_index": rows[7]["leaf_index"]}

    ledger.rewrite(ledger.files[4], double)
    ledger.forge()
    assert "has the id that leaf 102 has too" in told(verify(ledger.layout))


# The state store.


def test_a_state_store_that_says_otherwise_is_told_of(ledger: Ledger) -> None:
    store = ledger.store
    with store.begin() as connection:
        for table in ("packets",):
            triggers = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
            ).scalars()
            for name in list(triggers):
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql(
            "UPDATE packets SET body = replace(body, '3.5', '8.5') WHERE sequence = 4"
        )
        connection.exec_driver_sql(
            "UPDATE packets SET content_hash = ? WHERE sequence = 9", ("0" * 64,)
        )
    result = verify(ledger.layout, store=store)
    assert "its message in the outbox is not the one that was recorded" in told(result)
    assert "has another content_hash in the state store" in told(result)


def test_a_torn_file_is_named_beside_a_state_store_too(ledger: Ledger) -> None:
    torn = ledger.files[2]
    os.truncate(torn, 1000)
    result = verify(ledger.layout, store=ledger.store)
    place = torn.relative_to(ledger.layout.root).as_posix()
    assert {finding.place for finding in result.findings} == {place}


@pytest.mark.parametrize("damage", ["no database", "no table", "no id"])
def test_a_state_store_that_is_none_is_told_of(ledger: Ledger, damage: str) -> None:
    path = ledger.layout.root.parent / "state.db"
    if damage == "no database":
        path.write_bytes(b"hello" * 1000)
    else:
        with closing(sqlite3.connect(path)) as database:
            database.executescript(
                "DROP TABLE packet_queue"
                if damage == "no table"
                else "PRAGMA foreign_keys = OFF; DROP TRIGGER packets_no_update;"
                "UPDATE packets SET packet_id = 'x', body = x'ff' WHERE sequence = 4"
            )
    result = verify(ledger.layout, store=ledger.store)
    assert "the state store" in told(result)
    assert "can't be compared" in told(result)


def test_an_older_state_store_and_another_ledgers_are_told_of(
    ledger: Ledger, built: Path, tmp_path: Path
) -> None:
    from omniva_dagster.state.store import Store

    emit_family(ledger.store, DAYS[2], "more", 5)
    sequence(ledger.store, ledger.layout, now=noon(DAYS[2]))
    old = Store(f"sqlite:///{built / 'state.db'}")
    assert "it is an older copy" in told(verify(ledger.layout, store=old))
    other = Store(f"sqlite:///{tmp_path / 'other.db'}")
    other.migrate()
    emit_family(other, DAYS[0], "x", 2)
    sequence(other, Layout(tmp_path / "other"), now=noon(DAYS[0]))
    assert "belongs to the ledger" in told(verify(ledger.layout, store=other))


def test_packets_that_still_wait_are_no_fault(ledger: Ledger) -> None:
    emit_family(ledger.store, DAYS[2], "more", 5)
    assert verify(ledger.layout, store=ledger.store).consistent


@pytest.mark.parametrize(
    "leftover", ["keys/.1.pub.tmp", "keys/2.txt", "keys/signing.key.next", "manifest/.x.json.tmp"]
)
def test_what_an_interrupted_write_left_behind_is_told_and_is_no_fault(
    ledger: Ledger, leftover: str
) -> None:
    (ledger.layout.root / leftover).touch()
    result = verify(ledger.layout)
    assert result.consistent
    assert any(f"left {leftover} behind: harmless" in note for note in result.notes)


def test_a_packet_taken_out_of_the_queue_is_told_with_the_way_back(ledger: Ledger) -> None:
    emit_family(ledger.store, DAYS[2], "more", 1)
    with ledger.store.begin() as connection:
        connection.exec_driver_sql("DELETE FROM packet_queue")
    result = verify(ledger.layout, store=ledger.store)
    assert "taken out of the queue before it had a place" in told(result)
    with ledger.store.begin() as connection:
        connection.exec_driver_sql(re.search(r"INSERT.*'", told(result))[0])  # type: ignore[index]
    sequence(ledger.store, ledger.layout, now=noon(DAYS[2]))
    assert verify(ledger.layout, store=ledger.store).consistent


def test_packets_of_a_day_that_is_gone_are_to_be_restored(ledger: Ledger) -> None:
    shutil.rmtree(ledger.layout.day(DAYS[1]))
    ledger.layout.manifest_of(DAYS[1]).unlink()
    said = told(verify(ledger.layout, store=ledger.store))
    assert "the folder does not hold it. To do: restore it from a backup" in said
    assert "queue" not in said


@pytest.mark.parametrize("frontier", ["'x'", "'[]'", "(SELECT min(frontier) FROM ledger_segments)"])
def test_a_store_that_forgot_the_tree_is_told_of_and_nothing_is_sequenced(
    ledger: Ledger, frontier: str
) -> None:
    emit_family(ledger.store, DAYS[2], "more", 1)
    with ledger.store.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE ledger_segments SET frontier = {frontier} WHERE first_leaf = 192"
        )
    assert "remembers of the Merkle tree" in told(verify(ledger.layout, store=ledger.store))
    with pytest.raises(LedgerError, match="ledger_segments was changed"):
        sequence(ledger.store, ledger.layout, now=noon(DAYS[2]))


def test_a_packet_that_is_queued_again_is_told_with_what_to_do(ledger: Ledger) -> None:
    with ledger.store.begin() as connection:
        connection.exec_driver_sql("INSERT INTO packet_queue (sequence) VALUES (7)")
    said = told(verify(ledger.layout, store=ledger.store))
    assert "waits in the queue for another" in said
    with ledger.store.begin() as connection:
        connection.exec_driver_sql(re.search("DELETE.*7", said)[0])  # type: ignore[index]
    assert verify(ledger.layout, store=ledger.store).consistent


# A ledger at work.


def test_packets_beyond_the_checkpoint_wait_for_a_sequencer_at_work(ledger: Ledger) -> None:
    import fcntl

    for name in ("216.txt", "latest.txt"):
        (ledger.layout.checkpoints / name).unlink()
    (ledger.layout.checkpoints / "latest.txt").write_text(ledger.note(192))
    result = verify(ledger.layout)
    assert "24 packets from leaf 192 on are under no checkpoint" in told(result)
    with ledger.layout.lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = verify(ledger.layout)
    assert result.consistent
    assert "24 packets wait" in result.notes[0]


def test_a_day_sealed_while_it_is_read_is_read_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = []

    def sealing_first(task: FileTask) -> FileReport:
        if not sealed:
            sealed.append(
                seal(ledger.store, ledger.layout, before=noon(DAYS[2]).date(), now=noon(DAYS[2]))
            )
        return check_file(task)

    monkeypatch.setattr("omniva_dagster.stardust.readers.check_file", sealing_first)
    assert verify(ledger.layout).consistent
    assert sealed
