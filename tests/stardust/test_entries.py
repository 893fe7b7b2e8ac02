"""What a leaf is: canonical JSON, of every column, and of nothing that could be read two ways."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import pyarrow as pa
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts.cognition.stardust import LedgerPacket
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.stardust.entries import (
    COLUMNS,
    LEAF_FIELDS,
    OPTIONAL,
    arrow_schema,
    leaf_data,
    leaf_data_of_columns,
)
from omniva_dagster.stardust.sequencer import sequence
from tests.stardust.writing import FIRST_DAY, Bench, rows

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
LISTS = st.lists(TEXTS, max_size=3)


def values(name: str) -> st.SearchStrategy[Any]:
    if name == "leaf_index":
        return st.integers(0, 2**53 - 1)
    kind = LISTS if name in {"parents", "missing_parents"} else TEXTS
    return st.none() | kind if name in OPTIONAL else kind


ENTRIES = st.fixed_dictionaries({name: values(name) for name in COLUMNS})


@pytest.mark.part("STA-2")
@settings(max_examples=300, deadline=None)
@given(st.lists(ENTRIES, min_size=1, max_size=3))
def test_a_leaf_is_the_canonical_json_of_all_columns_but_the_message(
    entries: list[dict[str, Any]],
) -> None:
    expected = [rfc8785.dumps({n: e[n] for n in LEAF_FIELDS if e[n] is not None}) for e in entries]
    assert [leaf_data(entry) for entry in entries] == expected
    batch = pa.RecordBatch.from_pylist(entries, schema=arrow_schema())
    assert list(leaf_data_of_columns(batch)) == expected


@settings(max_examples=300, deadline=None)
@given(ENTRIES, ENTRIES)
def test_two_entries_that_differ_have_different_leaves(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    differ = any(one[name] != other[name] for name in LEAF_FIELDS)
    assert (leaf_data(one) != leaf_data(other)) is differ


def test_a_value_can_not_pass_for_the_field_after_it() -> None:
    entry: dict[str, Any] = dict.fromkeys(COLUMNS, "x") | {"leaf_index": 1}
    forged = entry | {"creator": 'ada","day":"2026-03-04', "day": None}
    honest = entry | {"creator": "ada", "day": "2026-03-04"}
    assert leaf_data(forged) != leaf_data(honest)


def test_the_leaf_of_an_entry_is_a_packet_of_the_contract(tmp_path: Any) -> None:
    bench = Bench.at(tmp_path)
    bench.emit("one", "two")
    sequence(bench.store, bench.layout, now=FIRST_DAY)
    for row in rows(bench.layout):
        packet = LedgerPacket.parse(leaf_data(row))
        assert packet.dump() == json.loads(leaf_data(row))
        assert (packet.creator, packet.day) == ("ada", "2026-03-04")


@settings(max_examples=200, deadline=None)
@given(st.text(), st.lists(st.text() | st.integers()))
def test_an_id_is_cut_from_the_hash_of_its_parts_as_json(name: str, parts: list[str | int]) -> None:
    text = json.dumps([name, *parts], separators=(",", ":"))
    digest = hashlib.sha256(text.encode("ascii")).digest()
    assert derive_id(name, *parts) == str(uuid.UUID(bytes=digest[:16], version=4))
