"""Comparing a ledger with the state store it was written from: the same packets, all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from omniva_dagster.stardust import segments
from omniva_dagster.stardust.checkpoints import kept_sizes
from omniva_dagster.stardust.claims import Claims, ListedFile
from omniva_dagster.stardust.edges import SHOWN, scratch_database
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.findings import FORGED, RESTORE, Finding
from omniva_dagster.stardust.layout import Layout

if TYPE_CHECKING:
    import duckdb
    import sqlalchemy as sa

    from omniva_dagster.state.store import Store

_AT_ONCE = 10_000
_PLACE = "the state store"
_LOST = """
    SELECT outbox.packet_id FROM outbox ANTI JOIN ledger USING (packet_id) ORDER BY 1
"""
_UNKNOWN = """
    SELECT packet_id, leaf_index FROM ledger ANTI JOIN outbox USING (packet_id)
    WHERE leaf_index < $tree_size ORDER BY leaf_index LIMIT $shown
"""
_DIFFERENT = """
    SELECT packet_id, leaf_index FROM ledger JOIN outbox USING (packet_id)
    WHERE ledger.content_hash <> outbox.content_hash ORDER BY leaf_index LIMIT $shown
"""


def check_state(
    store: Store, layout: Layout, claims: Claims, sound: Sequence[ListedFile]
) -> Iterator[Finding]:
    """Whether folder and state store agree; ``sound`` are the files whose rows were found right.

    The store may be ahead by what was sequenced since. It is never behind: it is what the folder
    follows from. A store that can't be read as one is a finding too. Raises `LedgerError` where it
    can't be opened: then nothing is known of it.
    """
    import duckdb
    import pyarrow as pa
    import sqlalchemy as sa

    try:
        with store.read():
            pass
    except sa.exc.OperationalError as error:
        raise LedgerError(
            f"the state store can't be opened ({error.orig}), and the home's ledger is compared "
            f"with it: --ledger {layout.root} verifies the folder alone"
        ) from error
    except sa.exc.SQLAlchemyError:
        pass  # it is no database: told of below
    try:
        yield from _differences(store, layout, claims, sound)
    except (
        sa.exc.SQLAlchemyError,
        duckdb.Error,
        pa.ArrowException,
        TypeError,
        ValueError,
    ) as error:
        reason = str(error).split("\n")[0][:200]
        yield Finding(_PLACE, f"can't be compared with the ledger ({reason})", RESTORE)


def _differences(
    store: Store, layout: Layout, claims: Claims, sound: Sequence[ListedFile]
) -> Iterator[Finding]:
    with (
        store.read() as connection,
        TemporaryDirectory(prefix="omniva-verify-") as scratch,
        scratch_database(scratch) as database,
    ):
        tree_size, origin = _last(connection)
        if origin and claims.origin and origin != claims.origin:
            problem = f"belongs to the ledger {origin}, not to {claims.origin}"
            yield Finding(_PLACE, problem, "verify the ledger that belongs to it")
            return
        if tree_size < claims.size:
            problem = f"knows {tree_size} packets of the {claims.size} in the folder"
            yield Finding(_PLACE, f"{problem}: it is an older copy", RESTORE)
        yield from _rolled_back(connection, layout)
        yield from _segments(connection, claims)
        yield from _frontier(connection)
        yield from _outbox(connection, database)
        yield from _compared(connection, layout, claims, sound, database, tree_size)


def _last(connection: sa.Connection) -> tuple[int, str]:
    import sqlalchemy as sa

    from omniva_dagster.state.tables import ledger_lease, ledger_segments

    size = connection.scalar(sa.select(sa.func.max(ledger_segments.c.tree_size)))
    return size or 0, connection.scalar(sa.select(ledger_lease.c.origin)) or ""


def _rolled_back(connection: sa.Connection, layout: Layout) -> Iterator[Finding]:
    """Whether the folder has the checkpoint of all that the store knows to be under one."""
    import sqlalchemy as sa

    from omniva_dagster.stardust.segments import SegmentState
    from omniva_dagster.state.tables import ledger_segments as table

    published = table.c.state == SegmentState.PUBLISHED.value
    size = connection.scalar(sa.select(sa.func.max(table.c.tree_size)).where(published)) or 0
    # Read after the store: a checkpoint comes before the store is told of it.
    signed = max(kept_sizes(layout.checkpoints), default=0)
    if signed < size:
        problem = f"knows {size} packets under a checkpoint, and the folder's newest is of {signed}"
        yield Finding(_PLACE, f"{problem}: the folder was rolled back or is an older copy", RESTORE)


def _segments(connection: sa.Connection, claims: Claims) -> Iterator[Finding]:
    """The roots that the store remembers, at each segment's end that is a checkpoint too."""
    import sqlalchemy as sa

    from omniva_dagster.state.tables import ledger_segments as table

    signed = {checkpoint.size: checkpoint.root.hex() for checkpoint in claims.checkpoints}
    query = sa.select(table.c.tree_size, table.c.root).order_by(table.c.first_leaf)
    for size, root in connection.execute(query):
        if signed.get(size, root) != root:
            problem = f"remembers another root of the first {size} packets than the checkpoint's"
            yield Finding(_PLACE, problem, FORGED)
            return


