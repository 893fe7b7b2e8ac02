"""What the ledger costs, beside what one would write packets to without it, on the same packets.

Ingest (outbox to Parquet), sealing, look-ups, `verify`, and durable commits of one packet; against
`pyarrow.write_dataset` (no hashes, no durability), an indexed SQLite table, and a Delta table (for
which `deltalake` has to be installed; left out where it isn't). Each measurement is a process of
its own, so its CPU seconds and peak memory are its own. Batches of 20,000 for all.

Run: python -m benchmarks.ledger [--packets 200000] [--days 4] [--alone] [--folder DIR]
10 million packets alone need about 30 GB under the folder and half an hour.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import random
import resource
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.packets import fill

BATCH = 20_000
LOOKUPS = 30
COMMITS = 200
START = datetime(2026, 3, 1, tzinfo=UTC)
COLUMNS = (
    "packet_id", "source_key", "content_hash", "message_type", "producer", "subject_id",
    "trace_id", "creator", "day", "emitted_at", "body",
)  # fmt: skip
Measured = dict[str, Any]


# -- the ledger ----------------------------------------------------------------------------------


def generate(folder: Path, count: int, seed: int) -> None:
    """Packets in the outbox, waiting."""
    from omniva_dagster.state.store import Store

    Store(f"sqlite:///{folder / 'state.db'}").migrate()
    fill(folder / "state.db", count, seed)


def ingest(folder: Path, day: int) -> int:
    """Outbox to unsealed Parquet, with hashes, manifest and checkpoint."""
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.stardust.sequencer import sequence
    from omniva_dagster.state.store import Store

    store = Store(f"sqlite:///{folder / 'state.db'}")
    moment = START + timedelta(days=day)
    return sequence(store, Layout(folder / "ledger"), now=moment, batch=BATCH).count


def seal_all(folder: Path, days: int) -> int:
    """Every day into one sorted file."""
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.stardust.sealing import seal
    from omniva_dagster.state.store import Store

    store = Store(f"sqlite:///{folder / 'state.db'}")
    after = START + timedelta(days=days)
    sealed = seal(store, Layout(folder / "ledger"), before=after.date(), now=after)
    return sum(day.rows for day in sealed)


def verify_all(folder: Path) -> int:
    """Every hash, link, root, digest and signature."""
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.stardust.verify import verify

    found = verify(Layout(folder / "ledger"), processes=1)
    assert found.consistent, found.verdict
    return found.packets


def ledger_by_packet(folder: Path, ids: list[str], _traces: list[str]) -> list[float]:
    """A packet by its id."""
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.stardust.lookup import find_row

    layout = Layout(folder / "ledger")
    return _timed(lambda wanted: find_row(layout, wanted), ids)


def ledger_by_trace(folder: Path, _ids: list[str], traces: list[str]) -> list[float]:
    """All of a trace with its messages, each checked, and what waits in the outbox."""
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.stardust.traces import trace_packets
    from omniva_dagster.state.store import Store

    layout, store = Layout(folder / "ledger"), Store(f"sqlite:///{folder / 'state.db'}")
    return _timed(lambda wanted: trace_packets(layout, store, wanted), traces)


def ledger_lineage(folder: Path, ids: list[str], *, up: bool) -> list[float]:
    """Where a packet came from in all traces, or what came from it, and what each says."""
    from omniva_dagster.stardust.lineage import lineage
    from omniva_dagster.stardust.views import Sources

    sources = Sources.at(folder / "ledger")
    return _timed(lambda wanted: lineage(sources, wanted, up=up), ids)


def ledger_prove(folder: Path, ids: list[str]) -> list[float]:
    """An inclusion proof."""
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.stardust.proofs import prove

    layout = Layout(folder / "ledger")
    return _timed(lambda wanted: prove(layout, wanted), ids)


def ledger_single(folder: Path, count: int) -> float:
    """A packet recorded, placed, published under a checkpoint; then the next."""
    return _emitted(folder, count, sequenced=True)


def outbox_single(folder: Path, count: int) -> float:
    """A packet recorded durably (acknowledged); the sequencer takes it later."""
    return _emitted(folder, count, sequenced=False)


def _emitted(folder: Path, count: int, *, sequenced: bool) -> float:
    from omniva_dagster.contracts.cognition.stardust import TelemetrySample
    from omniva_dagster.contracts.ids import derive_id
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.stardust.sequencer import sequence
    from omniva_dagster.state import outbox
    from omniva_dagster.state.partition import Partition
    from omniva_dagster.state.store import Store

    folder.mkdir()
    store, layout = Store(f"sqlite:///{folder / 'state.db'}"), Layout(folder / "ledger")
    store.migrate()

    def one(number: int) -> None:
        emission = outbox.Emission(
            TelemetrySample(
                source="benchmark",
                metric="number",
                value=float(number),
                observed_at="2026-03-01T00:00:00Z",
            ),
            "benchmark",
            derive_id("benchmark", number),
            derive_id("benchmark", "trace"),
            (),
            Partition("ada", "2026-03-01"),
            "2026-03-01T00:00:00Z",
        )
        with store.begin() as connection:
            outbox.emit(connection, emission)
        if sequenced:
            sequence(store, layout, now=START)

    return _a_second(one, count)


# -- what one would use instead ------------------------------------------------------------------


def outbox_batches(folder: Path, after: int) -> Iterator[Any]:
    """The same rows, as the ledger reads them, as Arrow."""
    import pyarrow as pa

    connection = sqlite3.connect(folder / "state.db")
    query = f"SELECT {', '.join(COLUMNS)} FROM packets WHERE sequence > ? ORDER BY sequence"  # noqa: S608
    cursor = connection.execute(query, (after,))
    while rows := cursor.fetchmany(BATCH):
        columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        yield pa.RecordBatch.from_pydict(columns)


def dataset_ingest(folder: Path, after: int) -> int:
    """`pyarrow.write_dataset`, a file a batch."""
    import pyarrow.dataset as ds

    count = 0
    options = ds.ParquetFileFormat().make_write_options(compression="zstd")
    for number, batch in enumerate(outbox_batches(folder, after)):
        ds.write_dataset(
            batch,
            folder / "dataset",
            format="parquet",
            file_options=options,
            basename_template=f"{after:09d}-{number:06d}-{{i}}.parquet",
            existing_data_behavior="overwrite_or_ignore",
        )
        count += batch.num_rows
    return count


def sqlite_ingest(folder: Path, after: int) -> int:
    """A table with an index on each id, a durable transaction a batch."""
    connection = _sqlite(folder / "table.db")
    marks = ", ".join("?" for _ in COLUMNS)
    count = 0
    for batch in outbox_batches(folder, after):
        with connection:
            columns = [column.to_pylist() for column in batch.columns]
            connection.executemany(
                f"INSERT INTO packets VALUES ({marks})",  # noqa: S608
                zip(*columns, strict=True),
            )
        count += batch.num_rows
    return count


def delta_ingest(folder: Path, after: int) -> int:
    """A Delta table, a commit a batch."""
    import pyarrow as pa
    from deltalake import write_deltalake

    count = 0
    for batch in outbox_batches(folder, after):
        write_deltalake(str(folder / "delta"), pa.Table.from_batches([batch]), mode="append")
        count += batch.num_rows
    return count


def dataset_by_packet(folder: Path, ids: list[str], _traces: list[str]) -> list[float]:
    """A packet by its id, with DuckDB over the files."""
    return _duckdb(folder / "dataset", "packet_id", "body", ids)


def dataset_by_trace(folder: Path, _ids: list[str], traces: list[str]) -> list[float]:
    """All of a trace, with DuckDB over the files."""
    return _duckdb(folder / "dataset", "trace_id", "body", traces)


def sqlite_by_packet(folder: Path, ids: list[str], _traces: list[str]) -> list[float]:
    """A packet by its id, from the index."""
    return _select(folder / "table.db", "packet_id", ids)


def sqlite_by_trace(folder: Path, _ids: list[str], traces: list[str]) -> list[float]:
    """All of a trace, from the index."""
    return _select(folder / "table.db", "trace_id", traces)


def delta_by_packet(folder: Path, ids: list[str], _traces: list[str]) -> list[float]:
    """A packet by its id, with DuckDB over the table's files."""
    return _duckdb(folder / "delta", "packet_id", "body", ids)


