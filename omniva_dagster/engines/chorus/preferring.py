"""Whose style a clip is worded in: an operator's, Pantheon's where they left it open, or none."""

from __future__ import annotations

from dataclasses import dataclass

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.cognition.chorus import (
    Casing,
    PreferenceSource,
    StylePreferences,
    Tone,
)
from omniva_dagster.contracts.voice import BrandVoice
from omniva_dagster.engines.chorus.drafting import HASHTAGS

_PANTHEON, _BRAND = "Pantheon", "the brand"


@dataclass(frozen=True)
class Agreed:
    """The style that a clip is worded in; ``wished`` are the fields that follow Pantheon's wish."""

    style: StylePreferences
    wished: frozenset[str] = frozenset()

    def who(self, field: str) -> str:
        """Who wants a field so."""
        return _PANTHEON if field in self.wished else _BRAND

    def whose(self, field: str) -> str:
        """The same, for what is theirs."""
        return f"{self.who(field)}'s"


def preferences(voice: BrandVoice | None, now: str, creator_id: str = "") -> StylePreferences:
    """A brand's voice as it travels; without one, a clip is worded as it speaks."""
    chosen = voice or BrandVoice()
    return StylePreferences(
        **given(
            creator_id=creator_id or None,
            replace=chosen.replace,
            casing=chosen.casing or Casing.AS_SPOKEN,
            disclosure=chosen.disclosure,
            policies=chosen.policies,
        ),
        source=PreferenceSource.OPERATOR,
        tone=chosen.tone or Tone.NEUTRAL,
        avoid=chosen.avoid or [],
        require=chosen.require or [],
        emoji=True if chosen.emoji is None else chosen.emoji,
        hashtags=HASHTAGS if chosen.hashtags is None else chosen.hashtags,
        issued_at=now,
    )


def agreed(voice: BrandVoice | None, wish: StylePreferences | None, now: str) -> Agreed:
    """The brand's voice, and Pantheon's wish for what the brand leaves open."""
    style = preferences(voice, now)
    if wish is None:
        return Agreed(style)
    chosen = voice or BrandVoice()
    wished = {
        "tone": wish.tone if chosen.tone is None else style.tone,
        "emoji": wish.emoji if chosen.emoji is None else style.emoji,
        "hashtags": wish.hashtags if chosen.hashtags is None else style.hashtags,
    }
    changed = frozenset(name for name, value in wished.items() if value != getattr(style, name))
    return Agreed(style.model_copy(update=wished), changed)
