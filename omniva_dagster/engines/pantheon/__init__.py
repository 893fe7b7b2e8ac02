"""Pantheon: several judges, each with declared tastes, vote on every candidate (4.6).

A persona is data. The same candidate with the same features always gets the same ballots, and the
same batch the same order.
"""

from omniva_dagster.engines.pantheon.ballots import (
    NEUTRAL,
    UNDECIDED,
    Ballot,
    consensus,
    dissenters,
    guest,
    judged,
    vote,
)
from omniva_dagster.engines.pantheon.panel import (
    ORDERED_BY,
    SHORTLIST,
    VERSION,
    Case,
    Finding,
    deliberate,
    inputs_hash,
    reports,
    shortlist,
    version_of,
)
from omniva_dagster.engines.pantheon.personas import PERSONAS, Persona

__all__ = [
    "NEUTRAL",
    "ORDERED_BY",
    "PERSONAS",
    "SHORTLIST",
    "UNDECIDED",
    "VERSION",
    "Ballot",
    "Case",
    "Finding",
    "Persona",
    "consensus",
    "deliberate",
    "dissenters",
    "guest",
    "inputs_hash",
    "judged",
    "reports",
    "shortlist",
    "version_of",
    "vote",
]
