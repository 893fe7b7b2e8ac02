"""Secrets are references, resolved at the moment of use, never stored or logged (SCR-2).

``secret://env/NAME`` is the value of an environment variable, ``secret://file/path`` the content
of a file (an absolute path follows ``file/``).
"""

from __future__ import annotations

import os
from pathlib import Path

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError

_ENV, _FILE = "secret://env/", "secret://file/"


def secret(reference: str) -> str:
    """The secret behind a reference; `WorkerError` ``auth_failed`` naming only the reference."""
    if reference.startswith(_ENV):
        value = os.environ.get(reference.removeprefix(_ENV))
        if value:
            return value
        raise _unresolved(reference, "the variable is not set")
    return secret_file(reference).read_text(encoding="utf-8").strip()


def secret_file(reference: str) -> Path:
    """The file behind a ``secret://file/`` reference."""
    if not reference.startswith(_FILE):
        raise _unresolved("the reference", f"it must begin with {_ENV} or {_FILE}")
    path = Path("/" + reference.removeprefix(_FILE).lstrip("/"))
    if not path.is_file():
        raise _unresolved(reference, "there is no such file")
    return path


def _unresolved(reference: str, why: str) -> WorkerError:
    return WorkerError(
        ReasonCode.AUTH_FAILED,
        f"{reference} cannot be resolved: {why}; correct the setting or provide the secret",
    )
