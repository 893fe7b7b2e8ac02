"""Words that Zenith hears, for its tests."""

from __future__ import annotations

from typing import Any

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.eclipse import (
    FallbackStrategy,
    QuarantineInstruction,
    ReadinessSignal,
    RetryPlan,
)
from omniva_dagster.contracts.cognition.failures import PanicSignal
from omniva_dagster.contracts.cognition.paradox import ConflictResolution
from omniva_dagster.contracts.cognition.zenith import OverrideRequest
from omniva_dagster.contracts.consent import ConsentRecord
from omniva_dagster.contracts.ids import creator_id_of, derive_id
from omniva_dagster.engines.zenith import Word

NOW = "2026-03-04T05:06:07Z"
LATER = "2026-03-04T06:06:07Z"
CLIP = derive_id("clip", "c")
OTHER = derive_id("clip", "other")
SEEN = derive_id("packet", "seen")


def word(document: Document, sequence: int = 1, about: tuple[str, ...] = ()) -> Word:
    """A document as Zenith hears it."""
    packet_id = derive_id("packet", type(document).__name__, str(document.dump()))
    return Word(packet_id, type(document).__name__, sequence, document.dump(), about)


def conflict(action: str = "quarantine", name: str = "one", **changes: Any) -> ConflictResolution:
    """Two clips that are one."""
    return ConflictResolution.parse(
        {
            "conflict_id": derive_id("conflict", name),
            "kind": "duplicate",
            "severity": "warning",
            "recommended_action": action,
            "status": "ERROR" if action == "block" else "DONE",
            "affected_ids": [OTHER, CLIP],
            "trigger": "ingestion",
            "message": f"the same file twice ({name})",
            "evidence": [SEEN],
            "found_by": "same file, 1",
            "detected_at": NOW,
            **changes,
        }
    )


def panic(scope: str = "all", subjects: list[str] | None = None, name: str = "one") -> PanicSignal:
    """Somebody presses the button."""
    return PanicSignal.parse(
        {
            "signal_id": derive_id("signal", name),
            "operator": "ada",
            "scope": scope,
            "subjects": subjects or [],
            "reason": "smoke",
            "pressed_at": NOW,
        }
    )


def override(kind: str, subject_id: str = CLIP, name: str = "one", **more: Any) -> OverrideRequest:
    """An operator's word."""
    return OverrideRequest.parse(
        {
            "request_id": derive_id("request", name),
            "operator": "ada",
            "subject_id": subject_id,
            "kind": kind,
            "reason": "I looked",
            "requested_at": NOW,
            **more,
        }
    )


def quarantine(kind: str = "worker", subject: str = "editor", **more: Any) -> QuarantineInstruction:
    """Eclipse isolates somebody."""
    return QuarantineInstruction.parse(
        {
            "instruction_id": derive_id("instruction", subject),
            "subject_kind": kind,
            "subject": subject,
            "reason": "four failures in a row",
            "since": NOW,
            "evidence": [SEEN],
            **more,
        }
    )


def readiness(*lifts: str, cluster: str = "editor") -> ReadinessSignal:
    """Eclipse says that it is safe."""
    return ReadinessSignal.parse(
        {
            "cluster": cluster,
            "lifts": list(lifts),
            "checks_passed": ["a probe went well"],
            "evidence": [SEEN],
            "observed_at": NOW,
        }
    )


def retry(due: str | None = LATER, job_id: str = CLIP) -> RetryPlan:
    """A plan for a failed job; without a time its attempts are spent."""
    left = {"next_attempt_at": due} if due else {}
    return RetryPlan.parse(
        {
            "plan_id": derive_id("plan", job_id, due or ""),
            "job_type": "edit_job",
            "job_id": job_id,
            "reason_code": "render_timeout",
            "attempts_made": 1 if due else 3,
            "attempts": 3,
            "backoff": {"initial_seconds": 60, "multiplier": 2, "max_seconds": 600},
            "budget_seconds": 3600,
            "evidence": [SEEN],
            "issued_at": NOW,
            **left,
        }
    )


def fallback(to_target: str = "editor:libx264", name: str = "one") -> FallbackStrategy:
    """A backup way."""
    return FallbackStrategy.parse(
        {
            "strategy_id": derive_id("strategy", name),
            "kind": "worker",
            "from_target": "editor:encoder",
            "to_target": to_target,
            "job_ids": [],
            "reason": "the encoder fails",
            "evidence": [SEEN],
            "issued_at": NOW,
        }
    )


def consent(status: str, slug: str = "ada") -> ConsentRecord:
    """A creator's word."""
    return ConsentRecord.parse(
        {
            "creator_id": creator_id_of(slug),
            "slug": slug,
            "status": status,
            "licence": "as agreed",
            "terms": "by letter",
            "stated_by": "ada",
            "reason": "changed their mind",
            "recorded_at": NOW,
        }
    )
