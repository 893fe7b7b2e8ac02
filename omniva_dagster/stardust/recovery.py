"""Finishing what was committed: every step after the database's word, each safe to do again.

A segment's row says which file there must be. From it follow the file's place, the log's hashes,
the manifest and the checkpoint; so it does not matter where an earlier run was stopped, or whether
one was: `publish` compares what is with what should be, and does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omniva_dagster.stardust import files, manifest, parquet, segments
from omniva_dagster.stardust.checkpoints import (
    LATEST,
    Checkpoint,
    latest_checkpoint,
    sign_checkpoint,
    verified,
    write_checkpoint,
)
from omniva_dagster.stardust.entries import leaf_data_of_columns
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.hashes import LEVELS, HashFiles
from omniva_dagster.stardust.keys import Keyring, SigningKeys, signing_keys
from omniva_dagster.stardust.layout import Layout, leaves_of
from omniva_dagster.stardust.lease import Lease
from omniva_dagster.stardust.merkle import HASH_SIZE, leaf_hash
from omniva_dagster.stardust.notes import NoteError
from omniva_dagster.stardust.segments import Segment, SegmentState

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store

_OLD = "old-"


def recover(store: Store, layout: Layout, lease: Lease, *, anew: bool = False) -> SigningKeys:
    """Make the folder what the database says it is, and give the keys to go on with.

    ``anew`` is to sign a checkpoint even if the last one is gone. Raises `LedgerError` where the
    folder is not this log's, or lacks what nothing can bring back.
    """
    with store.read() as connection:
        newest = segments.last(connection)
        signed = segments.any_signed(connection)
    keys = signing_keys(layout.keys, lease.origin, create=newest is None)
    standing = standing_checkpoint(layout)
    if signed and not (standing or anew):
        raise LedgerError(
            f"{layout.checkpoints / LATEST} is missing or not what was signed: run `omniva ledger "
            "verify`, and restore checkpoints/ from a copy; where there is none, `omniva ledger "
            "repair` says what it takes to sign another"
        )
    if standing and newest is None:
        raise _ahead(layout, standing, 0)
    for folder in (layout.packets, layout.staging):
        files.make_folder(folder)
    if newest is not None:
        publish(store, layout, lease, keys)
    clear(layout)
    return keys


def publish(
    store: Store, layout: Layout, lease: Lease, keys: SigningKeys, hashes: bytes = b""
) -> None:
    """Do what is left to do for committed segments.

    ``hashes`` are the leaf hashes of the one just appended, if that is all there is to do; they
    are taken from its file otherwise.
    """
    with store.read() as connection:
        newest = segments.last(connection)
        if newest is None:
            return
        todo = segments.unfinished(connection)
        dates = sorted({newest.date, *(segment.date for segment in todo)})
        days = {date: segments.of_date(connection, date) for date in dates}
    for date, day in days.items():
        _arrange(layout, date, day)
    appended = [segment for segment in todo if segment.state is SegmentState.APPENDED]
    log = HashFiles(layout.log)
    _catch_up(store, layout, log, appended[0].first_leaf if appended else newest.tree_size)
    for segment in appended:
        only = len(appended) == 1 and hashes
        log.append(
            segment.first_leaf, hashes if only else leaf_hashes(segment.path(layout), segment)
        )
    for date, day in days.items():
        manifest.write(layout, keys, date, day)
    _checkpoint(layout, keys, newest)
    if todo:
        with store.begin() as connection:
            lease.renew(connection)
            segments.finish(connection, todo)
    if any(segment.state is SegmentState.REWRITTEN for segment in todo):
        clear(layout)


def clear(layout: Layout) -> None:
    """Throw away what was staged and never committed, or is in its place."""
    for path in sorted(layout.staging.iterdir()):
        if path.is_dir():
            files.remove_folder(path)
        else:
            files.remove(path)


def _arrange(layout: Layout, date: str, day: Sequence[Segment]) -> None:
    """Bring a day's files to their place, and those that they stand for out of it, at once."""
    folder, old = layout.day(date), layout.staging / f"{_OLD}{date}"
    if old.is_dir() and not folder.is_dir():
        files.rename(old, folder)
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    missing = [segment for segment in day if segment.file not in present]
    expected = {segment.file for segment in day}
    superseded = {name for name in present - expected if _covered(name, day)}
    for segment in missing:
        if not (layout.staging / segment.staged).is_file():
            raise LedgerError(
                f"{folder / segment.file} with leaves {segment.first_leaf} to {segment.end - 1} is "
                "missing: restore it from a copy of the folder; until then nothing is sequenced"
            )
    if superseded:
        _swap(layout, date, present - superseded, missing)
    elif missing:
        files.make_folder(folder)
        for segment in missing:
            files.rename(layout.staging / segment.staged, folder / segment.file)
        files.sync_folder(folder)


