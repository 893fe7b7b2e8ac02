"""Stardust: is every record what its packet says? (4.3). Findings only; nothing is repaired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VERSION = "2"
# What a packet must have come from, by the types of its own and its parents' messages: so a
# download is two packets, and a submission leads to its order, its words and its clip.
CAME_FROM = {
    "VideoAsset": ("RawCapture",),
    "AnalysisResult": ("VideoAsset",),
    "ClipCandidate": ("AnalysisResult",),
    "EditJob": ("Directive", "ClipCandidate"),
    "RenderedClip": ("EditJob",),
    "ScheduleTask": ("RenderedClip",),
    "UploadJob": ("ScheduleTask",),
    "PublicationReceipt": ("Directive", "UploadJob", "RenderedClip"),
}


@dataclass(frozen=True)
class Claim:
    """A record as the warehouse holds it: what it says, and the packet it says it in."""

    subject_id: str
    packet_id: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Witness:
    """A packet as the ledger holds it; ``came_from`` are the types of its parents' messages.

    Without a ``message_type``, neither its schema nor what it came from is looked at.
    """

    packet_id: str
    subject_id: str
    payload: Mapping[str, Any]
    intact: bool
    missing_parents: tuple[str, ...] = ()
    message_type: str = ""
    came_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something about a record that does not hold; ``kind`` is one of `InconsistencyKind`'s."""

    subject_id: str
    packet_id: str
    problem: str
    kind: str


def inspect(claims: Sequence[Claim], witnesses: Mapping[str, Witness]) -> list[Finding]:
    """What does not hold, in the order of the claims; ``witnesses`` are by packet id."""
    uses = Counter(claim.packet_id for claim in claims)
    findings = []
    for claim in claims:
        found = _problem(claim, witnesses.get(claim.packet_id), uses[claim.packet_id])
        if found is not None:
            kind, problem = found
            findings.append(Finding(claim.subject_id, claim.packet_id, problem, kind))
    return findings


def _problem(claim: Claim, witness: Witness | None, uses: int) -> tuple[str, str] | None:
    if witness is None:
        return "missing_packet", "has no packet in the ledger"
    if not witness.intact:
        return (
            "hash_mismatch",
            "has a packet whose content does not match its hash",
        )
    if witness.subject_id != claim.subject_id:
        return "source_collision", "names a packet about something else"
    if dict(witness.payload) != dict(claim.payload):
        return "source_collision", "says something else than its packet"
    if uses > 1:
        return "missing_packet", f"shares its packet with {uses - 1} other records"
    if witness.missing_parents:
        missing = ", ".join(witness.missing_parents)
        return (
            "missing_parent",
            f"has parents that are not in the ledger: {missing}",
        )
    return _invalid(witness) or _rootless(witness)


def _invalid(witness: Witness) -> tuple[str, str] | None:
    if not witness.message_type:
        return None
    # Imported here: a code location that only shows its assets needs no other message.
    from omniva_dagster.contracts.errors import ContractError
    from omniva_dagster.contracts.registry import parse

    try:
        parse(witness.message_type, dict(witness.payload))
    except ContractError as error:
        return "schema_invalid", f"has a packet that is {error.message}"
    return None


def _rootless(witness: Witness) -> tuple[str, str] | None:
    absent = [
        name for name in CAME_FROM.get(witness.message_type, ()) if name not in witness.came_from
    ]
    if not absent:
        return None
    return (
        "missing_packet",
        f"has a packet that came from no packet of {' and '.join(absent)}",
    )
