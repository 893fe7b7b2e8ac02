"""Horizon: goals, history and season in; weights, trajectory and warnings out (4.5).

Every number is a count of posts that did better than those around them, shrunk towards nothing
while posts are few, or a distance from a goal: what can be said in a sentence. Without goals the
guidance is neutral and changes nothing.
"""

from omniva_dagster.engines.horizon.dossier import Dossier, Post, about
from omniva_dagster.engines.horizon.goals import Standing, campaign_goals, goal_window, standings
from omniva_dagster.engines.horizon.guide import Guidance, guide, neutral_guidance
from omniva_dagster.engines.horizon.inflection import Inflection, inflection
from omniva_dagster.engines.horizon.season import WEEKDAYS, Season, Tally, season_of
from omniva_dagster.engines.horizon.wanted import NEUTRAL, desirability

VERSION = "2"

__all__ = [
    "NEUTRAL",
    "VERSION",
    "WEEKDAYS",
    "Dossier",
    "Guidance",
    "Inflection",
    "Post",
    "Season",
    "Standing",
    "Tally",
    "about",
    "campaign_goals",
    "desirability",
    "goal_window",
    "guide",
    "inflection",
    "neutral_guidance",
    "season_of",
    "standings",
]
