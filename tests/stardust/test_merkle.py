"""The Merkle tree against the published vectors and against a second implementation."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.stardust import merkle
from tests.stardust import reference

# The reference tree of Certificate Transparency (RFC 6962), as its implementations publish it.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
_A, _B, _C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
_D, _E = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
)
_F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = [
    (0, 1, []),
    (0, 8, [_A, _B, _C]),
    (5, 8, [_D, _E, ROOTS[4]]),
    (2, 3, [ROOTS[2]]),
]
CONSISTENCY = [(1, 1, []), (1, 8, [_A, _B, _C]), (6, 8, [_F, _E, ROOTS[4]]), (2, 5, [_B, _D])]


def tree(count: int) -> list[bytes]:
    """Leaf hashes."""
    return [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def reader(leaves: list[bytes]) -> merkle.ReadNode:
    """Complete subtrees, by the definition."""

    def read(level: int, index: int) -> bytes:
        span = leaves[index << level : (index + 1) << level]
        assert len(span) == 1 << level, "asked for a node that is not complete"
        return reference.mth(span)

    return read


def test_the_roots_are_those_that_certificate_transparency_publishes() -> None:
    frontier = merkle.Frontier()
    assert frontier.root().hex() == ROOTS[0] == merkle.EMPTY_ROOT.hex()
    for size, entry in enumerate(ENTRIES, start=1):
        frontier.append(merkle.leaf_hash(entry))
        assert frontier.root().hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "published"), INCLUSION)
def test_inclusion_proofs_are_those_that_are_published(
    index: int, size: int, published: list[str]
) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES]
    path = merkle.inclusion_path(reader(leaves), index, size)
    assert [step.hex() for step in path] == published
    assert merkle.verify_inclusion(leaves[index], index, size, path, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new", "published"), CONSISTENCY)
def test_consistency_proofs_are_those_that_are_published(
    old: int, new: int, published: list[str]
) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES]
    path = merkle.consistency_path(reader(leaves), old, new)
    assert [step.hex() for step in path] == published
    roots = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])
    assert merkle.verify_consistency(old, new, *roots, path)


def test_every_proof_of_every_small_tree_is_what_the_definition_says() -> None:
    for size in range(1, 40):
        leaves = tree(size)
        root = reference.mth(leaves)
        assert merkle.root_at(reader(leaves), size) == root
        for index in range(size):
            path = merkle.inclusion_path(reader(leaves), index, size)
            assert path == reference.path(index, leaves)
            assert merkle.verify_inclusion(leaves[index], index, size, path, root)
        for old in range(1, size + 1):
            steps = merkle.consistency_path(reader(leaves), old, size)
            assert steps == reference.proof(old, leaves)
            old_root = reference.mth(leaves[:old])
            assert merkle.verify_consistency(old, size, old_root, root, steps)
            assert not merkle.verify_consistency(old, size, merkle.EMPTY_ROOT, root, steps)
            assert not merkle.verify_consistency(old, size, old_root, merkle.EMPTY_ROOT, steps)


def test_a_leaf_that_is_not_there_has_no_proof() -> None:
    leaves = tree(5)
    for index in (-1, 5, 6):
        with pytest.raises(IndexError):
            merkle.inclusion_path(reader(leaves), index, 5)
    for old, new in ((0, 5), (6, 5)):
        with pytest.raises(IndexError):
            merkle.consistency_path(reader(leaves), old, new)


sizes = st.integers(1, 70)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), size=sizes)
def test_a_proof_that_was_tampered_with_is_judged_as_the_definition_judges_it(
    data: st.DataObject, size: int
) -> None:
    leaves = tree(size)
    index = data.draw(st.integers(0, size - 1))
    path = reference.path(index, leaves)
    claimed = (
        data.draw(st.sampled_from([leaves[index], leaves[0], leaves[-1], b"\0" * 32])),
        data.draw(st.one_of(st.just(index), st.integers(-1, size + 2))),
        data.draw(st.one_of(st.just(size), st.integers(0, 2 * size + 2))),
        data.draw(changed(path, leaves)),
        reference.mth(leaves),
    )
    honest = claimed[:4] == (leaves[index], index, size, path)
    judged = merkle.verify_inclusion(*claimed)
    assert judged == reference.included(*claimed)
    assert judged or not honest
    if judged:
        assert claimed[2] != size or claimed[0] == leaves[claimed[1]]


@settings(max_examples=300, deadline=None)
@given(data=st.data(), size=sizes)
def test_a_false_history_is_consistent_with_nothing(data: st.DataObject, size: int) -> None:
    leaves = tree(size)
    old = data.draw(st.integers(1, size))
    steps = data.draw(changed(reference.proof(old, leaves), leaves))
    said = data.draw(st.one_of(st.just(old), st.integers(0, size + 2)))
    now = data.draw(st.one_of(st.just(size), st.integers(0, size + 2)))
    rewritten = [*leaves[: old - 1], merkle.leaf_hash(b"another")]
    first = reference.mth(data.draw(st.sampled_from([leaves[:old], rewritten])))
    judged = merkle.verify_consistency(said, now, first, reference.mth(leaves), steps)
    assert judged == reference.consistent(said, now, first, reference.mth(leaves), steps)
    if judged and now == size:
        assert first == reference.mth(leaves[:said])


@given(batches=st.lists(st.integers(0, 40), max_size=8))
def test_a_frontier_that_was_put_away_goes_on_where_it_was(batches: list[int]) -> None:
    leaves = tree(sum(batches))
    frontier, at = merkle.Frontier(), 0
    for batch in batches:
        frontier = merkle.Frontier.load(frontier.size, frontier.dump())
        frontier.extend(leaves[at : at + batch])
        at += batch
        assert frontier.root() == reference.mth(leaves[:at])


def test_a_frontier_of_another_size_is_refused() -> None:
    frontier = merkle.Frontier()
    frontier.extend(tree(5))
    for size, hexes in ((4, frontier.dump()), (5, frontier.dump()[:1]), (-1, []), (1, ["00"])):
        with pytest.raises(ValueError):
            merkle.Frontier.load(size, hexes)


def changed(path: list[bytes], leaves: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """The path, or one with a step changed, missing, added or moved."""
    other = merkle.leaf_hash(b"other")
    variants = [path, [*path, other], path[:-1], path[::-1], [other, *path], [*path, leaves[0]]]
    variants += [[*path[:at], other, *path[at + 1 :]] for at in range(len(path))]
    return st.sampled_from(variants)
