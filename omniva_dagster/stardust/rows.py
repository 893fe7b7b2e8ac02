"""Checking one Parquet file of the ledger, row by row, in little memory.

A row is right when its message hashes to ``content_hash``, its columns say what the message's
envelope says, its id follows from its source key, and its place and day are its file's. The hash of
each leaf goes into a file of all leaf hashes, from which the caller computes the log's roots.

A file whose digest is wrong is not trusted to be harmless either: the caller reads such a file's
rows in a process of their own (see `readers`).
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omniva_dagster.stardust.faults import are_fine, faults_of
from omniva_dagster.stardust.findings import FORGED, RESTORE, Finding
from omniva_dagster.stardust.merkle import HASH_SIZE

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 8192
_MOST_FINDINGS = 20  # of one file; one says enough, the rest shows how far it goes
# No row is smaller: its hashes alone don't compress below this. Bounds what a footer may claim.
_LEAST_BYTES = 16
_UNLOGGED = "its hash is not the one that was logged for it: a column or its place was changed"


@dataclass(frozen=True)
class FileTask:
    """A file to check, against what the manifest says of it.

    ``leaf_hashes`` is the file that gets the hashes of leaves below ``size``; ``logged`` the log's
    own, if it has as many: the two tell which row was changed.
    """

    path: str
    place: str
    date: str
    sha256: str
    first_leaf: int
    end_leaf: int
    size: int
    leaf_hashes: str
    logged: str = ""
    # Read the rows although the digest is wrong: to name what was changed.
    suspicious: bool = False


@dataclass
class FileReport:
    """What was found in a file.

    ``unlogged`` are rows that have another hash in the log: which of the two is wrong, the
    checkpoints tell.
    """

    place: str
    findings: list[Finding] = field(default_factory=list)
    unlogged: list[Finding] = field(default_factory=list)
    more: int = 0
    digest_is_right: bool = False
    vanished: bool = False
    rows: int = 0

    def add(self, finding: Finding) -> None:
        """Keep the first few, count the rest."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(finding)
        else:
            self.more += 1


