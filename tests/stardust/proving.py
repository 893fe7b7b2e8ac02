"""A small ledger as the sequencer writes it, and ways to damage it as a forger would."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import rfc8785

from omniva_dagster.contracts.cognition.stardust import TelemetrySample
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.stardust.checkpoints import sign_checkpoint, write_checkpoint
from omniva_dagster.stardust.entries import arrow_schema, leaf_data_of_columns
from omniva_dagster.stardust.hashes import HashFiles
from omniva_dagster.stardust.keys import Keyring, SigningKeys, signing_keys
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.manifest import signed_text
from omniva_dagster.stardust.merkle import Frontier, leaf_hash
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.state.outbox import Emission, emit
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store

DAYS = ("2026-03-04", "2026-03-05", "2026-03-06")
BATCHES = 3
PER_BATCH = 24


def noon(day: str) -> datetime:
    """Twelve o'clock UTC."""
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)


def emit_family(store: Store, day: str, name: str, count: int) -> list[str]:
    """Record ``count`` packets of one trace, each but the first with a parent; their ids."""
    made: list[str] = []
    with store.begin() as connection:
        for number in range(count):
            sample = TelemetrySample.parse(
                {
                    "source": "tests — ünïcode",
                    "metric": "seconds",
                    "value": number + 0.5,
                    "observed_at": f"{day}T05:06:07Z",
                }
            )
            emission = Emission(
                document=sample,
                producer="tests",
                subject_id=derive_id("subject", day, name, number),
                trace_id=derive_id("trace", day, name),
                parents=tuple(made[-1:] + made[:1] if number > 1 else made[-1:]),
                partition=Partition("ada", day),
                emitted_at=f"{day}T05:06:07Z",
            )
            made.append(emit(connection, emission).packet_id)
    return made


def build(home: Path) -> Ledger:
    """Three days of three batches each, under a checkpoint a batch."""
    store = Store(f"sqlite:///{home / 'state.db'}")
    store.migrate()
    layout = Layout(home / "ledger")
    for day in DAYS:
        for number in range(BATCHES):
            emit_family(store, day, str(number), PER_BATCH)
            sequence(store, layout, now=noon(day))
    store.close()
    return Ledger(layout)


@dataclass(frozen=True)
class Ledger:
    """A ledger's folder, and what a forger does to it."""

    layout: Layout

    @property
    def store(self) -> Store:
        """The state store beside it."""
        return Store(f"sqlite:///{self.layout.root.parent / 'state.db'}")

    @property
    def files(self) -> list[Path]:
        """Its Parquet files, in the order of their leaves."""
        return sorted(self.layout.packets.glob("*/*.parquet"))

    @property
    def size(self) -> int:
        """How many packets the latest checkpoint covers."""
        return int(self.note().split("\n")[1])

    def note(self, size: int | str = "latest") -> str:
        """A checkpoint's text."""
        return (self.layout.checkpoints / f"{size}.txt").read_text()

    def keys(self) -> SigningKeys:
        """The stolen key."""
        origin = Keyring.read(self.layout.keys).publics[0].name
        return signing_keys(self.layout.keys, origin, create=False)

    def rewrite(self, path: Path, change: Callable[[list[dict[str, Any]]], Any]) -> None:
        """Change rows and write the file properly: a valid Parquet file with the same columns."""
        rows = pq.read_table(path).to_pylist()
        change(rows)
        pq.write_table(pa.Table.from_pylist(rows, schema=arrow_schema()), path)

    def list_again(self, day: str, keys: SigningKeys | None = None) -> None:
        """Let the day's manifest say what its files are now; signed, if there is a key."""
        path = self.layout.manifest_of(day)
        said = json.loads(path.read_bytes())
        for file in said["manifest"]["files"]:
            data = (self.layout.day(day) / file["name"]).read_bytes()
            file["sha256"], file["size"] = sha256(data).hexdigest(), len(data)
        if keys:
            said["signatures"] = keys.lines(signed_text(said["manifest"]))
        path.write_bytes(rfc8785.dumps(said))

    def forge(self) -> None:
        """With the stolen key: make manifests, log and checkpoints fit whatever the files hold."""
        keys = self.keys()
        for day in self.layout.dates():
            self.list_again(day, keys)
        rows = [(row["leaf_index"], row) for path in self.files for row in _rows(path)]
        leaves = [leaf_hash(_leaf(row)) for _, row in sorted(rows, key=lambda pair: pair[0])]
        for path in [*self.layout.checkpoints.iterdir(), *self.layout.log.iterdir()]:
            path.unlink()
        HashFiles(self.layout.log).append(0, b"".join(leaves))
        frontier = Frontier()
        for size, leaf in enumerate(leaves, start=1):
            frontier.append(leaf)
            if size % PER_BATCH == 0 or size == len(leaves):
                note = sign_checkpoint(keys, keys.origin, size, frontier.root())
                write_checkpoint(self.layout.checkpoints, note)


def edit_message(row: dict[str, Any], **changes: Any) -> None:
    """Change a row's payload, and its hash with it."""
    message = json.loads(row["message"])
    message["payload"] |= changes
    row["message"] = rfc8785.dumps(message).decode()
    row["content_hash"] = sha256(row["message"].encode()).hexdigest()


def _rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def _leaf(row: dict[str, Any]) -> bytes:
    batch = pa.RecordBatch.from_pylist([row], schema=arrow_schema())
    return next(iter(leaf_data_of_columns(batch)))
