"""Checking the log's hashes and roots against those that follow from the packets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from omniva_dagster.stardust.anchor import read_anchors
from omniva_dagster.stardust.checkpoints import Checkpoint, verified
from omniva_dagster.stardust.claims import Claims
from omniva_dagster.stardust.findings import FORGED, REPAIR, RESTORE, Finding
from omniva_dagster.stardust.hashes import LEVELS, HashFiles, level_name
from omniva_dagster.stardust.merkle import HASH_SIZE, root_at
from omniva_dagster.stardust.notes import NoteError

_CHUNK = 1 << 20


def check_log(log: HashFiles, claims: Claims, tree: HashFiles, agreed: int) -> Iterator[Finding]:
    """Whether the log's files hold what follows from the first ``agreed`` packets.

    ``tree`` was computed from the packets, and checkpoints agree with it so far. Nothing needs the
    log to be right but proofs.
    """
    for level in range(LEVELS):
        place = f"log/{level_name(level)}"
        wanted = agreed // 256**level
        if log.kept(level) < wanted:
            yield Finding(place, f"holds {log.kept(level)} of {wanted} hashes", REPAIR)
        elif (at := _first_difference(log, tree, level, wanted)) is not None:
            yield Finding(place, f"hash {at} does not follow from the packets", REPAIR)
        elif log.size > claims.size and not claims.waiting and level == 0:
            problem = f"holds {log.size} hashes, {log.size - claims.size} more than are signed"
            yield Finding(place, problem, REPAIR)
        elif log.torn(level):
            yield Finding(place, "ends with part of a hash", REPAIR)


def check_roots(claims: Claims, tree: HashFiles, whole: int) -> tuple[int, list[Finding]]:
    """Up to which size the packets have the roots that checkpoints sign, and the first
    that signs another."""
    agreed = 0
    for checkpoint in claims.checkpoints:
        if checkpoint.size > whole:
            break
        if root_at(tree.node, checkpoint.size) != checkpoint.root:
            problem = (
                f"signs another root than that of the first {checkpoint.size} packets; "
                f"they agree up to {agreed}"
            )
            return agreed, [Finding(f"checkpoints/{checkpoint.size}.txt", problem, FORGED)]
        agreed = checkpoint.size
    return agreed, []


def check_anchors(
    claims: Claims, anchors: Sequence[str], tree: HashFiles, whole: int
) -> Iterator[Finding | int]:
    """What the checkpoints kept elsewhere say: the sizes that agree, and what does not."""
    for raw in anchors:
        try:
            for checkpoint in read_anchors(raw):
                yield _agrees(checkpoint, claims, tree, whole)
        except NoteError as error:
            yield Finding("the anchor", str(error), "give the file or note that the anchor keeps")


def _agrees(checkpoint: Checkpoint, claims: Claims, tree: HashFiles, whole: int) -> Finding | int:
    place = f"the anchored checkpoint {checkpoint.size}"
    try:
        if claims.keyring is None:
            raise NoteError("can't be checked without the keys")
        verified(checkpoint.note, claims.keyring)
    except NoteError as error:
        problem = f"{error}: it is another ledger's, or this ledger's keys were replaced"
        return Finding(place, problem, FORGED)
    if checkpoint.size > claims.size:
        problem = f"the ledger ends at {claims.size}: it was rolled back, or is an older copy"
        return Finding(place, problem, RESTORE)
    if checkpoint.size > whole:
        return Finding(place, f"could be compared up to {whole} only", RESTORE)
    if root_at(tree.node, checkpoint.size) != checkpoint.root:
        problem = "the ledger's packets have another root: its history was rewritten"
        return Finding(place, problem, FORGED)
    return checkpoint.size


def _first_difference(log: HashFiles, tree: HashFiles, level: int, count: int) -> int | None:
    """The index of the first hash that differs among ``count``."""
    if not count:
        return None
    with _level(log, level).open("rb") as one, _level(tree, level).open("rb") as other:
        for start in range(0, count * HASH_SIZE, _CHUNK):
            length = min(_CHUNK, count * HASH_SIZE - start)
            left, right = one.read(length), other.read(length)
            if left != right:
                pairs = enumerate(zip(left, right, strict=False))
                at = next((at for at, (a, b) in pairs if a != b), min(len(left), len(right)))
                return (start + at) // HASH_SIZE
    return None


def _level(hashes: HashFiles, level: int) -> Path:
    return hashes.folder / level_name(level)
