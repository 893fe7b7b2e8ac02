"""Containing failures: isolate, heal, and say when it is safe again (ECL-3, -4, -5, -8, -9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from omniva_dagster.contracts.base import Document, given
from omniva_dagster.contracts.cognition.eclipse import (
    FallbackKind,
    FallbackStrategy,
    HealingProposal,
    QuarantineInstruction,
    QuarantineSubject,
    ReadinessSignal,
    Remediation,
)
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.engines.eclipse.policy import ROUTES, Limits, Route, policy_of
from omniva_dagster.engines.eclipse.situation import CREATOR_POOL, Health, Situation, Standing
from omniva_dagster.engines.eclipse.times import later

_STEPS = {
    Remediation.RESTART_REQUIRED: "restart the worker's process, and see that there is memory",
    Remediation.CACHE_FLUSH: "empty the worker's scratch and download folders",
    Remediation.CREDENTIAL_ROTATION: "renew the credentials that OMNIVA_COOKIES refers to",
    Remediation.DISK_CLEANUP: "free disk space under OMNIVA_HOME",
    Remediation.MODEL_RELOAD: "see with `omniva doctor` that the speech model loads",
    Remediation.QUEUE_DRAIN: "let the queue run empty before new work is given",
    Remediation.RESCALE: "give the pool another host, or fewer jobs at once",
    Remediation.WAIT_FOR_QUOTA: "wait until the platform takes requests again",
    Remediation.OPERATOR_REVIEW: "look at the failures: `omniva control status` lists them",
}


@dataclass(frozen=True)
class Step:
    """What an instance's health comes to: proposals, and its health from now on."""

    proposals: tuple[Document, ...]
    health: Health


def contain(health: Health, situation: Situation) -> Step:
    """One instance's way: ready, suspect, quarantined, on probation, ready again.

    A quarantine ends by its time and is followed by a probation: the first success makes the
    instance ready, the first failure isolates it again, for twice as long.
    """
    limits, now = situation.limits, situation.now
    match health.standing:
        case Standing.QUARANTINED if now >= health.quarantined_until:
            return contain(replace(health, standing=Standing.PROBATION), situation)
        case Standing.QUARANTINED:
            return Step((), health)
        case Standing.PROBATION if health.failed_at > health.quarantined_until:
            return _quarantined(health, now, limits, situation.health)
        case Standing.PROBATION:
            return _on_probation(health, now, limits)
    if health.consecutive_failures >= limits.quarantine_after:
        return _quarantined(health, now, limits, situation.health)
    if health.consecutive_failures >= limits.suspect_after:
        if health.standing is Standing.SUSPECT:
            return Step((), health)
        return Step((healing(health, now),), replace(health, standing=Standing.SUSPECT))
    return Step((), replace(health, standing=Standing.READY))


def reroutes(situation: Situation) -> list[FallbackStrategy]:
    """Backup ways for pools whose usual way fails, unless they are taken already."""
    found: dict[str, FallbackStrategy] = {}
    for health in situation.health:
        for route in ROUTES:
            taken = route.from_target in found or route.from_target in situation.routes
            if not taken and _calls_for(health, route):
                found[route.from_target] = _fallback(
                    (route.from_target, route.to_target),
                    f"{health.name} failed {health.consecutive_failures} times in a row "
                    f"({health.reason_code}): {route.words}",
                    health,
                    situation.now,
                )
    return list(found.values())


def healing(health: Health, now: str) -> HealingProposal:
    """What would heal an instance that fails again and again."""
    remediation = remediation_of(health.reason_code)
    return HealingProposal(
        proposal_id=derive_id("healing", health.name, health.streak_packet_id),
        cluster=health.worker,
        steps=[f"{_STEPS[item]} ({health.name})"[:200] for item in remediation],
        remediation=remediation,
        rollback="nothing was changed; leave the steps out, and the quarantine that follows if it "
        "goes on is lifted with `omniva override release`",
        evidence=_evidence(health),
        issued_at=now,
    )


def remediation_of(reason: ReasonCode | None) -> list[Remediation]:
    """What heals a kind of failure; an operator's look at it where nothing else does."""
    known = policy_of(reason).remediation if reason is not None else ()
    return list(known) or [Remediation.OPERATOR_REVIEW]


