"""The directives that follow from what was settled about a subject."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines.zenith.dossier import Ground, Lift, Notice, Order, Standing
from omniva_dagster.engines.zenith.precedence import RANK, RULES
from omniva_dagster.engines.zenith.settling import CANCEL, GOES, HOLD, PROMOTE, RELEASE, Settled
from omniva_dagster.engines.zenith.wishes import Wish

_LONGEST = 2000


def authority_of(settled: Settled, now: str) -> tuple[Order | None, Lift | None]:
    """The promotion, release, hold or cancel that follows, if anything changes."""
    standing, remaining = settled.standing, settled.remaining
    gone = [ground for ground, _ in settled.lifted]
    ended = {ground.ground for ground in gone} & {ground.ground for ground in standing.grounds}
    lift = Lift(standing.subject_id, tuple(sorted(ended))) if ended and remaining else None
    if settled.fresh:
        return _restraint(settled, settled.fresh, now), lift
    if gone and remaining:
        told = standing.latest.directive_id if standing.latest else ""
        stale = told not in {ground.directive_id for ground in remaining}
        return (_restraint(settled, remaining, now) if stale else None), lift
    if gone:
        return _freedom(settled, now), None
    return _promotion(settled, now), None


def _restraint(settled: Settled, grounds: Sequence[Ground], now: str) -> Order:
    standing = settled.standing
    kind = CANCEL if any(one.kind is CANCEL for one in settled.remaining) else HOLD
    words = {wish.cause: wish for wish in settled.spoken}
    pointed = [words[one.ground].evidence for one in grounds if one.ground in words]
    lifting = [wish.packet_id for _, wish in settled.lifted if wish is not None]
    ends = [one.until for one in settled.remaining]
    more = f" (and {len(grounds) - 1} more)" if len(grounds) > 1 else ""
    return _order(
        settled,
        kind,
        owner=standing.owner,
        reason=f"{RULES[grounds[0].rule].says}: {grounds[0].reason}{more}",
        evidence=[*(one.packet_id for one in grounds), *lifting, *_flat(pointed)],
        overrode=_overrode_by_stopping(settled),
        rollback=_way_back(standing, grounds[0]),
        now=now,
        joins=tuple(grounds),
        until=max(ends) if all(ends) else None,
    )


def _freedom(settled: Settled, now: str) -> Order:
    """Nothing holds the subject any more: it is what it was before."""
    standing = settled.standing
    wanted = any(wish.kind is PROMOTE for wish in settled.spoken)
    afresh = PROMOTE if wanted and standing.pinnable else RELEASE
    kind = standing.permit.kind if standing.permit else afresh
    wishes = sorted(
        {wish.packet_id: wish for _, wish in settled.lifted if wish is not None}.values(),
        key=lambda wish: (RANK[wish.rule], -wish.sequence, wish.packet_id),
    )
    over = [ground for ground, wish in settled.lifted if wish is None]
    reason = wishes[0].reason if wishes else f"its time is over: {over[0].reason}"
    grounds = [ground for ground, _ in settled.lifted]
    return _order(
        settled,
        kind,
        owner=_owner_of(standing, kind),
        reason=reason,
        evidence=[
            *(wish.packet_id for wish in wishes),
            *(ground.packet_id for ground in grounds),
            *_flat(wish.evidence for wish in wishes),
        ],
        overrode=[
            _named(ground)
            for ground, wish in settled.lifted
            if wish is not None and RULES[wish.rule].engine is not RULES[ground.rule].engine
        ],
        rollback=f"omniva override hold {_called(standing)} --reason ...",
        now=now,
        priority=next((wish.priority for wish in wishes if wish.priority is not None), None),
    )


def _promotion(settled: Settled, now: str) -> Order | None:
    """An operator wants a clip of a candidate that no judge chose."""
    standing = settled.standing
    barred = {wish.packet_id for wish, _ in settled.refused}
    asked = [
        wish
        for wish in settled.spoken
        if wish.kind is PROMOTE and wish.packet_id not in barred and not settled.remaining
    ]
    if not asked or standing.permit is not None or not standing.pinnable:
        return None
    wish = asked[-1]
    return _order(
        settled,
        PROMOTE,
        owner="editor",
        reason=wish.reason,
        evidence=[wish.packet_id, *wish.evidence],
        overrode=[],
        rollback="issue cancel on the clip; what was rendered stays in Atlas, unpublished",
        now=now,
        priority=wish.priority,
    )


def orders_beside(settled: Settled, now: str) -> tuple[list[Order], list[tuple[Wish, str]]]:
    """When and where: retries, reroutes and new slots; and what of these can not be."""
    orders: list[Order] = []
    refused: list[tuple[Wish, str]] = []
    cancelled = any(ground.kind is CANCEL for ground in settled.remaining)
    for kind in (DirectiveKind.RETRY, DirectiveKind.REROUTE, DirectiveKind.RESCHEDULE):
        asked = [wish for wish in settled.spoken if wish.kind is kind]
        if not asked:
            continue
        wish = min(asked, key=lambda one: (RANK[one.rule], -one.sequence, one.packet_id))
        why = _impossible(settled, wish, cancelled=cancelled)
        if why and wish.rule == "override":
            refused.append((wish, why))
        elif not why and not _is_standing(settled.standing, wish):
            orders.append(_beside(settled, wish, now))
    return orders, refused


def _impossible(settled: Settled, wish: Wish, *, cancelled: bool) -> str:
    consent = any(ground.rule == "consent" for ground in settled.standing.enclosing)
    if wish.kind is DirectiveKind.RETRY and (settled.remaining or consent):
        first = (*settled.remaining, *settled.standing.enclosing)[0]
        return f"it is held ({first.reason}); release it first"
    if wish.kind is DirectiveKind.REROUTE and not wish.target:
        return "a reroute needs a target, which only Eclipse names"
    if wish.kind is DirectiveKind.RESCHEDULE and cancelled:
        return "it is cancelled; release it first"
    return ""


def _is_standing(standing: Standing, wish: Wish) -> bool:
    there = standing.reroute
    return there is not None and there.directive_id == reroute_id(standing.subject_id, wish.cause)


def _beside(settled: Settled, wish: Wish, now: str) -> Order:
    retry = wish.kind is DirectiveKind.RETRY
    due = wish.not_before or wish.scheduled_time or now
    return _order(
        settled,
        wish.kind,
        owner=wish.owner or _OWNERS[wish.kind],
        reason=wish.reason,
        evidence=[wish.packet_id, *wish.evidence],
        overrode=[],
        rollback=_way_back_beside(settled.standing, wish),
        now=now,
        packet_ids=(wish.packet_id,),
        not_before=due if retry else None,
        target=wish.target,
        scheduled_time=None if retry else wish.scheduled_time,
        priority=wish.priority,
        scope=wish.scope,
        name=wish.name,
    )


def _way_back_beside(standing: Standing, wish: Wish) -> str:
    if wish.rule == "routing":
        return _UNDO_ROUTE
    if wish.kind is DirectiveKind.RESCHEDULE and wish.scheduled_time is None:
        again = f"omniva override reschedule {_called(standing)} --priority ... --reason ..."
        return f"{again}; of a creator 0.5 gives the word back to Lattice"
    return _UNDO[wish.kind]


def ended_reroute(settled: Settled, now: str) -> Order | None:
    """The end of a reroute that a signal of readiness names."""
    standing = settled.standing
    there = standing.reroute
    if there is None or there.kind is not DirectiveKind.REROUTE or settled.remaining:
        return None
    for wish in settled.spoken:
        if wish.rule != "quarantine" or wish.kind is not RELEASE:
            continue
        by_name = {reroute_id(standing.subject_id, lift) for lift in wish.lifts}
        if there.directive_id in by_name or set(there.evidence) & set(wish.lifts):
            return _order(
                settled,
                RELEASE,
                owner=standing.owner,
                reason=wish.reason,
                evidence=[wish.packet_id, *there.evidence],
                overrode=[],
                rollback="Eclipse proposes the backup again when it fails again",
                now=now,
            )
    return None


def reroute_id(subject_id: str, strategy_id: str) -> str:
    """The id of the reroute that a fallback strategy leads to."""
    return derive_id("directive", "reroute", subject_id, strategy_id)


def notices_of(refused: Iterable[tuple[Wish, str]]) -> list[Notice]:
    """Refusals, told to the operator."""
    return [
        Notice(
            wish.cause,
            f"an operator's {wish.kind.value} was not followed",
            f"{why} (asked: {wish.reason})"[:_LONGEST],
            Severity.WARNING,
            wish.subject_id,
            wish.packet_id,
        )
        for wish, why in refused
    ]


_OWNERS = {
    DirectiveKind.RETRY: "editor",
    DirectiveKind.REROUTE: "editor",
    DirectiveKind.RESCHEDULE: "scheduler",
}
_UNDO_ROUTE = "it ends by itself in two hours, or with the next advice on the creator"
_UNDO = {
    DirectiveKind.RETRY: "issue hold on it before the attempt; what an attempt made is kept once",
    DirectiveKind.REROUTE: "Eclipse's readiness signal, or release the worker",
    DirectiveKind.RESCHEDULE: "reschedule it to the slot it had before",
}


def _order(
    settled: Settled,
    kind: DirectiveKind,
    *,
    owner: str,
    reason: str,
    evidence: Sequence[str],
    overrode: Sequence[str],
    rollback: str,
    now: str,
    joins: tuple[Ground, ...] = (),
    packet_ids: tuple[str, ...] = (),
    scope: str = "",
    name: str = "",
    **more: str | float | None,
) -> Order:
    standing = settled.standing
    rests_on = list(dict.fromkeys(evidence))
    named = next((wish for wish in settled.spoken if wish.scope), None)
    directive = Directive(
        directive_id=_id_of(settled, kind, rests_on),
        kind=kind,
        subject_id=standing.subject_id,
        owner=owner[:64],
        reason=reason[:_LONGEST],
        evidence=rests_on,
        overrode=list(overrode),
        rollback=rollback[:_LONGEST],
        issued_at=now,
        **given(video_id=standing.video_id or None, **more),
    )
    return Order(
        directive,
        scope or (named.scope if named else standing.scope),
        name or (named.name if named else standing.name),
        joins,
        packet_ids or tuple(wish.packet_id for wish in settled.spoken),
    )


def _id_of(settled: Settled, kind: DirectiveKind, evidence: Sequence[str]) -> str:
    subject_id = settled.standing.subject_id
    if kind is DirectiveKind.REROUTE:
        (cause,) = {wish.cause for wish in settled.spoken if wish.packet_id == evidence[0]}
        return reroute_id(subject_id, cause)
    # After which directive: that the same is held, released and held again are three.
    latest = settled.standing.latest
    after = latest.directive_id if latest and kind in GOES else ""
    return derive_id("directive", kind.value, subject_id, after, *evidence)


def _overrode_by_stopping(settled: Settled) -> list[str]:
    unheeded = [
        f"{RULES[wish.rule].engine.value}: {wish.kind.value} ({wish.reason})"
        for wish in settled.spoken
        if wish.kind in GOES and not wish.lifts
    ]
    permit = settled.standing.permit
    if permit is not None:
        unheeded.append(f"{permit.kind.value}: {permit.reason}")
    return [text[:_LONGEST] for text in unheeded]


def _named(ground: Ground) -> str:
    """A ground decided against; its id in it is how it is known not to be taken up again."""
    engine = RULES[ground.rule].engine.value
    return f"{engine}: {ground.kind.value} on {ground.ground} ({ground.reason[:300]})"


def _way_back(standing: Standing, ground: Ground) -> str:
    what = _called(standing)
    if ground.rule == "consent":
        return f"omniva creators grant {what} --consent ... once the creator agrees again"
    if ground.rule == "takedown":
        return (
            f"omniva override release {what} --reason ..., until the uploader has withdrawn it; "
            "what is withdrawn is not posted again"
        )
    if ground.rule == "panic":
        return f"omniva resume --signal {ground.ground} --reason ..."
    until = f"it ends at {ground.until}, or by " if ground.until else ""
    return f"{until}omniva override release {what} --reason ..."


def _called(standing: Standing) -> str:
    """The subject, as the command line takes it."""
    if standing.scope == "all":
        return "all"
    name = f"worker:{standing.name}" if standing.scope == "worker" else standing.name
    return name or standing.subject_id


def _owner_of(standing: Standing, kind: DirectiveKind) -> str:
    return "editor" if kind is PROMOTE else standing.owner


def _flat(lists: Iterable[Iterable[str]]) -> list[str]:
    return [item for items in lists for item in items]
