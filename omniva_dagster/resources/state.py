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
        """The workbench for the asset and partition that a step is about.

        A run that came of an intent of Zenith's does nothing before it has claimed it; a second run
        of one intent ends here.
        """
        self._claim(context.run)
        return Workbench(
            store=self.store,
            partition=partition_of(context.partition_key),
            stage=context.asset_key.path[-1],
            log=context.log,
            run_id=context.run.run_id,
            # Zenith's own runs wait for each document's next attempt.
            paced=db.intents.TAG in context.run.tags,
        )

    def _claim(self, run: dg.DagsterRun) -> None:
        intent_id = run.tags.get(db.intents.TAG)
        if intent_id is None:
            return
        with self.store.begin() as connection:
            intent = db.intents.get(connection, intent_id)
            if intent is None or db.intents.claim(connection, intent_id, run.run_id):
                return
        # Somebody runs again, in the UI, what was launched: that is the same run going on.
        if intent.run_id in (run.root_run_id, run.parent_run_id):
            return
        why = f"run {intent.run_id} is doing it" if intent.run_id else f"it is {intent.state}"
        raise dg.Failure(
            f"this run came of Zenith's intent {intent_id}, and {why}: nothing was done here; "
            "see `omniva control status`",
            allow_retries=False,
        )


def partition_of(key: str) -> Partition:
    """The partition of a Dagster partition key."""
    assert isinstance(key, dg.MultiPartitionKey)
    dimensions = key.keys_by_dimension
    return Partition(dimensions["creator"], dimensions["day"])
