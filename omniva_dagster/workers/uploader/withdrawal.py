"""Taking a clip out of the outbox: the rollback of a publication (4.9).

``<outbox>.withdrawn/<creator>/<clip>/`` is made first: from then on the publisher refuses the clip.
Then the clip's folder moves there by one rename, so that nobody sees half of it; the media in it
are removed and the receipt stays; ``withdrawn.json`` is written last. Killed at any point and
called again, each step finds what is done and goes on.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.operations.uploader import PublicationWithdrawn
from omniva_dagster.contracts.publishing import PublicationReceipt
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.types import SLUG_PATTERN, UUID4_PATTERN
from omniva_dagster.workers.uploader import Recall, folders

RECEIPT, TOMBSTONE = "receipt.json", "withdrawn.json"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_LONGEST = 1_000_000  # a receipt has less than a thousandth of this


@dataclass(frozen=True)
class Withdrawal:
    """One withdrawal from a folder of publications; the caller holds the clip's lock."""

    root: Path
    staging: Path
    withdrawn: Path
    target: str
    recall: Recall

    def done(self, now: str) -> PublicationWithdrawn:
        """Withdraw what is there; the document of the withdrawal, as it was first written.

        Raises `WorkerError` ``collision`` for a link in the way, ``disk_full`` or ``unreachable``
        (transient) where the folders can't be changed.
        """
        _check(self.recall)
        names = (self.recall.creator, self.recall.clip_id)
        try:
            with folders.opened(self.withdrawn, *names, make=True) as kept:
                assert kept is not None
                self._take_out(kept)
                self._sweep_staging()
                return self._account(kept, now)
        except OSError as error:
            raise WorkerError(
                ReasonCode.DISK_FULL if error.errno in _FULL else ReasonCode.UNREACHABLE,
                f"the clip could not be taken out of the outbox ({error.strerror}); see that "
                f"{self.root} and {self.withdrawn} can be written, and run again",
                transient=True,
            ) from error

    def _take_out(self, kept: int) -> None:
        """Move every folder of the clip out of sight, and remove all but the receipts."""
        links: list[Path] = []
        found = False
        for day in self._days(links):
            found = self._move(day, kept) or found
        os.fsync(kept)
        entries = folders.names(kept)
        for name in entries:
            if name != TOMBSTONE:
                _strip(name, kept)
        os.fsync(kept)
        if links and not found and not entries:
            # It may be behind one of them.
            raise folders.not_followed(links[0])

    def _days(self, links: list[Path]) -> Iterator[str]:
        creator = self.recall.creator
        with folders.opened(self.root, creator) as home:
            for day in folders.names(home):
                assert home is not None
                if folders.is_link(day, home):
                    links.append(self.root / creator / day)
                elif folders.is_folder(day, home):
                    yield day

    def _move(self, day: str, kept: int) -> bool:
        found = False
        with folders.opened(self.root, self.recall.creator, day) as folder:
            for name in folders.names(folder):
                assert folder is not None
                if not name.endswith(f"-{self.recall.clip_id}"):
                    continue
                if folders.is_link(name, folder):
                    raise folders.not_followed(self.root / self.recall.creator / day / name)
                free = _free_name(day, kept)
                os.rename(name, free, src_dir_fd=folder, dst_dir_fd=kept)
                os.fsync(folder)
                found = True
        return found

    def _sweep_staging(self) -> None:
        """Remove what a publication of the clip left that was killed."""
        with folders.opened(self.staging) as folder:
            for name in folders.names(folder):
                assert folder is not None
                if name.startswith(f"{self.recall.clip_id}-"):
                    folders.remove(name, folder)

    def _account(self, kept: int, now: str) -> PublicationWithdrawn:
        with suppress(ContractError):
            before = PublicationWithdrawn.parse(folders.read(TOMBSTONE, kept, _LONGEST))
            if before.idempotency_key == self.recall.idempotency_key:
                return before
        receipt = self.recall.receipt or self._receipt(kept)
        withdrawn = PublicationWithdrawn(
            withdrawal_id=derive_id("withdrawal", self.recall.idempotency_key),
            clip_id=self.recall.clip_id,
            target=self.target,
            directive_id=self.recall.directive_id,
            **given(
                receipt_id=receipt.receipt_id if receipt else None,
                location=receipt.location if receipt else None,
            ),
            kept_at=(self.withdrawn / self.recall.creator / self.recall.clip_id).as_uri(),
            reason=self.recall.reason,
            withdrawn_at=now,
            idempotency_key=self.recall.idempotency_key,
        )
        text = json.dumps(withdrawn.dump(), indent=2, ensure_ascii=False) + "\n"
        folders.write(TOMBSTONE, kept, text.encode("utf-8"))
        return withdrawn

    def _receipt(self, kept: int) -> PublicationReceipt | None:
        """The receipt of a publication that was cut off after it went out."""
        for name in folders.names(kept):
            if not folders.is_folder(name, kept):
                continue
            path = self.withdrawn / self.recall.creator / self.recall.clip_id
            with folders.opened(path, name) as folder, suppress(ContractError):
                assert folder is not None
                receipt = PublicationReceipt.parse(folders.read(RECEIPT, folder, _LONGEST))
                if receipt.idempotency_key == self.recall.idempotency_key:
                    return receipt
        return None


def _check(recall: Recall) -> None:
    # Both become parts of a path.
    slug = re.fullmatch(SLUG_PATTERN[1:-1], recall.creator)
    if slug is None or re.fullmatch(UUID4_PATTERN[1:-1], recall.clip_id) is None:
        raise WorkerError(
            ReasonCode.BAD_COMMAND,
            f"no clip is called {recall.clip_id[:80]!r}, or no creator {recall.creator[:80]!r}; "
            "name them as `omniva status` and `omniva creators list` do",
        )


def _strip(name: str, kept: int) -> None:
    if not folders.is_folder(name, kept):
        folders.remove(name, kept)
        return
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=kept)
    try:
        for inside in folders.names(folder):
            if inside != RECEIPT or not folders.is_file(inside, folder):
                folders.remove(inside, folder)
        os.fsync(folder)
    finally:
        os.close(folder)


def _free_name(day: str, kept: int) -> str:
    taken = set(folders.names(kept))
    number = 1
    name = day
    while name in taken or name == TOMBSTONE:
        number += 1
        name = f"{day}-{number}"
    return name
