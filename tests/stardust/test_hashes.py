"""The log's hashes on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.stardust import merkle
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.hashes import HashFiles
from tests.stardust import reference


def leaves(count: int) -> list[bytes]:
    """Leaf hashes."""
    return [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def content(folder: Path) -> dict[str, bytes]:
    """The files, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 700), max_size=6), size=st.integers(1, 700))
def test_however_it_grew_it_is_the_same_and_proves_the_same(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], size: int
) -> None:
    hashes = leaves(size)
    whole = HashFiles(tmp_path_factory.mktemp("whole"))
    whole.append(0, b"".join(hashes))
    parts = HashFiles(tmp_path_factory.mktemp("parts"))
    ends = sorted({min(cut, size) for cut in cuts} | {size})
    for start, end in zip([0, *ends], ends, strict=False):
        parts.append(start, b"".join(hashes[start:end]))
    assert content(parts.folder) == content(whole.folder)
    assert merkle.root_at(parts.node, size) == reference.mth(hashes)
    index = size // 2
    assert merkle.inclusion_path(parts.node, index, size) == reference.path(index, hashes)


def test_writing_what_is_there_once_more_changes_nothing(tmp_path: Path) -> None:
    hashes = leaves(600)
    log = HashFiles(tmp_path)
    log.append(0, b"".join(hashes))
    before = content(tmp_path)
    log.append(200, b"".join(hashes[200:500]))
    assert content(tmp_path) == before
    log.append(600, b"")
    assert content(tmp_path) == before


def test_large_trees_reach_a_third_level(tmp_path: Path) -> None:
    hashes = leaves(256 * 256 + 300)
    log = HashFiles(tmp_path)
    log.append(0, b"".join(hashes))
    assert [log.kept(level) for level in range(4)] == [65836, 257, 1, 0]
    frontier = merkle.Frontier()
    frontier.extend(hashes)
    assert merkle.root_at(log.node, len(hashes)) == frontier.root()
    path = merkle.inclusion_path(log.node, 40_000, len(hashes))
    leaf, root = hashes[40_000], frontier.root()
    assert merkle.verify_inclusion(leaf, 40_000, len(hashes), path, root)


def test_upper_levels_are_rebuilt_from_the_leaves(tmp_path: Path) -> None:
    log = HashFiles(tmp_path)
    log.append(0, b"".join(leaves(600)))
    before = content(tmp_path)
    (tmp_path / "1.hashes").write_bytes(b"rubbish" * 100)
    log.rebuild()
    assert content(tmp_path) == before


def test_what_was_not_committed_is_cut(tmp_path: Path) -> None:
    log = HashFiles(tmp_path)
    log.append(0, b"".join(leaves(300)))
    before = content(tmp_path)
    log.append(300, b"".join(leaves(600)[300:]))
    with (tmp_path / "0.hashes").open("ab") as file:
        file.write(b"torn")
    log.truncate(300)
    assert content(tmp_path) == before


def test_a_gap_and_a_short_file_are_told_of(tmp_path: Path) -> None:
    log = HashFiles(tmp_path)
    assert log.size == 0
    with pytest.raises(LedgerError, match="leaf 1 can't follow"):
        log.append(1, bytes(32))
    with pytest.raises(ValueError, match="32 bytes"):
        log.append(0, bytes(31))
    with pytest.raises(LedgerError, match="omniva ledger repair"):
        log.node(3, 0)
