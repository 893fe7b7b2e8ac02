"""What is more than one instance's matter: alerts, escalations, panic, crisis (ECL-1, -6, -7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.eclipse import (
    CrisisEscalation,
    HealingProposal,
    Remediation,
)
from omniva_dagster.contracts.cognition.failures import (
    AbnormalLog,
    HealthDeviation,
    PanicSignal,
    TimeoutAlert,
)
from omniva_dagster.contracts.cognition.paradox import ConflictEscalation
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines.eclipse.containing import steps_of
from omniva_dagster.engines.eclipse.situation import Heard, Situation, Standing
from omniva_dagster.engines.eclipse.times import later

_MOST_EVIDENCE, _MOST_LINES = 1000, 100


def answers(situation: Situation) -> list[Document]:
    """A proposal or an escalation for everything heard that is no document's failure."""
    made: list[Document] = []
    for heard in sorted(situation.heard, key=lambda item: item.packet_id):
        match heard.document:
            case PanicSignal():
                made.append(_on_panic(heard.packet_id, heard.document, situation.now))
            case ConflictEscalation():
                made += _on_conflict(heard, heard.document, situation)
    made += _on_alerts(situation)
    return made


def crisis(situation: Situation, proposed: Sequence[str]) -> CrisisEscalation | None:
    """An escalation where failures spread over workers or creators; once in a window.

    ``proposed`` are the ids of what was proposed for it in this round.
    """
    limits = situation.limits
    still_one = later(situation.now, -limits.crisis_window_seconds)
    if not situation.lately or situation.last_crisis_at > still_one:
        return None
    isolated = [
        item
        for item in situation.health
        if item.standing is Standing.QUARANTINED and item.quarantined_at > still_one
    ]
    again = [item for item in isolated if item.strikes > 1]
    creators = {item.creator for item in situation.lately if item.creator}
    spread = len(creators) >= limits.crisis_creators
    many = len({item.job_id for item in situation.lately}) >= limits.crisis_failures
    if len(isolated) < limits.crisis_quarantines and not again and not (spread and many):
        return None
    workers = {item.worker for item in situation.lately} | {item.name for item in isolated}
    evidence = _each(
        [item.packet_id for item in situation.lately]
        + [item.quarantine_packet_id for item in isolated if item.quarantine_packet_id]
    )
    return CrisisEscalation(
        escalation_id=derive_id("crisis", *evidence[:20], situation.now),
        severity=Severity.CRITICAL,
        affected=_each([*workers, *creators])[:_MOST_LINES],
        message=f"{len(situation.lately)} documents of {len(creators)} creators failed since "
        f"{still_one}, {len(isolated)} subjects are to be isolated"
        f"{', some of them again' if again else ''}; asked: enforce the quarantines, and tell an "
        "operator, who may stop all work with `omniva panic`",
        proposals=_each(proposed)[:_MOST_EVIDENCE],
        evidence=evidence[:_MOST_EVIDENCE],
        issued_at=situation.now,
    )


def _on_panic(packet_id: str, signal: PanicSignal, now: str) -> CrisisEscalation:
    affected = signal.subjects or ["all"]
    return CrisisEscalation(
        escalation_id=derive_id("crisis", signal.signal_id),
        severity=Severity.CRITICAL,
        affected=sorted(affected)[:_MOST_LINES],
        message=f"{signal.operator} stops {', '.join(affected)}: {signal.reason}"[:1800]
        + "; asked: hold that work until `omniva resume`",
        proposals=[],
        evidence=[packet_id],
        issued_at=now,
    )


def _on_conflict(heard: Heard, told: ConflictEscalation, situation: Situation) -> list[Document]:
    healing = HealingProposal(
        proposal_id=derive_id("healing", heard.packet_id),
        cluster=told.worker or "paradox",
        steps=[
            "hold the documents that contradict each other: " + ", ".join(told.affected_ids[:3]),
            *steps_of([Remediation.OPERATOR_REVIEW]),
        ],
        remediation=[Remediation.OPERATOR_REVIEW],
        rollback="release the documents with `omniva override release <id>`",
        evidence=[heard.packet_id],
        issued_at=situation.now,
    )
    lasts = told.occurrences >= situation.limits.conflict_occurrences
    if told.severity is not Severity.CRITICAL or not lasts:
        return [healing]
    return [
        healing,
        CrisisEscalation(
            escalation_id=derive_id("crisis", heard.packet_id),
            severity=Severity.CRITICAL,
            affected=[told.worker or "paradox"],
            message=f"a conflict was found {told.occurrences} times: {told.message}"[:1900]
            + "; asked: hold what it is about",
            proposals=[healing.proposal_id],
            evidence=[heard.packet_id],
            issued_at=situation.now,
        ),
    ]


def _on_alerts(situation: Situation) -> list[Document]:
    """One proposal a pool for all alerts of the round about it."""
    by_pool: dict[str, list[tuple[str, str, Remediation]]] = {}
    for heard in situation.heard:
        found = _alert(heard.document)
        if found is not None:
            worker, words, remediation = found
            by_pool.setdefault(worker, []).append((heard.packet_id, words, remediation))
    return [
        _for_alerts(worker, sorted(alerts), situation.now)
        for worker, alerts in sorted(by_pool.items())
    ]


def _alert(document: Document) -> tuple[str, str, Remediation] | None:
    match document:
        case AbnormalLog():
            words = f"{document.occurrences} times in {document.instance}: {document.signature}"
            return document.worker, words, Remediation.CACHE_FLUSH
        case HealthDeviation():
            words = (
                f"{document.metric} of {document.instance} is {document.observed:g}, "
                f"in health {document.expected:g}"
            )
            return document.worker, words, Remediation.RESTART_REQUIRED
        case TimeoutAlert():
            words = (
                f"{document.job_type.value} {document.job_id} takes {document.elapsed_seconds:.0f}"
                f" s, it may take {document.limit_seconds:.0f} s"
            )
            return document.worker, words, Remediation.RESTART_REQUIRED
    return None


def _for_alerts(
    worker: str, alerts: Sequence[tuple[str, str, Remediation]], now: str
) -> HealingProposal:
    remediation = sorted({item[2] for item in alerts})
    packets = [item[0] for item in alerts][:_MOST_EVIDENCE]
    steps = [words[:200] for _, words, _ in alerts[:20]] + steps_of(remediation)
    return HealingProposal(
        proposal_id=derive_id("healing", worker, *packets),
        cluster=worker,
        steps=list(dict.fromkeys(steps)),
        remediation=remediation,
        rollback="nothing was changed; leave the steps out",
        evidence=packets,
        issued_at=now,
    )


def _each(ids: Iterable[str]) -> list[str]:
    return sorted(set(ids))
