"""Verifying a ledger: every hash, link, root, digest and signature, in one pass over its files.

The folder alone is enough, a copy or one that can't be written to. From the rows come the leaves'
hashes, from these the roots, and the roots must be those that the checkpoints sign. Time grows with
the number of packets; memory does not: 32 bytes a packet go to a temporary file.

What a signature can't show: whoever holds the signing key can write another history and sign it.
That is seen only against a checkpoint that was kept where they could not reach it (`against`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from omniva_dagster.stardust.claims import Claims, ListedFile, is_busy, read_claims
from omniva_dagster.stardust.edges import check_edges
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.findings import FORGED, RESTORE, Finding
from omniva_dagster.stardust.hashes import HashFiles, level_name
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.merkle import EMPTY_ROOT, HASH_SIZE, root_at
from omniva_dagster.stardust.readers import check_files, name_what_changed
from omniva_dagster.stardust.reconcile import check_state
from omniva_dagster.stardust.roots import check_anchors, check_log, check_roots
from omniva_dagster.stardust.rows import FileReport, FileTask

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store

UNANCHORED = (
    "whoever holds the signing key can write another history and sign it; only a checkpoint kept "
    "elsewhere shows that: verify --against it"
)
_ATTEMPTS = 3
_PATIENCE = 20  # looks at a sequencer in the middle of its work
_WAIT_SECONDS = 0.5  # between two of them
_SUSPICIOUS = 3  # files with a wrong digest whose rows are read to say what changed


@dataclass
class Verification:
    """What `verify` found.

    ``anchored`` is the size of the newest checkpoint from elsewhere that the ledger agrees with.
    ``findings`` holds the first, ``count`` says how many there are.
    """

    origin: str = ""
    packets: int = 0
    root: str = EMPTY_ROOT.hex()
    files: int = 0
    checkpoints: int = 0
    anchored: int | None = None
    findings: list[Finding] = field(default_factory=list)
    count: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """One more thing that is wrong."""
        self.findings.append(finding)
        self.count += 1

    @property
    def consistent(self) -> bool:
        """Whether nothing is wrong."""
        return not self.count

    @property
    def verdict(self) -> str:
        """One line for people."""
        if self.findings:
            return f"not consistent: {self.findings[0]}"
        if self.anchored is None:
            return "consistent, not anchored"
        return f"consistent with the anchored checkpoint {self.anchored}"

    def dump(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **vars(self),
            "findings": [finding.dump() for finding in self.findings],
            "consistent": self.consistent,
            "verdict": self.verdict,
        }


def verify(
    layout: Layout,
    *,
    against: Iterable[str] = (),
    trusted: Iterable[str] = (),
    store: Store | None = None,
    processes: int | None = None,
) -> Verification:
    """Check everything that can be checked; what is wrong is in the result, nothing is changed.

    ``against`` are checkpoints kept elsewhere, each the text of a note or of an anchor's file;
    ``trusted`` public keys (``<name>+<id>+<base64>``) one of which must be the ledger's; ``store``
    the state store that the ledger belongs to. Raises `LedgerError` where there is no ledger.
    """
    if not layout.root.is_dir():
        raise LedgerError(f"{layout.root} is no ledger: there is no such folder")
    anchors, keys = tuple(against), tuple(trusted)
    for attempt in range(_ATTEMPTS):
        result, claims, reports = _verify_once(layout, anchors, keys, processes)
        # Sealing replaces a day's files while we read: then what vanished is in others now.
        vanished = any(report.vanished for report in reports)
        moved = vanished and read_claims(layout).files != claims.files
        if not moved or attempt == _ATTEMPTS - 1:
            break
    if store is not None:
        pairs = zip(claims.files, reports, strict=True)
        sound = [file for file, report in pairs if not report.findings and not report.vanished]
        for finding in check_state(store, layout, claims, sound):
            result.add(finding)
    return result


def _verify_once(
    layout: Layout, anchors: Sequence[str], trusted: Sequence[str], processes: int | None
) -> tuple[Verification, Claims, list[FileReport]]:
    claims = _settled_claims(layout)
    found = claims.findings
    found.extend(_untrusted(claims, trusted))
    result = Verification(claims.origin, checkpoints=len(claims.checkpoints))
    with TemporaryDirectory(prefix="omniva-verify-") as scratch:
        tree = HashFiles(Path(scratch))
        reports = _check_rows(layout, claims, tree, processes)
        whole = _whole(claims, reports)
        tree.rebuild()
        agreed, differing = check_roots(claims, tree, whole)
        for report in reports:
            found.extend(report.findings, report.more)
            # Where checkpoints agree with a row, it is the log that is wrong.
            found.extend(row for row in report.unlogged if (row.leaf or 0) >= agreed)
        found.extend(differing)
        found.extend(check_log(HashFiles(layout.log), claims, tree, agreed))
        for said in check_anchors(claims, anchors, tree, whole):
            if isinstance(said, int):
                result.anchored = max(said, result.anchored or 0)
            else:
                found.add(said)
        result.root = root_at(tree.node, whole).hex()
    if not any(report.findings for report in reports):
        found.extend(check_edges([layout.root / file.place for file in claims.files]))
    _tell_waiting(layout, claims, result)
    _tell_leftovers(layout, claims, result)
    result.files = len(reports)
    result.packets = sum(report.rows for report in reports)
    result.findings, result.count = found.kept, found.count
    if result.anchored is None:
        result.notes.append(UNANCHORED)
    return result, claims, reports


def _settled_claims(layout: Layout) -> Claims:
    claims = read_claims(layout)
    for _ in range(_PATIENCE):
        if not claims.findings.count or not is_busy(layout):
            break
        time.sleep(_WAIT_SECONDS)
        claims = read_claims(layout)
    return claims


def _untrusted(claims: Claims, trusted: Sequence[str]) -> Iterator[Finding]:
    known = {str(key) for key in claims.keyring.publics} if claims.keyring else set()
    if trusted and not known & {key.strip() for key in trusted}:
        yield Finding("keys", "none of them is a key that you trust", FORGED)


def _check_rows(
    layout: Layout, claims: Claims, tree: HashFiles, processes: int | None
) -> list[FileReport]:
    """Every file's report, in their order. The leaves' hashes go into ``tree``'s lowest level."""
    size = min(claims.size, max((file.end_leaf for file in claims.files), default=0))
    # A claim of more leaves than the files can hold is wrong, and must not fill the disk.
    held = sum((layout.root / file.place).stat().st_size for file in claims.files)
    leaves = tree.folder / level_name(0)
    leaves.touch()
    os.truncate(leaves, min(size, held) * HASH_SIZE)
    log = HashFiles(layout.log)
    logged = str(layout.log / level_name(0)) if log.size >= size else ""
    tasks = [_task(file, layout, size, str(leaves), logged) for file in claims.files]
    # The newest first: those are the ones that sealing may replace.
    reports = list(check_files(tasks[::-1], processes))[::-1]
    suspicious = [at for at, report in enumerate(reports) if not report.digest_is_right]
    for at in suspicious:
        reports[at] = _on_digest(tasks[at], reports[at], name=at in suspicious[:_SUSPICIOUS])
    return reports


