"""Whether the ledger holds what a decision rests on; what nothing shows to be right is held.

The directive in force is read right before an act, and so is its evidence: a directive whose
packets are not in the ledger is no one's order, whoever wrote it into a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.stardust import InconsistencyKind

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.contracts.decisions import Directive
    from omniva_dagster.state.partition import Partition


def unproven(
    connection: sa.Connection, directive: Directive, packet_id: str, *more: str
) -> list[str]:
    """The packets of a directive, of its evidence and of ``more`` that the ledger lacks."""
    return db.outbox.absent(connection, [packet_id, *directive.evidence, *more])


def hold_unproven(
    connection: sa.Connection, partition: Partition, lacking: Mapping[str, Sequence[str]], now: str
) -> None:
    """Have Zenith hold documents, by subject with the packets that each lacks; on the caller's
    transaction. What was reported before is decided already."""
    from omniva_dagster.resources import conflicts
    from omniva_dagster.stardust.inconsistencies import Inconsistency, report

    found = [
        Inconsistency(
            InconsistencyKind.MISSING_PACKET,
            tuple(packets),
            says(subject_id, packets),
            partition=partition,
            subjects=(subject_id,),
        )
        for subject_id, packets in sorted(lacking.items())
        if packets
    ]
    conflicts.inconsistent(connection, report(connection, found, now), now)


def says(subject_id: str, packets: Sequence[str]) -> str:
    """What is wrong, and what to do about it."""
    named = ", ".join(packets[:10])
    more = f" and {len(packets) - 10} more" if len(packets) > 10 else ""
    return (
        f"{subject_id} rests on packets that the ledger lacks, or that are not what was recorded: "
        f"{named}{more}; `omniva ledger verify` says more. Materialize what should have recorded "
        "them again, or compare the table `packets` with a backup"
    )