def steps_of(remediation: Sequence[Remediation]) -> list[str]:
    """The same in words."""
    return [_STEPS[item] for item in remediation]


def _on_probation(health: Health, now: str, limits: Limits) -> Step:
    worked = health.succeeded_at >= health.quarantined_until
    quiet = now >= later(health.quarantined_until, limits.probation_seconds)
    if not worked and not quiet:
        return Step((), health)
    passed = "work was done without a failure" if worked else "no failure since the quarantine"
    seen = health.success_packet_id if worked else health.quarantine_packet_id
    signal = ReadinessSignal(
        cluster=health.instance if health.worker == CREATOR_POOL else health.worker,
        lifts=[health.quarantine_id],
        checks_passed=[f"{passed} ended at {health.quarantined_until}: {health.name}"],
        evidence=[seen or health.quarantine_packet_id],
        observed_at=now,
    )
    ready = Health(
        health.worker,
        health.instance,
        succeeded_at=health.succeeded_at,
        success_packet_id=health.success_packet_id,
        failed_at=health.failed_at,
        failure_packet_id=health.failure_packet_id,
        reason_code=health.reason_code,
    )
    return Step((signal,), ready)


def _quarantined(health: Health, now: str, limits: Limits, pool: Sequence[Health]) -> Step:
    seconds = min(
        limits.quarantine_seconds * 2.0 ** min(health.strikes, 16),
        limits.longest_quarantine_seconds,
    )
    until = later(now, seconds)
    is_creator = health.worker == CREATOR_POOL
    instruction = QuarantineInstruction(
        instruction_id=derive_id("quarantine", health.name, now),
        subject_kind=QuarantineSubject.CREATOR if is_creator else QuarantineSubject.WORKER,
        subject=health.name,
        reason=f"{health.consecutive_failures} failures in a row, the last one "
        f"{health.reason_code or 'unknown'}; it gets no work until {until}, then one try decides",
        since=now,
        remediation=remediation_of(health.reason_code),
        evidence=_evidence(health),
        **given(until=until),
    )
    isolated = replace(
        health,
        standing=Standing.QUARANTINED,
        strikes=health.strikes + 1,
        quarantine_id=instruction.instruction_id,
        quarantined_at=now,
        quarantined_until=until,
    )
    proposals: list[Document] = [instruction]
    if health.standing is Standing.READY:
        proposals.append(healing(health, now))
    backup = _backup_of(health, pool)
    if backup is None:
        return Step(tuple(proposals), isolated)
    fallback = _fallback(
        (health.name, backup.name),
        f"{health.name} is to be isolated, {backup.name} is well",
        health,
        now,
    )
    return Step((*proposals, fallback), isolated)


def _backup_of(health: Health, pool: Sequence[Health]) -> Health | None:
    """Another instance that does the same work and is well; nobody stands in for a creator."""
    if health.worker == CREATOR_POOL:
        return None
    well = [
        other
        for other in pool
        if other.worker == health.worker
        and other.instance != health.instance
        and other.standing is Standing.READY
        and other.consecutive_failures == 0
        and other.succeeded_at
    ]
    # Who did well last, and of those the last by name.
    return max(well, key=lambda item: (item.succeeded_at, item.name), default=None)


def _calls_for(health: Health, route: Route) -> bool:
    return (
        health.worker == route.worker
        and health.reason_code in route.reasons
        and health.consecutive_failures >= route.after
        and health.standing in (Standing.READY, Standing.SUSPECT)
    )


def _fallback(targets: tuple[str, str], reason: str, health: Health, now: str) -> FallbackStrategy:
    return FallbackStrategy(
        # One a failure: proposed again only when it failed again.
        strategy_id=derive_id("fallback", *targets, health.failure_packet_id),
        kind=FallbackKind.WORKER,
        from_target=targets[0],
        to_target=targets[1],
        job_ids=[],
        reason=reason,
        remediation=remediation_of(health.reason_code),
        evidence=_evidence(health),
        issued_at=now,
    )


def _evidence(health: Health) -> list[str]:
    ids = (health.streak_packet_id, health.failure_packet_id, health.quarantine_packet_id)
    return list(dict.fromkeys(packet_id for packet_id in ids if packet_id))
