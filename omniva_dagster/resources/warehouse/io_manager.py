"""One IO manager for every asset: ``warehouse/<asset>/creator=<c>/day=<d>/part.parquet``."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.record import Record
from omniva_dagster.workers.durable import sync

CONTRACT_KEY = "omniva/contract"
# The metadata that names the packets of the records of a materialization, as the mirror reads it.
PACKETS_KEY = "packets"
MOST_PACKETS = 900


class WarehouseIOManager(dg.ConfigurableIOManager):
    """Lists of records in, lists of records out; the asset's metadata names the contract."""

    home: str

    def path_of(self, asset: str, creator: str, day: str) -> Path:
        """The file of a partition."""
        folder = Path(self.home) / "warehouse" / asset / f"creator={creator}" / f"day={day}"
        return folder / "part.parquet"

    def handle_output(self, context: dg.OutputContext, obj: list[Record[Any]]) -> None:
        """Write a partition, whole or not at all; a rerun replaces it."""
        path = self._path(context)
        write(path, _model(context), obj, Path(self.home) / "warehouse.staging")
        # Of these the ledger's packet of the materialization is made (its lineage).
        held = list(dict.fromkeys(record.packet_id for record in obj))[:MOST_PACKETS]
        context.add_output_metadata(
            {
                "path": dg.MetadataValue.path(path),
                PACKETS_KEY: dg.MetadataValue.json(held),
                "dagster/partition_row_count": len(obj),
                "size_bytes": path.stat().st_size,
            }
        )

    def load_input(self, context: dg.InputContext) -> list[Record[Any]]:
        """Read a partition; one that was never materialized is a clear error."""
        upstream = context.upstream_output
        assert upstream is not None
        path = self._path(context)
        if not path.is_file():
            raise dg.Failure(
                f"{context.asset_key.to_user_string()} has not been materialized for "
                f"{context.partition_key}; materialize it first"
            )
        return read(path, _model(upstream))

    def _path(self, context: dg.InputContext | dg.OutputContext) -> Path:
        key = context.partition_key
        assert isinstance(key, dg.MultiPartitionKey)
        dimensions = key.keys_by_dimension
        return self.path_of(context.asset_key.path[-1], dimensions["creator"], dimensions["day"])


def contract_of(metadata: Mapping[str, Any]) -> type[Document]:
    """The contract that an asset's metadata names."""
    # Imported here: a code location that only shows its assets needs no other message.
    from omniva_dagster.contracts.registry import MESSAGE_TYPES

    return MESSAGE_TYPES[str(metadata[CONTRACT_KEY])]


def write(path: Path, model: type[Document], records: list[Record[Any]], staging: Path) -> None:
    """Write records to a Parquet file: temporary name elsewhere, fsync, rename."""
    import pyarrow.parquet as pq

    from omniva_dagster.resources.warehouse.arrow import to_table

    staging.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=staging, suffix=".parquet")
    try:
        with os.fdopen(handle, "wb") as file:
            pq.write_table(to_table(model, records), file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync(path.parent)


def read(path: Path, model: type[Document]) -> list[Record[Any]]:
    """The records of a Parquet file."""
    import pyarrow.parquet as pq

    from omniva_dagster.resources.warehouse.arrow import from_table

    return from_table(model, pq.ParquetFile(path).read())


def _model(context: dg.OutputContext) -> type[Document]:
    return contract_of(context.definition_metadata or {})
