"""Proofs that are given away, and what nobody can make a proof of."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.stardust.checkpoints import sign_checkpoint
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.keys import Keyring, rotate, signing_keys
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.proofs import (
    ProofError,
    consistency,
    prove,
    verify_consistency_proof,
    verify_proof,
)
from omniva_dagster.stardust.sealing import seal
from omniva_dagster.stardust.sequencer import sequence
from tests.stardust import reference
from tests.stardust.proving import DAYS, Ledger, edit_message, emit_family, noon


def packet(ledger: Ledger, leaf: int) -> str:
    """The id of the packet at a place in the log."""
    import pyarrow.parquet as pq

    table = pq.read_table(ledger.files[leaf // 24], columns=["packet_id", "leaf_index"])
    row: dict[str, Any] = table.to_pylist()[leaf % 24]
    assert row["leaf_index"] == leaf
    return str(row["packet_id"])


def trusted(ledger: Ledger) -> list[str]:
    """The ledger's first public key."""
    return [str(Keyring.read(ledger.layout.keys).publics[0])]


@pytest.fixture(scope="module")
def proof(built: Path) -> tuple[str, list[str]]:
    """A proof as a file holds it, and the key to trust."""
    ledger = Ledger(Layout(built / "ledger"))
    return json.dumps(prove(ledger.layout, packet(ledger, 100))), trusted(ledger)


@pytest.mark.spec("STA-3")
@pytest.mark.parametrize("leaf", [0, 23, 24, 100, 191, 192, 215])
def test_a_proof_stands_without_the_ledger(ledger: Ledger, leaf: int) -> None:
    wanted, keys, note = packet(ledger, leaf), trusted(ledger), ledger.note()
    document = json.dumps(prove(ledger.layout, wanted))
    shutil.rmtree(ledger.layout.root)
    for proven in (
        verify_proof(document, trusted=keys),
        verify_proof(document, checkpoint=note),
    ):
        assert proven.entry["packet_id"] == proven.message["message_id"] == wanted
        assert proven.entry["leaf_index"] == leaf
        assert proven.checkpoint.size == 216


def test_the_proofs_path_is_the_one_that_the_definition_gives(ledger: Ledger) -> None:
    import pyarrow.parquet as pq
    import rfc8785

    leaves = []
    for path in ledger.files:
        for row in pq.read_table(path).to_pylist():
            del row["message"]
            entry = {name: value for name, value in row.items() if value is not None}
            leaves.append(reference.H(b"\x00" + rfc8785.dumps(entry)))
    document = prove(ledger.layout, packet(ledger, 77))
    assert document["inclusion"]["path"] == [s.hex() for s in reference.path(77, leaves)]
    assert document["inclusion"]["root_hash"] == reference.mth(leaves).hex()


def test_a_proof_can_be_made_under_an_older_checkpoint_that_is_kept(ledger: Ledger) -> None:
    document = prove(ledger.layout, packet(ledger, 100), size=120)
    assert verify_proof(document, checkpoint=ledger.note(120)).checkpoint.size == 120
    with pytest.raises(LedgerError, match="not under the checkpoint of 96"):
        prove(ledger.layout, packet(ledger, 100), size=96)
    with pytest.raises(LedgerError, match="no checkpoint of 100"):
        prove(ledger.layout, packet(ledger, 1), size=100)


@pytest.mark.spec("STA-3")
def test_a_packet_that_is_not_there_can_not_be_proven(ledger: Ledger) -> None:
    for absent in (derive_id("packet", "nowhere"), packet(ledger, 3).replace("-", "_")):
        with pytest.raises(LedgerError, match="no packet"):
            prove(ledger.layout, absent)
    waiting = emit_family(ledger.store, DAYS[2], "waiting", 1)[0]
    with pytest.raises(LedgerError, match="no packet"):
        prove(ledger.layout, waiting)


def test_an_edited_row_can_not_be_proven(ledger: Ledger) -> None:
    wanted = packet(ledger, 4)
    ledger.rewrite(ledger.files[0], lambda rows: edit_message(rows[4], value=9.0))
    with pytest.raises(LedgerError, match="run `omniva ledger verify`"):
        prove(ledger.layout, wanted)


def test_a_log_that_was_changed_proves_nothing(ledger: Ledger) -> None:
    wanted = packet(ledger, 4)
    path = ledger.layout.log / "0.hashes"
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    with pytest.raises(LedgerError, match="run `omniva ledger verify`"):
        prove(ledger.layout, wanted)
    with pytest.raises(LedgerError, match="run `omniva ledger verify`"):
        consistency(ledger.layout, 96)


def test_a_proof_is_found_in_a_sealed_day(ledger: Ledger) -> None:
    wanted = packet(ledger, 30)
    before = prove(ledger.layout, wanted)
    seal(ledger.store, ledger.layout, before=noon(DAYS[2]).date(), now=noon(DAYS[2]))
    assert prove(ledger.layout, wanted) == before


