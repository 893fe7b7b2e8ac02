"""What no order can mend and a person is told: crises, what would heal, drift, what is missing."""

from __future__ import annotations

from collections.abc import Callable

from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.ids import EVERYTHING, worker_id_of
from omniva_dagster.engines.zenith.dossier import Notice, Word


def crisis(word: Word) -> list[Notice]:
    """Eclipse: what fails spreads, or does not end."""
    said = word.payload
    title = f"a crisis: {', '.join(said['affected']) or 'several parts'}"
    notice = noticing(word, said["escalation_id"], title, said["message"])
    return [notice(EVERYTHING, Severity(said["severity"]))]


def healing(word: Word) -> list[Notice]:
    """Eclipse: what would heal a worker, step by step."""
    said = word.payload
    steps = "; ".join(said["steps"])
    notice = noticing(word, said["proposal_id"], f"{said['cluster']} can be healed", steps)
    return [notice(worker_id_of(said["cluster"]), Severity.WARNING)]


def drift(word: Word) -> list[Notice]:
    """Horizon: output is far from what is wanted; lesser drift is for its own check."""
    said = word.payload
    if said["severity"] != Severity.CRITICAL.value:
        return []
    notice = noticing(word, word.packet_id, f"off course: {said['goal']}", said["message"])
    return [notice(EVERYTHING, Severity.CRITICAL)]


def explanation(word: Word) -> list[Notice]:
    """What was decided and can not be explained in full: HaloLux, on Zenith's own decisions."""
    said = word.payload
    if "directive_id" not in said or not said["missing_evidence"]:
        return []
    lacks = "; ".join(f"{one['what']}: {one['consequence']}" for one in said["missing_evidence"])
    message = f"omniva explain {said['directive_id']} says what is there. Missing: {lacks}"
    title = "a decision can not be explained in full"
    return [noticing(word, said["directive_id"], title, message)(EVERYTHING, Severity.WARNING)]


def noticing(word: Word, occurrence: str, title: str, message: str) -> Callable[..., Notice]:
    """A notice about a word, to be given its subject, its severity and perhaps a reason code."""

    def about(subject_id: str, severity: Severity, reason_code: str = "") -> Notice:
        return Notice(
            occurrence,
            title[:200],
            message[:2000],
            severity,
            subject_id,
            word.packet_id,
            reason_code,
        )

    return about
