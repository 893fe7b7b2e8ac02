"""Chorus: drafts and preferences in, wording that is fit to publish out (4.7)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import (
    Evidence,
    Line,
    Lines,
    Name,
    Severity,
    Text,
    demand,
    when,
)
from omniva_dagster.contracts.types import Count, Opt, SemVer, Timestamp, Uuid

# A form of a text before Chorus may be longer than any platform takes.
Draft = Annotated[str, StringConstraints(max_length=20000)]


class PreferenceSource(StrEnum):
    """Who wants a style."""

    PANTHEON = "pantheon"
    OPERATOR = "operator"


class Tone(StrEnum):
    """How a brand speaks."""

    NEUTRAL = "neutral"
    FRIENDLY = "friendly"
    PLAYFUL = "playful"
    AUTHORITATIVE = "authoritative"


class Casing(StrEnum):
    """How a title is written."""

    AS_SPOKEN = "as_spoken"
    SENTENCE = "sentence"
    TITLE = "title"


class Replacement(Document):
    """A word or phrase that a brand says otherwise."""

    word: Line = Field(description="Not this, in whatever case.")
    use: Line = Field(description="But this.")


class PolicyRule(StrEnum):
    """A rule on words; what is done about it is the rule's, whoever adds words to it."""

    PROFANITY = "profanity"
    MEDICAL_CLAIMS = "medical_claims"
    FINANCIAL_CLAIMS = "financial_claims"
    MISLEADING_SUPERLATIVES = "misleading_superlatives"
    CLICKBAIT = "clickbait"
    MISSING_AD_DISCLOSURE = "missing_ad_disclosure"


class PolicyWords(Document):
    """Words and phrases that fall under a rule, beside those it knows, in one language."""

    rule: PolicyRule = Field(description="Which rule they fall under.")
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = Field(
        description="Of the clips they are looked for in, as ISO 639 has it: de, es, ja."
    )
    words: Annotated[Lines, Field(min_length=1)] = Field(
        description="Whole words or phrases, in whatever case."
    )


class StylePreferences(Document):
    """How a creator's clips are to be worded; a new version is a shift of guidelines (4.7)."""

    creator_id: Opt[Uuid] = Field(default=None, description="Whose clips; absent for all.")
    clip_id: Opt[Uuid] = Field(default=None, description="The one clip it is about, if it is one.")
    source: PreferenceSource = Field(description="Who wants it so.")
    tone: Tone = Field(description="How to speak.")
    avoid: Lines = Field(description="Words and phrases not to use.")
    require: Lines = Field(description="Words and phrases that must be in the description.")
    emoji: bool = Field(description="Whether emoji may stay.")
    hashtags: Count = Field(description="The most hashtags in a description.")
    replace: Opt[Annotated[list[Replacement], Field(max_length=100)]] = Field(
        default=None, description="What is said otherwise, in order."
    )
    casing: Opt[Casing] = Field(default=None, description="How titles are written.")
    disclosure: Opt[Line] = Field(
        default=None, description="The sentence that says that somebody paid for it."
    )
    policies: Opt[Annotated[list[PolicyWords], Field(max_length=100)]] = Field(
        default=None, description="Words that fall under a rule, beside those it knows."
    )
    because: Opt[Text] = Field(default=None, description="Why it is wanted, in a sentence.")
    issued_at: Timestamp = Field(description="When they were set.")
    schema_version: SemVer = Field(default="1.2.0", description="Version of this contract.")


class DraftMetadata(Document):
    """Wording as it comes, before Chorus (4.7, Inputs)."""

    clip_id: Uuid = Field(description="The clip.")
    title: Annotated[str, StringConstraints(max_length=500)] = Field(description="As drafted.")
    description: Draft = Field(description="As drafted.")
    keywords: Annotated[list[str], Field(max_length=200)] = Field(description="As drafted.")
    drafted_by: Name = Field(description="The module or operator.")
    evidence: Evidence = Field(description="Packets it was drafted from.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")


