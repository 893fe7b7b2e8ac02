"""What Pantheon's votes on a clip mean for its wording, as data: style preferences (4.7, Inputs).

A clip that its judges want for what it is about is to be found by that; one that a judge of risk
speaks against is to be worded soberly. A brand's own voice goes before it.
"""

from __future__ import annotations

from dataclasses import dataclass

from omniva_dagster.contracts.cognition.chorus import PreferenceSource, StylePreferences, Tone
from omniva_dagster.contracts.cognition.pantheon import VoteReport

_HASHTAGS = 3


@dataclass(frozen=True)
class Taste:
    """How a persona would have a clip worded: when it is most for it, or when it dissents."""

    persona: str
    dissents: bool
    why: str
    tone: Tone = Tone.NEUTRAL
    emoji: bool = True
    hashtags: int = _HASHTAGS


# The first that applies.
TASTES = (
    Taste(
        "risk_mitigation",
        dissents=True,
        why="a clip that may be misunderstood is worded soberly",
        tone=Tone.AUTHORITATIVE,
        emoji=False,
    ),
    Taste(
        "trend",
        dissents=False,
        why="a clip about what people look for is to be found by it",
        hashtags=5,
    ),
)


def style_of(report: VoteReport, now: str) -> StylePreferences | None:
    """How the judges would have a clip worded; None where they would have it as it speaks."""
    votes = {ballot.agent: ballot.vote for ballot in report.ballots}
    most = min(votes, key=lambda name: (-votes[name], name))
    for taste in TASTES:
        against = taste.persona in report.dissent
        if not (against if taste.dissents else most == taste.persona):
            continue
        said = "speaks against it" if taste.dissents else "is most for it"
        return StylePreferences(
            clip_id=report.candidate_id,
            source=PreferenceSource.PANTHEON,
            tone=taste.tone,
            avoid=[],
            require=[],
            emoji=taste.emoji,
            hashtags=taste.hashtags,
            because=f"{taste.persona} {said} ({votes[taste.persona]:.2f}): {taste.why}",
            issued_at=now,
        )
    return None
