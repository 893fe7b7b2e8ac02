"""Stardust: is every record what its packet says? (4.3). Findings only; nothing is repaired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VERSION = "1"


@dataclass(frozen=True)
class Claim:
    """A record as the warehouse holds it: what it says, and the packet it says it in."""

    subject_id: str
    packet_id: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Witness:
    """A packet as the ledger holds it."""

    packet_id: str
    subject_id: str
    payload: Mapping[str, Any]
    intact: bool
    missing_parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something about a record that does not hold."""

    subject_id: str
    packet_id: str
    problem: str


def inspect(claims: Sequence[Claim], witnesses: Mapping[str, Witness]) -> list[Finding]:
    """What does not hold, in the order of the claims; ``witnesses`` are by packet id."""
    return [
        Finding(claim.subject_id, claim.packet_id, problem)
        for claim in claims
        if (problem := _problem(claim, witnesses.get(claim.packet_id)))
    ]


def _problem(claim: Claim, witness: Witness | None) -> str:
    if witness is None:
        return "has no packet in the ledger"
    if not witness.intact:
        return "has a packet whose content does not match its hash"
    if witness.subject_id != claim.subject_id:
        return "names a packet about something else"
    if dict(witness.payload) != dict(claim.payload):
        return "says something else than its packet"
    if witness.missing_parents:
        return f"has parents that are not in the ledger: {', '.join(witness.missing_parents)}"
    return ""
