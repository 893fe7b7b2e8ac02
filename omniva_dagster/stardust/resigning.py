"""Whether a checkpoint may be signed in the place of one that is gone.

Whoever rewrites a history with the state store begins by removing the checkpoints that say
otherwise; signing what is left would make the forgery the ledger's own word. So the packets' root
must be one that something else names: a checkpoint that is still there, one kept elsewhere, or a
person who compared it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from omniva_dagster.stardust import compaction, segments
from omniva_dagster.stardust.anchor import read_anchors
from omniva_dagster.stardust.checkpoints import LATEST, Checkpoint, kept_sizes, verified
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.hashes import HashFiles
from omniva_dagster.stardust.keys import Keyring
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.merkle import root_at
from omniva_dagster.stardust.notes import NoteError
from omniva_dagster.stardust.recovery import leaf_hashes, standing_checkpoint
from omniva_dagster.stardust.segments import Segment, SegmentState

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store


def check_resigning(store: Store, layout: Layout, against: Sequence[str], accept_root: str) -> None:
    """Raise `LedgerError` unless a new checkpoint would say what is known from elsewhere.

    ``against`` are texts of anchors, none of which may disagree; ``accept_root`` is the root, in
    hexadecimal, that a person vouches for. A checkpoint that still stands vouches for itself.
    """
    with store.read() as connection:
        every = segments.between(connection, 0, 1 << 62)
        signed = segments.any_signed(connection)
    if not every or not layout.keys.is_dir():
        return
    gone = signed and standing_checkpoint(layout) is None
    if not (gone or against or accept_root):
        return
    keyring = Keyring.read(layout.keys)
    with TemporaryDirectory(prefix="omniva-repair-") as scratch:
        tree = HashFiles(Path(scratch))
        for segment in every:
            tree.append(segment.first_leaf, _hashes(layout, segment))
        confirmed = _confirmed(layout, keyring, against, tree)
        root = root_at(tree.node, tree.size).hex()
    if root != every[-1].root:
        raise LedgerError(
            "the packets do not have the root that the state store remembers, so nothing is "
            "signed: run `omniva ledger verify`, and restore the file that it names"
        )
    if accept_root and accept_root.strip().lower() != root:
        raise LedgerError(
            f"the root of the {every[-1].tree_size} packets is {root}, not the one you accept: "
            "these are not the packets you know; restore the ledger from a backup"
        )
    published = [one.tree_size for one in every if one.state is not SegmentState.APPENDED]
    if gone and not accept_root and confirmed < max(published, default=every[-1].tree_size):
        raise LedgerError(_unconfirmed(layout, confirmed, every[-1].tree_size, root))


def _hashes(layout: Layout, segment: Segment) -> bytes:
    staged = layout.staging / segment.staged
    path = segment.path(layout)
    path = path if path.is_file() or not staged.is_file() else staged
    compaction.checked_file(path, segment)
    return leaf_hashes(path, segment)


def _confirmed(layout: Layout, keyring: Keyring, against: Iterable[str], tree: HashFiles) -> int:
    """Up to which size signed checkpoints, here or elsewhere, agree with the packets."""
    confirmed = 0
    for name, checkpoint in [*_kept(layout, keyring), *_elsewhere(keyring, against)]:
        if checkpoint.size > tree.size:
            raise LedgerError(
                f"{name} is of {checkpoint.size} packets, and there are {tree.size}: packets were "
                "removed, so nothing is signed; restore the ledger from a backup"
            )
        if root_at(tree.node, checkpoint.size) != checkpoint.root:
            raise LedgerError(
                f"{name} signs another root of the first {checkpoint.size} packets: their history "
                "was rewritten, so nothing is signed; restore the ledger from a backup, and keep "
                "this copy to find out who"
            )
        confirmed = max(confirmed, checkpoint.size)
    return confirmed


def _kept(layout: Layout, keyring: Keyring) -> Iterator[tuple[str, Checkpoint]]:
    for size in kept_sizes(layout.checkpoints):
        name = f"{size}.txt"
        try:
            yield f"checkpoints/{name}", verified((layout.checkpoints / name).read_bytes(), keyring)
        except NoteError:
            continue  # no key of the log says this


def _elsewhere(keyring: Keyring, against: Iterable[str]) -> Iterator[tuple[str, Checkpoint]]:
    for raw in against:
        try:
            for checkpoint in read_anchors(raw):
                yield "the anchored checkpoint", verified(checkpoint.note, keyring)
        except NoteError as error:
            raise LedgerError(
                f"the anchor {error}, so nothing is signed: it is another ledger's, or this "
                "ledger's keys were replaced"
            ) from None


def _unconfirmed(layout: Layout, confirmed: int, size: int, root: str) -> str:
    upto = f"only the first {confirmed} of {size} packets" if confirmed else "none of the packets"
    return (
        f"{layout.checkpoints / LATEST} is missing or not what was signed, and checkpoints confirm "
        f"{upto}: restore checkpoints/ from a copy. Where there is none, a new one can be signed, "
        "but it would make whatever is in the folder now the ledger's own word, a rewritten "
        f"history too. The packets have the root {root}: compare it with a checkpoint kept "
        "elsewhere (--against FILE) or vouch for it yourself with --accept-root and that root"
    )
