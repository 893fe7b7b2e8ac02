"""Zenith: the one function that decides (4.9). Everyone else advises.

`decide` reads a dossier and returns what follows from it: directives, each with its evidence and
the way back, verdicts where engines disagree, and what a person must look at. The same dossier
always gives the same decision, in whatever order it was put together; what was decided before is in
the dossier, so that nothing is decided twice.
"""

from __future__ import annotations

from collections import defaultdict

from omniva_dagster.contracts.cognition.zenith import ArbitrationVerdict
from omniva_dagster.engines.zenith.arbitration import verdict_of
from omniva_dagster.engines.zenith.clips import held_back, overlap, promotions, rank, releases
from omniva_dagster.engines.zenith.dossier import (
    Decision,
    Dossier,
    Ground,
    Judged,
    Lift,
    Notice,
    Order,
    Posted,
    Prepared,
    Rules,
    Standing,
    Word,
)
from omniva_dagster.engines.zenith.ordering import (
    authority_of,
    ended_reroute,
    notices_of,
    orders_beside,
)
from omniva_dagster.engines.zenith.settling import settle
from omniva_dagster.engines.zenith.wishes import Wish, wishes_of

VERSION = "2"
SCOPES = ("all", "worker", "creator", "video", "clip")

__all__ = [
    "Decision",
    "Dossier",
    "Ground",
    "Judged",
    "Lift",
    "Notice",
    "Order",
    "Posted",
    "Prepared",
    "Rules",
    "Standing",
    "Wish",
    "Word",
    "decide",
    "overlap",
    "rank",
    "subjects_of",
    "wishes_of",
]


def decide(dossier: Dossier) -> Decision:
    """What follows from the dossier: what words ask for, then promotions, then releases."""
    orders: list[Order] = []
    lifts: list[Lift] = []
    verdicts: list[ArbitrationVerdict] = []
    asked: defaultdict[str, list[Wish]] = defaultdict(list)
    notices: list[Notice] = []
    for word in sorted(dossier.words, key=lambda word: (word.sequence, word.packet_id)):
        wishes, told = wishes_of(word, dossier.posted)
        notices += told
        for wish in wishes:
            asked[wish.subject_id].append(wish)
    waiting = {
        subject_id
        for subject_id, standing in dossier.standings.items()
        if any(ground.until and ground.until <= dossier.now for ground in standing.grounds)
    }
    for subject_id in sorted({*asked, *waiting}):
        standing = dossier.standings.get(subject_id, Standing(subject_id))
        settled = settle(standing, asked[subject_id], dossier.now)
        order, lift = authority_of(settled, dossier.now)
        order = order or ended_reroute(settled, dossier.now)
        beside, refused = orders_beside(settled, dossier.now)
        orders += [order] if order else []
        orders += beside
        lifts += [lift] if lift else []
        notices += notices_of([*settled.refused, *refused])
        verdict = verdict_of(settled, order.directive if order else None, dossier.now)
        verdicts += [verdict] if verdict else []
    orders.sort(key=lambda order: (SCOPES.index(order.scope), order.directive.subject_id))
    return Decision(
        (*orders, *promotions(dossier), *releases(dossier)),
        tuple(lifts),
        (*verdicts, *held_back(dossier)),
        tuple(notices),
    )


def subjects_of(dossier: Dossier) -> list[str]:
    """What the words of a dossier are about: these standings are to be in it."""
    return sorted(
        {wish.subject_id for word in dossier.words for wish in wishes_of(word, dossier.posted)[0]}
    )
