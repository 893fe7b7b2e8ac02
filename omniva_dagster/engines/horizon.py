"""Horizon: the long view (4.5). Until goals are set, the neutral guidance that changes nothing."""

from __future__ import annotations

from typing import Any

VERSION = "1"


def neutral_guidance(day: str) -> dict[str, Any]:
    """Guidance for a day with no campaign: every hour and subject equally welcome."""
    return {"goal_window": {"since": day, "until": day}, "desirability": 1.0, "adjustment": 0.0}