def _swap(layout: Layout, date: str, kept: set[str], new: Sequence[Segment]) -> None:
    """Put another folder in the place of a day's: readers list the old one or the new one."""
    folder, built = layout.day(date), layout.staging / folder_name(date)
    files.remove_folder(built)
    files.make_folder(built)
    for name in sorted(kept):
        if (folder / name).is_dir():
            raise LedgerError(f"{folder / name} does not belong to the ledger: move it away")
        files.link(folder / name, built / name)
    for segment in new:
        files.link(layout.staging / segment.staged, built / segment.file)
    files.sync_folder(built)
    if not files.exchange(built, folder):
        # For a moment the day is not there: the file system has nothing better.
        files.rename(folder, layout.staging / f"{_OLD}{date}")
        files.rename(built, folder)
    files.sync_folder(layout.packets)
    files.sync_folder(layout.staging)


def folder_name(date: str) -> str:
    """The name under which a day's next folder is built in staging."""
    return f"day-{date}"


def _covered(name: str, day: Sequence[Segment]) -> bool:
    """Whether a file's leaves are all in other files of the day; a stranger's file never is."""
    leaves = leaves_of(name)
    return leaves is not None and any(
        segment.first_leaf <= leaves.start and leaves.stop <= segment.end for segment in day
    )


def _catch_up(store: Store, layout: Layout, log: HashFiles, size: int) -> None:
    """Bring back hashes of the first ``size`` leaves where the log lacks them."""
    if log.size < size:
        with store.read() as connection:
            behind = segments.between(connection, log.size, size)
        for segment in behind:
            log.append(segment.first_leaf, leaf_hashes(segment.path(layout), segment))
    if any(log.kept(level) < size >> 8 * level for level in range(1, LEVELS)):
        log.rebuild()


def leaf_hashes(path: Path, segment: Segment) -> bytes:
    """The leaf hashes of the entries in a segment's file in the order of the log, 32 bytes each.

    Raises `LedgerError` for a file that is no whole Parquet file of a ledger.
    """
    import pyarrow as pa

    hashes = bytearray(segment.count * HASH_SIZE)
    try:
        for batch in parquet.read(path):
            places = batch.column("leaf_index").to_pylist()
            for index, leaf in zip(places, leaf_data_of_columns(batch), strict=True):
                start = (index - segment.first_leaf) * HASH_SIZE
                hashes[start : start + HASH_SIZE] = leaf_hash(leaf)
    except (pa.ArrowException, OSError, KeyError, TypeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's, not the file's
        reason = str(error).split("\n")[0][:200]
        raise LedgerError(f"{path} is damaged ({reason}): restore it from a copy") from None
    return bytes(hashes)


def _checkpoint(layout: Layout, keys: SigningKeys, newest: Segment) -> None:
    root = bytes.fromhex(newest.root)
    standing = standing_checkpoint(layout)
    if standing is not None:
        if (standing.size, standing.root) == (newest.tree_size, root):
            return
        if standing.size >= newest.tree_size:
            raise _ahead(layout, standing, newest.tree_size)
    note = sign_checkpoint(keys, keys.origin, newest.tree_size, root)
    write_checkpoint(layout.checkpoints, note)


def _ahead(layout: Layout, standing: Checkpoint, size: int) -> LedgerError:
    if standing.size == size:
        return LedgerError(
            f"{layout.checkpoints / LATEST} signs another root of the {size} packets than the "
            "state store remembers: one of the two was changed, so nothing is written; run `omniva "
            "ledger verify`, which says what the packets have"
        )
    return LedgerError(
        f"{layout.checkpoints} has a checkpoint of {standing.size} packets, which the state store "
        f"with its {size} does not know: it is an older copy, or the folder is another's; restore "
        "the state store that belongs to the folder"
    )


def standing_checkpoint(layout: Layout) -> Checkpoint | None:
    """The latest checkpoint, if it is one that a key of the log signed."""
    try:
        found = latest_checkpoint(layout.checkpoints)
        return verified(found.note, Keyring.read(layout.keys)) if found else None
    except NoteError:
        return None
