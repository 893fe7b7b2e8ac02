"""What clips should be about: subjects that the mix lacks, and those that did well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omniva_dagster.contracts.cognition.horizon import DesirabilityMetrics, SubjectDesirability
from omniva_dagster.engines.horizon.dossier import (
    DIGITS,
    Dossier,
    about,
    evidence,
)
from omniva_dagster.engines.horizon.goals import Standing, goal_window, mix_name
from omniva_dagster.engines.horizon.season import Tally, beats

NEUTRAL = 0.5
MIX_REACH = 0.4  # a subject that is wholly missing goes up so far
PAST_REACH = 0.2  # and one that always did better, so far
_MOST = 500
_FEWEST = 2
_LINE = 200


def desirability(subjects: Mapping[str, float], tags: Sequence[str]) -> float:
    """How much a clip about these tags is wanted, in [0, 1]: that of the subject among them that
    is farthest from neutral, and neutral (0.5) without any."""
    met = [(value, subject) for subject, value in subjects.items() if about(tags, subject)]
    return max(met, key=lambda item: (abs(item[0] - NEUTRAL), item), default=(NEUTRAL, ""))[0]


def metrics(dossier: Dossier, standing: Sequence[Standing]) -> DesirabilityMetrics:
    """What is wanted, the most wanted first."""
    by_goal = {item.name: item for item in standing}
    wanted: dict[str, float] = {}
    said: list[str] = []
    for subject, tally in sorted(_tallies(dossier).items()):
        value = NEUTRAL + PAST_REACH * tally.towards(0.0)
        if round(value, DIGITS) != NEUTRAL:
            wanted[subject] = value
            beaten = f"{tally.of} clips beat {tally.beaten:.0%} of those around"
            said.append(f"{subject} {value:.2f}: {beaten} (counts {tally.share:.2f})")
    for part in dossier.campaign.mix or []:
        goal = by_goal[mix_name(part)]
        lack = min(1.0, max(-1.0, -(goal.drift or 0.0)))
        known = wanted.pop(part.subject, NEUTRAL)
        wanted[part.subject] = known + MIX_REACH * lack * min(1.0, 2 * part.weight)
        said.insert(0, f"{part.subject} {wanted[part.subject]:.2f}: {goal.advice}")
    ranked = sorted(
        ((subject, round(min(1.0, max(0.0, value)), DIGITS)) for subject, value in wanted.items()),
        key=lambda item: (-item[1], item[0]),
    )
    return DesirabilityMetrics(
        goal_window=goal_window(dossier.campaign),
        subjects=[
            SubjectDesirability(subject=subject, desirability=value)
            for subject, value in ranked[:_MOST]
        ],
        explanation=_text(said) or "no subject is asked for, and none stood out so far",
        evidence=evidence(dossier, dossier.posts),
        generated_at=dossier.now,
    )


def _tallies(dossier: Dossier) -> dict[str, Tally]:
    """How posts did by what they are about."""
    found: dict[str, Tally] = {}
    for post, won in beats(dossier.posts):
        for tag in dict.fromkeys(tag.strip()[:_LINE] for tag in post.tags):
            if tag:
                found[tag] = found.get(tag, Tally()) + Tally(won, 1)
    return {subject: tally for subject, tally in found.items() if tally.of >= _FEWEST}


def _text(sentences: Sequence[str], limit: int = 2000) -> str:
    text = ""
    for sentence in sentences:
        longer = f"{text}; {sentence}" if text else sentence
        if len(longer) > limit:
            break
        text = longer
    return text
