"""Keeping the files of a day few: small ones are joined as they come, large ones never again.

Sixteen files of a like size become one, so that a row is written again only when its file grows
by a factor of sixteen, and a day has a few dozen files, whether its packets came one by one or by
the million.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import file_digest
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from omniva_dagster.stardust import files, parquet, segments
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.keys import SigningKeys
from omniva_dagster.stardust.layout import Layout, file_name
from omniva_dagster.stardust.lease import Lease
from omniva_dagster.stardust.recovery import publish
from omniva_dagster.stardust.segments import Segment, SegmentState

if TYPE_CHECKING:
    import pyarrow as pa

    from omniva_dagster.state.store import Store

FACTOR = 16  # as in _order
# Joined files are no larger: sealing does the rest.
MOST_ROWS = 1 << 20


def compact(store: Store, layout: Layout, lease: Lease, keys: SigningKeys) -> None:
    """Join the newest files of the last day where there are enough of a like size.

    Raises `LedgerError` if one of them is not what was written.
    """
    while True:
        with store.read() as connection:
            newest = segments.last(connection)
            day = segments.of_date(connection, newest.date) if newest else []
        due = _due(day)
        if not due:
            return
        rewrite(store, lease, due, _joined(layout, lease, due))
        publish(store, layout, lease, keys)


def rewrite(store: Store, lease: Lease, old: Sequence[Segment], new: Segment) -> None:
    """Commit one staged file in the place of several."""
    with store.begin() as connection:
        lease.renew(connection)
        segments.put_in_place_of(connection, old, new)


def covering(
    old: Sequence[Segment], written: parquet.Written, token: int, *, sealed: bool
) -> Segment:
    """The segment that stands for ``old``, which follow upon each other."""
    first, count = old[0].first_leaf, sum(segment.count for segment in old)
    return replace(
        old[-1],
        first_leaf=first,
        count=count,
        file=file_name(first, count, sealed=sealed),
        sha256=written.sha256,
        size=written.size,
        token=token,
        state=SegmentState.REWRITTEN,
        sealed=sealed,
    )


def checked(layout: Layout, segment: Segment) -> None:
    """Whether a file is still what was written. Raises `LedgerError`."""
    checked_file(segment.path(layout), segment)


def checked_file(path: Path, segment: Segment) -> None:
    """The same of a file that may not be in its place yet."""
    if not path.is_file():
        raise LedgerError(f"{path} is missing: restore it from a copy of the folder")
    with path.open("rb") as file:
        if file_digest(file, "sha256").hexdigest() != segment.sha256:
            raise LedgerError(
                f"{path} is not what was written there: run `omniva ledger verify`, and restore it "
                "from a copy"
            )


def _due(day: Sequence[Segment]) -> list[Segment]:
    """The newest files of a day that are to become one; none if there is no need.

    Sizes never grow along a day: sixteen of one order become one of the next, and what is smaller
    than the file that came after it joins that file.
    """
    newest = [segment for segment in day if not segment.sealed][::-1]
    if not newest:
        return []
    order = _order(newest[0])
    smaller = list(takewhile(lambda segment: _order(segment) < order, newest[1:]))
    run = list(takewhile(lambda segment: _order(segment) == order, newest))
    due = [newest[0], *smaller] if smaller else run if len(run) >= FACTOR else []
    return due[::-1] if sum(segment.count for segment in due) <= MOST_ROWS else []


def _order(segment: Segment) -> int:
    """How many times sixteen goes into the number of rows."""
    return (segment.count.bit_length() - 1) // 4


def _joined(layout: Layout, lease: Lease, old: Sequence[Segment]) -> Segment:
    rows = sum(segment.count for segment in old)
    name = file_name(old[0].first_leaf, rows)
    written = parquet.write(layout.staging / f"{lease.token}-{name}", _rows(layout, old))
    files.sync_folder(layout.staging)
    return covering(old, written, lease.token, sealed=False)


def _rows(layout: Layout, old: Sequence[Segment]) -> Iterator[pa.RecordBatch]:
    for segment in old:
        checked(layout, segment)
        yield from parquet.read(segment.path(layout))