class StyledField(StrEnum):
    """A field of the wording."""

    TITLE = "title"
    DESCRIPTION = "description"
    KEYWORDS = "keywords"


class StyleDelta(Document):
    """One change of the wording: for machines what, for people why (4.7, Outputs)."""

    clip_id: Uuid = Field(description="The clip.")
    field: StyledField = Field(description="What was changed.")
    before: Draft = Field(description="As drafted; of keywords one a line.")
    after: Draft = Field(description="As refined, another text; of keywords one a line.")
    rule: Name = Field(description="The rule that changed it.")
    reason: Text = Field(description="What changed and why, in a sentence.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("after")
    @classmethod
    def _changes_something(cls, after: str, info: ValidationInfo) -> str:
        if after == info.data.get("before"):
            raise ValueError("must differ from before")
        return after


class ConflictState(StrEnum):
    """Whether a policy is still broken."""

    UNRESOLVED = "unresolved"
    RESOLVED = "resolved"


class ComplianceConflict(Document):
    """Wording that breaks a policy; while it is unresolved and critical, Zenith holds the clip
    (4.7)."""

    model_config = ConfigDict(
        json_schema_extra={"allOf": [when("state", "resolved", {"required": ["resolution"]})]}
    )

    conflict_id: Uuid = Field(description="Derived from clip, policy and passage.")
    clip_id: Uuid = Field(description="The clip.")
    field: StyledField = Field(description="Where it is.")
    policy: Line = Field(description="The rule that is broken.")
    passage: Text = Field(description="The words it is about.")
    severity: Severity = Field(description="How much it matters.")
    resolution: Opt[Text] = Field(default=None, description="How it was resolved, and by whom.")
    state: ConflictState = Field(description="Whether the rule is still broken; resolved says how.")
    alert_id: Opt[Uuid] = Field(default=None, description="Paradox's alert, if it raised one.")
    evidence: Evidence = Field(description="Packets that show it.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @field_validator("state")
    @classmethod
    def _says_how_it_was_resolved(cls, state: ConflictState, info: ValidationInfo) -> ConflictState:
        if state is ConflictState.RESOLVED and info.data.get("resolution", "") is None:
            raise ValueError("must be unresolved where there is no resolution")
        return state


class MachineWording(Document):
    """The fields of an UploadJob, to be sent as they are (3.5)."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=120)] = Field(
        description="One line."
    )
    description: Annotated[str, StringConstraints(max_length=5000)] = Field(
        description="Text under the clip."
    )
    keywords: Annotated[list[str], Field(max_length=15)] = Field(description="Tags, best first.")


class HumanWording(Document):
    """The same for a person who reviews it."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=10000)] = Field(
        description="The wording, what was changed and why, and what is unresolved."
    )


class StyledMetadata(Document):
    """Wording fit to publish, for machines and for people, with what was changed (4.7)."""

    clip_id: Uuid = Field(description="The clip.")
    machine: MachineWording = Field(description="What the uploader sends as it is.")
    human: HumanWording = Field(description="What a person reads.")
    tone: Tone = Field(description="How it speaks.")
    deltas: Annotated[list[StyleDelta], Field(max_length=200)] = Field(
        description="What was changed, in order."
    )
    conflicts: Annotated[list[ComplianceConflict], Field(max_length=100)] = Field(
        description="Policies that are or were broken."
    )
    style_version: Name = Field(description="Same draft, preferences and version: same wording.")
    evidence: Evidence = Field(description="Packets of the draft, the preferences and the alerts.")
    generated_at: Timestamp = Field(description="When it was made.")
    schema_version: SemVer = Field(default="1.0.0", description="Version of this contract.")

    @model_validator(mode="after")
    def _is_about_one_clip(self) -> Self:
        message = "must all be of this clip_id"
        demand(
            self,
            (all(item.clip_id == self.clip_id for item in self.deltas), "deltas", message),
            (all(item.clip_id == self.clip_id for item in self.conflicts), "conflicts", message),
        )
        return self
