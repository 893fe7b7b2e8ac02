"""The judges, as data: what each looks at, what it will not have, how far goals sway it.

Adding a persona is one more declaration here; nothing else names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Pantheon's own feature: how little of what a candidate says is said in the rest of its video.
DISTINCTNESS = "distinctness"


@dataclass(frozen=True)
class Persona:
    """A judge: how much each feature matters to it, and what it will not have.

    Below what it ``insists_on`` its vote is halved; below what it ``vetoes`` the candidate is not
    to become a clip, however the others vote. ``leans`` is how much of Horizon's wish for the
    subject, from -0.5 to 0.5, is added to its vote.
    """

    name: str
    stands_for: str
    weights: Mapping[str, float]
    insists_on: Mapping[str, float] = field(default_factory=dict)
    vetoes: Mapping[str, float] = field(default_factory=dict)
    leans: float = 0.0


PERSONAS = (
    Persona(
        "craft",
        "clean beginnings and endings",
        {"self_containedness": 3, "payoff": 2, "boundaries": 2, "length": 2, "speech_rate": 1},
        insists_on={"self_containedness": 0.3},
    ),
    Persona(
        "audience",
        "a reason to keep watching from the first seconds on",
        {
            "heatmap": 4,
            "hook": 4,
            "arousal": 2,
            "face_presence": 2,
            "energy": 1,
            "pitch": 1,
            "bursts": 1,
            "length": 1,
        },
        leans=0.3,
    ),
    Persona(
        "trend",
        "being about something people look for",
        {"keyword_density": 3, "hook": 2, "heatmap": 2, "arousal": 1},
        leans=0.5,
    ),
    Persona(
        "exploration",
        "what the rest of the video does not already say",
        {
            "novelty": 4,
            DISTINCTNESS: 2,
            "rare_words": 2,
            "keyword_density": 1,
            "visual_change": 1,
            "pitch": 1,
        },
        leans=0.2,
    ),
    Persona(
        "risk_mitigation",
        "nothing that needs context to be understood fairly",
        {
            "self_containedness": 4,
            "payoff": 1,
            "boundaries": 2,
            "chapters": 1,
            "face_presence": 1,
        },
        insists_on={"self_containedness": 0.5},
        # It begins in the middle of an argument: torn out of context, whatever else it is.
        vetoes={"self_containedness": 0.05},
    ),
)
