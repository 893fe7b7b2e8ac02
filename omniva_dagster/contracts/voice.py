"""How a creator's clips are to be worded, as one document that people write.

It is configuration, not a message: ``<home>/voices/<creator>.yaml``. What it says travels as
`StylePreferences`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.chorus import Casing, PolicyWords, Replacement, Tone
from omniva_dagster.contracts.cognition.common import Line, Lines
from omniva_dagster.contracts.types import Opt, SemVer


class BrandVoice(Document):
    """How a creator's clips are worded; what is left out is left as the clip says it."""

    tone: Opt[Tone] = Field(
        default=None,
        description="authoritative: no exclamation marks, no emoji; neutral and friendly: one "
        "mark at a time; playful: as spoken. neutral if left out.",
    )
    avoid: Opt[Annotated[Lines, Field(max_length=20)]] = Field(
        default=None, description="Words and phrases not to use."
    )
    replace: Opt[Annotated[list[Replacement], Field(max_length=30)]] = Field(
        default=None, description="Words and phrases that are said otherwise, in order."
    )
    require: Opt[Annotated[Lines, Field(max_length=10)]] = Field(
        default=None, description="Sentences that must be in every description."
    )
    casing: Opt[Casing] = Field(default=None, description="How titles are written.")
    emoji: Opt[bool] = Field(default=None, description="Whether emoji may stay; yes if left out.")
    hashtags: Opt[Annotated[int, Field(ge=0, le=15)]] = Field(
        default=None, description="The most hashtags in a description; 3 if left out."
    )
    disclosure: Opt[Line] = Field(
        default=None, description="The sentence that says that somebody paid for it."
    )
    policies: Opt[Annotated[list[PolicyWords], Field(max_length=30)]] = Field(
        default=None,
        description="Words that fall under a rule, beside the English ones it knows, by language.",
    )
    schema_version: SemVer = Field(default="1.1.0", description="Version of this contract.")