def _frontier(connection: sa.Connection) -> Iterator[Finding]:
    """Whether the tree can be gone on with from what the store remembers of it."""
    try:
        newest = segments.last(connection)
        if newest is not None:
            segments.tree_after(newest)
    except LedgerError:
        problem = "what it remembers of the Merkle tree does not have the root it remembers"
        yield Finding(_PLACE, problem, RESTORE)


def _outbox(connection: sa.Connection, database: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """Copy what was sequenced out of the outbox, and check each message against its hash."""
    import pyarrow as pa
    import sqlalchemy as sa

    from omniva_dagster.state.tables import packet_queue, packets

    columns = (packets.c.packet_id, packets.c.content_hash, packets.c.body)
    queued = sa.select(packet_queue.c.sequence)
    query = sa.select(*columns).where(packets.c.sequence.not_in(queued))
    database.execute("CREATE TABLE outbox (packet_id UUID, content_hash VARCHAR)")
    rows = connection.execution_options(yield_per=_AT_ONCE).execute(query)
    for part in rows.partitions(_AT_ONCE):
        batch = pa.table({"id": [row[0] for row in part], "hash": [row[1] for row in part]})
        database.register("batch", batch)
        database.execute("INSERT INTO outbox SELECT id::UUID, hash FROM batch")
        for packet_id, content_hash, body in part:
            if sha256(str(body).encode()).hexdigest() != content_hash:
                problem = "its message in the outbox is not the one that was recorded"
                yield Finding(_PLACE, problem, FORGED, packet_id=packet_id, field="body")


def _compared(
    connection: sa.Connection,
    layout: Layout,
    claims: Claims,
    sound: Sequence[ListedFile],
    database: duckdb.DuckDBPyConnection,
    tree_size: int,
) -> Iterator[Finding]:
    database.execute(
        "CREATE TABLE ledger (packet_id UUID, content_hash VARCHAR, leaf_index BIGINT)"
    )
    if sound:
        database.execute(
            "INSERT INTO ledger SELECT packet_id::UUID, content_hash, leaf_index "
            "FROM read_parquet($files, hive_partitioning = false)",
            {"files": [str(layout.root / file.place) for file in sound]},
        )
    lost = [str(packet_id) for (packet_id,) in database.execute(_LOST).fetchall()]
    if len(sound) < len(claims.files):
        # What a damaged file holds can't be told.
        lost = []
    # What was sequenced after the folder was read is not lost.
    for packet_id in lost[: SHOWN if len(lost) > max(0, tree_size - claims.size) else 0]:
        held = sum(file.end_leaf - file.first_leaf for file in claims.files)
        yield _lost(packet_id, taken_out=held >= tree_size)
    given = {"tree_size": tree_size, "shown": SHOWN}
    for packet_id, leaf in _found(database, _UNKNOWN, given):
        yield _unknown(connection, str(packet_id), leaf)
    for packet_id, leaf in _found(database, _DIFFERENT, {"shown": SHOWN}):
        problem = "has another content_hash in the state store"
        yield Finding("packets", problem, FORGED, leaf=leaf, packet_id=str(packet_id))


def _unknown(connection: sa.Connection, packet_id: str, leaf: int) -> Finding:
    import sqlalchemy as sa

    from omniva_dagster.state.tables import packets

    query = sa.select(packets.c.sequence).where(packets.c.packet_id == packet_id)
    number = connection.scalar(query)
    if number is None:
        problem = "is in the ledger, and was never recorded in the state store"
        return Finding("packets", problem, FORGED, leaf=leaf, packet_id=packet_id)
    remedy = (
        "find out who changed the state store, and before anything is sequenced run there: DELETE "  # noqa: S608
        f"FROM packet_queue WHERE sequence = {number}"
    )
    problem = "has its place in the ledger, and waits in the queue for another"
    return Finding(_PLACE, problem, remedy, leaf=leaf, packet_id=packet_id)


def _lost(packet_id: str, *, taken_out: bool) -> Finding:
    if not taken_out:
        problem = "was sequenced, and the folder does not hold it"
        return Finding("packets", problem, RESTORE, packet_id=packet_id)
    remedy = (
        "find out who changed the state store; to let the packet in after all, run there: INSERT "  # noqa: S608
        f"INTO packet_queue (sequence) SELECT sequence FROM packets WHERE packet_id = '{packet_id}'"
        ", then `omniva ledger sync`"
    )
    problem = "is in the outbox alone: it was taken out of the queue before it had a place"
    return Finding(_PLACE, problem, remedy, packet_id=packet_id)


def _found(
    database: duckdb.DuckDBPyConnection, query: str, given: dict[str, int]
) -> list[tuple[Any, ...]]:
    return database.execute(query, given).fetchall()
