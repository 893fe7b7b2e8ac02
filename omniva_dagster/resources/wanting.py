"""What a directive wants of Dagster, written down in its own transaction; see `offering`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.state import intents

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.contracts.decisions import Directive
    from omniva_dagster.state.partition import Partition

JOB = "clip_pipeline"
# Work that is to start within this time of other work of the same partition is that work.
_TOGETHER = timedelta(seconds=60)


def want_launch(
    connection: sa.Connection, directive: Directive, partition: Partition, due: str
) -> None:
    """Want a run of a partition at a time, unless one that will do is wanted already."""
    if not (partition.creator and partition.day):
        return
    latest = format_timestamp(parse_timestamp(due) + _TOGETHER)
    if intents.launches(connection, partition, due, latest):
        return
    intent_id = derive_id(
        "intent", "launch", directive.directive_id, partition.creator, partition.day
    )
    tags = {
        intents.TAG: intent_id,
        "omniva/directive": directive.directive_id,
        "omniva/creator": partition.creator,
        "omniva/day": partition.day,
    }
    intents.want(
        connection,
        intents.Intent(
            intent_id, intents.LAUNCH, JOB, partition, directive.directive_id, due, tags
        ),
    )


def want_cancel(
    connection: sa.Connection, directive: Directive, partition: Partition, now: str
) -> None:
    """Want the runs in flight of what a directive holds to be cancelled."""
    intent_id = derive_id("intent", "cancel", directive.directive_id)
    tags = {intents.SUBJECT: directive.subject_id}
    intents.want(
        connection,
        intents.Intent(
            intent_id, intents.CANCEL, JOB, partition, directive.directive_id, now, tags
        ),
    )
