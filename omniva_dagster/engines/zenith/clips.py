"""Which candidates become clips, and which clips go out."""

from __future__ import annotations

from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.cognition.zenith import ArbitrationVerdict
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines.pantheon import consensus, dissenters
from omniva_dagster.engines.zenith.arbitration import Voice, decided_between
from omniva_dagster.engines.zenith.dossier import Dossier, Judged, Order, Standing


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


def promotions(dossier: Dossier) -> list[Order]:
    """The best candidates that do not overlap and that nothing holds, as many as may be."""
    if dossier.promoted and not dossier.replan:
        return []
    room = dossier.rules.max_clips - len(dossier.promoted)
    taken = list(dossier.promoted)
    orders: list[Order] = []
    for item in _free(dossier):
        if len(orders) >= room or item.candidate.lattice_priority < dossier.rules.min_score:
            break
        if any(overlap(item.candidate, clip) > 0 for clip in taken):
            continue
        taken.append(item.candidate)
        orders.append(Order(_promote(dossier, item, len(orders) + 1)))
    return orders


def held_back(dossier: Dossier) -> list[ArbitrationVerdict]:
    """Verdicts on candidates that the judges would have and that are held."""
    verdicts = []
    for item in rank(dossier.judged):
        standing = dossier.standings.get(item.candidate_id)
        worth = item.candidate.lattice_priority >= dossier.rules.min_score
        if standing is None or not standing.grounds or not worth or dossier.promoted:
            continue
        verdict = _against_the_judges(item, standing, dossier.now)
        if verdict is not None:
            verdicts.append(verdict)
    return verdicts


def _free(dossier: Dossier) -> list[Judged]:
    return [
        item
        for item in rank(dossier.judged)
        if item.candidate_id not in dossier.standings
        or not dossier.standings[item.candidate_id].grounds
    ]


def _against_the_judges(item: Judged, standing: Standing, now: str) -> ArbitrationVerdict | None:
    ground = standing.grounds[0]
    worth = f"priority {item.candidate.lattice_priority:.2f}"
    merit = Voice("merit", DirectiveKind.PROMOTE, item.packet_id, worth, _weight(item))
    chosen = Voice(ground.rule, ground.kind, ground.packet_id, ground.reason)
    return decided_between(item.candidate_id, [merit], chosen, None, now)


def _weight(item: Judged) -> float:
    return round(min(1.0, max(0.0, item.candidate.lattice_priority)), 6)


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
            f"analyzer {item.candidate.confidence:.2f}; of at most {dossier.rules.max_clips} that "
            f"do not overlap, each from {dossier.rules.min_score:g} up"
        ),
        evidence=[item.packet_id],
        overrode=[f"pantheon/{name} voted {votes[name]:.2f}" for name in dissenters(votes)],
        rollback="issue cancel on the clip; what was rendered stays in Atlas, unpublished",
        issued_at=dossier.now,
    )


def releases(dossier: Dossier) -> list[Order]:
    """Every prepared clip that was promoted and that nothing holds."""
    return [
        Order(_release(dossier, item.clip_id, list(item.evidence)))
        for item in sorted(dossier.prepared, key=lambda prepared: prepared.clip_id)
        if dossier.in_force.get(item.clip_id) is DirectiveKind.PROMOTE
        and not (item.clip_id in dossier.standings and dossier.standings[item.clip_id].grounds)
    ]


def _release(dossier: Dossier, clip_id: str, evidence: list[str]) -> Directive:
    standing = dossier.standings.get(clip_id)
    # A clip that was held and promoted again is released anew.
    after = standing.latest.directive_id if standing and standing.latest else ""
    return Directive(
        directive_id=derive_id("directive", "release", clip_id, after, *evidence),
        kind=DirectiveKind.RELEASE,
        subject_id=clip_id,
        video_id=dossier.video_id,
        owner="uploader",
        reason="rendered, scheduled and prepared for upload; no engine objects",
        evidence=evidence,
        rollback="issue hold before its slot; after it, withdraw the publication",
        issued_at=dossier.now,
    )
