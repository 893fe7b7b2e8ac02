"""Whose word counts when engines disagree: the first rule here that applies wins (4.9).

The order is the whole of it: a rule's place decides, never who spoke first or last, save that of
several words of operators the newest stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from omniva_dagster.contracts.cognition.common import Engine


@dataclass(frozen=True)
class Rule:
    """One line of the order: who speaks under it, and what it says, for people."""

    name: str
    engine: Engine
    says: str
    # An operator's override does not lift what stands under it.
    absolute: bool = False


PRECEDENCE = (
    Rule("consent", Engine.ZENITH, "a creator's consent was withdrawn", absolute=True),
    Rule("panic", Engine.ZENITH, "an operator pressed the panic button", absolute=True),
    Rule("override", Engine.ZENITH, "an operator's newest word"),
    Rule("takedown", Engine.ZENITH, "what is posted comes down with its creator's consent"),
    Rule("evidence_missing", Engine.STARDUST, "the ledger lacks what the decision rests on"),
    Rule("conflict_block", Engine.PARADOX, "a contradiction that is to halt"),
    Rule("conflict_quarantine", Engine.PARADOX, "a contradiction that is to wait"),
    Rule("compliance", Engine.CHORUS, "a policy that may be broken"),
    Rule("quarantine", Engine.ECLIPSE, "a worker or creator is isolated"),
    Rule("fallback", Engine.ECLIPSE, "work goes to a backup"),
    Rule("retry", Engine.ECLIPSE, "a failed job is tried again"),
    Rule("schedule", Engine.HORIZON, "when a clip goes out, and how urgent it is"),
    Rule("routing", Engine.LATTICE, "which queue has a creator's work, and how urgent it is"),
    Rule("merit", Engine.PANTHEON, "what the judges found worth a clip"),
)
RULES = {rule.name: rule for rule in PRECEDENCE}
RANK = {rule.name: place for place, rule in enumerate(PRECEDENCE)}


def first(one: str, other: str) -> bool:
    """Whether a rule comes before another."""
    return RANK[one] < RANK[other]
