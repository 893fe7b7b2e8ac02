"""What wording may not say, as data (4.7: policy constraints).

A policy on words is written for one language and is applied to that language alone: the words here
are English, and are not looked for in a German text. Whose clips speak German adds German words to
a policy in their voice file; what of a text nobody wrote words for is not judged, and a person is
told so. Claims are looked for in a sentence; one that is asked there is none, nor is one that is
denied (of that only English is known), and one that is quoted is pointed at and stops nothing.
Texts are looked at as they look (`seeing`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from omniva_dagster.contracts.cognition.chorus import PolicyRule, PolicyWords
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.engines.chorus.seeing import Words, as_seen, phrase

ENGLISH = "en"
_DISEASE = (
    r"(?:cancer|tumou?rs?|diabetes|autism|alzheimer'?s|dementia|depression|arthritis|asthma"
    r"|covid(?:-19)?|hiv|aids|heart disease|adhd|anxiety|parkinson'?s|epilepsy)"
)
_MONEY = r"(?:money|savings|investments?|income|bitcoins?|portfolio)"


@dataclass(frozen=True)
class Policy:
    """A rule on wording: ``critical`` holds the upload until a person answers; the others show."""

    name: str
    says: str
    severity: Severity
    language: str
    patterns: tuple[str, ...]


CLAIMS = (
    Policy(
        "medical_claims",
        "no promise that something heals",
        Severity.CRITICAL,
        ENGLISH,
        (
            rf"\b(?:cur(?:e|es|ed|ing)|heal(?:s|ed|ing)?|revers(?:e|es|ed|ing)"
            r"|eliminat(?:e|es|ed|ing)|prevent(?:s|ed|ing)?|gets? rid of)\b"
            rf"[^.!?]{{0,40}}\b{_DISEASE}\b",
            r"\b(?:miracle|instant) (?:cure|remedy)\b",
            r"\b(?:stop|quit) taking (?:your|all) (?:medication|medicine|meds|pills|insulin)\b",
            r"\blose \d+ ?(?:pounds|lbs?|kilos?|kg)\b[^.!?]{0,30}"
            r"\bin (?:a|one|two|\d+) (?:day|week)s?\b",
        ),
    ),
    Policy(
        "financial_claims",
        "no promise of gain",
        Severity.CRITICAL,
        ENGLISH,
        (
            r"\b(?:guaranteed|risk[- ]free|certain) (?:\w+ )?"
            r"(?:returns?|profits?|income|gains?|investments?)\b",
            rf"\b(?:doubl|tripl)(?:e|es|ed|ing) (?:your|my|their) {_MONEY}\b",
            rf"\b(?:10x|100x|ten times) your {_MONEY}\b",
            r"\bget[- ]rich[- ]quick\b",
            r"\b(?:make|earn) \$?[\d,]+k? ?(?:dollars|euros|bucks)? ?"
            r"(?:a|per|every|each) (?:day|week|hour)\b",
            r"\b(?:can't|cannot) lose (?:any |your )?money\b",
        ),
    ),
    Policy(
        "misleading_superlatives",
        "no rank that nobody gave",
        Severity.WARNING,
        ENGLISH,
        (
            r"\b(?:world|nation|country)'s (?:best|greatest|leading|number one|fastest|cheapest)\b",
            r"\b(?:best|greatest|number one) (?:\w+ ){0,3}in the (?:world|country|universe)\b",
            r"(?<!\w)#1 (?:rated|in|choice|best)\b",
            r"\b100 ?% (?:safe|effective|guaranteed|natural|accurate)(?!\w)",
            r"\b(?:scientifically|clinically) proven\b",
        ),
    ),
    Policy(
        "clickbait",
        "no bait",
        Severity.WARNING,
        ENGLISH,
        (
            r"\byou (?:won't|will not|wouldn't) believe\b",
            r"\b(?:doctors|dentists|banks|they) (?:hate|don't want you to)\b",
            r"\bthis one (?:weird |simple )?trick\b",
            r"\bwhat happen(?:s|ed) next will\b",
        ),
    ),
)
# Whole words alone: Scunthorpe, shiitake, assassins and Dickens are none of them.
_PROFANITY = re.compile(
    r"\b(?:(?:mother)?f[u*@]ck(?:s|ed|er|ers|ing|in'?)?|(?:bull|horse|dip)?sh[i1*]t(?:s|ty|ting|head)?"
    r"|assholes?|arseholes?|bitch(?:es|ing)?|cunts?|wank(?:er|ers|ing)|dickheads?"
    r"|nigg(?:er|a)s?|fagg?ots?)\b",
    re.IGNORECASE,
)
PROFANITY = Words(_PROFANITY, bare=True)
_AT, _DOT = r"(?:@| ?[(\[{] ?at ?[)\]}] ?)", r"(?:\.| ?[(\[{] ?dot ?[)\]}] ?)"
MAIL = Words(
    re.compile(rf"[\w.+-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}})+", re.IGNORECASE)
)
# With a country's code, brackets, or in groups of 3, 3 and 4: years, dates and sums are none.
PHONE = Words(
    re.compile(
        r"(?<![\w.,:/-])(?:\+\d{1,3}[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,4}"
        r"|\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}[ .-]\d{3}[ .-]\d{4})(?![\w:/-]|[.,]\d)"
    )
)
LINK = Words(re.compile(r"(?:https?://|www\.)[^\s“”\"']+", re.IGNORECASE))
_SPONSORED = re.compile(
    r"\b(?:sponsored by|brought to you by|for sponsoring|paid (?:partnership|promotion)"
    r"|(?:today's|our|this (?:video|episode)'s) sponsor"
    r"|use (?:the |my |our )?(?:promo |discount )?code (?-i:[A-Z0-9]{3,})\b)",
    re.IGNORECASE,
)
DISCLOSED = re.compile(
    r"#ad\b|#sponsored\b|\bpaid (?:promotion|partnership)\b|\bsponsored\b|\badvertisement\b",
    re.IGNORECASE,
)
_UNSPONSORED = re.compile(r"\b(?:not|isn't|wasn't|never|no)\b[^.!?]{0,15}$", re.IGNORECASE)
# Right before a claim, or of the whole sentence: "they don't want you to know it cures" denies
# nothing.
_DENIED = re.compile(
    r"(?:\b(?:no|not|never|nothing|nobody|none|without|neither|cannot)\b|n't\b)[^.!?]{0,20}$",
    re.IGNORECASE,
)
_EXPOSED = re.compile(r"\b(?:myth|hoax|false|fake|scams?|debunk\w*|beware)\b", re.IGNORECASE)
_ENDS = ".!?。！？؟।"
_ASKED = "?？؟"
_SENTENCE = re.compile(rf"[^{_ENDS}\n]+[{_ENDS}]*|[{_ENDS}]+")
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|«[^»]*»|(?<!\w)‘[^’]{3,}’(?!\w)")


@dataclass(frozen=True)
class Breach:
    """Words that break a policy, and how much that matters where they stand."""

    policy: str
    says: str
    passage: str
    severity: Severity


def breaches(text: str, language: str, words: Sequence[PolicyWords] = ()) -> Iterator[Breach]:
    """The claims in a text, in its order by policy, each passage once; ``words`` are an operator's,
    beside the English ones."""
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    for policy in CLAIMS:
        seen: set[str] = set()
        for start, stop in (
            *_claims(policy, text, language),
            *_added(policy, text, language, words),
        ):
            passage = text[start:stop]
            if passage.casefold() in seen:
                continue
            seen.add(passage.casefold())
            inside = any(first <= start and stop <= last for first, last in quoted)
            severity = Severity.INFO if inside else policy.severity
            yield Breach(policy.name, policy.says, passage[:2000], severity)


def sponsored(text: str, language: str, words: Sequence[PolicyWords] = ()) -> str:
    """The words that say that somebody paid; empty where there are none."""
    if speaks(ENGLISH, language):
        for start, stop in Words(_SPONSORED, bare=True).spans(text):
            if not _UNSPONSORED.search(text[:start].replace("’", "'")[-40:]):
                return text[start:stop]
    for added in phrases(PolicyRule.MISSING_AD_DISCLOSURE, language, words):
        for start, stop in added.spans(text):
            return text[start:stop]
    return ""


def phrases(rule: PolicyRule, language: str, words: Sequence[PolicyWords]) -> list[Words]:
    """An operator's words that fall under a rule, of a clip's language."""
    return [
        phrase(one)
        for item in words
        if item.rule is rule and speaks(item.language, language)
        for one in item.words
    ]


def speaks(wanted: str, language: str) -> bool:
    """Whether a clip's language (``de``, ``de-AT``) is the one that words are of."""
    return language.lower().replace("_", "-").partition("-")[0] == wanted


def _claims(policy: Policy, text: str, language: str) -> Iterator[tuple[int, int]]:
    if not speaks(policy.language, language):
        return
    seen = as_seen(text, True)
    for sentence in _SENTENCE.finditer(seen.text):
        said = sentence.group()
        if said.rstrip().endswith(tuple(_ASKED)):
            continue
        for pattern in policy.patterns:
            for match in re.finditer(pattern, said, re.IGNORECASE):
                denied = _EXPOSED.search(said) or _DENIED.search(said[: match.start()])
                if policy.severity is Severity.CRITICAL and denied:
                    continue
                yield seen.place(sentence.start() + match.start(), sentence.start() + match.end())


def _added(
    policy: Policy, text: str, language: str, words: Sequence[PolicyWords]
) -> Iterator[tuple[int, int]]:
    mine = phrases(PolicyRule(policy.name), language, words)
    for sentence in _SENTENCE.finditer(text) if mine else ():
        said = sentence.group()
        if said.rstrip().endswith(tuple(_ASKED)):
            continue
        for one in mine:
            for start, stop in one.spans(said):
                yield sentence.start() + start, sentence.start() + stop
