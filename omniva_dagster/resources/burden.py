"""How much waits for the editors, as a partition's judges were told of it by Lattice.

Pinned at the first use like guidance: a rerun tomorrow surfaces what was surfaced today, however
long the queue is by then.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from omniva_dagster import state as db
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import parse_timestamp
from omniva_dagster.engines import pantheon

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.resources.workbench import Workbench

KIND = "lattice"  # of the snapshots that partitions pin
_PRODUCER = "lattice"
_QUEUE = "editor"
# Lattice's look at a queue is of the moment.
_HOLDS = timedelta(hours=2)


def of_partition(bench: Workbench, *, anew: bool = False) -> pantheon.Load | None:
    """The load that the partition at hand is judged under: what it pinned before, else (or where
    it is asked for ``anew``) what Lattice saw of late; None where nothing waits or nobody looked.
    """
    with bench.store.begin() as connection:
        current = _seen(connection, bench.now)
        if anew:
            db.snapshots.repin(connection, bench.partition, KIND, current, bench.now)
        body = db.snapshots.pin(connection, bench.partition, KIND, current, bench.now)
    return pantheon.Load(**body) if body else None


def _seen(connection: sa.Connection, now: str) -> dict[str, Any]:
    last = db.cycles.last(connection, _PRODUCER)
    if last is None or parse_timestamp(now) - parse_timestamp(last.at) > _HOLDS:
        return {}
    looked = derive_id("workload", last.at)
    packet = db.outbox.latest(connection, "WorkloadSnapshot", looked, _PRODUCER)
    if packet is None:  # an idle house writes none
        return {}
    for queue in packet.payload["queues"]:
        if queue["queue"] == _QUEUE:
            return {
                "queue": _QUEUE,
                "depth": queue["depth"],
                "sla_depth": queue["sla_depth"],
                "packet_id": packet.packet_id,
            }
    return {}
