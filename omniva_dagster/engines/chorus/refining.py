"""Wording fit to publish, in one payload for machines and for people (4.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.cognition.chorus import (
    ComplianceConflict,
    ConflictState,
    HumanWording,
    MachineWording,
    PolicyWords,
    StyledField,
    StyledMetadata,
)
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines.chorus import policies
from omniva_dagster.engines.chorus.drafting import Draft
from omniva_dagster.engines.chorus.preferring import Agreed
from omniva_dagster.engines.chorus.sheet import Sheet
from omniva_dagster.engines.chorus.styling import styled
from omniva_dagster.engines.paradox.compliance import REPEATED_TITLE, same_title

VERSION = "3"
_MOST_CONFLICTS = 100
_HUMAN = 10_000


@dataclass(frozen=True)
class Alert:
    """A word of Paradox's about a clip: wording that may break a policy."""

    alert_id: str
    packet_id: str
    policy: str
    message: str
    severity: Severity
    passage: str = ""


def refine(
    clip_id: str,
    draft: Draft,
    agreed: Agreed,
    *,
    language: str,
    spoken: str,
    now: str,
    evidence: Sequence[str],
    answers: Mapping[str, str] | None = None,
    alerts: Sequence[Alert] = (),
) -> StyledMetadata:
    """A clip's wording in its brand's voice and within policy; the same for the same inputs.

    ``language`` is of what is said (``en``), ``spoken`` all that is said in the clip; ``answers``
    are operators' resolutions by conflict. What an answer or a rule has not settled is unresolved.
    """
    taken = [alert.passage for alert in alerts if alert.policy == REPEATED_TITLE]
    sheet = styled(clip_id, draft, agreed, language, spoken, taken)
    proof = list(dict.fromkeys(evidence))
    found = {one.conflict_id: one for one in _conflicts(sheet, proof, answers or {}, alerts)}
    conflicts = sorted(found.values(), key=_urgency)[:_MOST_CONFLICTS]
    return StyledMetadata(
        clip_id=clip_id,
        machine=MachineWording(
            title=sheet.title, description=sheet.description, keywords=sheet.keywords
        ),
        human=HumanWording(text=_for_people(sheet, conflicts)),
        tone=agreed.style.tone,
        deltas=sheet.deltas,
        conflicts=conflicts,
        style_version=VERSION,
        evidence=proof,
        generated_at=now,
    )


def holds(conflict: ComplianceConflict) -> bool:
    """Whether a clip is not to go out for this."""
    return conflict.state is ConflictState.UNRESOLVED and conflict.severity is Severity.CRITICAL


def _conflicts(
    sheet: Sheet, evidence: list[str], answers: Mapping[str, str], alerts: Sequence[Alert]
) -> Iterator[ComplianceConflict]:
    def conflict(
        styled_field: StyledField,
        policy: str,
        passage: str,
        severity: Severity,
        settled: str = "",
        alert: Alert | None = None,
    ) -> ComplianceConflict:
        conflict_id = derive_id(
            "compliance", sheet.clip_id, policy, styled_field.value, passage.casefold()
        )
        resolution = settled or answers.get(conflict_id)
        proof = [*evidence, alert.packet_id] if alert else evidence
        return ComplianceConflict(
            conflict_id=conflict_id,
            clip_id=sheet.clip_id,
            field=styled_field,
            policy=policy,
            passage=passage[:2000],
            severity=severity,
            **given(resolution=resolution, alert_id=alert.alert_id if alert else None),
            state=ConflictState.RESOLVED if resolution else ConflictState.UNRESOLVED,
            evidence=list(dict.fromkeys(proof)),
        )

    for mended in sheet.mended:
        how = f"Chorus: {mended.how}"
        yield conflict(mended.field, mended.policy, mended.passage, Severity.WARNING, how)
    for styled_field, text in _texts(sheet).items():
        for breach in policies.breaches(text, sheet.language, sheet.policies):
            yield conflict(styled_field, breach.policy, breach.passage, breach.severity)
    for alert in sorted(alerts, key=lambda one: one.alert_id):
        where = _where(sheet, alert)
        gone = "" if where or not alert.passage else "Chorus: the words are not there any more"
        passage = alert.passage or alert.message
        field = StyledField.TITLE if alert.policy == REPEATED_TITLE else StyledField.DESCRIPTION
        yield conflict(where or field, alert.policy, passage, alert.severity, gone, alert)


def _texts(sheet: Sheet) -> dict[StyledField, str]:
    said = "\n".join([sheet.body, *sheet.extra])
    return {
        StyledField.TITLE: sheet.title,
        StyledField.DESCRIPTION: f"{said}\n{sheet.source_title}",
        StyledField.KEYWORDS: "\n".join(sheet.keywords),
    }


def _where(sheet: Sheet, alert: Alert) -> StyledField | None:
    wanted = alert.passage.casefold()
    if alert.policy == REPEATED_TITLE:
        # It is about the title, wherever else the sentence is said.
        same = same_title(sheet.title) == same_title(alert.passage)
        return StyledField.TITLE if same else None
    texts = _texts(sheet).items()
    return next((one for one, text in texts if wanted and wanted in text.casefold()), None)


def _urgency(conflict: ComplianceConflict) -> tuple[bool, int, str, str, str]:
    order = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
    return (
        conflict.state is ConflictState.RESOLVED,
        order.index(conflict.severity),
        conflict.field.value,
        conflict.policy,
        conflict.conflict_id,
    )


def _for_people(sheet: Sheet, conflicts: Sequence[ComplianceConflict]) -> str:
    lines = [sheet.title, "", sheet.description, "", f"Tags: {', '.join(sheet.keywords) or 'none'}"]
    if sheet.deltas:
        lines += ["", "Changed:"]
        lines += [f"- {one.field.value}: {one.reason} ({one.rule})" for one in sheet.deltas]
    opened = [one for one in conflicts if one.state is ConflictState.UNRESOLVED]
    if opened:
        lines += ["", "Unresolved:"]
        lines += [_unresolved(one) for one in opened]
    settled = [one for one in conflicts if one.state is ConflictState.RESOLVED]
    if settled:
        lines += ["", "Settled:"]
        lines += [f"- {one.policy}, {one.field.value}: {one.resolution}" for one in settled]
    if not sheet.english:
        lines += ["", _unchecked(sheet.language, sheet.policies)]
    return "\n".join(lines)[:_HUMAN]


def _unchecked(language: str, words: Sequence[PolicyWords]) -> str:
    """What of the policies on words a clip in another language was not measured by."""
    mine = sorted({item.rule.value for item in words if policies.speaks(item.language, language)})
    checked = "Not checked: "
    if mine:
        checked = f"Checked for the brand's own words alone ({', '.join(mine)}): other "
    return (
        f"{checked}policies on words are English, and this clip is in "
        f"“{language or 'an unknown language'}”; a person should read it."
    )


def _unresolved(conflict: ComplianceConflict) -> str:
    said = f"- {conflict.policy}, {conflict.field.value}: “{conflict.passage}”"
    if not holds(conflict):
        return f"{said} ({conflict.severity.value}; it holds nothing)"
    answer = f"omniva review resolve {conflict.conflict_id}"
    return f"{said}; the upload is held until: {answer} --accept|--use TEXT --reason ..."
