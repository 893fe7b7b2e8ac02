"""Failures and situations for tests of Eclipse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import JobType, Severity
from omniva_dagster.contracts.cognition.failures import (
    AbnormalLog,
    HealthDeviation,
    PanicScope,
    PanicSignal,
    TimeoutAlert,
)
from omniva_dagster.contracts.cognition.paradox import ConflictEscalation
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.engines import eclipse
from omniva_dagster.engines.eclipse import Health, Heard, Lately, Situation

NOW = "2026-03-04T05:06:07Z"


D = TypeVar("D", bound=Document)


def packet(name: str) -> str:
    return derive_id("packet", name)


def failing(times: int, **changes: Any) -> Health:
    base = Health(
        "editor",
        "host",
        consecutive_failures=times,
        reason_code=ReasonCode.INTERNAL,
        failed_at=NOW,
        failure_packet_id=packet("last"),
        streak_packet_id=packet("first"),
    )
    return replace(base, **changes)


def told(document: Document, name: str = "told") -> Heard:
    return Heard(packet(name), document)


def proposals(kind: type[D], situation: Situation) -> list[D]:
    return [item for item in eclipse.advise(situation).proposals if isinstance(item, kind)]


TIMEOUT = TimeoutAlert(
    worker="editor",
    job_type=JobType.EDIT_JOB,
    job_id=derive_id("clip", "c"),
    limit_seconds=60.0,
    elapsed_seconds=90.0,
    observed_at=NOW,
)


LOG = AbnormalLog(
    worker="scraper",
    instance="host",
    signature="took <n> s",
    sample="took 3 s",
    occurrences=7,
    first_seen=NOW,
    last_seen=NOW,
)


DEVIATION = HealthDeviation(
    worker="analyzer",
    instance="host",
    metric="heartbeat_gap_seconds",
    observed=90.0,
    expected=15.0,
    tolerance=45.0,
    severity=Severity.CRITICAL,
    observed_at=NOW,
)


CONFLICT = ConflictEscalation(
    conflict_id=derive_id("conflict", "x"),
    occurrences=4,
    severity=Severity.CRITICAL,
    affected_ids=[derive_id("clip", "c")],
    message="it lasts",
    evidence=[packet("conflict")],
    issued_at=NOW,
)


PANIC = PanicSignal(
    signal_id=derive_id("signal", "1"),
    operator="ada",
    scope=PanicScope.WORKER,
    subjects=["editor"],
    reason="smoke",
    pressed_at=NOW,
)


def spread(creators: int, each: int) -> tuple[Lately, ...]:
    return tuple(
        Lately(
            "scraper",
            f"c{number}",
            derive_id("video", f"{number}-{item}"),
            packet(f"{number}-{item}"),
        )
        for number in range(creators)
        for item in range(each)
    )
