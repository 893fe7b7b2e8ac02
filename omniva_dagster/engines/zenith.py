"""Zenith: the one function that decides (4.9). Everyone else advises.

`decide` reads a dossier on one video and returns the directives that follow from it, each with its
evidence and the way back. The same dossier always gives the same directives; what was decided
before is in the dossier, so that nothing is decided twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines.pantheon import consensus, dissenters

VERSION = "1"


@dataclass(frozen=True)
class Judged:
    """A judged candidate with its id and packet."""

    candidate_id: str
    candidate: ClipCandidate
    packet_id: str


@dataclass(frozen=True)
class Prepared:
    """A clip ready to go out: its upload job, and every packet the release would rest on."""

    clip_id: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """How much may be promoted."""

    max_clips: int = 9
    min_score: float = 0.35


@dataclass(frozen=True)
class Dossier:
    """All that bears on one video."""

    video_id: str
    now: str
    judged: tuple[Judged, ...] = ()
    # clips of the video that are pinned already
    promoted: tuple[ClipCandidate, ...] = ()
    prepared: tuple[Prepared, ...] = ()
    # the directive in force, by clip
    in_force: Mapping[str, DirectiveKind] = field(default_factory=dict)
    rules: Rules = Rules()
    replan: bool = False


def decide(dossier: Dossier) -> list[Directive]:
    """The directives that follow from the dossier: promotions, then releases."""
    return [*_promotions(dossier), *_releases(dossier)]


def rank(judged: tuple[Judged, ...]) -> list[Judged]:
    """Best first; ties go to the earlier span, then to the smaller id."""
    return sorted(
        judged,
        key=lambda item: (
            -item.candidate.lattice_priority,
            item.candidate.start_time,
            item.candidate_id,
        ),
    )


def overlap(one: ClipCandidate, other: ClipCandidate) -> float:
    """Shared time over united time (intersection over union), in [0, 1]."""
    shared = min(one.end_time, other.end_time) - max(one.start_time, other.start_time)
    united = max(one.end_time, other.end_time) - min(one.start_time, other.start_time)
    return max(0.0, shared) / united


def _promotions(dossier: Dossier) -> list[Directive]:
    if dossier.promoted and not dossier.replan:
        return []
    room = dossier.rules.max_clips - len(dossier.promoted)
    taken = list(dossier.promoted)
    directives: list[Directive] = []
    for item in rank(dossier.judged):
        if len(directives) >= room or item.candidate.lattice_priority < dossier.rules.min_score:
            break
        if any(overlap(item.candidate, clip) > 0 for clip in taken):
            continue
        taken.append(item.candidate)
        directives.append(_promote(dossier, item, len(directives) + 1))
    return directives


def _promote(dossier: Dossier, item: Judged, place: int) -> Directive:
    votes = item.candidate.pantheon_votes
    return Directive(
        directive_id=derive_id("directive", "promote", item.candidate_id),
        kind=DirectiveKind.PROMOTE,
        subject_id=item.candidate_id,
        video_id=dossier.video_id,
        owner="editor",
        reason=(
            f"number {place} of {len(dossier.judged)} candidates: priority "
            f"{item.candidate.lattice_priority:.2f}, Pantheon {consensus(votes):.2f}, "
            f"analyzer {item.candidate.confidence:.2f}"
        ),
        evidence=[item.packet_id],
        overrode=[f"pantheon/{name} voted {votes[name]:.2f}" for name in dissenters(votes)],
        rollback="issue cancel on the clip; what was rendered stays in Atlas, unpublished",
        issued_at=dossier.now,
    )


def _releases(dossier: Dossier) -> list[Directive]:
    return [
        Directive(
            directive_id=derive_id("directive", "release", item.clip_id),
            kind=DirectiveKind.RELEASE,
            subject_id=item.clip_id,
            video_id=dossier.video_id,
            owner="uploader",
            reason="rendered, scheduled and prepared for upload; no engine objects",
            evidence=list(item.evidence),
            rollback="issue hold before its slot; after it, withdraw the publication",
            issued_at=dossier.now,
        )
        for item in sorted(dossier.prepared, key=lambda prepared: prepared.clip_id)
        if dossier.in_force.get(item.clip_id) is DirectiveKind.PROMOTE
    ]