def check_file(task: FileTask) -> FileReport:
    """Check a file's digest and, if it is right, every row."""
    report = FileReport(task.place)
    try:
        with Path(task.path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            report.digest_is_right = digest == task.sha256
            if report.digest_is_right or task.suspicious:
                file.seek(0)
                _check_rows(task, file, report)
    except FileNotFoundError:
        report.vanished = True
    except OSError as error:
        report.add(Finding(task.place, f"can't be read ({error})", RESTORE))
    return report


def _check_rows(task: FileTask, file: Any, report: FileReport) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from omniva_dagster.stardust.entries import arrow_schema

    size = Path(task.path).stat().st_size
    try:
        parquet = pq.ParquetFile(file)
        rows = parquet.metadata.num_rows
        if rows != task.end_leaf - task.first_leaf or rows > size // _LEAST_BYTES:
            problem = f"holds {rows} rows, not those of leaves {task.first_leaf} to {task.end_leaf}"
            report.add(Finding(task.place, problem, RESTORE))
            return
        if not parquet.schema_arrow.equals(arrow_schema(), check_metadata=False):
            report.add(_other_columns(task.place, parquet.schema_arrow, arrow_schema()))
            return
        checker = _Checker(task, report)
        with _collecting_nothing():
            for batch in parquet.iter_batches(batch_size=_ROWS_AT_ONCE, use_threads=False):
                checker.check(batch)
    except (pa.ArrowException, OSError, UnicodeError, MemoryError, OverflowError) as error:
        reason = str(error).split("\n")[0][:200]
        report.add(Finding(task.place, f"is no whole Parquet file ({reason})", RESTORE))
        return
    if report.rows != rows:
        problem = f"holds {report.rows} rows, though its footer says {rows}"
        report.add(Finding(task.place, problem, RESTORE))


class _Checker:
    """Goes through a file's batches in order."""

    def __init__(self, task: FileTask, report: FileReport) -> None:
        import numpy as np

        self.task, self.report = task, report
        self.seen = np.zeros(task.end_leaf - task.first_leaf, dtype=bool)
        self.hashes = _mapped(task.leaf_hashes, "r+") if task.leaf_hashes else None
        self.logged = _mapped(task.logged, "r") if task.logged else None

    def check(self, batch: pa.RecordBatch) -> None:
        """The next rows."""
        try:
            leaf_hashes = _leaf_hashes(batch)
            fine = are_fine(batch) and _are_in_place(batch, self.task) and self._are_new(batch)
        except (TypeError, ValueError, KeyError, UnicodeError, AttributeError):
            fine = False
        if fine:
            self._place(batch, leaf_hashes)
        else:
            self._explain(batch)
        self.report.rows += len(batch)

    def _are_new(self, batch: pa.RecordBatch) -> bool:
        import numpy as np

        offsets = batch["leaf_index"].to_numpy() - self.task.first_leaf
        if self.seen[offsets].any() or len(np.unique(offsets)) != len(offsets):
            return False
        self.seen[offsets] = True
        return True

    def _place(self, batch: pa.RecordBatch, leaf_hashes: bytes) -> None:
        import numpy as np

        computed = np.frombuffer(leaf_hashes, dtype=np.uint8).reshape(-1, HASH_SIZE)
        leaves = batch["leaf_index"].to_numpy()
        known = leaves < self.task.size
        if self.hashes is not None:
            self.hashes[leaves[known]] = computed[known]
        if self.logged is not None:
            differing = (self.logged[leaves[known]] != computed[known]).any(axis=1)
            for row in np.flatnonzero(known)[differing].tolist():
                if len(self.report.unlogged) < _MOST_FINDINGS:
                    finding = self._finding(batch, row, None, _UNLOGGED, FORGED)
                    self.report.unlogged.append(finding)

    def _explain(self, batch: pa.RecordBatch) -> None:
        told = len(self.report.findings) + self.report.more
        for row in range(len(batch)):
            for name, problem in self._problems(batch, row):
                self.report.add(self._finding(batch, row, name, problem, FORGED))
        if told == len(self.report.findings) + self.report.more:
            problem = "this row or one soon after it holds no entry"
            self.report.add(self._finding(batch, 0, None, problem, FORGED))

    def _problems(self, batch: pa.RecordBatch, row: int) -> Iterator[tuple[str | None, str]]:
        try:
            entry = batch.slice(row, 1).to_pylist()[0]
            wrong = next(chain(faults_of(entry), _misplaced(entry, self.task)), None)
            if wrong:
                yield wrong
            leaf = entry["leaf_index"]
        except UnicodeError:
            yield None, "holds text that is not UTF-8"
            return
        if isinstance(leaf, int) and self.task.first_leaf <= leaf < self.task.end_leaf:
            offset = leaf - self.task.first_leaf
            if self.seen[offset]:
                yield "leaf_index", "another row has this place too"
            self.seen[offset] = True

    def _finding(
        self, batch: pa.RecordBatch, row: int, name: str | None, problem: str, remedy: str
    ) -> Finding:
        return Finding(
            self.task.place,
            problem,
            remedy,
            leaf=_shown(batch, row, "leaf_index"),
            row=self.report.rows + row,
            packet_id=_shown(batch, row, "packet_id"),
            field=name,
        )


@contextmanager
def _collecting_nothing() -> Iterator[None]:
    """Without the cyclic collector: a batch makes many objects and no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _are_in_place(batch: pa.RecordBatch, task: FileTask) -> bool:
    days, leaves = batch["sequenced_at"].to_pylist(), batch["leaf_index"].to_pylist()
    return all(moment[:10] == task.date for moment in days) and all(
        task.first_leaf <= leaf < task.end_leaf for leaf in leaves
    )


def _misplaced(entry: dict[str, Any], task: FileTask) -> Iterator[tuple[str, str]]:
    if str(entry["sequenced_at"])[:10] != task.date:
        yield "sequenced_at", f"is not on {task.date}, the day of its folder"
    leaf = entry["leaf_index"]
    if leaf is None or not task.first_leaf <= leaf < task.end_leaf:
        yield "leaf_index", f"is not among the file's, {task.first_leaf} to {task.end_leaf - 1}"


def _leaf_hashes(batch: pa.RecordBatch) -> bytes:
    from omniva_dagster.stardust.entries import leaf_data_of_columns

    sha256 = hashlib.sha256
    return b"".join([sha256(b"\x00" + data).digest() for data in leaf_data_of_columns(batch)])


def _mapped(path: str, mode: str) -> Any:
    import numpy as np

    opened: Callable[..., Any] = np.memmap
    flat = opened(path, dtype=np.uint8, mode=mode)
    return flat[: len(flat) // HASH_SIZE * HASH_SIZE].reshape(-1, HASH_SIZE)


def _shown(batch: pa.RecordBatch, row: int, column: str) -> Any:
    try:
        return batch[column][row].as_py()
    except (UnicodeError, KeyError):
        return None


def _other_columns(place: str, found: Any, wanted: Any) -> Finding:
    differing = sorted(set(map(str, found)) ^ set(map(str, wanted)))
    problem = f"has other columns than a ledger: {', '.join(differing) or 'in another order'}"
    return Finding(place, problem, RESTORE)
