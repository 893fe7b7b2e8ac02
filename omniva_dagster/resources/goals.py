"""The goals file of a home, read whole and checked: every wrong field named, with its line."""

from __future__ import annotations

import errno
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
        raw = _read(path)
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
    """SHA-256 of what `read_goals` reads; empty where there is no file, ``unreadable`` where it can
    not be read."""
    try:
        return hashlib.sha256(_read(path or goals_path())).hexdigest()
    except FileNotFoundError:
        return ""
    except OSError:
        return "unreadable"


def _read(path: Path) -> bytes:
    """As much of the file as is looked at. A pipe is none: it would keep its reader waiting."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no file")
    with path.open("rb") as file:
        return file.read(_MOST_BYTES + 1)


def _placed(faults: list[Fault], lines: Mapping[str, int]) -> list[Fault]:
    """Faults with the line of what they are about, or of the nearest that has one."""
    placed = []
    for found in faults:
        pointer = found["pointer"]
        while pointer not in lines and pointer:
            pointer = pointer.rpartition("/")[0]
        line = found.get("line", lines.get(pointer))
        said = f"{found['message']} (line {line})" if line else found["message"]
        # Names of fields are the file's own words: nothing in them is to steer a terminal.
        shown = "".join(
            char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in found["pointer"]
        )
        placed.append({**found, "pointer": shown, "message": said})
    return placed
