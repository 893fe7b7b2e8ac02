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
    fitting_keywords,
    word,
)
from omniva_dagster.engines.chorus.policies import CLAIMS, Breach, Policy, breaches, sponsored
from omniva_dagster.engines.chorus.preferring import Agreed, agreed, preferences
from omniva_dagster.engines.chorus.refining import VERSION, Alert, holds, refine
from omniva_dagster.engines.chorus.seeing import Words, phrase
from omniva_dagster.engines.chorus.styling import styled
from omniva_dagster.engines.chorus.text import cut, plain, units

__all__ = [
    "CLAIMS",
    "DESCRIPTION_LIMIT",
    "HASHTAGS",
    "KEYWORD_LIMIT",
    "TITLE_LIMIT",
    "VERSION",
    "Agreed",
    "Alert",
    "Breach",
    "Draft",
    "Policy",
    "Wording",
    "Words",
    "agreed",
    "breaches",
    "cut",
    "draft",
    "fitting_keywords",
    "holds",
    "phrase",
    "plain",
    "preferences",
    "refine",
    "sponsored",
    "styled",
    "units",
    "word",
]
