"""Verdicts: whose advice was taken where engines disagree, by which rule (4.9, Outputs)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.cognition.common import Engine
from omniva_dagster.contracts.cognition.zenith import Advice, ArbitrationVerdict
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines.zenith.dossier import Ground, Standing
from omniva_dagster.engines.zenith.precedence import RANK, RULES
from omniva_dagster.engines.zenith.settling import GOES, STOPS, Settled
from omniva_dagster.engines.zenith.wishes import Wish

_GOES = (*GOES, DirectiveKind.RETRY)


@dataclass(frozen=True)
class Voice:
    """What one engine is for, on one subject."""

    rule: str
    kind: DirectiveKind
    packet_id: str
    reason: str
    weight: float = 1.0

    @property
    def engine(self) -> Engine:
        """Who speaks."""
        return RULES[self.rule].engine

    @property
    def stops(self) -> bool:
        """Whether it is for stopping."""
        return self.kind in STOPS


def verdict_of(
    settled: Settled, directive: Directive | None, now: str
) -> ArbitrationVerdict | None:
    """The verdict where those who spoke are for different things; none where they agree."""
    standing = settled.standing
    refused = {wish.packet_id for wish, _ in settled.refused}
    said = [wish for wish in settled.spoken if wish.packet_id not in refused]
    heard = [_of_wish(wish) for wish in said if wish.kind in (*STOPS, *_GOES)]
    weights = {wish.cause: wish.weight for wish in said}
    grounds = [_of_ground(ground, weights) for ground in standing.grounds]
    voices = [*heard, *grounds, *_of_permit(standing)]
    if not said:
        return None
    if settled.remaining:
        chosen = _of_ground(settled.remaining[0], weights)
    else:
        going = [one for one in voices if not one.stops]
        if not going:
            return None
        chosen = min(going, key=_order)
    return decided_between(standing.subject_id, voices, chosen, directive, now)


def decided_between(
    subject_id: str,
    voices: list[Voice],
    chosen: Voice,
    directive: Directive | None,
    now: str,
) -> ArbitrationVerdict | None:
    """The verdict for one voice over those that are for the opposite, if there are any."""
    loudest = {voice.engine: voice for voice in sorted(voices, key=_order, reverse=True)}
    loudest[chosen.engine] = chosen
    overridden = [
        engine
        for engine, voice in loudest.items()
        if voice.stops is not chosen.stops and engine is not chosen.engine
    ]
    if not overridden:
        return None
    advice = sorted(loudest.values(), key=_order)
    rule = RULES[chosen.rule]
    against = ", ".join(sorted(engine.value for engine in overridden))
    return ArbitrationVerdict(
        verdict_id=derive_id("verdict", subject_id, *sorted(one.packet_id for one in advice)),
        subject_id=subject_id,
        advice=[
            Advice(
                engine=one.engine,
                recommends=f"{one.kind.value}: {one.reason}"[:200],
                weight=one.weight,
                packet_id=one.packet_id,
            )
            for one in advice
        ],
        precedence_rule=f"{RANK[chosen.rule] + 1}. {rule.name}: {rule.says}"[:200],
        chosen=chosen.engine,
        overridden=sorted(overridden),
        reason=f"{chosen.kind.value}, over {against}: {chosen.reason}"[:2000],
        decided_at=now,
        **given(directive_id=directive.directive_id if directive else None),
    )


def _order(voice: Voice) -> tuple[int, str]:
    return RANK[voice.rule], voice.packet_id


def _of_wish(wish: Wish) -> Voice:
    return Voice(wish.rule, wish.kind, wish.packet_id, wish.reason, wish.weight)


def _of_ground(ground: Ground, weights: Mapping[str, float]) -> Voice:
    weight = weights.get(ground.ground, 1.0)
    return Voice(ground.rule, ground.kind, ground.packet_id, ground.reason, weight)


def _of_permit(standing: Standing) -> list[Voice]:
    """The judges, who found a clip worth it."""
    permit = standing.permit
    if permit is None or standing.scope != "clip":
        return []
    return [Voice("merit", permit.kind, permit.evidence[0], permit.reason)]
