"""The right to write to the ledger: one writer at a time, and none that only believes it is.

Two locks, for two questions. The folder's file lock tells writers on one machine apart and goes
when its process does. The lease in the database tells machines apart: it ends after a while, and
its token grows with every holder, so that a writer that was stalled for longer finds its token
stale and commits nothing (a fencing token).
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from omniva_dagster.stardust import files
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.state.tables import ledger_lease

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store

TERM_SECONDS = 120
_NAME = "ledger"
_POLL_SECONDS = 0.05
_HERE = ledger_lease.c.name == _NAME


class LeaseLostError(LedgerError):
    """Another writer took the ledger over while this one was stalled; nothing was committed."""


class LedgerBusyError(LedgerError):
    """Another writer holds the ledger."""


@dataclass(frozen=True)
class Lease:
    """A held lease: its fencing token, and the name of the log it is about."""

    token: int
    origin: str

    def renew(self, connection: sa.Connection) -> None:
        """Hold it for another term from now, in the transaction that needs it held.

        The row is locked until that transaction ends. Raises `LeaseLostError`.
        """
        renewed = connection.execute(
            ledger_lease.update()
            .where(_HERE, ledger_lease.c.token == self.token)
            .values(expires_at=_seconds(connection) + TERM_SECONDS)
        )
        if renewed.rowcount != 1:
            raise LeaseLostError(
                "another writer took the ledger over meanwhile; nothing is lost, and what was "
                "left undone is done by the next run"
            )


@contextmanager
def held(store: Store, layout: Layout, wait: float = 0.0) -> Iterator[Lease]:
    """Be the ledger's only writer, after waiting for others for at most ``wait`` seconds.

    Raises `LedgerBusyError`, which says who is writing.
    """
    deadline = time.monotonic() + wait
    while True:
        with files.lock(layout.lock) as alone:
            lease = _taken(store, _place(layout)) if alone else None
            if isinstance(lease, Lease):
                try:
                    yield lease
                finally:
                    # Otherwise it ends by itself; what went wrong before must not be hidden.
                    with suppress(sa.exc.SQLAlchemyError):
                        _give_back(store, lease)
                return
        if time.monotonic() >= deadline:
            raise LedgerBusyError(lease or "another process on this machine is writing the ledger")
        time.sleep(_POLL_SECONDS)


def _taken(store: Store, place: str) -> Lease | str:
    """The lease, or who has it."""
    with store.begin() as connection:
        now = _seconds(connection)
        row = connection.execute(sa.select(ledger_lease).where(_HERE).with_for_update()).one()
        # Whoever held it by the same file lock is gone: that lock is ours now.
        ended = not row.holder or row.holder.split(" ")[0] == place
        if not ended and row.expires_at > now:
            seconds = row.expires_at - now
            who = row.holder.partition(" ")[2]
            return f"{who} is writing the ledger; if it no longer lives, wait {seconds} s"
        origin = row.origin or f"omniva-ledger/{secrets.token_hex(6)}"
        connection.execute(
            ledger_lease.update()
            .where(_HERE)
            .values(
                holder=f"{place} process {os.getpid()} on {socket.gethostname()}",
                token=row.token + 1,
                expires_at=now + TERM_SECONDS,
                origin=origin,
            )
        )
        return Lease(row.token + 1, origin)


def _give_back(store: Store, lease: Lease) -> None:
    with store.begin() as connection:
        connection.execute(
            ledger_lease.update()
            .where(_HERE, ledger_lease.c.token == lease.token)
            .values(holder="", expires_at=0)
        )


def _seconds(connection: sa.Connection) -> int:
    """The database's clock."""
    expressions = {
        "sqlite": "SELECT CAST(strftime('%s', 'now') AS INTEGER)",
        "postgresql": "SELECT CAST(extract(epoch FROM clock_timestamp()) AS BIGINT)",
    }
    return int(connection.execute(sa.text(expressions[connection.dialect.name])).scalar_one())


def _place(layout: Layout) -> str:
    """What tells file locks apart: the machine's boot (else its name), and the file."""
    try:
        machine = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        machine = socket.gethostname()
    file = layout.lock.stat()
    return f"{machine}/{file.st_dev}-{file.st_ino}"