def _leaves_of(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(document, dict):
        return [p for key, value in document.items() for p in _leaves_of(value, (*path, key))]
    if isinstance(document, list) and document:
        return [p for at, value in enumerate(document) for p in _leaves_of(value, (*path, at))]
    return [path]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_proof_that_was_changed_in_any_field_proves_nothing(
    proof: tuple[str, list[str]], data: st.DataObject
) -> None:
    document = json.loads(proof[0])
    path = data.draw(st.sampled_from(_leaves_of(document)))
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    honest = holder[path[-1]]
    other: st.SearchStrategy[Any] = st.one_of(
        st.none(),
        st.integers(),
        st.text(),
        st.just([]),
        st.just({}),
        st.sampled_from(_twins(honest)),
    )
    holder[path[-1]] = data.draw(other.filter(lambda value: value != honest))
    if path == ("inclusion", "schema_version"):
        return
    with pytest.raises(ProofError):
        verify_proof(document, trusted=proof[1])


def _twins(honest: Any) -> list[Any]:
    if isinstance(honest, str) and honest:
        flipped = [honest[:at] + chr(ord(honest[at]) ^ 1) + honest[at + 1 :] for at in (0, -1)]
        return [*flipped, honest[:-1], honest + "0", honest + " "]
    return [honest + 1, honest - 1, -honest] if isinstance(honest, int) else [[honest]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("packet_id", derive_id("packet", "other")),
        ("content_hash", "0" * 64),
        ("tree_size", 215),
        ("leaf_index", 99),
        ("root_hash", "0" * 64),
        ("path", ["0" * 64]),
    ],
)
def test_a_path_that_says_another_thing_than_the_entry_proves_nothing(
    proof: tuple[str, list[str]], field: str, value: Any
) -> None:
    document = json.loads(proof[0])
    document["inclusion"][field] = value
    with pytest.raises(ProofError):
        verify_proof(document, trusted=proof[1])


@pytest.mark.parametrize(
    "document", ["", "{", "[]", "null", "{}", '{"format":"omniva-ledger-inclusion","version":1}']
)
def test_what_is_no_proof_is_refused_in_words(document: str) -> None:
    with pytest.raises(ProofError):
        verify_proof(document, trusted=[])
    with pytest.raises(ProofError):
        verify_consistency_proof(document, "nothing")


def test_a_proof_trusts_nobody_by_itself(
    proof: tuple[str, list[str]], ledger: Ledger, tmp_path: Path
) -> None:
    with pytest.raises(ProofError, match="no key that you trust"):
        verify_proof(proof[0])
    stranger = signing_keys(tmp_path / "keys", ledger.keys().origin, create=True)
    with pytest.raises(ProofError, match="no key that you trust"):
        verify_proof(proof[0], trusted=[str(stranger.public)])
    forged = json.loads(proof[0])
    root = bytes.fromhex(forged["inclusion"]["root_hash"])
    forged["checkpoint"] = sign_checkpoint(stranger, stranger.origin, 216, root)
    forged["first_key"] = str(stranger.public)
    with pytest.raises(ProofError, match="no key that you trust"):
        verify_proof(forged, trusted=proof[1])
    with pytest.raises(ProofError, match="not under yours of 96"):
        verify_proof(proof[0], checkpoint=ledger.note(96))


def test_who_trusts_the_first_key_trusts_its_successors_and_not_the_other_way(
    ledger: Ledger,
) -> None:
    old = trusted(ledger)
    rotation = rotate(ledger.layout.keys, ledger.keys().origin, ledger.size)
    emit_family(ledger.store, DAYS[2], "more", 3)
    sequence(ledger.store, ledger.layout, now=noon(DAYS[2]))
    document = prove(ledger.layout, packet(ledger, 4))
    # With the packet that tells of the rotation.
    assert verify_proof(document, trusted=old).checkpoint.size == 220
    assert verify_proof(document, trusted=[rotation.new_key]).checkpoint.size == 220
    earlier = prove(ledger.layout, packet(ledger, 4), size=216)
    assert verify_proof(earlier, trusted=old).checkpoint.size == 216
    with pytest.raises(ProofError, match="no key that you trust"):
        verify_proof(earlier, trusted=[rotation.new_key])


@pytest.mark.spec("STA-3")
def test_a_log_that_only_grew_is_consistent_with_every_older_checkpoint(ledger: Ledger) -> None:
    for size in range(24, 217, 24):
        document = json.dumps(consistency(ledger.layout, size))
        assert verify_consistency_proof(document, ledger.note(size)).size == 216
    document = json.dumps(consistency(ledger.layout, 48, 120))
    assert verify_consistency_proof(document, ledger.note(48)).size == 120
    with pytest.raises(ProofError, match="starts from 48"):
        verify_consistency_proof(document, ledger.note(72))
    for old in (0, 217):
        with pytest.raises(LedgerError, match="there is no way"):
            consistency(ledger.layout, old)


def test_a_rewritten_log_is_consistent_with_no_older_checkpoint(ledger: Ledger) -> None:
    kept = ledger.note(144)
    ledger.rewrite(ledger.files[4], lambda rows: edit_message(rows[3], value=7.0))
    ledger.forge()
    document = consistency(ledger.layout, 144)
    assert verify_consistency_proof(document, ledger.note(144)).size == 216
    with pytest.raises(ProofError, match="it was rewritten"):
        verify_consistency_proof(document, kept)
    for change in (document["path"][1:], [*document["path"], "00" * 32], []):
        changed = {**copy.deepcopy(document), "path": change}
        with pytest.raises(ProofError):
            verify_consistency_proof(changed, ledger.note(144))
