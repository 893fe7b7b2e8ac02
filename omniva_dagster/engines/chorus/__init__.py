"""Chorus: what a clip is called, in its own words, its brand's voice, and within policy (4.7).

Pure and deterministic; no language model. Every change is a rule that can be named.
"""

from omniva_dagster.engines.chorus.drafting import (
    DESCRIPTION_LIMIT,
    HASHTAGS,
    KEYWORD_LIMIT,
    TITLE_LIMIT,
    Draft,
    Wording,
    draft,
    word,
)
from omniva_dagster.engines.chorus.policies import CLAIMS, Breach, Policy, breaches, sponsored
from omniva_dagster.engines.chorus.refining import VERSION, Alert, holds, preferences, refine
from omniva_dagster.engines.chorus.text import cut, plain

__all__ = [
    "CLAIMS",
    "DESCRIPTION_LIMIT",
    "HASHTAGS",
    "KEYWORD_LIMIT",
    "TITLE_LIMIT",
    "VERSION",
    "Alert",
    "Breach",
    "Draft",
    "Policy",
    "Wording",
    "breaches",
    "cut",
    "draft",
    "holds",
    "plain",
    "preferences",
    "refine",
    "sponsored",
    "word",
]
