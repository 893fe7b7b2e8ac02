"""`omniva ledger`: what it prints, what it exits with, and what it leaves alone."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from omniva_dagster.cli import cli
from omniva_dagster.settings import settings
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.verify import verify
from tests.stardust.proving import DAYS, PER_BATCH, Ledger
from tests.support.home import Home, make_home

NOT_AS_IT_SHOULD_BE = 4


@pytest.fixture
def home(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """The home of a copied ledger."""
    yield make_home(ledger.layout.root.parent, monkeypatch)
    settings.cache_clear()


@pytest.fixture
def packet(ledger: Ledger) -> str:
    """The id of a packet in the middle."""
    return str(pq.read_table(ledger.files[3])["packet_id"][7])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["ledger", *map(str, arguments)])


def said(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def damage(ledger: Ledger) -> Path:
    """Change a byte in a file's middle."""
    path = ledger.files[2]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return path


def test_a_sound_ledger_verifies_with_its_home_and_as_a_bare_copy(
    home: Home, ledger: Ledger, tmp_path: Path
) -> None:
    result = run("verify")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("consistent, not anchored\n")
    copy = tmp_path / "copy"
    shutil.copytree(ledger.layout.root, copy)
    assert said(run("verify", "--ledger", copy, "--json"))["consistent"] is True


