"""Other people's words, made fit for a packet: bounded, printable, without what looks secret."""

from __future__ import annotations

import hashlib
import re

HIDDEN = "(hidden)"
LONGEST_LINE = 200
LONGEST_KEY = 1024
LONGEST_TEXT = 2000
_NAME = r"token|secret|passw|pwd|cookie|authori[sz]ation|credential|api[_-]?key|private[_-]?key"
# Every repetition has an end, and none is followed by another that takes the same characters:
# these are applied to other people's words.
_SECRETS = (
    # The user part of a URI.
    (re.compile(r"//[^/@\s]{1,300}@"), f"//{HIDDEN}@"),
    # Authorization: Bearer eyJ...
    (re.compile(r"\b(bearer|basic) {1,3}[\w.~+/=-]{6,4000}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # token=..., "api_key": "...", password: ...
    (
        re.compile(
            rf"""((?:{_NAME})[\w.-]{{0,40}}["']?\s{{0,3}}[=:]\s{{0,3}})"""
            r"""("[^"]{0,4000}"?|'[^']{0,4000}'?|[^\s&"',;)}\]]{1,4000})""",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # Keys by their well-known beginnings, and JSON web tokens.
    (
        re.compile(
            r"\b(?:sk-|gh[pousr]_|glpat-|xox[abprs]-|AKIA|ASIA|AIza|ya29\.|eyJ)[\w.=-]{12,4000}"
        ),
        HIDDEN,
    ),
    (
        re.compile(r"-----BEGIN [^-]{1,60}-----.*?(?:-----END [^-]{1,60}-----|\Z)", re.DOTALL),
        HIDDEN,
    ),
)
_SECRET_NAME = re.compile(_NAME, re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Whether what goes by that name must not be recorded."""
    return _SECRET_NAME.search(name) is not None


def line(text: str, limit: int = LONGEST_LINE) -> str:
    """Words on one line."""
    # Far more than can be kept, and little enough to look through at once.
    return fitting(" ".join(scrubbed(text[: 8 * limit]).split()), limit)


def text(said: str) -> str:
    """Words of several lines."""
    return fitting(scrubbed(said[: 8 * LONGEST_TEXT]).strip(), LONGEST_TEXT)


def key(name: str, limit: int = LONGEST_KEY) -> str:
    """A name that must stay tellable from all others, whatever is cut off."""
    whole = encodable(name)
    if len(whole) <= limit:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:16]
    return f"{whole[: limit - 17]}~{digest}"


def scrubbed(said: str) -> str:
    """The same, with whatever looks like a secret hidden."""
    said = encodable(said)
    for pattern, instead in _SECRETS:
        said = pattern.sub(instead, said)
    return said


def fitting(said: str, limit: int) -> str:
    """At most so many characters, the last one a sign that there was more."""
    return said if len(said) <= limit else said[: limit - 1] + "…"


def encodable(said: str) -> str:
    """The same as UTF-8 can say it: half of a surrogate pair becomes a question mark."""
    return said.encode("utf-8", "replace").decode("utf-8")
