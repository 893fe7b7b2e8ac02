"""The goals file of a home, read whole and checked: every wrong field named, with its line."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from omniva_dagster.contracts.campaign import Campaign, GoalsFile
from omniva_dagster.contracts.errors import ContractError, Fault, fault
from omniva_dagster.settings import settings

FILE = "goals.yaml"
_MOST_BYTES = 1024 * 1024


def goals_path() -> Path:
    """Where operators write their goals."""
    return settings().home / FILE


def read_goals(path: Path | None = None) -> GoalsFile | None:
    """The goals in a file (the home's, if none is named); None where there is none.

    Raises `ContractError` naming every wrong field and its line.
    """
    from omniva_dagster.workers.editor.brand.text import parsed

    path = path or goals_path()
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
        raise ContractError.invalid("GoalsFile", [fault((), reason)]) from None
    if len(raw) > _MOST_BYTES:
        raise ContractError.invalid("GoalsFile", [fault((), f"is over {_MOST_BYTES} bytes")])
    value, lines, faults = parsed(raw)
    known = {found["pointer"] for found in faults}
    goals = None
    if "" not in known:
        try:
            goals = GoalsFile.parse(value)
        except ContractError as error:
            faults += [found for found in error.faults if found["pointer"] not in known]
    if faults or goals is None:
        raise ContractError.invalid("GoalsFile", _placed(faults, lines))
    return goals


def digest_of(campaign: Campaign | None) -> str:
    """What tells one state of a campaign from another; empty for none."""
    if campaign is None:
        return ""
    return hashlib.sha256(campaign.model_dump_json(exclude_none=True).encode()).hexdigest()


def file_digest(path: Path | None = None) -> str:
    """SHA-256 of the goals file; empty where there is none."""
    path = path or goals_path()
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _placed(faults: list[Fault], lines: Mapping[str, int]) -> list[Fault]:
    """Faults with the line of what they are about, or of the nearest that has one."""
    placed = []
    for found in faults:
        pointer = found["pointer"]
        while pointer not in lines and pointer:
            pointer = pointer.rpartition("/")[0]
        line = found.get("line", lines.get(pointer))
        said = f"{found['message']} (line {line})" if line else found["message"]
        placed.append({**found, "message": said})
    return placed
