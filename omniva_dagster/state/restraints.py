"""What is held, and on what grounds: what the log of directives comes to.

A subject may be held on several grounds at once (an operator's panic, a quarantine, a conflict),
each of which is lifted by itself; work goes on when none is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import restraints, stoppages

# Kinds that say whether work may be done; the others say when and where.
AUTHORITY = (
    DirectiveKind.PROMOTE,
    DirectiveKind.RELEASE,
    DirectiveKind.HOLD,
    DirectiveKind.CANCEL,
)
RESTRAINING = (DirectiveKind.HOLD, DirectiveKind.CANCEL)
# What a restraint is about, the widest first.
SCOPES = ("all", "worker", "creator", "video", "clip")
_AT_ONCE = 500


@dataclass(frozen=True)
class Ground:
    """What a hold or cancel rests on: the document behind it, and the rule it stands under."""

    ground: str
    packet_id: str
    rule: str
    kind: DirectiveKind
    reason: str
    until: str = ""


@dataclass(frozen=True)
class Restraint:
    """A hold or cancel in force, on one of the grounds there may be."""

    subject_id: str
    scope: str
    name: str
    kind: DirectiveKind
    directive_id: str
    packet_id: str
    partition: Partition
    reason: str
    since: str
    until: str
    ground: str
    ground_packet_id: str
    rule: str

    @property
    def lifted_by(self) -> str:
        """The command that would lift it."""
        if self.rule == "consent":
            return f"omniva creators grant {self.name or self.partition.creator} --consent ..."
        if self.rule == "takedown":
            return "nothing, once it is taken down: what is withdrawn is not posted again"
        if self.rule == "panic":
            return f"omniva resume --signal {self.ground} --reason ..."
        if self.rule == "compliance" and self.ground != self.ground_packet_id:
            return f"omniva review resolve {self.ground} --accept --reason ..."
        named = f"worker:{self.name}" if self.scope == "worker" else self.name or self.subject_id
        what = "all" if self.scope == "all" else named
        return f"omniva override release {what} --reason ..."


def restrained(connection: sa.Connection, subject_ids: Iterable[str], now: str) -> Restraint | None:
    """The widest hold or cancel in force on any of these subjects; a cancel before a hold."""
    found = [item for item in restraints_on(connection, subject_ids) if _lasts(item, now)]
    return min(
        found,
        key=lambda item: (SCOPES.index(item.scope), item.kind.value, item.since, item.ground),
        default=None,
    )


def restraints_on(
    connection: sa.Connection, subject_ids: Iterable[str] = (), *, grounds: Iterable[str] = ()
) -> list[Restraint]:
    """Holds and cancels on any of these subjects, or on any of these grounds, oldest first."""
    column, values = (restraints.c.ground, grounds) if grounds else (restraints.c.subject_id, None)
    wanted = sorted(set(values if values is not None else subject_ids))
    found = []
    for start in range(0, len(wanted), _AT_ONCE):
        rows = connection.execute(
            sa.select(restraints).where(column.in_(wanted[start : start + _AT_ONCE]))
        )
        found += [_restraint(row) for row in rows]
    return sorted(found, key=lambda item: (item.since, item.subject_id, item.ground))


def restraints_of(
    connection: sa.Connection,
    *,
    scope: str = "",
    partition: Partition | None = None,
    limit: int = 10_000,
) -> list[Restraint]:
    """Holds and cancels in force, of a scope or a partition, oldest first."""
    query = sa.select(restraints).order_by(
        restraints.c.since, restraints.c.subject_id, restraints.c.ground
    )
    if scope:
        query = query.where(restraints.c.scope == scope)
    if partition is not None:
        query = query.where(
            restraints.c.creator == partition.creator, restraints.c.day == partition.day
        )
    return [_restraint(row) for row in connection.execute(query.limit(limit))]


def expired(connection: sa.Connection, now: str, limit: int = 500) -> list[Restraint]:
    """Holds whose time is over and that nobody has lifted yet."""
    rows = connection.execute(
        sa.select(restraints)
        .where(restraints.c.until > "", restraints.c.until <= now)
        .order_by(restraints.c.until, restraints.c.subject_id)
        .limit(limit)
    )
    return [_restraint(row) for row in rows]


def lift(connection: sa.Connection, subject_id: str, grounds: Iterable[str]) -> None:
    """End the holds on these grounds; those on others go on."""
    connection.execute(
        restraints.delete().where(
            restraints.c.subject_id == subject_id, restraints.c.ground.in_(sorted(grounds))
        )
    )


def stopped(connection: sa.Connection, subject_id: str, partition: Partition) -> None:
    """Note that a hold on a subject stopped work of a partition; noted once."""
    here = (
        (stoppages.c.subject_id == subject_id)
        & (stoppages.c.creator == partition.creator)
        & (stoppages.c.day == partition.day)
    )
    if connection.execute(sa.select(stoppages.c.day).where(here)).first() is not None:
        return
    # Another clip of the partition may be stopped at this moment, and note the same.
    with suppress(sa.exc.IntegrityError), connection.begin_nested():
        connection.execute(
            stoppages.insert().values(
                subject_id=subject_id, creator=partition.creator, day=partition.day
            )
        )


def resumed(connection: sa.Connection, subject_id: str) -> list[Partition]:
    """The partitions that a hold on a subject stopped; no longer noted."""
    mine = stoppages.c.subject_id == subject_id
    rows = connection.execute(
        sa.select(stoppages).where(mine).order_by(stoppages.c.creator, stoppages.c.day)
    )
    found = [Partition(row.creator, row.day) for row in rows]
    if found:
        connection.execute(stoppages.delete().where(mine))
    return found


def _lasts(restraint: Restraint, now: str) -> bool:
    return not restraint.until or restraint.until > now


def restrain(
    connection: sa.Connection,
    partition: Partition,
    directive: Directive,
    packet_id: str,
    scope: str,
    name: str,
    grounds: Sequence[Ground],
) -> None:
    """Bring the grounds on a subject up to date with a directive on it."""
    if directive.kind not in AUTHORITY:
        return
    mine = restraints.c.subject_id == directive.subject_id
    if directive.kind not in RESTRAINING:
        connection.execute(restraints.delete().where(mine))
        return
    itself = Ground(
        directive.directive_id,
        directive.evidence[0],
        "override",
        directive.kind,
        directive.reason,
        directive.until or "",
    )
    for ground in grounds or (itself,):
        connection.execute(restraints.delete().where(mine, restraints.c.ground == ground.ground))
        connection.execute(
            restraints.insert().values(
                subject_id=directive.subject_id,
                ground=ground.ground,
                ground_packet_id=ground.packet_id,
                rule=ground.rule,
                scope=scope,
                name=name,
                kind=ground.kind.value,
                directive_id=directive.directive_id,
                packet_id=packet_id,
                creator=partition.creator,
                day=partition.day,
                reason=ground.reason,
                since=directive.issued_at,
                until=ground.until,
            )
        )


def _restraint(row: sa.Row[Any]) -> Restraint:
    return Restraint(
        row.subject_id,
        row.scope,
        row.name,
        DirectiveKind(row.kind),
        row.directive_id,
        row.packet_id,
        Partition(row.creator, row.day),
        row.reason,
        row.since,
        row.until,
        row.ground,
        row.ground_packet_id,
        row.rule,
    )