def delta_by_trace(folder: Path, _ids: list[str], traces: list[str]) -> list[float]:
    """All of a trace, with DuckDB over the table's files."""
    return _duckdb(folder / "delta", "trace_id", "body", traces)


def sqlite_single(folder: Path, count: int) -> float:
    """One row, one durable transaction."""
    folder.mkdir()
    connection = _sqlite(folder / "table.db")
    marks = ", ".join("?" for _ in COLUMNS)

    def one(number: int) -> None:
        with connection:
            row = [f"{number}-{name}" for name in COLUMNS]
            connection.execute(f"INSERT INTO packets VALUES ({marks})", row)  # noqa: S608

    return _a_second(one, count)


def delta_single(folder: Path, count: int) -> float:
    """One row, one commit (which Delta does not force to the disk)."""
    import pyarrow as pa
    from deltalake import write_deltalake

    def one(number: int) -> None:
        row = pa.table({name: [f"{number}-{name}"] for name in COLUMNS})
        write_deltalake(str(folder), row, mode="append")

    return _a_second(one, count)


def _a_second(one: Callable[[int], None], count: int) -> float:
    one(count)
    started = time.perf_counter()
    for number in range(count):
        one(number)
    return count / (time.perf_counter() - started)


def _sqlite(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS packets ({', '.join(COLUMNS)}, PRIMARY KEY (packet_id))"
    )
    connection.execute("CREATE INDEX IF NOT EXISTS traces ON packets (trace_id)")
    return connection


