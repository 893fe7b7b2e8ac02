"""Zenith's control cycle (4.9): everything that waits is heard and decided, every 30 seconds.

A cycle is one transaction. What it costs depends on what waits, not on what was: every query goes
through an index on what is open. What it wants of Dagster is offered afterwards, see `offering`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.resources import recovery
from omniva_dagster.resources.sitting import Sitting

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.contracts.decisions import Directive
    from omniva_dagster.contracts.operations.dashboard import OperatorAlert
    from omniva_dagster.contracts.record import Record
    from omniva_dagster.state.store import Store

_LOG = logging.getLogger("omniva.control")


@dataclass(frozen=True)
class CycleReport:
    """What a control cycle came to."""

    number: int
    at: str
    heard: int
    advice: int
    directives: tuple[Record[Directive], ...]
    verdicts: int
    alerts: int
    troubles: tuple[str, ...] = ()
    # What a person must look at.
    told: tuple[OperatorAlert, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was proposed or decided."""
        return bool(self.advice or self.directives or self.verdicts or self.alerts)

    @property
    def summary(self) -> str:
        """In a line, for people."""
        parts = [f"cycle {self.number}: {self.heard} heard, {len(self.directives)} directives"]
        for count, what in ((self.verdicts, "verdicts"), (self.alerts, "alerts to look at")):
            if count:
                parts.append(f"{count} {what}")
        return "; ".join([*parts, *self.troubles])


def run_cycle(store: Store, now: str) -> CycleReport:
    """Hear Paradox and Eclipse out, decide on all that waits, lift what is over."""
    with store.begin() as connection:
        sitting = Sitting(connection, now).open()
        advice, troubles = _advised(connection, now)
        sitting.hear_out()
        sitting.expire()
        directives = sitting.close()
        return CycleReport(
            sitting.number,
            now,
            len(set(sitting.considered)),
            advice,
            tuple(directives),
            len(sitting.verdicts),
            len(sitting.alerts),
            (
                *troubles,
                *(f"zenith set packet {one} aside: see the alert" for one in sitting.aside),
            ),
            tuple(sitting.alerts),
        )


def _advised(connection: sa.Connection, now: str) -> tuple[int, tuple[str, ...]]:
    """Let the engines speak first. One that fails must not keep Zenith from deciding."""
    from omniva_dagster.resources import conflicts

    advice, troubles = 0, []
    rounds: dict[str, Callable[[sa.Connection, str], list[str]]] = {
        "paradox": conflicts.paradox_round,
        "eclipse": recovery.eclipse_round,
    }
    for name, hold_round in rounds.items():
        try:
            with connection.begin_nested():
                advice += len(hold_round(connection, now))
        except db.outbox.STORE_ERRORS:
            raise
        except Exception as error:
            _LOG.exception("%s could not be heard", name)
            troubles.append(f"{name} could not be heard ({type(error).__name__}: {error})")
    return advice, tuple(troubles)
