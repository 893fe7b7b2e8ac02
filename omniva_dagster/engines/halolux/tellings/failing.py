"""What went wrong: contradictions, failures, and what was proposed against them."""

from __future__ import annotations

from omniva_dagster.engines.halolux.evidence import Evidence, Packet
from omniva_dagster.engines.halolux.telling import Said, Told, tells
from omniva_dagster.engines.halolux.words import listed, moment, number, quoted

_TEXT = 400
_ENDED = {"ERROR": "failed", "SKIPPED": "was left out", "CANCELLED": "was cancelled"}


@tells("Outcome")
def _outcome(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    if said["status"] not in _ENDED:
        return None
    code = f" ({said['reason_code']})" if "reason_code" in said else ""
    why = f": {quoted(said['message'], _TEXT)}" if said.get("message") else ""
    return Said(
        f"In {said['stage']} it {_ENDED[said['status']]} at attempt {said['attempt']}{code}{why}.",
        because=quoted(said["message"], _TEXT) if said.get("message") else "",
    )


@tells("WorkerErrorEvent")
def _error(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    kind = "it may pass" if said["transient"] else "it will not pass by itself"
    return Said(
        f"The {said['worker']} on {quoted(said['instance'])} failed with {said['reason_code']} at "
        f"attempt {said['attempt']} ({kind}): {quoted(said['message'], _TEXT)}.",
        because=said["reason_code"],
    )


@tells("ConflictResolution")
def _conflict(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return Said(
        f"Paradox found a {said['kind'].replace('_', ' ')} of {len(said['affected_ids'])} "
        f"documents and advised to {said['recommended_action']} ({said['severity']}): "
        f"{quoted(said['message'], _TEXT)}.",
        because=f"the rule {quoted(said['found_by'])}",
    )


@tells("ConflictEscalation")
def _lasting(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"Paradox told Eclipse of a conflict found {said['occurrences']} times: "
        f"{quoted(said['message'], _TEXT)}."
    )


@tells("AtlasCollision")
def _collision(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"Atlas refused a second, different file at {quoted(said['uri'])} from "
        f"{quoted(said['offered_by'])}."
    )


@tells("LedgerInconsistency")
def _inconsistency(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"Stardust found a {said['kind'].replace('_', ' ')} in the ledger "
        f"({said['severity']}): {quoted(said['message'], _TEXT)}."
    )


@tells("ComplianceAlert")
def _compliance(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return f"Paradox saw that it may break {quoted(said['policy'])}: {quoted(said['message'])}."


@tells("RetryPlan")
def _retry(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    plan = (
        f"planned the next attempt for {moment(said['next_attempt_at'])}"
        if "next_attempt_at" in said
        else "plans no further attempt"
    )
    return Said(
        f"Eclipse {plan}: {said['attempts_made']} of {said['attempts']} attempts at the "
        f"{said['job_type'].replace('_', ' ')} were made, the last failed with "
        f"{said['reason_code']}.",
        because=f"waits grow from {number(said['backoff']['initial_seconds'])} s by "
        f"{number(said['backoff']['multiplier'])}",
    )


@tells("FallbackStrategy")
def _fallback(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return Said(
        f"Eclipse proposed to go from {quoted(said['from_target'])} to "
        f"{quoted(said['to_target'])}: {quoted(said['reason'], _TEXT)}.",
        because=quoted(said["reason"], _TEXT),
    )


@tells("QuarantineInstruction")
def _quarantine(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    ends = f" until {moment(said['until'])}" if "until" in said else ""
    return Said(
        f"Eclipse asked to isolate the {said['subject_kind']} {quoted(said['subject'])} from "
        f"{moment(said['since'])}{ends}: {quoted(said['reason'], _TEXT)}.",
        because=quoted(said["reason"], _TEXT),
    )


@tells("ReadinessSignal")
def _ready(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    passed = f": {listed(said['checks_passed'])}" if said["checks_passed"] else ""
    return f"Eclipse found {quoted(said['cluster'])} safe again{passed}."


@tells("HealingProposal")
def _healing(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return f"Eclipse proposed to heal {quoted(said['cluster'])}: {listed(said['steps'])}."


@tells("CrisisEscalation")
def _crisis(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    hit = f" of {listed(said['affected'])}" if said["affected"] else ""
    return Said(
        f"Eclipse raised a crisis{hit} ({said['severity']}): {quoted(said['message'], _TEXT)}.",
        because=quoted(said["message"], _TEXT),
    )


@tells("Heartbeat")
def _beat(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"The {quoted(said['worker'])} on {quoted(said['instance'])} was alive at "
        f"{moment(said['sent_at'])} with {len(said.get('running', []))} documents in its hands; "
        f"silence of more than {number(said['sla_seconds'], 1)} s is taken for trouble."
    )


@tells("TimeoutAlert")
def _timeout(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"A {said['job_type'].replace('_', ' ')} of the {said['worker']} took "
        f"{number(said['elapsed_seconds'], 1)} s, longer than the "
        f"{number(said['limit_seconds'], 1)} s it may."
    )


@tells("AbnormalLog")
def _log(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"The {said['worker']} wrote {quoted(said['sample'])} or the like {said['occurrences']} "
        "times, which healthy work does not."
    )


@tells("HealthDeviation")
def _deviation(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"The {said['worker']} on {quoted(said['instance'])} measured {quoted(said['metric'])} of "
        f"{number(said['observed'])} where {number(said['expected'])} is healthy."
    )
