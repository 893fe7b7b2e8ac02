"""What Eclipse makes of each kind of failure, as data (4.2: retry plans, remediation metadata)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from omniva_dagster.contracts.cognition.eclipse import Backoff, Remediation
from omniva_dagster.contracts.reasons import ReasonCode

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


class Blame(StrEnum):
    """Whose health a failure counts against."""

    DOCUMENT = "document"
    WORKER = "worker"
    CREATOR = "creator"


@dataclass(frozen=True)
class Policy:
    """How a kind of failure is met.

    ``transient``: worth another attempt even where the worker did not say so. ``attempts`` counts
    all, the first included; waits in seconds grow from ``initial`` by ``multiplier`` up to
    ``longest``; ``budget`` (seconds since the first failure) ends it whatever is left.
    """

    transient: bool = False
    attempts: int = 3
    initial: float = _MINUTE
    multiplier: float = 2.0
    longest: float = _HOUR
    budget: float = 6 * _HOUR
    remediation: tuple[Remediation, ...] = ()
    blame: Blame = Blame.DOCUMENT

    @property
    def backoff(self) -> Backoff:
        """The waits, as a contract."""
        return Backoff(
            initial_seconds=self.initial, multiplier=self.multiplier, max_seconds=self.longest
        )


# Where a worker's failure says nothing about another try, the document is for a person to look at.
_FOR_A_PERSON = Policy(remediation=(Remediation.OPERATOR_REVIEW,))

POLICIES: dict[ReasonCode, Policy] = {
    ReasonCode.NETWORK_TIMEOUT: Policy(
        transient=True, attempts=5, initial=30, longest=30 * _MINUTE, blame=Blame.CREATOR
    ),
    ReasonCode.UNREACHABLE: Policy(
        attempts=5, initial=30, longest=30 * _MINUTE, blame=Blame.CREATOR
    ),
    ReasonCode.RATE_LIMITED: Policy(
        transient=True,
        attempts=6,
        initial=5 * _MINUTE,
        longest=2 * _HOUR,
        budget=_DAY,
        remediation=(Remediation.WAIT_FOR_QUOTA,),
        blame=Blame.CREATOR,
    ),
    ReasonCode.AUTH_FAILED: Policy(
        remediation=(Remediation.CREDENTIAL_ROTATION, Remediation.OPERATOR_REVIEW),
        blame=Blame.CREATOR,
    ),
    ReasonCode.MODEL_OFFLINE: Policy(
        attempts=4, multiplier=3, remediation=(Remediation.MODEL_RELOAD,), blame=Blame.WORKER
    ),
    ReasonCode.GPU_STARVATION: Policy(
        transient=True,
        attempts=4,
        longest=15 * _MINUTE,
        remediation=(Remediation.RESCALE,),
        blame=Blame.WORKER,
    ),
    ReasonCode.RENDER_TIMEOUT: Policy(
        transient=True,
        initial=2 * _MINUTE,
        remediation=(Remediation.RESTART_REQUIRED, Remediation.RESCALE),
        blame=Blame.WORKER,
    ),
    ReasonCode.DISK_FULL: Policy(
        transient=True,
        attempts=4,
        initial=5 * _MINUTE,
        remediation=(Remediation.DISK_CLEANUP,),
        blame=Blame.WORKER,
    ),
    ReasonCode.QUOTA_EXCEEDED: Policy(
        transient=True,
        attempts=5,
        initial=6 * _HOUR,
        multiplier=1,
        longest=6 * _HOUR,
        budget=5 * _DAY,
        remediation=(Remediation.WAIT_FOR_QUOTA,),
    ),
    ReasonCode.SCHEDULER_FAULT: Policy(transient=True, remediation=(Remediation.QUEUE_DRAIN,)),
    ReasonCode.NO_VIDEO: Policy(attempts=6, initial=_HOUR, longest=6 * _HOUR, budget=_DAY),
    ReasonCode.COLLISION: _FOR_A_PERSON,
    ReasonCode.INTERNAL: Policy(
        multiplier=4,
        remediation=(Remediation.RESTART_REQUIRED, Remediation.CACHE_FLUSH),
        blame=Blame.WORKER,
    ),
}

# Failures that say a decision is awaited, not that anything broke: nothing to recover from.
AWAITING = frozenset({ReasonCode.NOT_RELEASED, ReasonCode.NOT_RENDERED})


def policy_of(reason: ReasonCode) -> Policy:
    """How a kind of failure is met."""
    return POLICIES.get(reason, _FOR_A_PERSON)


@dataclass(frozen=True)
class Route:
    """A backup way for a worker pool's work: taken after ``after`` failures in a row."""

    worker: str
    reasons: frozenset[ReasonCode]
    from_target: str
    to_target: str
    after: int
    words: str


USUAL_ENCODER, SPARE_ENCODER = "editor:encoder", "editor:libx264"
USUAL_MODEL, SPARE_MODEL = "analyzer:model", "analyzer:bundled-cpu"

ROUTES = (
    Route(
        "editor",
        frozenset({ReasonCode.GPU_STARVATION}),
        USUAL_ENCODER,
        SPARE_ENCODER,
        1,
        "encode on the processor instead of the GPU",
    ),
    Route(
        "editor",
        frozenset({ReasonCode.RENDER_TIMEOUT, ReasonCode.INTERNAL}),
        USUAL_ENCODER,
        SPARE_ENCODER,
        2,
        "encode on the processor, the plainest way there is",
    ),
    Route(
        "analyzer",
        frozenset({ReasonCode.MODEL_OFFLINE, ReasonCode.GPU_STARVATION, ReasonCode.INTERNAL}),
        USUAL_MODEL,
        SPARE_MODEL,
        2,
        "transcribe with the bundled model on the processor",
    ),
)
# A reroute ends by itself, so that the usual way is tried again.
ROUTE_SECONDS = _HOUR


# Beats are this far apart, and a gap longer than the SLA means that the worker died.
BEAT_SECONDS, BEAT_SLA_SECONDS = 15.0, 90.0
# How long work on one document may take; waiting for a place among renders is part of it.
JOB_SECONDS: dict[str, float] = {"videos": 12 * _HOUR, "analysis_results": 12 * _HOUR}
USUAL_JOB_SECONDS = 6 * _HOUR


@dataclass(frozen=True)
class Limits:
    """When failures in a row, silence or spread become more than a matter of one document."""

    suspect_after: int = 2
    quarantine_after: int = 4
    quarantine_seconds: float = 15 * _MINUTE
    longest_quarantine_seconds: float = 6 * _HOUR
    # Without a failure for so long, a subject on probation is ready even if nothing was tried.
    probation_seconds: float = 30 * _MINUTE
    # How long a crisis is one crisis.
    crisis_window_seconds: float = 15 * _MINUTE
    crisis_quarantines: int = 2
    crisis_creators: int = 3
    crisis_failures: int = 6
    conflict_occurrences: int = 3


LIMITS = Limits()
