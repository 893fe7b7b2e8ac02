"""When a backlog crosses its threshold: once on the way up, once well below on the way down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from omniva_dagster.contracts.cognition.lattice import BacklogCrossing, Crossing, QueueLoad

# A backlog is over when it is down to this share of its threshold: depths that tremble around it
# are one crossing, not many.
RELIEF = 0.7


@dataclass(frozen=True)
class Watch:
    """Which queues are over their thresholds after a look, and what crossed since the last."""

    above: frozenset[str]
    crossings: tuple[BacklogCrossing, ...]


def crossings(queues: Sequence[QueueLoad], above: Mapping[str, bool], now: str) -> Watch:
    """What crossed since it was last looked at; ``above`` says which queues were over then."""
    over: set[str] = set()
    found = []
    for load in sorted(queues, key=lambda item: item.queue):
        was = above.get(load.queue, False)
        relief = int(load.sla_depth * RELIEF)
        still = load.depth > (relief if was else load.sla_depth)
        if still:
            over.add(load.queue)
        if still != was:
            found.append(
                BacklogCrossing(
                    queue=load.queue,
                    depth=load.depth,
                    threshold=load.sla_depth if still else max(1, relief),
                    direction=Crossing.ABOVE if still else Crossing.BELOW,
                    observed_at=now,
                )
            )
    return Watch(frozenset(over), tuple(found))