def _select(path: Path, column: str, values: list[str]) -> list[float]:
    def ask(value: str) -> Any:
        connection = sqlite3.connect(path)
        query = f"SELECT body FROM packets WHERE {column} = ?"  # noqa: S608
        return connection.execute(query, (value,)).fetchall()

    return _timed(ask, values)


def _duckdb(folder: Path, column: str, shown: str, values: list[str]) -> list[float]:
    import duckdb

    files = f"{folder}/**/*.parquet"
    query = f"SELECT {shown} FROM read_parquet(?, hive_partitioning=false) WHERE {column} = ?"  # noqa: S608

    def ask(value: str) -> Any:
        with duckdb.connect(config={"threads": "1"}) as database:
            return database.execute(query, [files, value]).fetchall()

    return _timed(ask, values)


def _timed(ask: Callable[[str], Any], values: list[str]) -> list[float]:
    """Milliseconds of each; the first imports and opens what the others find there."""
    taken = []
    for value in values:
        started = time.perf_counter()
        assert ask(value)
        taken.append(1000 * (time.perf_counter() - started))
    return taken


# -- measuring -----------------------------------------------------------------------------------


def _child(answer: Any, act: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    started = time.perf_counter()
    result = act(*arguments)
    wall = time.perf_counter() - started
    own, below = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    cpu = own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime
    peak = max(own.ru_maxrss, below.ru_maxrss) / 1024
    answer.send({"result": result, "wall": wall, "cpu": cpu, "mib": peak})


def measured(act: Callable[..., Any], *arguments: Any) -> Measured:
    """Run in a process of its own: result, wall and CPU seconds, peak MiB."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, act, arguments))
    process.start()
    sender.close()
    try:
        found: Measured = receiver.recv()
    except EOFError:
        process.join()
        raise SystemExit(f"{act} ended with {process.exitcode}") from None
    process.join()
    return found


def summed(parts: list[Measured]) -> Measured:
    """Several measurements of the same as one."""
    total = {key: sum(part[key] for part in parts) for key in ("result", "wall", "cpu")}
    return {**total, "mib": max(part["mib"] for part in parts)}


def size_of(path: Path) -> float:
    """MiB on disk of a file or folder."""
    files = path.rglob("*") if path.is_dir() else path.parent.glob(path.name + "*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 2**20


def ingest_rows(folder: Path, packets: int, days: int, alone: bool) -> dict[str, Measured]:
    """The same packets, a day after the other, into each."""
    others = {} if alone else {"write_dataset": dataset_ingest, "SQLite table": sqlite_ingest}
    if not alone and importlib.util.find_spec("deltalake"):
        others["deltalake"] = delta_ingest
    parts: dict[str, list[Measured]] = {"ledger": [], **{name: [] for name in others}}
    done = 0
    for day in range(days):
        count = packets // days + (day < packets % days)
        measured(generate, folder, count, day + 1)
        parts["ledger"].append(measured(ingest, folder, day))
        for name, act in others.items():
            parts[name].append(measured(act, folder, done))
        done += count
        print(f"  {done:,} packets in each", flush=True)
    return {name: summed(found) for name, found in parts.items()}


def sample(folder: Path) -> tuple[list[str], list[str]]:
    """Packet and trace ids to look up, from all over."""
    connection = sqlite3.connect(folder / "state.db")
    (last,) = connection.execute("SELECT max(sequence) FROM packets").fetchone()
    chance = random.Random(7)  # noqa: S311
    query = "SELECT packet_id, trace_id FROM packets WHERE sequence = ?"
    rows = [
        connection.execute(query, (chance.randint(1, last),)).fetchone() for _ in range(LOOKUPS)
    ]
    return [row[0] for row in rows], [row[1] for row in rows]


def report(folder: Path, packets: int, days: int, alone: bool) -> None:
    """All tables."""
    print(f"{packets:,} packets over {days} days, in {folder}", flush=True)
    found = ingest_rows(folder, packets, days, alone)
    sealed = measured(seal_all, folder, days)
    whole = {**summed([found["ledger"], sealed]), "result": packets}
    found = {"ledger": found.pop("ledger"), "ledger, sealed": whole, **found}
    base = found.get("write_dataset", found["ledger"])["cpu"]
    print(f"\n{'ingest':16}{'packets/s':>11}{'wall s':>9}{'CPU s':>9}{'ratio':>7}{'peak MiB':>10}")
    for name, row in found.items():
        print(
            f"{name:16}{row['result'] / row['wall']:11,.0f}{row['wall']:9.1f}{row['cpu']:9.1f}"
            f"{row['cpu'] / base:7.2f}{row['mib']:10.0f}"
        )
    checked = measured(verify_all, folder)
    for name, row in {"sealing": sealed, "verify, 1 process": checked}.items():
        print(
            f"{name}: {row['wall']:.1f} s, {row['cpu']:.1f} CPU s, "
            f"{packets / row['wall']:,.0f} packets/s, {row['mib']:.0f} MiB"
        )
    places = {
        "ledger": "ledger/packets", "write_dataset": "dataset",
        "SQLite table": "table.db", "deltalake": "delta",
    }  # fmt: skip
    sizes = [f"{name} {size_of(folder / places[name]):,.0f}" for name in places if name in found]
    print(f"MiB on disk: {', '.join(sizes)}", flush=True)
    _print_lookups(folder, set(found))
    _print_commits(folder, set(found))


def _print_lookups(folder: Path, names: set[str]) -> None:
    ids, traces = sample(folder)
    head = "".join(f"{what:>10}{'worst':>8}{'first':>8}" for what in ("packet id", "trace"))
    print(f"\n{'look-up, ms':16}{head}")
    ways: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
        "ledger": (ledger_by_packet, ledger_by_trace),
        "write_dataset": (dataset_by_packet, dataset_by_trace),
        "SQLite table": (sqlite_by_packet, sqlite_by_trace),
        "deltalake": (delta_by_packet, delta_by_trace),
    }
    for name in [name for name in ways if name in names]:
        cells = ""
        for act in ways[name]:
            taken = measured(act, folder, ids, traces)["result"]
            cells += _cells(taken)
        print(f"{name:16}{cells}", flush=True)
    print(f"\n{'of the ledger, ms':16}{'median':>9}{'worst':>8}{'first':>8}")
    for title, act in {
        "prove": ledger_prove,
        "lineage --up": partial(ledger_lineage, up=True),
        "lineage --down": partial(ledger_lineage, up=False),
    }.items():
        print(f"{title:16}{_cells(measured(act, folder, ids)['result'])}", flush=True)


def _cells(taken: list[float]) -> str:
    first, *others = taken
    return f"{statistics.median(others):10.1f}{max(others):8.1f}{first:8.1f}"


def _print_commits(folder: Path, names: set[str]) -> None:
    ways: dict[str, tuple[str, Callable[..., Any]]] = {
        "outbox: acknowledged": ("ledger", outbox_single),
        "ledger: checkpointed": ("ledger", ledger_single),
        "SQLite table": ("SQLite table", sqlite_single),
        "deltalake, no fsync": ("deltalake", delta_single),
    }
    print(f"\n{'commits of one':22}{'a second':>10}")
    for title, (name, act) in ways.items():
        if name in names:
            rate = measured(act, folder / f"single-{act.__name__}", COMMITS)["result"]
            print(f"{title:22}{rate:10.0f}", flush=True)


def main() -> None:
    """Parse the command line, measure, tidy up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packets", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--alone", action="store_true", help="the ledger only, nothing beside it")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary one otherwise")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="omniva-ledger-", dir=options.folder))
    try:
        report(folder, options.packets, options.days, options.alone)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
