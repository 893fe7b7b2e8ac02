"""What Eclipse looks at, and what comes of it: plain data, whoever gathered it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.engines.eclipse.policy import LIMITS, Limits

# Creators' sources are watched as workers are: a pool of this name, an instance a creator.
CREATOR_POOL = "creator"


class Standing(StrEnum):
    """How an instance stands, as Eclipse sees it."""

    READY = "ready"
    SUSPECT = "suspect"
    QUARANTINED = "quarantined"
    PROBATION = "probation"


@dataclass(frozen=True)
class Health:
    """How an instance of a worker pool does; times and ids are empty where there are none.

    ``streak_packet_id`` is the first failure of those in a row, ``failure_packet_id`` the last.
    """

    worker: str
    instance: str
    standing: Standing = Standing.READY
    consecutive_failures: int = 0
    reason_code: ReasonCode | None = None
    failed_at: str = ""
    failure_packet_id: str = ""
    streak_packet_id: str = ""
    succeeded_at: str = ""
    success_packet_id: str = ""
    # Quarantines since it was last found ready, and the one that is on.
    strikes: int = 0
    quarantine_id: str = ""
    quarantine_packet_id: str = ""
    quarantined_at: str = ""
    quarantined_until: str = ""

    @property
    def name(self) -> str:
        """``editor/host``, or a creator's slug."""
        is_creator = self.worker == CREATOR_POOL
        return self.instance if is_creator else f"{self.worker}/{self.instance}"


@dataclass(frozen=True)
class Heard:
    """A document that Eclipse was told, and its packet."""

    packet_id: str
    document: Document


@dataclass(frozen=True)
class Lately:
    """A failure within the crisis window that is not healed."""

    worker: str
    creator: str
    job_id: str
    packet_id: str


@dataclass(frozen=True)
class Situation:
    """All that a round of Eclipse looks at, at ``now``.

    ``lately`` holds failures of the crisis window, ``routes`` the reroutes in force,
    ``last_crisis_at`` is empty if there was none.
    """

    now: str
    heard: tuple[Heard, ...] = ()
    health: tuple[Health, ...] = ()
    lately: tuple[Lately, ...] = ()
    routes: Mapping[str, str] = field(default_factory=dict)
    last_crisis_at: str = ""
    limits: Limits = LIMITS


@dataclass(frozen=True)
class Advice:
    """What Eclipse proposes (in a stable order), and how instances stand from now on."""

    proposals: tuple[Document, ...] = ()
    health: tuple[Health, ...] = ()
