"""What each word asks for: advice and overrides, as wishes about single subjects (4.9, Inputs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.paradox import ConflictResolution
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, worker_id_of
from omniva_dagster.engines.paradox import to_hold
from omniva_dagster.engines.zenith import notices
from omniva_dagster.engines.zenith.dossier import Notice, Posted, Word
from omniva_dagster.engines.zenith.notices import noticing

# Which worker pool does a job (module interfaces, section 5).
_OWNER = {
    "scraper_job": "scraper",
    "analysis_result": "analyzer",
    "edit_job": "editor",
    "schedule_task": "scheduler",
    "upload_job": "uploader",
}
# What makes a document one that nothing shows to be right.
_UNPROVEN = ("missing_packet", "missing_parent", "hash_mismatch")
_WEIGHTS = {"info": 0.3, "warning": 0.6, "critical": 1.0}


@dataclass(frozen=True)
class Wish:
    """One thing that one word asks for about one subject.

    ``cause`` is the id of the document behind it; a release lifts the grounds it names in
    ``lifts``, or, if it names none, all that its rule may.
    """

    subject_id: str
    rule: str
    kind: DirectiveKind
    packet_id: str
    sequence: int
    cause: str
    reason: str
    weight: float = 1.0
    owner: str = ""
    scope: str = ""
    name: str = ""
    lifts: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    target: str | None = None
    not_before: str | None = None
    until: str | None = None
    scheduled_time: str | None = None
    priority: float | None = None


PostedBy = Mapping[str, Sequence[Posted]]
Heard = tuple[list[Wish], list[Notice]]


def wishes_of(word: Word, posted: PostedBy) -> Heard:
    """What a word asks for, and what of it a person must look at; nothing if it is not known."""
    read = _READERS.get(word.message_type)
    return read(word, posted) if read else ([], [])


def _conflict(word: Word, _posted: PostedBy) -> Heard:
    said = word.payload
    affected = list(said["affected_ids"])
    action = said["recommended_action"]
    common: dict[str, Any] = {
        "packet_id": word.packet_id,
        "sequence": word.sequence,
        "cause": said["conflict_id"],
        "reason": said["message"],
        "weight": _WEIGHTS[said["severity"]],
    }
    if action == "ignore":
        lifts = (said["conflict_id"],)
        rule, kind = "conflict_quarantine", DirectiveKind.RELEASE
        return [Wish(one, rule, kind, lifts=lifts, **common) for one in affected], []
    held = to_hold(ConflictResolution.parse(dict(said)))
    rule = f"conflict_{action}"
    return [Wish(one, rule, DirectiveKind.HOLD, **common) for one in held], []


def _retry(word: Word, _posted: PostedBy) -> Heard:
    said = word.payload
    due = said.get("next_attempt_at")
    what = said["job_type"].replace("_", " ")
    if due is None:
        message = (
            f"{said['attempts_made']} of {said['attempts']} attempts at the {what} were made; it "
            f"failed with {said['reason_code']}. Automatic work leaves it; see what is wrong, then "
            f"omniva override retry {said['job_id']} --reason ..."
        )
        notice = noticing(word, said["plan_id"], f"the {what} failed for good", message)
        return [], [notice(said["job_id"], Severity.WARNING, said["reason_code"])]
    wish = Wish(
        said["job_id"],
        "retry",
        DirectiveKind.RETRY,
        word.packet_id,
        word.sequence,
        said["plan_id"],
        f"attempt {said['attempts_made'] + 1} of {said['attempts']} at the {what}, which failed "
        f"with {said['reason_code']}",
        weight=0.6,
        owner=_OWNER[said["job_type"]],
        not_before=due,
    )
    return [wish], []


def _fallback(word: Word, _posted: PostedBy) -> Heard:
    said = word.payload
    pool = said["from_target"]
    subjects = said["job_ids"] or [worker_id_of(pool)]
    whole = {} if said["job_ids"] else {"scope": "worker", "name": pool}
    return [
        Wish(
            subject,
            "fallback",
            DirectiveKind.REROUTE,
            word.packet_id,
            word.sequence,
            said["strategy_id"],
            f"{said['reason']}: from {pool} to {said['to_target']}"[:1900],
            weight=0.6,
            owner=pool,
            target=said["to_target"],
            **whole,
        )
        for subject in subjects
    ], []


def _quarantine(word: Word, _posted: PostedBy) -> Heard:
    said = word.payload
    kind, name = said["subject_kind"], said["subject"]
    return [
        Wish(
            worker_id_of(name) if kind == "worker" else creator_id_of(name),
            "quarantine",
            DirectiveKind.HOLD,
            word.packet_id,
            word.sequence,
            said["instruction_id"],
            said["reason"],
            scope=kind,
            name=name,
            until=said.get("until"),
        )
    ], []


def _readiness(word: Word, _posted: PostedBy) -> Heard:
    said = word.payload
    pool = said["cluster"]
    reason = f"{pool} is safe again: {'; '.join(said['checks_passed']) or 'no check named'}"
    of_pool = worker_id_of(pool)
    return [
        Wish(
            subject,
            "quarantine",
            DirectiveKind.RELEASE,
            word.packet_id,
            word.sequence,
            word.packet_id,
            reason[:1900],
            scope="worker" if subject == of_pool else "",
            name=pool if subject == of_pool else "",
            lifts=tuple(said["lifts"]),
        )
        for subject in sorted({*word.about, of_pool})
    ], []


def _panic(word: Word, _posted: PostedBy) -> Heard:
    said = word.payload
    scope = said["scope"]
    named = {
        "all": [("", EVERYTHING)],
        "worker": [(name, worker_id_of(name)) for name in said["subjects"]],
        "creator": [(name, creator_id_of(name)) for name in said["subjects"]],
    }[scope]
    return [
        Wish(
            subject,
            "panic",
            DirectiveKind.HOLD,
            word.packet_id,
            word.sequence,
            said["signal_id"],
            f"{said['operator']} pressed the panic button: {said['reason']}"[:1900],
            scope=scope,
            name=name,
        )
        for name, subject in named
    ], []


def _override(word: Word, _posted: PostedBy) -> Heard:
    said = word.payload
    pointed_at = tuple(said.get("evidence", ()))
    # Who names a directive means it alone, and of its grounds those pointed at.
    named = (pointed_at or (said["overrides"],)) if "overrides" in said else ()
    return [
        Wish(
            said["subject_id"],
            "override",
            DirectiveKind(said["kind"]),
            word.packet_id,
            word.sequence,
            said["request_id"],
            f"{said['operator']}: {said['reason']}"[:1900],
            lifts=named,
            evidence=pointed_at,
            # Of a retry, when it is due; of a reschedule, the slot.
            scheduled_time=said.get("scheduled_time"),
            priority=said.get("priority"),
        )
    ], []


def _action(word: Word, _posted: PostedBy) -> Heard:
    said = word.payload
    wanted = said.get("wanted") or ("reschedule" if "priority" in said else None)
    if wanted is None:  # an approval, or guidance in words: it is on record, and changes nothing
        return [], []
    return [
        Wish(
            said["subject_id"],
            "override",
            DirectiveKind(wanted),
            word.packet_id,
            word.sequence,
            said["action_id"],
            f"{said['operator']}: {said['reason']}"[:1900],
            evidence=tuple(said["seen"]),
            priority=said.get("priority"),
        )
    ], []


def _consent(word: Word, posted: PostedBy) -> Heard:
    said = word.payload
    creator_id, slug = said["creator_id"], said["slug"]
    granted = said["status"] == "granted"
    reason = said.get("reason") or f"the creator's consent is {said['status']}"
    common: dict[str, Any] = {
        "packet_id": word.packet_id,
        "sequence": word.sequence,
        # Whatever consent was withdrawn is given again by the next word that gives it.
        "cause": creator_id,
    }
    kind = DirectiveKind.RELEASE if granted else DirectiveKind.CANCEL
    scope = {"scope": "creator", "name": slug}
    if granted:
        common |= {"reason": reason[:1900], "lifts": (creator_id,)}
        others = [one for one in word.about if one != creator_id]
        planned = [Wish(one, "consent", kind, **common) for one in others]
        return [Wish(creator_id, "consent", kind, **scope, **common), *planned], []
    common["reason"] = f"{slug} withdrew consent: {reason}"[:1900]
    clips = [
        Wish(
            item.clip_id,
            "takedown" if item.out else "consent",
            kind,
            evidence=(item.packet_id,) if item.packet_id else (),
            **common,
        )
        for item in posted.get(creator_id, ())
    ]
    return [Wish(creator_id, "consent", kind, **scope, **common), *clips], []


def _upload_failed(word: Word, _posted: PostedBy) -> Heard:
    said = word.payload
    common: dict[str, Any] = {
        "packet_id": word.packet_id,
        "sequence": word.sequence,
        "cause": word.packet_id,
        "reason": said["message"][:1900],
    }
    if said["reason_code"] == "content_violation":
        return [Wish(said["clip_id"], "compliance", DirectiveKind.HOLD, **common)], []
    if said["direction_requested"] and "retry_after" in said:
        due = said["retry_after"]
        return [
            Wish(
                said["clip_id"],
                "retry",
                DirectiveKind.RETRY,
                not_before=due,
                owner="uploader",
                **common,
            )
        ], []
    return [], []


def _compliance(word: Word, _posted: PostedBy) -> Heard:
    said = word.payload
    common: dict[str, Any] = {
        "packet_id": word.packet_id,
        "sequence": word.sequence,
        "cause": said["conflict_id"],
    }
    if said["state"] == "resolved":
        kind, lifts = DirectiveKind.RELEASE, (said["conflict_id"],)
        reason = said["resolution"][:1900]
        return [Wish(said["clip_id"], "compliance", kind, reason=reason, lifts=lifts, **common)], []
    if said["severity"] != "critical":
        return [], []
    reason = f"{said['policy'].replace('_', ' ')} in the {said['field']}: “{said['passage']}”"
    return [
        Wish(said["clip_id"], "compliance", DirectiveKind.HOLD, reason=reason[:1900], **common)
    ], []


def _route(word: Word, _posted: PostedBy) -> Heard:
    said = word.payload
    return [
        Wish(
            said["subject_id"],
            "routing",
            DirectiveKind.RESCHEDULE,
            word.packet_id,
            word.sequence,
            word.packet_id,
            said["reason"][:1900],
            weight=0.3,
            owner="orchestrator",
            target=f"{said['queue']}/{said['pool']}"[:64],
            priority=said["priority"],
        )
    ], []


def _inconsistency(word: Word, _posted: PostedBy) -> Heard:
    said = word.payload
    if said["kind"] not in _UNPROVEN or said["severity"] != Severity.CRITICAL.value:
        return [], []
    return [
        Wish(
            subject,
            "evidence_missing",
            DirectiveKind.HOLD,
            word.packet_id,
            word.sequence,
            said["inconsistency_id"],
            said["message"][:1900],
        )
        for subject in said.get("subject_ids", ())
    ], []


def _told(read: Callable[[Word], list[Notice]]) -> Callable[[Word, PostedBy], Heard]:
    """A message that asks for nothing, and that a person is told of."""
    return lambda word, _posted: ([], read(word))


_READERS: dict[str, Callable[[Word, PostedBy], Heard]] = {
    "ConflictResolution": _conflict,
    "RetryPlan": _retry,
    "FallbackStrategy": _fallback,
    "QuarantineInstruction": _quarantine,
    "ReadinessSignal": _readiness,
    "PanicSignal": _panic,
    "OverrideRequest": _override,
    "OperatorAction": _action,
    "ConsentRecord": _consent,
    "UploadFailed": _upload_failed,
    "ComplianceConflict": _compliance,
    "CrisisEscalation": _told(notices.crisis),
    "HealingProposal": _told(notices.healing),
    "RoutingIntent": _route,
    "LedgerInconsistency": _inconsistency,
    "DriftWarning": _told(notices.drift),
    "InterpretabilityBundle": _told(notices.explanation),
}
