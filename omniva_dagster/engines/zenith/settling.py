"""Settling what was asked for about one subject: which grounds hold it from now on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.engines.zenith.dossier import Ground, Standing
from omniva_dagster.engines.zenith.precedence import RANK, RULES
from omniva_dagster.engines.zenith.wishes import Wish

HOLD, CANCEL = DirectiveKind.HOLD, DirectiveKind.CANCEL
PROMOTE, RELEASE = DirectiveKind.PROMOTE, DirectiveKind.RELEASE
STOPS = (HOLD, CANCEL)
GOES = (PROMOTE, RELEASE)


@dataclass(frozen=True)
class Settled:
    """What the words about one subject come to.

    ``remaining`` are the grounds that hold it from now on, ``lifted`` those that no longer do, each
    with the wish that lifted it (none: its time was over).
    """

    standing: Standing
    spoken: tuple[Wish, ...]
    remaining: tuple[Ground, ...]
    fresh: tuple[Ground, ...]
    lifted: tuple[tuple[Ground, Wish | None], ...]
    refused: tuple[tuple[Wish, str], ...]


def settle(standing: Standing, wishes: Sequence[Wish], now: str) -> Settled:
    """Which grounds hold a subject once everybody was heard."""
    spoken = _newest_words(wishes)
    stops = [wish for wish in spoken if wish.kind in STOPS and _new(standing, wish)]
    fresh = list({wish.cause: _ground(wish) for wish in stops}.values())
    said_at = {wish.cause: wish.sequence for wish in spoken if wish.kind in STOPS}
    releases = [wish for wish in spoken if wish.kind in GOES]
    refused = [
        (wish, why) for wish in releases if (why := _refusal(standing, wish, fresh)) is not None
    ]
    barred = {wish.packet_id for wish, _ in refused}
    effective = [wish for wish in releases if wish.packet_id not in barred]
    remaining: list[Ground] = []
    lifted: list[tuple[Ground, Wish | None]] = []
    known = {ground.ground: ground for ground in standing.grounds}
    for ground in [*known.values(), *fresh]:
        if ground not in fresh and any(ground.ground == one.ground for one in fresh):
            continue  # said anew, otherwise
        since = said_at.get(ground.ground, -1) if ground in fresh else -1
        by = [wish for wish in effective if wish.sequence > since and _lifts(wish, ground)]
        if by:
            lifted.append((ground, min(by, key=lambda wish: (RANK[wish.rule], -wish.sequence))))
        elif ground.until and ground.until <= now:
            lifted.append((ground, None))
        else:
            remaining.append(ground)
    return Settled(
        standing,
        tuple(spoken),
        tuple(sorted(remaining, key=_strength)),
        tuple(sorted((ground for ground in remaining if ground in fresh), key=_strength)),
        tuple(sorted(lifted, key=lambda item: _strength(item[0]))),
        tuple(refused),
    )


def _newest_words(wishes: Sequence[Wish]) -> list[Wish]:
    """In the order they were said; of operators' free words on whether to go on, the newest."""
    ordered = sorted(wishes, key=lambda wish: (wish.sequence, wish.packet_id, wish.cause))
    free = [wish for wish in ordered if _is_free_word(wish)]
    return [wish for wish in ordered if not _is_free_word(wish) or wish == free[-1]]


def _is_free_word(wish: Wish) -> bool:
    return wish.rule == "override" and wish.kind in (*STOPS, *GOES) and not wish.lifts


def _new(standing: Standing, wish: Wish) -> bool:
    """Whether a wish to stop adds a ground: not what stands, nor what operators overruled."""
    if wish.cause in standing.overruled and not RULES[wish.rule].absolute:
        return False
    same = (wish.cause, wish.kind, wish.until or "")
    return all((one.ground, one.kind, one.until) != same for one in standing.grounds)


def _ground(wish: Wish) -> Ground:
    until = wish.until or ""
    return Ground(wish.cause, wish.packet_id, wish.rule, wish.kind, wish.reason, until=until)


def _refusal(standing: Standing, wish: Wish, fresh: Sequence[Ground]) -> str | None:
    """Why an operator's word to go on can not be followed."""
    if not _is_free_word(wish):
        return None
    for ground in (*standing.grounds, *fresh, *standing.enclosing):
        if RULES[ground.rule].absolute:
            way = "omniva resume" if ground.rule == "panic" else "omniva creators grant"
            return (
                f"an override does not lift this: {RULES[ground.rule].says} ({ground.reason}); "
                f"first {way}"
            )
    return None


def _lifts(wish: Wish, ground: Ground) -> bool:
    named = {ground.ground, ground.packet_id, ground.directive_id} & set(wish.lifts)
    if wish.rule == "override":
        # A free word lifts what stands below it; one that names a hold lifts that one, panic too.
        return ground.rule != "consent" if named else _is_free_word(wish)
    if wish.rule == "conflict_quarantine":
        return bool(named) and ground.rule.startswith("conflict_")
    return bool(named) and ground.rule == wish.rule


def _strength(ground: Ground) -> tuple[int, str]:
    return RANK[ground.rule], ground.ground
