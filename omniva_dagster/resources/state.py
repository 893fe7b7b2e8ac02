"""The state store as a Dagster resource."""

from typing import TYPE_CHECKING, Any

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.resources.workbench import Workbench
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store


class StateResource(dg.ConfigurableResource[Any]):
    """The transactional store behind a SQLAlchemy URL (SQLite or PostgreSQL)."""

    url: str

    @property
    def store(self) -> "Store":
        """The migrated store of this process."""
        return db.store.open_store(self.url)

    def workbench(self, context: dg.AssetExecutionContext) -> Workbench:
        """The workbench for the asset and partition that a step is about."""
        return Workbench(
            store=self.store,
            partition=partition_of(context.partition_key),
            stage=context.asset_key.path[-1],
            log=context.log,
        )


def partition_of(key: str) -> Partition:
    """The partition of a Dagster partition key."""
    assert isinstance(key, dg.MultiPartitionKey)
    dimensions = key.keys_by_dimension
    return Partition(dimensions["creator"], dimensions["day"])