def _task(file: ListedFile, layout: Layout, size: int, leaves: str, logged: str) -> FileTask:
    return FileTask(
        str(layout.root / file.place),
        file.place,
        file.date,
        file.sha256,
        file.first_leaf,
        file.end_leaf,
        size,
        leaves,
        logged,
    )


def _on_digest(task: FileTask, report: FileReport, *, name: bool) -> FileReport:
    """Say that a digest is wrong, and, if asked, which rows made it so."""
    if report.vanished:
        report.add(Finding(task.place, "vanished while it was read", RESTORE))
    if report.findings:
        return report
    problem = "its SHA-256 is not the one in the manifest: the file was changed"
    report.add(Finding(task.place, problem, RESTORE))
    if name:
        details = name_what_changed(replace(task, leaf_hashes="", suspicious=True))
        for finding in details.findings:
            report.add(finding)
        report.unlogged, report.more = details.unlogged, report.more + details.more
    return report


def _whole(claims: Claims, reports: Sequence[FileReport]) -> int:
    """Up to which leaf the packets are known: the first gap or wrong file ends it."""
    reached = 0
    for file, report in zip(claims.files, reports, strict=True):
        if report.findings or file.first_leaf != reached:
            break
        reached = file.end_leaf
    return min(reached, claims.size)


def _tell_waiting(layout: Layout, claims: Claims, result: Verification) -> None:
    unsigned = claims.findings.count and not claims.checkpoints
    if not claims.waiting or unsigned:
        return
    if is_busy(layout):
        result.notes.append(f"{claims.waiting} packets wait for the checkpoint being made")
        return
    problem = f"{claims.waiting} packets from leaf {claims.size} on are under no checkpoint"
    remedy = "run `omniva ledger sync`, which finishes what was interrupted; then verify again"
    claims.findings.add(Finding("packets", problem, remedy))


def _tell_leftovers(layout: Layout, claims: Claims, result: Verification) -> None:
    if claims.leftovers and not is_busy(layout):
        result.notes.append(
            f"an interrupted write left {', '.join(claims.leftovers)} behind: harmless; leave "
            "them, the next that writes the ledger uses or replaces them"
        )
