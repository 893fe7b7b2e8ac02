"""What all checks have in common: reading an asset's records by key, and telling of findings."""

import warnings
from collections.abc import Sequence
from typing import Any

import dagster as dg

from omniva_dagster.contracts.record import Record
from omniva_dagster.resources.state import partition_of
from omniva_dagster.resources.warehouse.io_manager import WarehouseIOManager, contract_of, read

# Partitioned checks are a preview of Dagster's, pinned in pyproject.toml; the warning comes once a
# check and tells nobody anything new.
warnings.filterwarnings("ignore", message="Specifying a partitions_def on an AssetCheckSpec")


def records_of(
    asset: dg.AssetsDefinition, context: dg.AssetCheckExecutionContext, home: str
) -> list[Record[Any]]:
    """The records of the partition that the check is about (its inputs are read by key)."""
    partition = partition_of(context.partition_key)
    spec = next(iter(asset.specs))
    path = WarehouseIOManager(home=home).path_of(
        spec.key.path[-1], partition.creator, partition.day
    )
    return read(path, contract_of(spec.metadata)) if path.is_file() else []


def verdict(
    looked_at: int, problems: Sequence[tuple[str, str]], what_to_do: str
) -> dg.AssetCheckResult:
    """Passed, or an error that names each subject and problem, and what to do about it."""
    lines = ["| what | problem |", "|---|---|", *(f"| {who} | {why} |" for who, why in problems)]
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "looked_at": looked_at,
            "problems": len(problems),
            **(
                {"findings": dg.MetadataValue.md("\n".join(lines)), "what_to_do": what_to_do}
                if problems
                else {}
            ),
        },
    )
