"""Drafts that contradict what is there besides, as alerts to Chorus (4.7, Inputs).

A clip drafted under the title of another one is taken for it; a description without its source
contradicts a licence that asks for the name of it. Chorus and people mend wording: nothing is held
here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.paradox import ComplianceAlert
from omniva_dagster.contracts.ids import derive_id

REPEATED_TITLE, ATTRIBUTION = "repeated_title", "attribution"
POLICIES = (REPEATED_TITLE, ATTRIBUTION)
# How licences say it: Creative Commons BY in its forms, or in words.
_ASKS_FOR_NAME = re.compile(
    r"\bCC[ -]?BY\b|creativecommons\.org/licenses/by\b|\battribut(?:ion|e)\b|\bcredit\b"
    r"|\bnam(?:e|ing) the (?:source|author|creator)\b",
    re.IGNORECASE,
)
_NOT_ASKED = re.compile(r"\b(?:no|not|without|never)\b[^.;,]{0,25}$", re.IGNORECASE)


@dataclass(frozen=True)
class DraftFact:
    """A clip's wording before Chorus, and where the clip is from."""

    clip_id: str
    title: str
    description: str
    source_title: str
    source_url: str
    packet_id: str


@dataclass(frozen=True)
class TitleFact:
    """The title of another clip of the creator, which it was given first."""

    clip_id: str
    title: str
    packet_id: str


@dataclass(frozen=True)
class LicenceFact:
    """What a creator agreed to."""

    licence: str
    packet_id: str


def alerts(
    draft: DraftFact, others: Sequence[TitleFact], licence: LicenceFact | None, now: str
) -> list[ComplianceAlert]:
    """What contradicts a draft, by policy and passage; in whatever order the others are given."""
    found = [*_repeated(draft, others, now), *_unnamed(draft, licence, now)]
    return sorted(found, key=lambda one: one.alert_id)


def asks_for_name(licence: str) -> bool:
    """Whether a licence asks for the source to be named."""
    match = _ASKS_FOR_NAME.search(licence)
    return match is not None and not _NOT_ASKED.search(licence[: match.start()])


def same_title(title: str) -> str:
    """A title as it is compared: capitals, gaps and a full stop make no other one."""
    return " ".join(title.casefold().split()).rstrip(".")


def _repeated(draft: DraftFact, others: Sequence[TitleFact], now: str) -> Iterator[ComplianceAlert]:
    titles: dict[str, TitleFact] = {}
    for other in sorted(others, key=lambda one: (one.clip_id, one.packet_id)):
        if other.clip_id != draft.clip_id:
            titles.setdefault(same_title(other.title), other)
    standing = titles.get(same_title(draft.title))
    if standing is None or not draft.title:
        return
    yield ComplianceAlert(
        alert_id=derive_id("alert", draft.clip_id, REPEATED_TITLE, same_title(draft.title)),
        subject_id=draft.clip_id,
        policy=REPEATED_TITLE,
        passage=draft.title[:2000],
        severity=Severity.WARNING,
        message=(
            f"clip {standing.clip_id} of the creator has that title: platforms take the same title "
            "again for spam, and people for the same clip. Another sentence would be right"
        ),
        evidence=list(dict.fromkeys((draft.packet_id, standing.packet_id))),
        detected_at=now,
    )


def _unnamed(draft: DraftFact, licence: LicenceFact | None, now: str) -> Iterator[ComplianceAlert]:
    if licence is None or not asks_for_name(licence.licence):
        return
    text = draft.description.casefold()
    # A title of one word may stand there by chance.
    title = draft.source_title if len(draft.source_title.split()) > 1 else ""
    if any(name and name.casefold() in text for name in (title, draft.source_url)):
        return
    if not draft.source_title and not draft.source_url:
        return
    yield ComplianceAlert(
        alert_id=derive_id("alert", draft.clip_id, ATTRIBUTION),
        subject_id=draft.clip_id,
        policy=ATTRIBUTION,
        severity=Severity.CRITICAL,
        message=(
            f"the licence of the creator's videos ({licence.licence[:300]}) asks for the source to "
            f"be named, and the description does not: {draft.source_url or draft.source_title} "
            "would be right"
        )[:2000],
        evidence=list(dict.fromkeys((draft.packet_id, licence.packet_id))),
        detected_at=now,
    )
