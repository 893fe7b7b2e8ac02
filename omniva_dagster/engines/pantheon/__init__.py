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
from omniva_dagster.engines.pantheon.likeness import distinctness, likeness
from omniva_dagster.engines.pantheon.panel import (
    VERSION,
    Case,
    Finding,
    deliberate,
    inputs_hash,
    reports,
    version_of,
)
from omniva_dagster.engines.pantheon.personas import DISTINCTNESS, PERSONAS, Persona
from omniva_dagster.engines.pantheon.shortlisting import (
    ORDERED_BY,
    SHORTLIST,
    TOO_LIKE,
    Load,
    shortlist,
)

__all__ = [
    "DISTINCTNESS",
    "NEUTRAL",
    "ORDERED_BY",
    "PERSONAS",
    "SHORTLIST",
    "TOO_LIKE",
    "UNDECIDED",
    "VERSION",
    "Ballot",
    "Case",
    "Finding",
    "Load",
    "Persona",
    "consensus",
    "deliberate",
    "dissenters",
    "distinctness",
    "guest",
    "inputs_hash",
    "judged",
    "likeness",
    "reports",
    "shortlist",
    "version_of",
    "vote",
]
