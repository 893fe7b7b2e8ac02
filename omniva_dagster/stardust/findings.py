"""What is wrong with a ledger: where, what, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

RESTORE = "restore it from a backup or an export, then verify again"
REPAIR = "run `omniva ledger repair`: it follows from the packets"
FORGED = (
    "someone or something changed it after it was signed: restore the ledger from a backup, "
    "and keep this copy to find out who"
)
MOST = 100


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    ``place`` is a path inside the ledger's folder; ``row`` counts from 0 inside a Parquet file;
    ``leaf`` is the packet's place in the log.
    """

    place: str
    problem: str
    remedy: str
    leaf: int | None = None
    row: int | None = None
    packet_id: str | None = None
    field: str | None = None

    def __str__(self) -> str:
        where = [self.place]
        where += [f"row {self.row}"] if self.row is not None else []
        where += [f"leaf {self.leaf}"] if self.leaf is not None else []
        where += [f"packet {self.packet_id}"] if self.packet_id else []
        where += [self.field] if self.field else []
        return f"{', '.join(where)}: {self.problem}. To do: {self.remedy}."

    def at(self, place: str) -> Finding:
        """The same in another place."""
        return replace(self, place=place)

    def dump(self) -> dict[str, Any]:
        """For JSON; what is not known is left out."""
        return {name: value for name, value in vars(self).items() if value is not None}


class Findings:
    """Findings in the order in which they are to be told; only the first `MOST` are kept."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.count = 0

    def add(self, *findings: Finding) -> None:
        """Further findings."""
        self.extend(findings)

    def extend(self, findings: Iterable[Finding], more: int = 0) -> None:
        """Further findings, and a number of others that nobody kept."""
        for finding in findings:
            self.count += 1
            if len(self.kept) < MOST:
                self.kept.append(finding)
        self.count += more
