"""One audit: read everything, judge it, record what is new, and have Zenith decide on it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.paradox import ConflictTrigger
from omniva_dagster.engines import paradox
from omniva_dagster.resources import conflicts
from omniva_dagster.resources.auditing.documents import candidates
from omniva_dagster.resources.auditing.lineage import examined
from omniva_dagster.resources.auditing.reading import everything
from omniva_dagster.stardust.inconsistencies import report
from omniva_dagster.stardust.layout import Layout

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.store import Store


@dataclass(frozen=True)
class Audit:
    """What an audit came to."""

    packets: int
    edges: int
    inconsistencies: int
    reported: tuple[conflicts.Reported, ...]
    standing: tuple[conflicts.Standing, ...]
    escalated: int

    @property
    def new(self) -> int:
        """How many conflicts were not known before."""
        return sum(item.new for item in self.reported)

    def counts(self) -> dict[str, int]:
        """Documents in conflict by how they stand: held, released, undecided."""
        return dict(Counter(item.state for item in self.standing))


def audit(store: Store, layout: Layout, *, name: str, now: str) -> Audit:
    """Look through the whole ledger, and what waits for its place in it (PAR-4).

    ``name`` tells this audit from others, such as its hour: run again it finds, records and counts
    the same. Everything found is recorded in one transaction, with what Zenith makes of it.
    """
    with everything(store, layout) as database, store.read() as connection:
        lineage = examined(database)
        found = candidates(database, _ranks(connection), _requests(connection))
        subjects = db.conflicts.subjects_of(connection, [link.child for link in lineage.links])
    links = tuple(
        dataclasses.replace(link, child_subject=subjects.get(link.child, ""))
        for link in lineage.links
    )
    facts = paradox.Facts(now, ConflictTrigger.AUDIT, links=links, **found)
    contradictions = paradox.find(facts)
    with store.begin() as connection:
        inconsistencies = len(report(connection, lineage.inconsistencies, now))
        heard = conflicts.paradox_round(connection, now)
        lapsed = _lapsed(connection, [item.conflict_id for item in contradictions])
        heard += conflicts.over(connection, lapsed, now)
        reported, escalated = conflicts.found_by_audit(connection, contradictions, name, now)
        conflicts.attend(
            connection, now, [*heard, *(item.packet_id for item in reported if item.new)]
        )
        standing = [one for item in reported for one in conflicts.standing(connection, item, now)]
    return Audit(
        lineage.packets,
        lineage.edges,
        inconsistencies,
        tuple(reported),
        tuple(standing),
        escalated,
    )


# What an audit sees whole: a conflict of these that it does not find is no more.
_SEEN_WHOLE = frozenset({"one_slot", "slot_before_rendering"})


def _lapsed(connection: sa.Connection, found: Sequence[str]) -> list[db.conflicts.Known]:
    """Conflicts that ask for a hold, and are gone: a clip was given another slot, or cancelled."""
    return [
        known
        for known in db.conflicts.holding(connection)
        if known.conflict_id not in found
        and conflicts.rule_of(db.conflicts.report(connection, known)) in _SEEN_WHOLE
    ]


def _ranks(connection: sa.Connection) -> Callable[[str], str | None]:
    """Who was registered when; None for who is archived. Who is not registered comes last."""
    known = {item.slug: item for item in db.creators.all_of(connection)}

    def rank(slug: str) -> str | None:
        creator = known.get(slug)
        if creator is None:
            return "~"
        active = creator.status == db.creators.ACTIVE
        return f"{creator.registered_at}/{creator.slug}" if active else None

    return rank


def _requests(connection: sa.Connection) -> Callable[[str, str, str], bool]:
    def was_requested(creator: str, day: str, url: str) -> bool:
        return url in db.creators.requested_videos(connection, creator, day)

    return was_requested
