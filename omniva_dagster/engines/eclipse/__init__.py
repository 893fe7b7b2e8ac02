"""Eclipse: what would contain and heal failures (4.2). Pure: it proposes, and never acts itself."""

from __future__ import annotations

from dataclasses import replace

from omniva_dagster.contracts.base import Document
from omniva_dagster.engines.eclipse.containing import contain, reroutes
from omniva_dagster.engines.eclipse.logs import ABNORMAL_AFTER, scrubbed, signature
from omniva_dagster.engines.eclipse.policy import (
    AWAITING,
    BEAT_SECONDS,
    BEAT_SLA_SECONDS,
    JOB_SECONDS,
    LIMITS,
    ROUTE_SECONDS,
    ROUTES,
    SPARE_ENCODER,
    SPARE_MODEL,
    USUAL_ENCODER,
    USUAL_JOB_SECONDS,
    USUAL_MODEL,
    Blame,
    Limits,
    policy_of,
)
from omniva_dagster.engines.eclipse.retries import Failure, plan_retry
from omniva_dagster.engines.eclipse.situation import (
    CREATOR_POOL,
    Advice,
    Health,
    Heard,
    Lately,
    Situation,
    Standing,
)
from omniva_dagster.engines.eclipse.spreading import answers, crisis
from omniva_dagster.engines.eclipse.times import later, seconds_between

_IDS = ("instruction_id", "strategy_id", "proposal_id", "plan_id")

__all__ = [
    "ABNORMAL_AFTER",
    "AWAITING",
    "BEAT_SECONDS",
    "BEAT_SLA_SECONDS",
    "CREATOR_POOL",
    "JOB_SECONDS",
    "LIMITS",
    "ROUTES",
    "ROUTE_SECONDS",
    "SPARE_ENCODER",
    "SPARE_MODEL",
    "USUAL_ENCODER",
    "USUAL_JOB_SECONDS",
    "USUAL_MODEL",
    "Advice",
    "Blame",
    "Failure",
    "Health",
    "Heard",
    "Lately",
    "Limits",
    "Situation",
    "Standing",
    "advise",
    "later",
    "plan_retry",
    "policy_of",
    "scrubbed",
    "seconds_between",
    "signature",
]


def advise(situation: Situation) -> Advice:
    """What Eclipse proposes in a situation; the same, in whatever order it was gathered."""
    ordered = replace(
        situation,
        health=tuple(sorted(situation.health, key=lambda item: (item.worker, item.instance))),
    )
    steps = [contain(item, ordered) for item in ordered.health]
    health = tuple(step.health for step in steps)
    proposals: list[Document] = [item for step in steps for item in step.proposals]
    proposals += reroutes(ordered)
    proposals += answers(ordered)
    proposed = [name for item in proposals for name in _ids_of(item)]
    escalated = crisis(replace(ordered, health=health), proposed)
    if escalated is not None:
        proposals.append(escalated)
    return Advice(tuple(proposals), health)


def _ids_of(document: Document) -> list[str]:
    return [getattr(document, name) for name in _IDS if hasattr(document, name)]
