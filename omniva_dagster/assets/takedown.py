"""Publications taken down: what Zenith cancelled after it had gone out."""

import dagster as dg

from omniva_dagster.assets._common import OWNER, Shown, cell
from omniva_dagster.resources.media import PublisherResource
from omniva_dagster.resources.state import StateResource

_SHOWN = 200


@dg.asset(group_name="publish", kinds={"python"}, owners=[OWNER], code_version="1")
def withdrawals(
    context: dg.AssetExecutionContext, state: StateResource, publisher: PublisherResource
) -> dg.MaterializeResult[None]:
    """Every publication that a cancel is on, taken down; its receipt stays, and it is not posted
    again.

    What could not be taken down fails the run, with what to do about it, and is tried again.
    """
    from omniva_dagster.resources.withdrawals import Taken, withdraw_due

    taken = withdraw_due(state.store, publisher.publisher, context.log)

    def line(item: Taken) -> str:
        came_of_it = cell(item.fault) if item.document is None else "withdrawn"
        where = item.document.kept_at if item.document else ""
        creator = item.standing.partition.creator
        return f"| {creator} | {cell(item.label)} | {came_of_it} | `{where}` |"

    failed = [item for item in taken if item.document is None]
    lines = ["| creator | clip | what came of it | where its receipt is |", "|---|---|---|---|"]
    # What needs a person comes first.
    shown = [*failed, *(item for item in taken if item.document is not None)][:_SHOWN]
    lines += [line(item) for item in shown]
    metadata: Shown = {
        "withdrawn": len(taken) - len(failed),
        "failed": len(failed),
        "clips": dg.MetadataValue.md("\n".join(lines)),
    }
    if failed:
        raise dg.Failure(
            f"{len(failed)} of {len(taken)} publications could not be taken down; see what to do "
            "about each in `clips`. They are tried again every few minutes",
            metadata=metadata,
        )
    return dg.MaterializeResult(metadata=metadata)