def test_an_anchored_checkpoint_is_named(home: Home, ledger: Ledger, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(ledger.note(PER_BATCH * 2))
    result = run("verify", "--against", kept)
    assert result.exit_code == 0
    assert f"consistent with the anchored checkpoint {PER_BATCH * 2}" in result.stdout


def test_a_damaged_ledger_does_not_verify_and_says_where_and_what_to_do(
    home: Home, ledger: Ledger
) -> None:
    path = damage(ledger)
    result = run("verify")
    assert result.exit_code == NOT_AS_IT_SHOULD_BE
    assert result.stdout.startswith("not consistent: ")
    assert path.name in result.stdout
    assert "To do: " in result.stdout
    result = run("verify", "--json")
    assert result.exit_code == NOT_AS_IT_SHOULD_BE
    assert json.loads(result.stdout)["findings"][0]["place"].endswith(path.name)


@pytest.mark.parametrize("command", ["sync", "repair", "seal", "stats"])
def test_a_state_store_that_is_none_is_told_of_in_a_line(
    home: Home, ledger: Ledger, command: str
) -> None:
    (home.path / "state.db").write_bytes(b"hello" * 1000)
    assert isinstance(error := run(command).exception, LedgerError)
    assert "the state store can't be used: file is not a database" in str(error)


def test_a_state_store_that_cant_be_opened_leaves_the_verdict_open(
    home: Home, ledger: Ledger
) -> None:
    path = home.path / "state.db"
    path.unlink()
    path.symlink_to(home.path / "no such folder" / "state.db")
    result = verify(ledger.layout)
    assert result.consistent
    with pytest.raises(LedgerError, match=r"--ledger .* verifies the folder alone"):
        verify(ledger.layout, store=ledger.store)


def test_a_key_that_is_not_the_ledgers_does_not_verify(home: Home, ledger: Ledger) -> None:
    own = (ledger.layout.keys / "1.pub").read_text().strip()
    assert run("verify", "--key", own).exit_code == 0
    assert run("verify", "--key", own[:-6] + "AAAAA=").exit_code == NOT_AS_IT_SHOULD_BE


def test_verifying_makes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    run("verify", "--ledger", ledger.layout.root)
    run("stats", "--ledger", ledger.layout.root)
    run("sql", "SELECT 1", "--ledger", ledger.layout.root)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_proof_convinces_someone_who_has_nothing_but_the_key(
    home: Home, ledger: Ledger, packet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof, key = tmp_path / "proof.json", ledger.layout.keys / "1.pub"
    assert run("prove", packet, "--out", proof).exit_code == 0
    text = key.read_text()
    shutil.rmtree(home.path)
    monkeypatch.setenv("OMNIVA_HOME", str(tmp_path / "nowhere"))
    settings.cache_clear()
    result = run("verify-proof", proof, "--key", text)
    assert result.exit_code == 0, result.output
    assert packet in result.stdout
    assert "tests — ünïcode: seconds" in result.stdout
    assert not (tmp_path / "nowhere").exists()


def test_a_proof_that_was_changed_or_is_another_ledgers_does_not_convince(
    home: Home, ledger: Ledger, packet: str, tmp_path: Path
) -> None:
    key = ledger.layout.keys / "1.pub"
    proof = said(run("prove", packet, "--size", ledger.size))
    forged = tmp_path / "forged.json"
    proof["message"] = proof["message"].replace("7.5", "8.5")
    forged.write_text(json.dumps(proof))
    result = run("verify-proof", forged, "--key", key)
    assert result.exit_code == NOT_AS_IT_SHOULD_BE
    assert "not proven: the message is not the one" in result.stdout
    for junk in ("", "[]", "nonsense", "{}", '{"format": "omniva-ledger-inclusion"}', "[" * 9999):
        forged.write_text(junk)
        assert run("verify-proof", forged, "--key", key).exit_code == NOT_AS_IT_SHOULD_BE
        result = run("verify-proof", forged, "--key", key, "--json")
        assert json.loads(result.stdout)["proven"] is False


def test_a_proof_needs_something_that_is_trusted(tmp_path: Path) -> None:
    (tmp_path / "proof.json").write_text("{}")
    result = run("verify-proof", tmp_path / "proof.json")
    assert result.exit_code == 2
    assert "--key" in result.output


def test_a_packet_that_is_not_there_has_no_proof(home: Home) -> None:
    for packet in ("00000000-0000-4000-8000-000000000000", "nonsense", "../../etc/passwd"):
        result = run("prove", packet)
        assert isinstance(result.exception, LedgerError)
        assert result.stdout == ""


def test_the_log_only_grew_since_a_checkpoint_that_was_kept(
    home: Home, ledger: Ledger, tmp_path: Path
) -> None:
    kept, proof = tmp_path / "kept.txt", tmp_path / "proof.json"
    kept.write_text(ledger.note(PER_BATCH))
    assert run("consistency", kept, "--out", proof).exit_code == 0
    result = run("verify-proof", proof, "--checkpoint", kept)
    assert result.exit_code == 0, result.output
    assert "begins with your checkpoint" in result.stdout
    kept.write_text(ledger.note(PER_BATCH * 2))
    assert run("verify-proof", proof, "--checkpoint", kept).exit_code == NOT_AS_IT_SHOULD_BE
    assert run("verify-proof", proof, "--key", "x").exit_code == 2
    assert said(run("consistency", 100, PER_BATCH * 5))["old_size"] == 100
    assert run("consistency", "no such file").exit_code == 2


def test_a_rewritten_log_is_not_consistent_with_a_checkpoint_that_was_kept(
    home: Home, ledger: Ledger, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(ledger.note(PER_BATCH))

    def emptied(rows: list[dict[str, Any]]) -> None:
        rows[0]["subject_id"] = None

    ledger.rewrite(ledger.files[0], emptied)
    ledger.forge()
    assert run("consistency", PER_BATCH).exit_code == 0
    result = run("consistency", kept)
    assert result.exit_code == NOT_AS_IT_SHOULD_BE
    assert "rewritten" in result.stderr


def test_sql_comes_as_a_table_as_csv_and_as_json(home: Home) -> None:
    query = (
        "SELECT 1 AS n, NULL AS none, 'a,\"b' AS text, [1, 2] AS list, {'a': 1} AS object, "
        "DATE '2026-03-04' AS day, TIMESTAMPTZ '2026-03-04 05:06:07Z' AS at, "
        "1.5::DECIMAL(4,2) AS d, 'nan'::DOUBLE AS nan, sum(leaf_index) AS total, "
        "'x' AS n FROM packets"
    )
    (row,) = said(run("sql", query, "--format", "json"))
    assert row == {
        "n": 1, "none": None, "text": 'a,"b', "list": [1, 2], "object": {"a": 1},
        "day": "2026-03-04", "at": "2026-03-04T05:06:07Z", "d": 1.5, "nan": "nan",
        "total": sum(range(len(DAYS) * 72)), "n_2": "x",
    }  # fmt: skip
    result = run("sql", query, "--format", "csv")
    head, line = csv.reader(io.StringIO(result.stdout))
    assert head[:3] == ["n", "none", "text"]
    assert line[:5] == ["1", "", 'a,"b', "[1, 2]", '{"a": 1}']
    result = run("sql", query)
    assert "2026-03-04T05:06:07Z" in result.stdout
    assert "1 row" in result.stderr


def test_sql_is_read_from_standard_input_and_limited(home: Home) -> None:
    result = CliRunner().invoke(
        cli, ["ledger", "sql", "-", "--limit", "2", "--format", "csv"], input="FROM packets"
    )
    assert len(result.stdout.splitlines()) == 3
    result = run("sql", "FROM packets", "--limit", 5)
    assert "the first 5 rows" in result.stderr


def test_a_refused_query_says_why(home: Home) -> None:
    result = run("sql", "SELECT * FROM read_csv('/etc/passwd')")
    assert isinstance(result.exception, LedgerError)
    assert "read_csv can't be used here" in str(result.exception)


def test_a_table_can_not_drive_the_terminal(home: Home) -> None:
    result = run(
        "sql", "SELECT 'a' || chr(27) || ']0;x' || chr(7) || chr(10) || 'b' AS \"\x1b[31m\""
    )
    assert "\x1b" not in result.stdout
    assert "\x07" not in result.stdout


def test_lineage_is_a_tree_to_read_and_json_for_programs(home: Home, packet: str) -> None:
    result = run("lineage", packet)
    assert result.exit_code == 0, result.output
    assert f"TelemetrySample {packet[:8]}" in result.stdout
    assert "seconds = 7.5" in result.stdout
    assert "(above)" in result.stdout
    up = said(run("lineage", packet, "--json"))
    assert len(up["packets"]) == 8
    down = said(run("lineage", packet, "--down", "--json"))
    assert len(down["packets"]) == PER_BATCH - 7
    assert run("lineage", packet, "--depth", 1).stdout.rstrip().endswith("--json for all")


def test_stats_count_what_is_there(home: Home, ledger: Ledger) -> None:
    found = said(run("stats", "--json"))
    assert (found["packets"], found["signed"], found["days"]) == (ledger.size, ledger.size, 3)
    assert (found["files"], found["waiting"], found["held"]) == (9, 0, 0)
    assert found["types"][0]["packets"] == ledger.size
    result = run("stats")
    assert "TelemetrySample" in result.stdout
    bare = said(run("stats", "--json", "--ledger", ledger.layout.root))
    assert "waiting" not in bare


def test_sealing_leaves_one_file_a_day_and_the_same_ledger(home: Home, ledger: Ledger) -> None:
    before = said(run("verify", "--json"))["root"]
    sealed = said(run("seal", "--json"))["sealed"]
    assert [day["date"] for day in sealed] == list(DAYS)
    assert [path.name.count("sealed") for path in ledger.files] == [1, 1, 1]
    assert said(run("verify", "--json"))["root"] == before
    assert "0 days sealed" in run("seal").stdout


def test_repair_makes_anew_what_follows_from_the_packets(home: Home, ledger: Ledger) -> None:
    shutil.rmtree(ledger.layout.log)
    ledger.layout.manifest_of(DAYS[1]).unlink()
    assert run("verify").exit_code == NOT_AS_IT_SHOULD_BE
    result = run("repair")
    assert result.exit_code == 0, result.output
    assert "manifests of 3 days" in result.stdout
    assert run("verify").exit_code == 0


def test_repair_signs_nothing_that_was_changed(home: Home, ledger: Ledger) -> None:
    damage(ledger)
    result = run("repair")
    assert isinstance(result.exception, LedgerError)
    assert run("verify").exit_code == NOT_AS_IT_SHOULD_BE


def test_repair_signs_what_nothing_confirms_only_with_the_root_typed(
    home: Home, ledger: Ledger
) -> None:
    root = said(run("verify", "--json"))["root"]
    note = ledger.note()
    shutil.rmtree(ledger.layout.checkpoints)
    refused = run("repair")
    assert isinstance(refused.exception, LedgerError)
    assert root in str(refused.exception)
    assert not ledger.layout.checkpoints.exists()
    kept = home.path / "kept.txt"
    kept.write_text(note)
    for vouching in (("--accept-root", root), ("--against", kept)):
        result = run("repair", *vouching)
        assert result.exit_code == 0, result.output
        assert ledger.note() == note
        shutil.rmtree(ledger.layout.checkpoints)


def test_sync_brings_the_ledger_up_to_date(home: Home, ledger: Ledger) -> None:
    from tests.stardust.proving import emit_family

    emit_family(ledger.store, "2026-03-07", "more", 5)
    assert said(run("stats", "--json"))["waiting"] == 5
    done = said(run("sync", "--json"))
    assert done["sequenced"]["count"] == 5
    assert run("verify").exit_code == 0
    assert "0 packets sequenced" in run("sync").stdout


def test_a_replaced_key_is_recorded_and_what_it_signs_verifies(home: Home, ledger: Ledger) -> None:
    old = (ledger.layout.keys / "1.pub").read_text().strip()
    rotated = said(run("rotate-key", "--json"))
    assert rotated["old_key"] == old
    assert run("sync").exit_code == 0
    assert said(run("verify", "--key", old, "--json"))["consistent"] is True
    (row,) = said(
        run(
            "sql",
            "SELECT payload FROM packets WHERE message_type = 'KeyRotation'",
            "--format",
            "json",
        )
    )
    assert json.loads(row["payload"])["new_key"] == rotated["new_key"]
    private = ledger.layout.keys / "signing.key"
    assert private.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "arguments", [("verify",), ("stats",), ("sql", "SELECT 1"), ("lineage", "x"), ("prove", "x")]
)
def test_without_a_ledger_each_command_says_how_to_begin_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    make_home(tmp_path / "home", monkeypatch)
    result = run(*arguments)
    settings.cache_clear()
    assert isinstance(result.exception, LedgerError)
    assert "omniva ledger sync" in str(result.exception)
    assert list((tmp_path / "home").iterdir()) == []
